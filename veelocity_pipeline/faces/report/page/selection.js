/* What is selected, and the periods that it shows. */
import { DAY, data, packed } from "./data.js";
import { byId } from "./dom.js";
import { dateParts, duration, grouped, percent } from "./format.js";

/** @type {Choice} */
export const state = { scope: 0, window: data.first_window, period: data.first_period, table: "delivery" };

/** @param {number} index */
export const scopeName = (index) => (data.scopes[index][0] === "all" ? "All repositories" : data.scopes[index][1]);
export const windowOf = () => /** @type {LookBack} */ (data.windows.find((each) => each.id === state.window));
export const windowName = () => (windowOf().days ? "last " + windowOf().days + " days" : "all history");

/**
 * @param {Period} period
 * @param {string} iso
 */
export function periodEnd(period, iso) {
  const [year, month, day] = dateParts(iso);
  if (period === "day" || period === "week") return Date.UTC(year, month - 1, day) + (period === "day" ? 1 : 7) * DAY;
  return Date.UTC(year, month - 1 + (period === "month" ? 1 : 3), 1);
}
/** @type {Record<string, Known[]> | null} */
let columns = null;   // of the selected scope, by the selected period
/* The periods that the window touches, with the position of the first in the columns. */
export function visible() {
  const starts = data.starts[state.period];
  if (!columns) return { starts: [], from: 0 };
  let from = 0;
  const days = windowOf().days;
  if (days) {
    const begin = Date.parse(data.as_of) - days * DAY;
    while (from < starts.length - 1 && periodEnd(state.period, starts[from]) <= begin) from += 1;
  }
  return { starts: starts.slice(from), from };
}

/**
 * @param {View} view
 * @param {string} name
 */
export const column = (view, name) => (columns?.[name] || []).slice(view.from);

/**
 * @param {View} view
 * @param {Chart} chart
 */
export function completeness(view, chart) {
  const flags = column(view, chart.table === "dora_metrics" ? "is_complete" : "flow_is_complete");
  return view.starts.map((_, at) => flags[at] !== 0);
}

/** @param {Chart} chart */
export const chartColumn = (chart) => (chart.kind === "duration" ? chart.metric + "_median" : chart.metric);

/**
 * @param {Chart} chart
 * @param {Known} value
 */
export const chartText = (chart, value) => (value === null || value === undefined ? "no data" : chart.kind === "duration" ? duration(value) : chart.kind === "rate" ? percent(value) : grouped(value));

/**
 * @param {string} id
 * @returns {string | null}
 */
export function whyEmpty(id) {
  if ((id === "cycle_time" || id === "started_to_completed") && !data.linear) return "Linear is not connected. Set LINEAR_API_KEY to see how long its issues take.";
  if (id === "time_to_restore") return "No incident ended in this window. Incidents are issues with one of the incident_labels of veelocity.toml.";
  if (["deployment_frequency", "lead_time", "change_fail_rate", "recovery", "rework_rate"].includes(id) && !data.deployed[state.scope]) {
    return id === "deployment_frequency"
      ? "No production deployment is known here. Name what deploys in DEPLOYMENT_PATTERNS or in [deployments] of veelocity.toml; veelocity check shows what was found."
      : "There are no production deployments to measure.";
  }
  if (id === "lead_time" && data.cards[state.window].lead_time.of_commits[state.scope]) {
    return "No pull request was shipped in this window. The card shows the lead time of commits made without one.";
  }
  if (id === "recovery") return "No failed deployment recovered in this window.";
  return null;
}

/**
 * @param {Metric} key
 * @returns {Card}
 */
export function cardOf(key) {
  const all = data.cards[state.window][key.id];
  /** @type {Record<string, any>} */
  const card = {};
  for (const [name, values] of Object.entries(all)) card[name] = values[state.scope];
  return /** @type {Card} */ (card);
}

/**
 * What draws the page once something else is selected; it stops where the selection is not current any more.
 * @type {(isCurrent: () => boolean) => Promise<void>}
 */
let draw = async () => {};

/** @param {typeof draw} drawing */
export function drawBy(drawing) {
  draw = drawing;
}

let turn = 0;

/** @param {Partial<Choice>} change */
export async function choose(change) {
  const mine = turn += 1;
  const isCurrent = () => mine === turn;
  Object.assign(state, change);
  document.documentElement.dataset.drawn = "no";
  /** @type {HTMLSelectElement} */ (byId("scope")).value = String(state.scope);
  for (const [name, value] of [["window", state.window], ["period", state.period], ["numbers-tab", state.table]]) {
    for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (document.getElementsByName(name))) input.checked = input.value === value;
  }
  remember();
  const found = await packed("series/" + state.period + "/" + state.scope);
  if (!isCurrent()) return;
  columns = found;
  await draw(isCurrent);
}

/* The selection is kept in the address, so that a view can be bookmarked and a reload keeps it. */
function remember() {
  const [type, name] = data.scopes[state.scope];
  const text = new URLSearchParams({ scope: type === "all" ? "all" : type + ":" + name, window: state.window, period: state.period }).toString();
  try { history.replaceState(null, "", "#" + text); } catch { /* a viewer may forbid it; nothing else depends on it */ }
}

/** @returns {Partial<Choice>} */
export function recall() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  /** @type {Partial<Choice>} */
  const change = {};
  const scope = data.scopes.findIndex(([type, name]) => (type === "all" ? "all" : type + ":" + name) === wanted.get("scope"));
  if (scope >= 0) change.scope = scope;
  const window = data.windows.find((each) => each.id === wanted.get("window"));
  if (window) change.window = window.id;
  const period = wanted.get("period");
  if (period && period in data.starts) change.period = /** @type {Period} */ (period);
  return change;
}
