/* Numbers, dates and commands as people read them; the same rules as formatting.py. */

/**
 * @param {Value | boolean} value
 * @returns {value is NonNullable<typeof value>}
 */
export const isKnown = (value) => value !== null && value !== undefined;

/** @param {number} value */
const halfUp = (value) => Math.floor(value + 0.5);

/** @param {number} value */
export const grouped = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

/** @param {number} value */
export function decimal(value) {
  const tenths = halfUp(value * 10);
  if (tenths >= 100) return grouped(halfUp(value));
  return tenths % 10 ? Math.floor(tenths / 10) + "." + (tenths % 10) : String(tenths / 10);
}

/** @param {Known} hours */
export function duration(hours) {
  if (hours === null || hours === undefined) return "no data";
  const seconds = Math.floor(hours * 3600 + 0.55);
  if (seconds < 60) return seconds + " s";
  const minutes = Math.floor((seconds + 30) / 60);
  if (minutes < 60) return minutes + " min";
  if (minutes < 1440) return Math.floor(minutes / 60) + " h" + (minutes % 60 ? " " + (minutes % 60) + " min" : "");
  return decimal(seconds / 86400) + " d";
}

/** @param {Known} rate */
export const percent = (rate) => (rate === null || rate === undefined ? "no data" : decimal(rate * 100) + " %");

/**
 * @param {Known} count
 * @param {number | null} days
 */
export function perWeek(count, days) {
  if (!isKnown(count) || !days || days <= 0) return "no data";
  const weekly = (count / days) * 7;
  return count && weekly < 1 ? decimal((count / days) * 30) + " / month" : decimal(weekly) + " / week";
}

/** @param {string} text */
export const capitalized = (text) => text[0].toUpperCase() + text.slice(1);

/**
 * @param {number} count
 * @param {string} noun
 */
export const plural = (count, noun) => grouped(count) + " " + (count === 1 ? noun.replace(/ies$/, "y").replace(/s$/, "") : noun);
/* What acts in a terminal, shown as an escape, as foreign.py does it. */
const acting = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** @param {string} text */
export const plain = (text) => text.replace(acting, (each) => "\\u" + each.charCodeAt(0).toString(16).padStart(4, "0"));

/**
 * A word of a command that people copy into a terminal.
 * @param {string} text
 */
export const quoted = (text) => (/^[\w./@:-]+$/.test(text) ? text : "'" + plain(text).replace(/'/g, "'\\''") + "'");

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** @param {string} iso */
export const dateParts = (iso) => [Number(iso.slice(0, 4)), Number(iso.slice(5, 7)), Number(iso.slice(8, 10))];

/**
 * @param {Period} period
 * @param {string} iso
 */
export function periodName(period, iso) {
  const [year, month, day] = dateParts(iso);
  if (period === "month") return MONTHS[month - 1] + " " + year;
  if (period === "quarter") return "Q" + Math.ceil(month / 3) + " " + year;
  if (period === "day") return day + " " + MONTHS[month - 1] + " " + year;
  return "Week of " + day + " " + MONTHS[month - 1] + " " + year;
}

/**
 * @param {Period} period
 * @param {string} iso
 * @param {boolean} withYear
 */
export function tickName(period, iso, withYear) {
  const [year, month, day] = dateParts(iso);
  const name = period === "week" || period === "day" ? day + " " + MONTHS[month - 1] : period === "month" ? MONTHS[month - 1] : "Q" + Math.ceil(month / 3);
  return withYear ? name + "<br>" + year : name;
}

/**
 * In the middle of a sentence.
 * @param {Period} period
 * @param {string} iso
 */
export const inPeriod = (period, iso) => (period === "week" ? "week" + periodName(period, iso).slice(4) : periodName(period, iso));

/** @param {string} iso */
export const dateName = (iso) => { const [year, month, day] = dateParts(iso); return day + " " + MONTHS[month - 1] + " " + year; };

/** @param {number} seconds */
export const stamp = (seconds) => new Date(seconds * 1000).toISOString();

/** @param {string} iso */
export const momentName = (iso) => dateName(iso) + ", " + iso.slice(11, 16);
