/* What the modules pass to each other, and what render.py puts on the page. Durations are hours, rates shares of 1. */

type Kind = "count" | "duration" | "rate";
type Period = "day" | "week" | "month" | "quarter";
type Known = number | null | undefined;
type Value = string | number | null | undefined;

interface Metric {
  id: string;
  title: string;
  kind: Kind;
  direction: string;
  definition: string;
  topic: string | null;
  is_key: boolean;
  sample_noun: string;
  part_phrase: string | null;
  value_column: string;
  sample_column: string | null;
  part_column: string | null;
}

/** What the marts say of a metric in a window or period. */
interface Numbers {
  value: Known;
  sample: Known;
  part?: Known;
}

/** Metric, share of the hours, median, p75, p90, sample, pull requests of all stages. */
type Stage = [string, number | null, Known, Known, Known, number, number];

interface Chart {
  id: string;
  section: string;
  title: string;
  kind: Kind;
  metric: string;
  table: string;
  sample: string;
  sample_noun: string;
  parts: [string, string];
  series: [string, string][];
  rows: string[];
  definition: string;
}

/** A key of one window and scope. */
interface Card {
  value: Known;
  sample: number;
  part: Known;
  of_commits: boolean;
  excluded: Known;
  score: Known;
  level: string | null | undefined;
  mean: Known;
  previous_known: boolean;
  previous: Known;
  previous_sample: number;
  is_clear: boolean;
}

/** A window to look back over; all history has no length. */
interface Span {
  when: string;
  /** Whether the row at this position lies in it. */
  holds: (rows: PackedRows, at: number) => boolean;
  /** Days since 1970; `until` is not in it. */
  from: number;
  until: number;
  /** What the command line calls it. */
  option: string;
}
interface LookBack {
  id: string;
  days: number | null;
}
type Wanted = { window: LookBack } | { window?: undefined; period: Period; start: string };

interface Source {
  title: string;
  as_of: string | null;
  as_of_text: string;
  succeeded_at: string | null;
  scopes: number;
  failed: [string, string][];
  missing: string;
}

interface PageData {
  metrics: Record<string, Metric>;
  charts: Chart[];
  topics: string[];
  first_window: string;
  first_period: Period;
  windows: LookBack[];
  minimum: number;
  stale_days: number;
  guards: [string, string][];
  as_of: string;
  refreshed: string | null;
  linear: boolean;
  sources: Source[];
  scopes: [string, string][];
  deployed: boolean[];
  history_days: number[];
  starts: Record<Period, string[]>;
  /** By window, key and field: a value for each scope. */
  cards: Record<string, Record<string, { [Field in keyof Card]: Card[Field][] }>>;
  totals: Record<string, Record<string, Known[]>>;
  /** By window and the scope's position. */
  stages: Record<string, Record<string, Stage[]>>;
  /** Columns of work_in_progress, and what people call them. */
  ages: [string, string][];
  open_work: Record<string, Known[]>;
}

interface Choice {
  scope: number;
  window: string;
  period: Period;
  table: string;
}

/** The periods on the page, with the position of the first in the columns. */
interface View {
  starts: string[];
  from: number;
}

interface Ticks {
  values: number[];
  text: string[];
  high?: number;
}

/** As published/rows.py packs them: lists of equal length. */
interface PackedRows {
  since?: string;
  entity: number[];
  on: number[];
  at: number[];
  value: number[];
  reason: (number | null)[];
  scopes: number[];
  began: number[];
  ended: (number | null)[];
  stage: string[];
}

interface NamedRow {
  name: string;
  title: string | null;
  place: string;
  url: string | null;
  at: number;
}
interface OpenRow extends NamedRow {
  stage: string;
  scopes: number[];
  value: number;
}
interface FoundRow extends NamedRow {
  /** Its place among the packed rows. */
  position: number;
  entity: number;
  value: number;
  reason: string | null;
  stage?: string;
}
/** Its kind, its text and its address. */
type Evidence = [string, string, string | null];

interface Failure {
  deployment: string;
  where: string;
  url: string | null;
  finished_at: string;
  recovery_hours: number | null;
  scopes: number[];
  evidence: Evidence[];
}
interface CoverageRow {
  metric: string;
  eligible: number;
  measured: number;
  reasons: [string, number][];
}
interface ScopeRow {
  type: string;
  name: string;
  at: number;
}

/** `value` is for the file, `cell` for the page; without `cell` the value is shown. */
interface Column<Row> {
  name: string;
  value: (row: Row) => Value;
  cell?: (row: Row) => string | Node;
  /** The name in the file, where it differs. */
  csv?: string;
  /** In the file alone. */
  hidden?: boolean;
  /** `cell` says something of a missing value, too. */
  always?: boolean;
  kind?: string;
}
/** The first column names the row. */
interface Table<Row> {
  caption: string;
  rows: Row[];
  columns: Column<Row>[];
  /** The file's name without its ending. */
  file: string;
  /** Rows that are shown at first. */
  first?: number;
  wide?: boolean;
  /** Sorts by a click on a column's name. */
  sorted?: boolean;
  /** What a filter compares with what is typed. */
  filter?: (row: Row) => string;
}

type Attributes = Record<string, Value>;
type Child = string | Node | null | undefined;

/** An element that Plotly draws in. */
interface Plot extends HTMLElement {
  data?: { y: Known[] }[];
  on(event: string, listener: (event: { points: { pointNumber: number }[] }) => void): void;
  removeAllListeners(event: string): void;
}
/** The part of Plotly that is called; it is started late. */
declare const Plotly: {
  react(plot: Plot, traces: object[], layout: object, options: object): void;
  purge(plot: Plot): void;
  Fx: { hover(plot: Plot, points: object[]): void; unhover(plot: Plot): void };
};
interface Window {
  veelocity: object;
}
