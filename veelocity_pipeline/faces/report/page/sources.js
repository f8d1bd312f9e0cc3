/* How fresh and how complete the data is. */
import { data, packed } from "./data.js";
import { byId, node, nothing } from "./dom.js";
import { grouped, momentName, percent } from "./format.js";
import { METRICS } from "./rows.js";
import { scopeName, state } from "./selection.js";
import { fileName, tableOf } from "./table.js";

export function drawSources() {
  const LISTED = 5;
  byId("sources").replaceChildren(tableOf({ caption: "state of each source", rows: data.sources, file: fileName("sources"), columns: [
    { name: "Source", value: (row) => row.title },
    { name: "Complete as of", value: (row) => row.as_of, cell: (row) => row.as_of_text, always: true },
    { name: "Last success", value: (row) => row.succeeded_at, cell: (row) => momentName(row.succeeded_at || "") + " UTC" },
    { name: "Repositories or teams", value: (row) => row.scopes, kind: "num" },
    { name: "Last attempt", value: (row) => row.failed.map(([name, error]) => name + ": " + error).join("; ") || row.missing || "OK", cell: (row) => {
      if (!row.failed.length) return row.missing || "OK";
      const list = row.failed.slice(0, LISTED).map(([name, error]) => node("div", { class: "failure" }, node("strong", {}, name), " " + error));
      if (row.failed.length > LISTED) list.push(node("div", { class: "failure" }, "and " + (row.failed.length - LISTED) + " more: ", node("code", {}, "veelocity status"), " lists them."));
      return node("div", {}, ...list);
    } },
  ] }));
}
export async function drawFreshness() {
  /** @type {[string, string, string | null, string | null][]} */
  const rows = await packed("freshness");
  const failed = rows.filter(([, , , error]) => error).length;
  byId("freshness-sub").textContent = rows.length ? "Oldest first. " + (failed ? grouped(failed) + " of " + grouped(rows.length) + " failed in the last attempt." : "The last attempt succeeded for all.") : "";
  byId("freshness").replaceChildren(rows.length ? tableOf({ caption: "freshness by repository and team", rows, first: 10, file: fileName("freshness"), columns: [
    { name: "Repository or team", value: ([, name]) => name },
    { name: "Source", value: ([source]) => source },
    { name: "Complete as of (UTC)", value: ([, , asOf]) => asOf, cell: ([, , asOf]) => (asOf ? momentName(asOf) : "never read completely"), always: true },
    { name: "Last attempt", value: ([, , , error]) => error || "OK", cell: ([, , , error]) => (error ? node("div", { class: "failure" }, error) : "OK") },
  ] }) : nothing("No repository has been read yet."));
}

/** @param {() => boolean} isCurrent */
export async function drawCoverage(isCurrent) {
  const coverage = await packed("coverage") || {};
  if (!isCurrent()) return;
  /** @type {CoverageRow[]} */
  const rows = Object.keys(coverage).filter((metric) => coverage[metric].eligible[state.scope]).map((metric) => ({
    metric, eligible: coverage[metric].eligible[state.scope], measured: coverage[metric].measured[state.scope], reasons: coverage[metric].reasons[state.scope],
  })).sort((left, right) => METRICS[left.metric].title.localeCompare(METRICS[right.metric].title));
  /** @param {CoverageRow} row */
  const reasons = (row) => row.reasons.map(([reason, count]) => grouped(count) + " " + reason);
  byId("coverage-sub").textContent = "Of what each metric could measure in " + (state.scope ? scopeName(state.scope) : "all repositories") + ", all history.";
  byId("coverage").replaceChildren(rows.length ? tableOf({ caption: "coverage of the metrics", rows, first: 30, file: fileName("coverage", scopeName(state.scope)), columns: [
    { name: "Metric", value: (row) => row.metric, cell: (row) => METRICS[row.metric].title },
    { name: "Eligible", value: (row) => row.eligible, kind: "num" },
    { name: "Measured", value: (row) => row.measured, kind: "num" },
    { name: "Coverage", value: (row) => row.measured / row.eligible, cell: (row) => percent(row.measured / row.eligible), kind: "num" },
    { name: "Excluded because", value: (row) => reasons(row).join("; "), cell: (row) => node("ul", { class: "evidence" }, ...reasons(row).map((text) => node("li", {}, text))) },
  ] }) : nothing("Nothing to measure is known here."));
}
