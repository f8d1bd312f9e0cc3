/* Draws the report. */
import { drawCards } from "./cards.js";
import { drawCharts, layOutCharts } from "./charts.js";
import { layOutControls } from "./controls.js";
import { DAY, chartLibrary, data } from "./data.js";
import { byId, node } from "./dom.js";
import { drawFailures } from "./failures.js";
import { dateName, decimal, duration, perWeek, percent, quoted } from "./format.js";
import { drawNumbers } from "./numbers.js";
import { drawScopes } from "./scopes.js";
import { choose, drawBy, recall } from "./selection.js";
import { drawCoverage, drawFreshness, drawSources } from "./sources.js";
import { drawStages } from "./stages.js";
import { followTheme } from "./theme.js";
import { drawOpen } from "./work.js";

window.veelocity = { duration, percent, perWeek, decimal, quoted };
window.addEventListener("hashchange", () => choose(recall()));

drawBy(async (isCurrent) => {
  drawCards();
  drawStages();
  drawNumbers();
  drawScopes();
  await Promise.all([drawFailures(isCurrent), drawOpen(isCurrent), drawCoverage(isCurrent)]);
  await chartLibrary();
  if (isCurrent()) drawCharts();
});

followTheme();
const age = data.refreshed ? (Date.now() - Date.parse(data.refreshed)) / DAY : 0;
if (data.refreshed && age > data.stale_days) {
  byId("old").append(node("div", { class: "notice warn", role: "alert" }, node("strong", {}, "This report is " + Math.floor(age) + " days old."), " The last refresh that succeeded was on " + dateName(data.refreshed) + ". Run veelocity refresh, or make dev to run it on a schedule."));
}
drawSources();
if (!("DecompressionStream" in window)) {
  byId("old").append(node("div", { class: "notice warn", role: "alert" }, "This browser is too old to unpack the report. Open it in one of 2023 or later."));
  document.body.classList.add("nothing-yet");
} else if (data.scopes.length) {
  layOutControls();
  layOutCharts();
  drawFreshness();
  choose(recall());
} else document.documentElement.dataset.drawn = "yes";
