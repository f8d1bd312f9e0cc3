/* Light and dark, and paper. */
import { drawCharts, printCharts } from "./charts.js";
import { byId } from "./dom.js";

const systemDark = matchMedia("(prefers-color-scheme: dark)");
/** @type {string | null} */
let chosenTheme = null;
try { chosenTheme = localStorage.getItem("veelocity-theme"); } catch { /* storage is off: follow the system */ }

/** @param {string} theme */
function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").setAttribute("aria-label", "Switch to " + (theme === "dark" ? "light" : "dark") + " theme");
}
const themeNow = () => chosenTheme || (systemDark.matches ? "dark" : "light");
byId("theme").addEventListener("click", () => {
  chosenTheme = themeNow() === "dark" ? "light" : "dark";
  try { localStorage.setItem("veelocity-theme", chosenTheme); } catch { /* not kept, then */ }
  applyTheme(chosenTheme);
  drawCharts();
});
systemDark.addEventListener("change", () => { if (!chosenTheme) { applyTheme(themeNow()); drawCharts(); } });
window.addEventListener("beforeprint", () => { applyTheme("light"); printCharts(); });
window.addEventListener("afterprint", () => { applyTheme(themeNow()); drawCharts(); });

export const followTheme = () => applyTheme(themeNow());
