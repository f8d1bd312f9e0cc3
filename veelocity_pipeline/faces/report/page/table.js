/* Tables: what is shown and what is downloaded come from the same columns. */
import { data } from "./data.js";
import { node } from "./dom.js";
import { grouped } from "./format.js";

const SHOWN = 20;
/** @type {[RegExp, string][]} */
const GUARDS = data.guards.map(([pattern, by]) => [new RegExp(pattern, "g"), by]);

/**
 * A cell of CSV: quoted, and text that a spreadsheet would run as a formula gets an apostrophe before it.
 * @param {Value} value
 */
function csvCell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = GUARDS.reduce((guarded, [pattern, by]) => guarded.replace(pattern, by), String(value));
  return '"' + text.replace(/"/g, '""') + '"';
}

/**
 * @template Row
 * @param {Table<Row>} table
 */
function csvOf(table) {
  const lines = [table.columns.map((each) => csvCell(each.csv || each.name)).join(",")];
  for (const row of table.rows) lines.push(table.columns.map((each) => csvCell(each.value(row))).join(","));
  return "\ufeff" + lines.join("\r\n") + "\r\n";   // the mark tells spreadsheets that it is UTF-8
}

/**
 * @param {string} name
 * @param {string} text
 */
function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  node("a", { href: url, download: name + ".csv" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** @param {...string} words */
export const fileName = (...words) => ["veelocity", ...words].join("-").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/-$/, "");

/**
 * `columns` have a `name`, a `value` for the file, and a `cell` (text or node) for the page; without `cell` the value is
 * shown, and what is `hidden` is in the file alone. The first column names the row.
 * @template Row
 * @param {Table<Row>} table
 */
export function tableOf(table) {
  const shownColumns = table.columns.filter((each) => !each.hidden);
  const body = node("tbody");
  /**
   * @param {number} from
   * @param {number} [to]
   */
  const fill = (from, to) => {
    for (const row of table.rows.slice(from, to)) {
      body.append(node("tr", {}, ...shownColumns.map((each, at) => {
        const known = each.value(row);
        const missing = known === null || known === undefined || known === "";
        const content = missing && !each.always ? node("span", { class: "nil" }, node("span", { "aria-hidden": "true" }, "–"), node("span", { class: "hidden" }, "no data")) : each.cell ? each.cell(row) : typeof known === "number" ? grouped(known) : known;
        return node(at ? "td" : "th", { scope: at ? null : "row", class: each.kind || null }, content);
      })));
    }
  };
  const first = table.first || SHOWN;
  fill(0, first);
  const scroll = node("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": table.caption },
    node("table", { class: table.wide ? "wide" : null }, node("caption", { class: "hidden" }, table.caption),
        node("thead", {}, node("tr", {}, ...shownColumns.map((each) => node("th", { scope: "col", class: each.kind || null }, each.name)))), body));
  const box = node("div", { class: "panel" }, scroll);
  const foot = node("div", { class: "table-foot" });
  if (table.rows.length > first) {
    const more = node("button", { type: "button", class: "button" }, "Show all " + grouped(table.rows.length));
    more.addEventListener("click", () => { fill(first); more.remove(); scroll.focus(); });
    foot.append(more);
  }
  const save = node("button", { type: "button", class: "button csv", "aria-label": "Download " + table.caption + " as CSV" }, "Download CSV");
  save.addEventListener("click", () => download(table.file, csvOf(table)));
  foot.append(save);
  box.append(foot);
  return box;
}
