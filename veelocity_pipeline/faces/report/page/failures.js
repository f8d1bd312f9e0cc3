/* Failed deployments. */
import { DAY, data, packed, recordsOf } from "./data.js";
import { byId, link, node, nothing } from "./dom.js";
import { duration, grouped, momentName, plural } from "./format.js";
import { evidenceList, evidenceText, explainCommand, spanOf } from "./rows.js";
import { cardOf, scopeName, state, whyEmpty, windowName, windowOf } from "./selection.js";
import { fileName, tableOf } from "./table.js";

/** @param {() => boolean} isCurrent */
export async function drawFailures(isCurrent) {
  const all = await packed("failures");
  if (!isCurrent()) return;
  const days = windowOf().days;
  const begin = days ? Date.parse(data.as_of) - days * DAY : -Infinity;
  /** @type {Failure[]} */
  const known = recordsOf(all);
  const rows = known.filter((row) => row.scopes.includes(state.scope) && Date.parse(row.finished_at + "Z") > begin);
  const total = cardOf(data.metrics.change_fail_rate).part || 0;
  byId("failures-sub").textContent = rows.length ? (total > rows.length ? "The newest " + grouped(rows.length) + " of " + grouped(total) + " failed deployments" : plural(rows.length, "failed deployments")) + " in " + (state.scope ? scopeName(state.scope) : "all repositories") + ", " + windowName() + ", with the evidence." : "";
  if (total > rows.length) byId("failures-sub").append(" All of them: ", node("code", {}, explainCommand("change_fail_rate", spanOf({ window: windowOf() }))));
  byId("failures").replaceChildren(rows.length ? tableOf({ caption: "failed deployments", rows, file: fileName("failed-deployments", scopeName(state.scope), windowName()), columns: [
    { name: "Finished (UTC)", value: (row) => row.finished_at + "Z", cell: (row) => momentName(row.finished_at) },
    { name: "Where", value: (row) => row.where },
    { name: "Deployment", value: (row) => row.deployment, cell: (row) => link(row.url, row.deployment), kind: "nowrap" },
    { name: "Address", value: (row) => row.url, hidden: true },
    { name: "Evidence", value: (row) => evidenceText(row.evidence), cell: (row) => evidenceList(row.evidence) },
    { name: "Recovered in", csv: "Recovered in (hours)", value: (row) => row.recovery_hours, cell: (row) => (row.recovery_hours === null ? node("span", { class: "nil" }, "not yet") : duration(row.recovery_hours)), kind: "num", always: true },
  ] }) : nothing(whyEmpty("deployment_frequency") || "No failed deployment in this window."));
}
