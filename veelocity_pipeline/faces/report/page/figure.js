/* What the chart library is given to draw: traces, ticks, tooltips. */
import { duration, grouped, percent, periodName, plural, tickName } from "./format.js";
import { chartColumn, chartText, column, completeness, periodEnd, state } from "./selection.js";

const DURATION_STEPS = [1 / 60, 2 / 60, 5 / 60, 10 / 60, 15 / 60, 30 / 60, 1, 2, 3, 6, 12, 24, 48, 72, 120, 168, 240, 336, 480, 720, 1440, 2160, 4320, 8760];

/**
 * @param {number} high
 * @returns {Ticks}
 */
function durationTicks(high) {
  const step = DURATION_STEPS.find((each) => high / each <= 4.5) || Math.ceil(high / 4 / 8760) * 8760;
  const values = [];
  for (let at = 0; at * step <= high * 1.001; at += 1) values.push(at * step);
  return { values, text: values.map((value) => (value ? duration(value) : "0")) };
}

/**
 * @param {number} high
 * @param {boolean} whole
 * @param {(value: number) => string} text
 * @returns {Ticks}
 */
function plainTicks(high, whole, text) {
  const raw = high / 5;
  const power = Math.pow(10, Math.floor(Math.log10(raw)));
  let step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= raw) || 10 * power;
  if (whole) step = Math.max(1, Math.round(step));
  const values = [];
  for (let at = 0; at * step <= high * 1.001; at += 1) values.push(at * step);
  return { values, text: values.map(text) };
}
function colours() {
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const read = (name) => style.getPropertyValue(name).trim();
  return { accent: read("--accent"), second: read("--second"), ink: read("--ink"), muted: read("--muted"), line: read("--line"), panel: read("--panel"), font: read("--font") };
}

/**
 * @param {string} hex
 * @param {number} alpha
 */
const soft = (hex, alpha) => "rgba(" + [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).join(",") + "," + alpha + ")";

/** @param {View} view */
function horizontalTicks(view) {
  const room = Math.max(2, Math.min(6, Math.floor((document.querySelector(".plot")?.clientWidth || 400) / 70)));
  const every = Math.ceil(view.starts.length / room) || 1;
  const values = [], text = [];
  let year = "";
  for (let at = (view.starts.length - 1) % every; at < view.starts.length; at += every) {
    values.push(view.starts[at]);
    text.push(tickName(state.period, view.starts[at], view.starts[at].slice(0, 4) !== year));
    year = view.starts[at].slice(0, 4);
  }
  return { values, text };
}

/**
 * @param {Chart} chart
 * @param {View} view
 * @param {number} at
 * @param {boolean} complete
 */
export function hoverText(chart, view, at, complete) {
  const lines = ["<b>" + periodName(state.period, view.starts[at]) + "</b>"];
  /** @param {string} name */
  const pick = (name) => column(view, name)[at];
  if (chart.kind === "duration") {
    lines.push("median " + duration(pick(chart.metric + "_median")));
    lines.push("p75 " + duration(pick(chart.metric + "_p75")) + " · p90 " + duration(pick(chart.metric + "_p90")));
    lines.push(plural(pick(chart.sample) || 0, chart.sample_noun));
  } else if (chart.kind === "rate") {
    lines.push(percent(pick(chart.metric)));
    lines.push(grouped(pick(chart.parts[0]) || 0) + " of " + plural(pick(chart.parts[1]) || 0, "deployments"));
  } else for (const [name, label] of chart.series) lines.push(label + ": " + grouped(pick(name) || 0));
  if (!complete) lines.push("<i>in progress</i>");
  return lines.join("<br>");
}
const MOST_BARS = 120;
const PRINTED = 300;   // pixels: two charts beside each other on a sheet of A4

/**
 * @param {Chart} chart
 * @param {View} view
 * @param {boolean} printing
 */
export function figure(chart, view, printing) {
  const tint = colours();
  const complete = completeness(view, chart);
  const x = view.starts;
  const hover = x.map((_, at) => hoverText(chart, view, at, complete[at]));
  const traces = [];
  let ticks;
  if (chart.kind === "count") {
    const series = chart.series.map(([name]) => column(view, name));
    const high = Math.max(1, ...series.flat().map((value) => value ?? 0)) * 1.08;
    const asLines = chart.id === "work_in_progress" || x.length > MOST_BARS;
    series.forEach((values, at) => {
      if (at && !values.some(Boolean)) return;   // a series with nothing in it would only shift the bars of the other
      const colour = at ? tint.second : tint.accent;
      const common = { x, y: values, name: chart.series[at][1], text: hover, hovertemplate: at ? undefined : "%{text}<extra></extra>", hoverinfo: at ? "skip" : undefined };
      traces.push(asLines ? { ...common, type: "scatter", mode: "lines", line: { color: colour, width: x.length > MOST_BARS ? 1.25 : 2 } }
        : { ...common, type: "bar", textposition: "none", marker: { color: complete.map((over) => (over ? colour : soft(colour, 0.12))), line: { color: colour, width: complete.map((over) => (over ? 0 : 1.5)) }, cornerradius: 2 } });
    });
    ticks = { ...plainTicks(high, true, grouped), high };
  } else {
    const values = column(view, chartColumn(chart));
    const upper = chart.kind === "duration" ? column(view, chart.metric + "_p75") : [];
    const known = [...values, ...upper].map((value) => value ?? 0);
    const high = (Math.max(...known) || (chart.kind === "rate" ? 0.1 : 1)) * 1.1;
    if (upper.length) {
      const bandX = [], bandY = [];
      for (let at = 0; at < x.length; at += 1) {   // one closed outline for each run of known periods; a gap stays a gap
        if (values[at] === null || upper[at] === null) continue;
        let end = at;
        while (end + 1 < x.length && values[end + 1] !== null && upper[end + 1] !== null) end += 1;
        if (bandX.length) { bandX.push(null); bandY.push(null); }
        for (let step = at; step <= end; step += 1) { bandX.push(x[step]); bandY.push(upper[step]); }
        for (let step = end; step >= at; step -= 1) { bandX.push(x[step]); bandY.push(values[step]); }
        at = end;
      }
      traces.push({ type: "scatter", mode: "none", x: bandX, y: bandY, fill: "toself", fillcolor: soft(tint.accent, 0.12), hoverinfo: "skip" });
      traces.push({ type: "scatter", mode: "lines", x, y: upper, line: { color: soft(tint.accent, 0.5), width: 1 }, hoverinfo: "skip", connectgaps: false });
    }
    /** @type {(string | null)[]} */
    const dashX = [];
    /** @type {Known[]} */
    const dashY = [];
    complete.forEach((over, at) => {
      if (over || at === 0 || values[at] === null || values[at - 1] === null) return;
      dashX.push(x[at - 1], x[at], null); dashY.push(values[at - 1], values[at], null);
    });
    if (dashX.length) traces.push({ type: "scatter", mode: "lines", x: dashX, y: dashY, line: { color: tint.accent, width: 2, dash: "4px,3px" }, hoverinfo: "skip", connectgaps: false });
    traces.push({ type: "scatter", mode: "lines", x, y: values.map((value, at) => (complete[at] ? value : null)), line: { color: tint.accent, width: 2 }, hoverinfo: "skip", connectgaps: false });
    const size = x.length > 60 ? 4 : 6;
    traces.push({ type: "scatter", mode: "markers", x, y: values, text: hover, hovertemplate: "%{text}<extra></extra>", cliponaxis: false,
      marker: { size: complete.map((over) => (over ? size : 8)), color: complete.map((over) => (over ? tint.accent : tint.panel)), opacity: 1, line: { color: tint.accent, width: complete.map((over) => (over ? 0 : 2)) } } });
    ticks = chart.kind === "duration" ? durationTicks(high) : plainTicks(high, false, percent);
    ticks.high = high;
  }
  const across = horizontalTicks(view);
  const layout = {
    margin: { l: 48, r: 26, t: 10, b: 40 }, showlegend: false, autosize: !printing, width: printing ? PRINTED : undefined, dragmode: false, hovermode: "closest", hoverdistance: 60, bargap: 0.3, bargroupgap: 0.08,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { family: tint.font, size: 12, color: tint.muted },
    hoverlabel: { bgcolor: tint.panel, bordercolor: tint.line, font: { family: tint.font, size: 12.5, color: tint.ink }, align: "left" },
    xaxis: { type: "date", tickvals: across.values, ticktext: across.text, showgrid: false, zeroline: false, ticks: "", fixedrange: true, tickangle: 0, ticklabeloverflow: "allow", range: barRange(view) },
    yaxis: { tickvals: ticks.values, ticktext: ticks.text, range: [0, ticks.high], gridcolor: tint.line, zeroline: true, zerolinecolor: tint.line, zerolinewidth: 1, fixedrange: true },
  };
  if (chart.kind === "count") layout.hovermode = "x";
  return { traces, layout };
}

/**
 * Half a period of air on both sides, so that the first bar and the last hollow dot are whole.
 * @param {View} view
 */
function barRange(view) {
  if (!view.starts.length) return undefined;
  const length = periodEnd(state.period, view.starts[0]) - Date.parse(view.starts[0]);
  /** @param {number} time */
  const iso = (time) => new Date(time).toISOString().slice(0, 19);
  return [iso(Date.parse(view.starts[0]) - length * 0.6), iso(Date.parse(view.starts[view.starts.length - 1]) + length * 0.6)];
}

/**
 * @param {Chart} chart
 * @param {View} view
 * @param {boolean[]} complete
 */
export function summaryOf(chart, view, complete) {
  const values = column(view, chartColumn(chart));
  const last = lastComplete(values, complete);
  const known = values.filter((value) => value !== null && value !== undefined).length;
  if (!known) return chart.title + ": no data in this window.";
  return chart.title + " by " + state.period + ", " + plural(view.starts.length, state.period + "s") + ". " +
    (last < 0 ? "" : "Last complete " + state.period + ": " + chartText(chart, values[last]) + ". ") + "Arrow keys go from point to point, Enter shows the rows; the data table has every value.";
}

/**
 * @param {Known[]} values
 * @param {boolean[]} complete
 */
export function lastComplete(values, complete) {
  for (let at = values.length - 1; at >= 0; at -= 1) if (complete[at] && values[at] !== null && values[at] !== undefined) return at;
  return -1;
}
