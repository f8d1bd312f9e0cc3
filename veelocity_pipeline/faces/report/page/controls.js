/* What a reader selects with. */
import { data } from "./data.js";
import { byId, node } from "./dom.js";
import { capitalized } from "./format.js";
import { chooseTable } from "./numbers.js";
import { choose, scopeName } from "./selection.js";

/**
 * @param {string} id
 * @param {[string, string][]} options
 * @param {(value: string) => void} chosen
 */
function segmented(id, options, chosen) {
  const box = byId(id);
  for (const [value, label] of options) {
    const input = node("input", { type: "radio", name: id, value });
    input.addEventListener("change", () => chosen(value));
    box.append(node("label", {}, input, node("span", {}, label)));
  }
}
export function layOutControls() {
  const groups = { all: null, team: "Teams", repository: "Repositories", service: "Services" };
  const select = /** @type {HTMLSelectElement} */ (byId("scope"));
  for (const [type, label] of Object.entries(groups)) {
    const options = data.scopes.flatMap((scope, at) => (scope[0] === type ? [node("option", { value: at }, scopeName(at))] : []));
    if (options.length) select.append(...(label ? [node("optgroup", { label }, ...options)] : options));
  }
  select.addEventListener("change", () => choose({ scope: Number(select.value) }));
  segmented("window", data.windows.map((each) => [each.id, each.days ? each.days + " days" : "All"]), (window) => choose({ window }));
  segmented("period", Object.keys(data.starts).map((period) => [period, capitalized(period)]), (period) => choose({ period: /** @type {Period} */ (period) }));
  segmented("numbers-tab", data.topics.map((topic) => [topic, capitalized(topic)]), chooseTable);
}
