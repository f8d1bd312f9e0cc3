/* What the page is drawn from: the JSON in #data, and packed texts, which are unpacked when they are needed. */
import { node } from "./dom.js";

/** @type {PageData} */
export const data = JSON.parse(document.getElementById("data")?.textContent || "null");

export const DAY = 86400000;
export const keys = Object.values(data.metrics).filter((metric) => metric.is_key);

/** @type {Map<string, Promise<any>>} */
const unpacked = new Map();

/**
 * The JSON of that name; null where the page has none.
 * @param {string} name
 * @returns {Promise<any>}
 */
export function packed(name) {
  const found = unpacked.get(name) || unpack(name).then(JSON.parse);
  unpacked.set(name, found);
  return found;
}

/**
 * @param {string} name
 * @returns {Promise<string>}
 */
export async function unpack(name) {
  const element = document.querySelector('script[data-name="' + name + '"]');
  if (!element) return "null";
  const characters = atob(element.textContent);
  const bytes = new Uint8Array(characters.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = characters.charCodeAt(at);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

/** @type {Promise<void> | null} */
let library = null;

/** The chart library takes longer to start than all else on the page together: it does when the rest is painted. */
export const chartLibrary = () => (library ||= startLibrary());
async function startLibrary() {
  await new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });
  document.head.append(node("script", {}, await unpack("plotly")));
}

/**
 * Lists by field as one record for each position.
 * @param {Record<string, any[]> | null} columns
 * @returns {any[]}
 */
export function recordsOf(columns) {
  const fields = Object.entries(columns || {});
  return (fields[0]?.[1] || []).map((_, at) => Object.fromEntries(fields.map(([name, values]) => [name, values[at]])));
}
