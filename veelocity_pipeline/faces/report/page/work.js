/* Open pull requests. */
import { data, packed, recordsOf } from "./data.js";
import { byId, node, nothing } from "./dom.js";
import { duration, grouped, plural } from "./format.js";
import { median, rowColumns } from "./rows.js";
import { scopeName, state } from "./selection.js";
import { fileName, tableOf } from "./table.js";

/** @type {[string, number][]} */
const AGES = [["under 1 day", 24], ["1 to 3 days", 72], ["3 to 7 days", 168], ["1 to 4 weeks", 672], ["over 4 weeks", Infinity]];

/** @param {() => boolean} isCurrent */
export async function drawOpen(isCurrent) {
  const open = await packed("open");
  if (!isCurrent()) return;
  const now = Date.parse(data.as_of) / 1000;
  /** @type {OpenRow[]} */
  const rows = recordsOf(open).filter((row) => row.scopes.includes(state.scope)).map((row) => ({ ...row, value: (now - row.at) / 3600 }));
  byId("open-sub").textContent = rows.length ? plural(rows.length, "pull requests") + " of people, oldest first. Half of them have been open for " + duration(median(rows.map((row) => row.value))) + " or longer." : "";
  if (!rows.length) { byId("ages").replaceChildren(node("div", {}, node("dt", {}, "All"), node("dd", {}, "0"))); byId("open").replaceChildren(nothing("No pull request is open here.")); return; }
  let from = 0;
  byId("ages").replaceChildren(...AGES.map(([label, until]) => {
    const count = rows.filter((row) => row.value >= from && row.value < until).length;
    from = until;
    const bar = node("i");
    bar.style.width = (count / rows.length) * 100 + "%";
    return node("div", {}, node("dt", {}, label), node("dd", {}, node("span", { class: "bar", "aria-hidden": "true" }, bar), node("b", {}, grouped(count))));
  }));
  byId("open").replaceChildren(tableOf({ caption: "open pull requests", rows, first: 10, file: fileName("open-pull-requests", scopeName(state.scope)),
    columns: [.../** @type {Column<OpenRow>[]} */ (rowColumns("Opened")), { name: "Age", csv: "Age (hours)", value: (row) => Math.round(row.value * 100) / 100, cell: (row) => duration(row.value), kind: "num" }, { name: "Stage", value: (row) => row.stage }] }));
}
