/* Where the lead time for changes goes: the stages as shares of the summed hours, and their medians in a table. */
import { data } from "./data.js";
import { byId, node, nothing } from "./dom.js";
import { duration, percent, plural } from "./format.js";
import { openStage } from "./rows.js";
import { scopeName, state, windowName } from "./selection.js";
import { fileName, tableOf } from "./table.js";

/** @param {Stage} stage */
const openOf = ([stage, , median, , , sample]) => openStage(stage, { value: median, sample });

export function drawStages() {
  const stages = data.stages[state.window]?.[state.scope] || [];
  byId("stages-sub").textContent = stages.length
    ? "Share of the hours of the same " + plural(stages[0][6], "pull requests") + ", " + windowName() + ". Medians do not add up; they are in the table. Select a stage to list its rows."
    : "";
  if (!stages.length) {
    byId("stages").replaceChildren(nothing("No change with all its stages known was deployed in this window."));
    return;
  }
  const bar = node("div", { class: "stage-bar", role: "group", "aria-label": "Stages of the lead time for changes" }, ...stages.filter(([, share]) => share).map((stage) => {
    const [id, share] = stage;
    const title = data.metrics[id].title;
    const part = node("button", { type: "button", class: "stage stage-" + id, title: title + ": " + percent(share), "aria-label": title + ": " + percent(share) + ". Show the rows" },
      node("span", { "aria-hidden": "true" }, (share ?? 0) > 0.08 ? percent(share) : ""));
    part.style.flexGrow = String(share ?? 0);
    part.addEventListener("click", () => openOf(stage));
    return part;
  }));
  const table = tableOf({ caption: "stages of the lead time", rows: stages, file: fileName("lead-time-stages", scopeName(state.scope), windowName()), columns: [
    { name: "Stage", value: ([id]) => data.metrics[id].title, cell: (stage) => {
      const open = node("button", { type: "button", class: "plain" }, data.metrics[stage[0]].title);
      open.addEventListener("click", () => openOf(stage));
      return node("span", {}, node("i", { class: "swatch stage-" + stage[0], "aria-hidden": "true" }), open);
    } },
    { name: "Share of the hours", value: ([, share]) => share, cell: ([, share]) => percent(share), kind: "num" },
    { name: "Median", csv: "Median (hours)", value: ([, , median]) => median, cell: ([, , median]) => duration(median), kind: "num" },
    { name: "p75", csv: "p75 (hours)", value: ([, , , p75]) => p75, cell: ([, , , p75]) => duration(p75), kind: "num" },
    { name: "p90", csv: "p90 (hours)", value: ([, , , , p90]) => p90, cell: ([, , , , p90]) => duration(p90), kind: "num" },
    { name: "Pull requests", value: ([, , , , , sample]) => sample, kind: "num" },
  ] });
  byId("stages").replaceChildren(node("div", { class: "panel stages" }, bar), table);
}
