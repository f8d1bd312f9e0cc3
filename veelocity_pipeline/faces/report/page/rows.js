/* The rows behind a number, in a dialog. */
import { DAY, data, packed } from "./data.js";
import { byId, link, node, thing } from "./dom.js";
import { capitalized, dateName, duration, grouped, inPeriod, isKnown, momentName, plural, quoted, stamp } from "./format.js";
import { periodEnd, scopeName, state, windowName, windowOf } from "./selection.js";
import { fileName, tableOf } from "./table.js";

/** @type {Record<string, Pick<Metric, "title" | "kind" | "sample_noun" | "part_phrase">>} */
export const METRICS = { ...data.metrics, work: { title: "Work in progress", kind: "count", sample_noun: "items", part_phrase: null } };

let asked = 0;

/** @param {number} time */
const dayNumber = (time) => Math.floor(time / DAY);

/**
 * Of a chart's point: `{ period, start }`; of a card: `{ window }`. Days are numbers since 1970, `until` is not in it.
 * @param {Wanted} wanted
 * @returns {Span}
 */
export function spanOf(wanted) {
  if (wanted.window) {
    const until = Date.parse(data.as_of) / 1000;
    const after = wanted.window.days ? until - wanted.window.days * 86400 : -Infinity;
    return { when: windowName(), holds: (rows, at) => rows.at[at] > after && rows.at[at] <= until, from: wanted.window.days ? dayNumber(after * 1000) : -Infinity, until: Infinity, option: wanted.window.days ? "--days " + wanted.window.days : "" };
  }
  const from = dayNumber(Date.parse(wanted.start));
  const until = dayNumber(periodEnd(wanted.period, wanted.start));
  return { when: inPeriod(wanted.period, wanted.start), holds: (rows, at) => rows.on[at] >= from && rows.on[at] < until, from, until, option: "--" + wanted.period + " " + wanted.start };
}

/**
 * @param {string} metric
 * @param {Span} span
 */
export function explainCommand(metric, span) {
  const [type, name] = data.scopes[state.scope];
  return ["veelocity explain", metric, span.option, type === "all" ? "" : "--" + type + " " + quoted(name)].filter(Boolean).join(" ");
}

/**
 * Rows of the selected scope in the span, and the first day from which they are complete.
 * @param {string} metric
 * @param {Span} span
 * @returns {Promise<{ since: number | null, found: FoundRow[] }>}
 */
async function rowsOf(metric, span) {
  const entities = await packed("entities");
  /** @type {PackedRows | null} */
  const rows = await packed("rows/" + metric);
  if (!entities || !rows) return { since: null, found: [] };
  const chosen = entities.sets.map((/** @type {number[]} */ scopes) => scopes.includes(state.scope));
  /** @type {FoundRow[]} */
  const found = [];
  for (let at = 0; at < rows.entity.length; at += 1) {
    if (!chosen[rows.scopes[at]]) continue;
    const ended = metric === "work" ? rows.ended[at] : null;
    const held = metric === "work" ? rows.began[at] < span.until && (ended === null || ended >= span.until) : span.holds(rows, at);
    if (!held) continue;
    const entity = rows.entity[at];
    /** @type {FoundRow} */
    const row = { position: at, value: 0, entity, name: entities.name[entity], title: entities.title[entity], place: entities.place[entity], url: entities.url[entity], at: rows.at[at], reason: null };
    if (metric === "work") {
      row.value = (Math.min(Date.parse(data.as_of) / 1000, span.until * 86400) - rows.at[at]) / 3600;
      row.stage = ended === null ? rows.stage[at] : "ended since";
    } else {
      row.value = rows.value[at];
      const reason = rows.reason[at];
      row.reason = reason === null ? null : entities.reasons[reason];
    }
    found.push(row);
  }
  return { since: rows.since ? dayNumber(Date.parse(rows.since)) : null, found };
}


/**
 * The rows of one stage of the lead time: the changes of the window, with their hours in that stage.
 * @param {string} stage
 * @param {Numbers} published
 */
export async function openStage(stage, published) {
  const mine = asked += 1;
  const span = spanOf({ window: windowOf() });
  const [{ since, found }, hours] = await Promise.all([rowsOf("lead_time", span), packed("rows/stages")]);
  if (mine !== asked) return;
  const rows = found.flatMap((row) => { /** @type {number | null} */ const value = hours?.[stage]?.[row.position] ?? null; return value === null ? [] : [{ ...row, value }]; })
    .sort((left, right) => right.value - left.value || right.at - left.at);
  const { title, definition } = data.metrics[stage];
  byId("rows-title").textContent = title;
  byId("rows-sub").textContent = scopeName(state.scope) + ", changes deployed in the " + span.when;
  const body = byId("rows-body");
  body.replaceChildren(node("p", { class: "fine" }, definition), node("p", { class: "summary" }, summaryOfNumbers(stage, published)));
  if (since === null || span.from < since) {
    body.append(node("p", { class: "notice note" }, since === null ? "These rows are not in this file." : "This file holds the rows since " + dateName(stamp(since * 86400)) + "."));
  }
  /** @type {Column<FoundRow>[]} */
  const columns = rowColumns("Deployed");
  columns.push({ name: "Duration", csv: "Duration (hours)", value: (row) => row.value, cell: (row) => duration(row.value), kind: "num" });
  if (rows.length) body.append(tableOf({ caption: "rows of " + title, columns, rows, first: 100, file: fileName(stage, scopeName(state.scope), span.when) }));
  showDialog();
}

/** @param {string} metric */
const nounOf = (metric) => METRICS[metric].sample_noun;

/**
 * The published number in words; null where there is none, as of rows that are not a metric's.
 * @param {string} metric
 * @param {Numbers | undefined} published
 */
function summaryOfNumbers(metric, published) {
  const { sample_noun: noun, kind, part_phrase: phrase } = METRICS[metric];
  if (!published) return null;
  if (kind === "count") return plural(published.value || 0, noun) + ".";
  if (!published.sample || !isKnown(published.value)) return "No " + noun + " with a value.";
  if (kind === "duration") return "Median " + duration(published.value) + " of " + plural(published.sample, noun) + ".";
  return grouped(published.part || 0) + " of " + plural(published.sample, noun) + " " + phrase + ".";
}

/** @param {Evidence[]} evidence */
export const evidenceList = (evidence) => node("ul", { class: "evidence" }, ...evidence.map(([kind, text, url]) => node("li", {}, node("span", { class: "tag" }, kind.replace("_", " ")), link(url, text))));

/** @param {Evidence[]} evidence */
export const evidenceText = (evidence) => evidence.map(([kind, text, url]) => kind.replace("_", " ") + ": " + text + (url ? " " + url : "")).join("; ");

/**
 * @template {NamedRow} Row
 * @param {string} when
 * @returns {Column<Row>[]}
 */
export const rowColumns = (when) => [
  { name: "Name", value: (row) => row.name, cell: (row) => thing(row.name, row.title, row.url) },
  { name: "Title", value: (row) => row.title, hidden: true },
  { name: "Address", value: (row) => row.url, hidden: true },
  { name: "Where", value: (row) => row.place },
  { name: when + " (UTC)", value: (row) => stamp(row.at), cell: (row) => momentName(stamp(row.at)), kind: "nowrap" },
];

/**
 * @param {readonly string[]} metrics
 * @param {string} title
 * @param {Wanted} wanted
 * @param {Record<string, Numbers>} published what the marts say of each metric
 */
export async function openRows(metrics, title, wanted, published) {
  const mine = asked += 1;
  const span = spanOf(wanted);
  const [failures, repairs] = await Promise.all([packed("failures"), packed("repairs")]);
  const parts = await Promise.all(metrics.map((metric) => rowsOf(metric, span)));
  if (mine !== asked) return;
  const body = byId("rows-body");
  body.replaceChildren();
  byId("rows-title").textContent = title;
  byId("rows-sub").textContent = scopeName(state.scope) + ", " + span.when;
  metrics.forEach((metric, at) => {
    const { since, found } = parts[at];
    const command = node("code", {}, explainCommand(metric, span));
    const measured = found.filter((row) => row.reason === null).sort((left, right) => right.value - left.value || right.at - left.at);
    const excluded = found.filter((row) => row.reason !== null);
    if (metrics.length > 1) body.append(node("h3", {}, METRICS[metric].title));
    if (metric !== "work" && (since === null || span.from < since)) {
      const none = since === null || span.until <= since;
      body.append(node("p", { class: "notice note" }, node("strong", {}, none ? "These rows are not in this file." : "Some of these rows are not in this file."),
        since === null ? " " : " It holds those since " + dateName(stamp(since * 86400)) + ". ", "All of them: ", command.cloneNode(true)));
      if (none) return;
    }
    const summary = summaryOfNumbers(metric, published[metric]);
      if (summary) body.append(node("p", { class: "summary" }, summary));
    const kind = metric === "work" ? "duration" : METRICS[metric].kind;
    /** @type {Column<FoundRow>[]} */
    const columns = rowColumns(metric === "work" ? "Began" : kind === "count" || kind === "rate" ? "When" : "Ended");
    if (kind === "duration") columns.push({ name: metric === "work" ? "Age" : "Duration", csv: (metric === "work" ? "Age" : "Duration") + " (hours)", value: (row) => row.value, cell: (row) => duration(row.value), kind: "num" });
    if (metric === "work") columns.push({ name: "Stage", value: (row) => row.stage });
    if (kind === "rate") columns.push({ name: capitalized((METRICS[metric].part_phrase || "").replace(/^were /, "")), value: (row) => (row.value ? "yes" : "no") });
    const known = /** @type {Record<string, any>} */ ({ change_fail_rate: failures, recovery: failures, rework_rate: repairs })[metric];
    if (known) {
      /** @type {Map<number, Evidence[]>} */
      const evidence = new Map(known.entity.map((/** @type {number} */ entity, /** @type {number} */ position) => [entity, known.evidence[position]]));
      /** @param {FoundRow} row */
      const of = (row) => (row.value || metric === "recovery" ? evidence.get(row.entity) || [] : []);
      columns.push({ name: metric === "rework_rate" ? "Fixed" : "Evidence", value: (row) => evidenceText(of(row)), cell: (row) => evidenceList(of(row)) });
    }
    if (measured.length) body.append(tableOf({ caption: "rows of " + METRICS[metric].title, columns, rows: measured, first: 100, file: fileName(metric, scopeName(state.scope), span.when) }));
    if (excluded.length) {
      const left = node("details", {}, node("summary", {}, "Excluded: " + plural(excluded.length, nounOf(metric))));
      left.append(tableOf({ caption: "rows excluded from " + METRICS[metric].title, rows: excluded, first: 100, file: fileName(metric, "excluded", scopeName(state.scope), span.when),
        columns: [.../** @type {Column<FoundRow>[]} */ (rowColumns("When")), { name: "Reason", value: (row) => row.reason }] }));
      body.append(left);
    }
    if (metric !== "work") body.append(node("p", { class: "fine" }, "In a terminal: ", command));
  });
  showDialog();
}

function showDialog() {
  const dialog = dialogBox();
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

const dialogBox = () => /** @type {HTMLDialogElement} */ (byId("rows"));
byId("rows-close").addEventListener("click", () => dialogBox().close());
byId("rows").addEventListener("click", (event) => { if (event.target === byId("rows")) dialogBox().close(); });
