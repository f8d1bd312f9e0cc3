/* Elements. Text reaches the page through textContent and attributes alone, never as markup. */

/** @param {string} id */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 */
export function node(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) if (value !== null && value !== undefined) made.setAttribute(name, String(value));
  for (const child of children) if (child !== null && child !== undefined) made.append(child);
  return made;
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} attributes
 */
export function svg(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/**
 * @param {string | null} url
 * @param {string} text
 */
export const link = (url, text) => (/^https?:\/\//i.test(url || "") ? node("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text) : document.createTextNode(text));

/** @param {string} text */
export const nothing = (text) => node("div", { class: "panel" }, node("p", { class: "empty" }, text));

/**
 * @param {string | null} name
 * @param {string | null} title
 * @param {string | null} url
 */
export const thing = (name, title, url) => {
  const words = [name, title].filter(Boolean).join(" ");
  return url ? link(url, words) : words;
};
