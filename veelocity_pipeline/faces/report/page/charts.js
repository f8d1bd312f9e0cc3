/* The charts: drawn one a frame, read with the mouse and with the keyboard. */
import { data } from "./data.js";
import { byId, node } from "./dom.js";
import { figure, hoverText, lastComplete, summaryOf } from "./figure.js";
import { inPeriod } from "./format.js";
import { openRows } from "./rows.js";
import { chartColumn, chartText, column, completeness, state, visible, whyEmpty } from "./selection.js";

/** @type {Chart[]} */
let queue = [];
let running = 0;
let printing = false;

/** @param {Chart} chart */
const plotOf = (chart) => /** @type {Plot} */ (byId("plot-" + chart.id));

/** @param {Chart} chart */
function drawOne(chart) {
  const view = visible();
  const plot = plotOf(chart);
  const values = chart.kind === "count" ? chart.series.flatMap(([name]) => column(view, name)) : column(view, chartColumn(chart));
  const complete = completeness(view, chart);
  const known = values.some((value) => value !== null && value !== undefined) && !(chart.kind === "count" && values.every((value) => !value));
  plot.setAttribute("aria-label", summaryOf(chart, view, complete));
  const last = chart.kind === "count" && chart.series.length > 1 ? -1 : lastComplete(values, complete);
  byId("chart-latest-" + chart.id).textContent = known && last >= 0 ? chartText(chart, values[last]) + (last === values.length - 1 || !complete.slice(last + 1).some(Boolean) ? ", last full " + state.period : ", " + inPeriod(state.period, view.starts[last])) : "";
  if (!known) {
    bePicture(plot);
    if (plot.data) Plotly.purge(plot);
    plot.replaceChildren(node("p", { class: "nothing" }, whyEmpty(chart.id) || "No data in this window."));
    return;
  }
  if (!plot.data) plot.replaceChildren();
  const { traces, layout } = figure(chart, view, printing);
  Plotly.react(plot, traces, layout, { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false });
  beSlider(chart, plot, view);
  plot.removeAllListeners("plotly_click");
  plot.on("plotly_click", (event) => openPoint(chart, event.points[0].pointNumber));
}

/** One chart a frame: the page answers while they appear. */
export function drawCharts() {
  printing = false;
  queue = [...data.charts];
  document.documentElement.dataset.drawn = "no";
  if (!running) running = requestAnimationFrame(drawNext);
}
function drawNext() {
  running = 0;
  const chart = queue.shift();
  if (chart) drawOne(chart);
  if (queue.length) running = requestAnimationFrame(drawNext);
  else document.documentElement.dataset.drawn = "yes";
}

/** All at once, as wide as they are on paper. */
export function printCharts() {
  printing = true;
  queue = [];
  data.charts.forEach(drawOne);
  document.documentElement.dataset.drawn = "yes";
}

export function layOutCharts() {
  for (const section of data.topics) {
    byId("charts-" + section).replaceChildren(...data.charts.filter((chart) => chart.section === section).map((chart) => {
      const legend = chart.series.length > 1 ? node("div", { class: "keys" }, ...chart.series.map(([, label], at) => {
        const swatch = node("i");
        swatch.style.background = at ? "var(--second)" : "var(--accent)";
        return node("span", {}, swatch, label);
      })) : null;
      return node("figure", { class: "chart", id: "chart-" + chart.id, "aria-labelledby": "chart-title-" + chart.id },
        node("div", { class: "chart-head" }, node("h3", { id: "chart-title-" + chart.id }, chart.title), node("span", { class: "latest", id: "chart-latest-" + chart.id, hidden: legend ? "" : null })),
        node("p", { class: "what" }, chart.definition), legend,
        node("div", { class: "plot", id: "plot-" + chart.id, role: "img", "aria-label": chart.title }));
    }));
  }
  byId("charts-flow").append(node("figure", { class: "chart", "aria-labelledby": "ages-title" },
    node("div", { class: "chart-head" }, node("h3", { id: "ages-title" }, "Age of open pull requests")),
    node("p", { class: "what" }, "Since they were opened, at the last load. The table below lists them."),
    node("dl", { class: "ages", id: "ages" })));
  for (const chart of data.charts) makeUsable(chart, plotOf(chart));
}

/**
 * What the marts say of the chart's metrics in the period at this position.
 * @param {Chart} chart
 * @param {View} view
 * @param {number} at
 * @returns {Record<string, Numbers>}
 */
function numbersAt(chart, view, at) {
  /** @param {string | null} name */
  const pick = (name) => (name ? column(view, name)[at] : null);
  return Object.fromEntries(chart.rows.filter((id) => id in data.metrics).map((id) => {
    const metric = data.metrics[id];
    return [id, { value: pick(metric.value_column), sample: pick(metric.sample_column), part: pick(metric.part_column) }];
  }));
}

/**
 * @param {Chart} chart
 * @param {number} at
 */
const openPoint = (chart, at) => {
  const view = visible();
  if (at >= 0 && at < view.starts.length) openRows(chart.rows, chart.title, { period: state.period, start: view.starts[at] }, numbersAt(chart, view, at));
};

/**
 * @param {Chart} chart
 * @param {Plot} plot
 */
function makeUsable(chart, plot) {
  plot.addEventListener("keydown", (event) => {
    const view = visible();
    const last = view.starts.length - 1;
    const now = Number(plot.getAttribute("aria-valuenow"));
    const next = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, PageDown: now - 10, PageUp: now + 10, Home: 0, End: last }[event.key];
    if (event.key === "Enter" || event.key === " ") openPoint(chart, now);
    else if (next === undefined) return;
    else pointAt(chart, plot, view, Math.max(0, Math.min(last, next)));
    event.preventDefault();
  });
  plot.addEventListener("focus", () => { if (plot.matches(":focus-visible")) pointAt(chart, plot, visible(), Number(plot.getAttribute("aria-valuenow"))); });
  plot.addEventListener("blur", () => { if (plot.data) Plotly.Fx.unhover(plot); });
}

/**
 * @param {Chart} chart
 * @param {Plot} plot
 * @param {View} view
 * @param {number} at
 */
function pointAt(chart, plot, view, at) {
  const complete = completeness(view, chart);
  plot.setAttribute("aria-valuenow", String(at));
  plot.setAttribute("aria-valuetext", hoverText(chart, view, at, complete[at]).replace(/<br>/g, ", ").replace(/<[^>]+>/g, ""));
  if (!plot.data) return;
  const curve = chart.kind === "count" ? 0 : plot.data.length - 1;
  Plotly.Fx.hover(plot, [{ curveNumber: curve, pointNumber: at }]);
}

/**
 * @param {Chart} chart
 * @param {Plot} plot
 * @param {View} view
 */
function beSlider(chart, plot, view) {
  const values = { role: "slider", tabindex: "0", "aria-orientation": "horizontal", "aria-valuemin": 0, "aria-valuemax": view.starts.length - 1 };
  for (const [name, value] of Object.entries(values)) plot.setAttribute(name, String(value));
  const at = view.starts.length - 1;
  plot.setAttribute("aria-valuenow", String(at));
  plot.setAttribute("aria-valuetext", hoverText(chart, view, at, completeness(view, chart)[at]).replace(/<br>/g, ", ").replace(/<[^>]+>/g, ""));
}

/** @param {Plot} plot */
function bePicture(plot) {
  for (const name of ["tabindex", "aria-orientation", "aria-valuemin", "aria-valuemax", "aria-valuenow", "aria-valuetext"]) plot.removeAttribute(name);
  plot.setAttribute("role", "img");
}
