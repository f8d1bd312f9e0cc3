/* Tables: what is shown and what is downloaded come from the same columns. */
import { data } from "./data.js";
import { node } from "./dom.js";
import { grouped, isKnown } from "./format.js";

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
  const first = table.first || SHOWN;
  const body = node("tbody");
  const more = node("button", { type: "button", class: "button" });
  const sorting = { by: -1, down: false };
  let all = false, typed = "";
  const heads = shownColumns.map((each, at) => node("th", { scope: "col", class: each.kind || null }, table.sorted ? sorter(each.name, () => sortBy(at)) : each.name));
  const fill = () => {
    let rows = typed && table.filter ? table.rows.filter((row) => (table.filter?.(row) || "").toLowerCase().includes(typed)) : [...table.rows];
    if (sorting.by >= 0) rows = inOrder(rows, shownColumns[sorting.by].value, sorting.down);
    body.replaceChildren(...rows.slice(0, all ? undefined : first).map((row) => rowOf(row, shownColumns)));
    more.hidden = all || rows.length <= first;
    more.textContent = more.hidden ? "" : "Show all " + grouped(rows.length);
  };
  /** @param {number} at */
  const sortBy = (at) => {
    sorting.down = sorting.by === at ? !sorting.down : false;
    sorting.by = at;
    heads.forEach((head, place) => (place === at ? head.setAttribute("aria-sort", sorting.down ? "descending" : "ascending") : head.removeAttribute("aria-sort")));
    fill();
  };
  const scroll = node("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": table.caption },
    node("table", { class: table.wide ? "wide" : null }, node("caption", { class: "hidden" }, table.caption), node("thead", {}, node("tr", {}, ...heads)), body));
  more.addEventListener("click", () => { all = true; fill(); scroll.focus(); });
  const save = node("button", { type: "button", class: "button csv", "aria-label": "Download " + table.caption + " as CSV" }, "Download CSV");
  save.addEventListener("click", () => download(table.file, csvOf(table)));
  const box = node("div", { class: "panel" });
  if (table.filter && table.rows.length > 5) {
    const filter = node("input", { type: "search", placeholder: "Filter by name", "aria-label": "Filter " + table.caption });
    filter.addEventListener("input", () => { typed = filter.value.trim().toLowerCase(); fill(); });
    box.append(node("div", { class: "table-head" }, filter));
  }
  box.append(cueOf(scroll), scroll, node("div", { class: "table-foot" }, more, save));
  fill();
  return box;
}

/**
 * Says that there are more columns than fit, until the last one is in view.
 * @param {HTMLElement} scroll
 */
function cueOf(scroll) {
  const cue = node("p", { class: "cue", hidden: "" }, "Scroll sideways for more columns →");
  const look = () => {
    const rest = scroll.scrollWidth - scroll.clientWidth - scroll.scrollLeft;
    cue.hidden = rest < 2;
    scroll.classList.toggle("cut", rest >= 2);
  };
  new ResizeObserver(look).observe(scroll);
  scroll.addEventListener("scroll", look, { passive: true });
  return cue;
}

/**
 * @param {string} name
 * @param {() => void} sort
 */
function sorter(name, sort) {
  const button = node("button", { type: "button", class: "sort" }, name);
  button.addEventListener("click", sort);
  return button;
}

/**
 * What is unknown comes last, whichever way the others are sorted.
 * @template Row
 * @param {Row[]} rows
 * @param {(row: Row) => Value} value
 * @param {boolean} down
 */
function inOrder(rows, value, down) {
  const known = rows.filter((row) => isKnown(value(row)));
  known.sort((left, right) => {
    const [one, other] = [value(left), value(right)];
    const order = typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other));
    return down ? -order : order;
  });
  return [...known, ...rows.filter((row) => !isKnown(value(row)))];
}

/**
 * @template Row
 * @param {Row} row
 * @param {Column<Row>[]} columns
 */
const rowOf = (row, columns) => node("tr", {}, ...columns.map((each, at) => {
  const known = each.value(row);
  const missing = !isKnown(known) || known === "";
  const content = missing && !each.always ? node("span", { class: "nil" }, node("span", { "aria-hidden": "true" }, "–"), node("span", { class: "hidden" }, "no data")) : each.cell ? each.cell(row) : typeof known === "number" ? grouped(known) : String(known);
  return node(at ? "td" : "th", { scope: at ? null : "row", class: each.kind || null }, content);
}));
