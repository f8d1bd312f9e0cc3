/* Open pull requests. */
import { data, packed, recordsOf } from "./data.js";
import { byId, node, nothing } from "./dom.js";
import { duration, grouped, plural } from "./format.js";
import { rowColumns } from "./rows.js";
import { scopeName, state } from "./selection.js";
import { fileName, tableOf } from "./table.js";

/** @param {() => boolean} isCurrent */
export async function drawOpen(isCurrent) {
  const open = await packed("open");
  if (!isCurrent()) return;
  const now = Date.parse(data.as_of) / 1000;
  /** @type {OpenRow[]} */
  const rows = recordsOf(open).filter((row) => row.scopes.includes(state.scope)).map((row) => ({ ...row, value: (now - row.at) / 3600 }));
  byId("open-sub").textContent = rows.length ? plural(rows.length, "open pull requests") + " (bots excluded), oldest first. Median age: " + duration(data.open_work.open_hours_median[state.scope]) + "." : "";
  if (!rows.length) { byId("ages").replaceChildren(node("div", {}, node("dt", {}, "All"), node("dd", {}, "0"))); byId("open").replaceChildren(nothing("No pull request is open here.")); return; }
  byId("ages").replaceChildren(...data.ages.map(([name, label]) => {
    const count = data.open_work[name][state.scope] || 0;
    const bar = node("i");
    bar.style.width = (count / rows.length) * 100 + "%";
    return node("div", {}, node("dt", {}, label), node("dd", {}, node("span", { class: "bar", "aria-hidden": "true" }, bar), node("b", {}, grouped(count))));
  }));
  byId("open").replaceChildren(tableOf({ caption: "open pull requests", rows, first: 10, file: fileName("open-pull-requests", scopeName(state.scope)),
    columns: [.../** @type {Column<OpenRow>[]} */ (rowColumns("Opened")), { name: "Age", csv: "Age (hours)", value: (row) => Math.round(row.value * 100) / 100, cell: (row) => duration(row.value), kind: "num" }, { name: "Stage", value: (row) => row.stage }] }));
}
