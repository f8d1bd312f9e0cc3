/* Every period as a table. */
import { data } from "./data.js";
import { byId, nothing } from "./dom.js";
import { duration, grouped, percent, periodName } from "./format.js";
import { column, completeness, scopeName, state, visible, windowName } from "./selection.js";
import { fileName, tableOf } from "./table.js";

export function drawNumbers() {
  const view = visible();
  const mine = data.charts.filter((chart) => chart.section === state.table);
  const period = state.period[0].toUpperCase() + state.period.slice(1);
  const complete = completeness(view, mine[0]);
  /** @type {Column<number>[]} */
  const table = [
    { name: period, value: (at) => view.starts[at], cell: (at) => periodName(state.period, view.starts[at]).replace("Week of ", "") + (complete[at] ? "" : " (in progress)") },
    { name: "Complete", value: (at) => (complete[at] ? "yes" : "no"), hidden: true },
  ];
  /**
   * @param {string} name
   * @param {string} csv
   * @param {string} source
   * @param {(value: any) => string} text
   */
  const add = (name, csv, source, text) => {
    const values = column(view, source);
    table.push({ name, csv, value: (at) => values[at], cell: (at) => text(values[at]), kind: "num" });
  };
  for (const chart of mine) {
    if (chart.kind === "duration") {
      add(chart.title + ", median", chart.title + ", median (hours)", chart.metric + "_median", duration);
      add("p75", chart.title + ", p75 (hours)", chart.metric + "_p75", duration);
      add("p90", chart.title + ", p90 (hours)", chart.metric + "_p90", duration);
      add(chart.sample_noun[0].toUpperCase() + chart.sample_noun.slice(1), chart.title + ", " + chart.sample_noun, chart.sample, grouped);
    } else if (chart.kind === "rate") {
      add(chart.title, chart.title, chart.metric, percent);
      add("Count", chart.title + ", " + chart.sample_noun, chart.parts[0], grouped);
    } else for (const [name, label] of chart.series) add(label, label, name, grouped);
  }
  byId("numbers-sub").textContent = scopeName(state.scope) + " by " + state.period + ", " + windowName() + ". A dash is no data, not zero.";
  byId("numbers").replaceChildren(view.starts.length ? tableOf({ caption: "metrics by " + state.period, wide: true, rows: view.starts.map((_, at) => at).reverse(), columns: table, first: 60, file: fileName(state.table, "by", state.period, scopeName(state.scope)) }) : nothing("No data yet."));
}

/** @param {string} section */
export function chooseTable(section) {
  state.table = section;
  drawNumbers();
}
