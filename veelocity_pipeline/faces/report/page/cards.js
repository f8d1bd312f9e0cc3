/* The cards of the five keys. */
import { data, keys } from "./data.js";
import { byId, node, svg } from "./dom.js";
import { capitalized, dateName, decimal, duration, grouped, isKnown, perWeek, percent, plural } from "./format.js";
import { openRows } from "./rows.js";
import { cardOf, chartColumn, column, completeness, scopeName, state, visible, whyEmpty, windowName, windowOf } from "./selection.js";

/** A score of two answers from the worst or less. */
const LOW = 4;

/**
 * @param {Metric} key
 * @param {Card} card
 */
function trendOf(key, card) {
  const box = node("p", { class: "trend" });
  const days = windowOf().days;
  if (!days) return box.append("No window before this one."), box;
  const before = "the " + days + " days before";
  if (card.previous_known === false) return box.append("History does not reach back over " + before + "."), box;
  if (!isKnown(card.value) || !isKnown(card.previous)) return box.append("Nothing to compare with in " + before + "."), box;
  if (key.kind !== "count" && (card.sample < data.minimum || card.previous_sample < data.minimum)) {
    return box.append("Too few " + key.sample_noun + " to compare with " + before + "."), box;
  }
  const was = key.kind === "duration" ? duration(card.previous) : key.kind === "rate" ? percent(card.previous) : perWeek(card.previous, days);
  const difference = card.value - card.previous;
  const share = card.previous ? Math.abs(difference) / card.previous : Infinity;
  if (!card.is_clear) { box.append(node("b", {}, "No clear change"), " from " + before + " (" + was + ")"); return box; }
  const better = difference > 0 === (key.direction === "higher");
  const amount = key.kind === "rate" ? decimal(Math.abs(difference) * 100) + " points" : share === Infinity ? "" : decimal(share * 100) + " %";
  const word = key.kind === "duration" ? (difference < 0 ? "faster" : "slower") : difference > 0 ? (key.kind === "count" ? "more" : "higher") : key.kind === "count" ? "fewer" : "lower";
  box.append(node("b", { class: better ? "better" : "worse" }, (difference > 0 ? "▲ " : "▼ ") + (amount ? amount + " " : "") + word), " than " + before + " (" + was + ")");
  return box;
}

/**
 * @param {Chart} chart
 * @param {View} view
 */
function sparkline(chart, view) {
  const values = column(view, chartColumn(chart));
  const complete = completeness(view, chart);
  const known = values.filter((value) => value !== null && value !== undefined);
  if (!known.length) return null;
  const high = Math.max(...known) || 1;
  /** @param {number} at */
  const x = (at) => (view.starts.length > 1 ? (at / (view.starts.length - 1)) * 100 : 50);
  /** @param {number} value */
  const y = (value) => 36 - (value / high) * 32;
  const box = node("div", { class: "spark-dots" });
  const drawing = svg("svg", { class: "spark", viewBox: "0 0 100 40", preserveAspectRatio: "none", "aria-hidden": "true" });
  let solid = "", dashed = "";
  values.forEach((value, at) => {
    if (value === null || value === undefined) return;
    const point = x(at).toFixed(2) + " " + y(value).toFixed(2);
    const joined = at > 0 && values[at - 1] !== null && values[at - 1] !== undefined;
    if (joined && complete[at]) solid += "L" + point; else if (complete[at]) solid += "M" + point;
    if (joined && !complete[at]) dashed += "M" + x(at - 1).toFixed(2) + " " + y(values[at - 1] ?? 0).toFixed(2) + "L" + point;
    const alone = !joined && (values[at + 1] === null || values[at + 1] === undefined);
    if (!complete[at] || at === values.length - 1 || alone) {
      const dot = node("span", { class: "spark-dot" + (complete[at] ? (at === values.length - 1 ? "" : " small") : " hollow") });
      dot.style.left = x(at) + "%"; dot.style.top = (y(value) / 40) * 100 + "%";
      box.append(dot);
    }
  });
  if (solid) drawing.append(svg("path", { d: solid }));
  if (dashed) drawing.append(svg("path", { d: dashed, class: "open" }));
  box.prepend(drawing);
  return box;
}

/**
 * @param {Metric} key
 * @param {Card} card
 */
function valueParts(key, card) {
  if (card.value === null || card.value === undefined) return ["no data", ""];
  const days = windowOf().days || data.history_days[state.scope];
  const text = key.kind === "duration" ? duration(card.value) : key.kind === "rate" ? percent(card.value) : perWeek(card.value, days);
  const cut = text.indexOf(" / ");
  return cut < 0 ? [text, ""] : [text.slice(0, cut), text.slice(cut)];
}

/**
 * The number in words.
 * @param {Metric} key
 * @param {Card} card
 */
function sentenceOf(key, card) {
  if (card.value === null || card.value === undefined) return null;
  /** @param {number} rate */
  const one = (rate) => (rate > 2 / 3 ? "Most deployments" : "About 1 in " + Math.max(2, Math.round(1 / rate)) + " deployments");
  const days = Math.round(windowOf().days || data.history_days[state.scope] || 0);
  switch (key.id) {
    case "deployment_frequency": return card.part ? "Deployed on " + grouped(card.part) + " of " + plural(days, "days") + "." : "Nothing was deployed to production.";
    case "lead_time": return "Half of the changes reached production within " + duration(card.value) + " of their first commit.";
    case "change_fail_rate": return card.value ? one(card.value) + " failed." : "No deployment is known to have failed.";
    case "recovery": return "Half of the failed deployments recovered within " + duration(card.value) + ".";
    default: return card.value ? one(card.value) + (card.value > 2 / 3 ? " were" : " was") + " unplanned and fixed an earlier one." : "No deployment had to fix an earlier one.";
  }
}

/** @param {Card} card */
function coverageOf(card) {
  if (!isKnown(card.excluded) || !card.sample) return "";
  return card.excluded ? "Coverage " + percent(card.sample / (card.sample + card.excluded)) + ", " + grouped(card.excluded) + " excluded" : "Coverage 100 %";
}

/**
 * @param {Metric} key
 * @param {Card} card
 */
function sampleText(key, card) {
  if (key.kind === "count") return plural(card.sample || 0, "deployments") + (card.part ? " on " + plural(card.part, "days") : "");
  if (key.kind === "rate") return card.sample ? grouped(card.part || 0) + " of " + plural(card.sample, "deployments") : "no deployments";
  const noun = card.of_commits ? "commits" : key.sample_noun;
  return card.sample ? "median of " + plural(card.sample, noun) : "no " + noun;
}
/**
 * A key that fails stands out, whatever the overall score is.
 * @param {Card} card
 */
const isLow = (card) => isKnown(card.score) && card.score <= LOW;

export function drawCards() {
  const view = visible();
  byId("cards").replaceChildren(...keys.map((key) => {
    const card = cardOf(key);
    const why = data.deployed[state.scope] ? null : whyEmpty(key.id);
    const [value, unit] = valueParts(key, card);
    const box = node("article", { class: "card" + (isLow(card) ? " low" : ""), id: "card-" + key.id, "aria-labelledby": "card-title-" + key.id });
    box.append(node("h3", { id: "card-title-" + key.id, title: key.definition }, key.title));
    if (why) {
      box.append(node("p", { class: "value none" }, "no data"), node("p", { class: "hint" }, why));
      return box;
    }
    box.append(node("p", { class: value === "no data" ? "value none" : "value" }, value, unit ? node("small", {}, unit) : null));
    box.append(node("p", { class: "sample" }, sampleText(key, card)), node("p", { class: "sentence" }, sentenceOf(key, card) || ""), trendOf(key, card));
    const spark = sparkline(/** @type {Chart} */ (data.charts.find((chart) => chart.id === key.id)), view);
    box.append(spark || node("div", { class: "spark-dots" }, node("div", { class: "spark" })));
    const score = node("div", { class: "score" });
    const scored = isKnown(card.score);
    const few = key.kind !== "count" && card.sample < data.minimum;
    score.append(node("div", { class: "score-line" }, node("span", {}, scored ? "Score" : !windowOf().days ? "No score for all history" : !card.sample ? "No " + key.sample_noun + " to score" : few ? "Too few " + key.sample_noun + " to score" : "Not scored"),
      isKnown(card.score) ? node("span", {}, node("b", {}, decimal(card.score)), " of 10") : null));
    const mean = card.mean ?? null;
    const bar = node("div", { class: "bar", role: "img", "aria-label": (isKnown(card.score) ? "Score " + decimal(card.score) + " of 10" : "No score") + (mean === null ? "" : "; mean score of all industries in 2025: " + mean) });
    const fill = node("i");
    fill.style.width = (card.score ?? 0) * 10 + "%";
    bar.append(fill);
    if (mean !== null) {
      const tick = node("u", { title: "Mean score of all industries, 2025: " + mean });
      tick.style.left = mean * 10 + "%";
      bar.append(tick);
    }
    score.append(bar, node("p", { class: "level" }, node("span", {}, mean === null ? "" : "Industry mean score " + mean),
      card.level ? node("span", { title: "Level as DORA's report of 2023 drew them" }, card.level[0].toUpperCase() + card.level.slice(1) + " (2023)") : null));
    const rows = node("button", { type: "button", class: "plain", "aria-label": "Show the rows of " + key.title.toLowerCase() }, "Show the rows");
    const shown = key.id === "lead_time" && card.of_commits ? "commit_lead_time" : key.id;
    rows.addEventListener("click", () => openRows([shown], key.title, { window: windowOf() }, { [shown]: card }));
    box.append(score, node("p", { class: "card-foot" }, node("span", {}, coverageOf(card)), rows));
    return box;
  }));
  byId("overview-sub").textContent = scopeName(state.scope) + ", " + windowName() + (data.as_of ? " to " + dateName(data.as_of) : "");
  const totals = data.totals[state.window];
  const shown = (totals ? ["throughput", "stability", "overall"] : []).map((name) => total(capitalized(name), totals[name][state.scope]));
  const low = keys.map((key) => ({ key, card: cardOf(key) })).filter(({ card }) => isLow(card)).sort((left, right) => (left.card.score ?? 0) - (right.card.score ?? 0))[0];
  if (totals && low) shown.push(total("Lowest: " + low.key.title.toLowerCase(), low.card.score, "low"));
  byId("totals").replaceChildren(...shown);
}

/**
 * @param {string} name
 * @param {Known} score
 * @param {string} [kind]
 */
const total = (name, score, kind) => node("div", { class: kind }, node("dt", {}, name), node("dd", {}, isKnown(score) ? decimal(score) : "–", isKnown(score) ? node("small", {}, " of 10") : null));
