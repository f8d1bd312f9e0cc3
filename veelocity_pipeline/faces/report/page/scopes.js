/* Scopes side by side. */
import { data } from "./data.js";
import { byId, node } from "./dom.js";
import { capitalized, decimal, duration, perWeek, percent, plural } from "./format.js";
import { choose, scopeName, state, windowName, windowOf } from "./selection.js";
import { fileName, tableOf } from "./table.js";

export function drawScopes() {
  const days = windowOf().days;
  const rows = data.scopes.map(([type, name], at) => ({ type, name, at }));
  /** @param {string} key */
  const of = (key) => (/** @type {ScopeRow} */ row) => data.cards[state.window][key].value[row.at];
  /**
   * @param {string} key
   * @param {(value: Known, row: ScopeRow) => string} text
   */
  const sampled = (key, text) => (/** @type {ScopeRow} */ row) => {
    const { value, sample } = data.cards[state.window][key];
    return node("span", { class: sample[row.at] < data.minimum && key !== "deployment_frequency" ? "few" : null, title: plural(sample[row.at] || 0, data.metrics[key].sample_noun) }, text(value[row.at], row));
  };
  byId("scopes-sub").textContent = capitalized(windowName()) + ". Pale numbers have a sample under " + data.minimum + ".";
  byId("scopes").replaceChildren(tableOf({ caption: "keys by team, repository and service", rows, first: 12, sorted: true, filter: (row) => scopeName(row.at) + " " + row.type, file: fileName("scopes", windowName()), columns: [
    { name: "Name", value: (row) => scopeName(row.at), cell: (row) => {
      const pick = node("button", { type: "button", class: "plain", "aria-pressed": String(row.at === state.scope) }, scopeName(row.at));
      pick.addEventListener("click", () => { choose({ scope: row.at }); byId("main").focus(); scrollTo(0, 0); });
      return pick;
    } },
    { name: "Kind", value: (row) => (row.type === "all" ? "organization" : row.type) },
    { name: "Deployments", value: of("deployment_frequency"), cell: sampled("deployment_frequency", (value, row) => perWeek(value, days || data.history_days[row.at])), kind: "num" },
    { name: "Lead time", csv: "Lead time, median (hours)", value: of("lead_time"), cell: sampled("lead_time", duration), kind: "num" },
    { name: "Change fail rate", value: of("change_fail_rate"), cell: sampled("change_fail_rate", percent), kind: "num" },
    { name: "Recovery time", csv: "Recovery time, median (hours)", value: of("recovery"), cell: sampled("recovery", duration), kind: "num" },
    { name: "Rework rate", value: of("rework_rate"), cell: sampled("rework_rate", percent), kind: "num" },
    { name: "Overall score", value: (row) => data.totals[state.window]?.overall[row.at], cell: (row) => decimal(data.totals[state.window].overall[row.at] ?? 0), kind: "num" },
  ] }));
}
