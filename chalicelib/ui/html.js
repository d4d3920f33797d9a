// lit-html, and the few things that every view needs of the page.
//
// Whatever a data set holds ends up as text: templates are constant, values are never parsed as HTML.

import { html, nothing } from "./vendor/lit-html/lit-html.js";

export { html, nothing, render, svg } from "./vendor/lit-html/lit-html.js";
export { live } from "./vendor/lit-html/directives/live.js";
export { repeat } from "./vendor/lit-html/directives/repeat.js";

/** @typedef {any} Content What a template may hold: text, numbers, templates, lists of these, nothing. */

/**
 * An element of the page, which is part of it from the start.
 * @type {(id: string) => any}
 */
export const byId = (id) => document.getElementById(id);

/**
 * A link to another site, or nothing where the address is not a web address (`javascript:` and its like).
 * @param {string} address
 * @param {Content} text
 * @param {string} label
 */
export function outsideLink(address, text, label) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return nothing;
  }
  if (!["https:", "http:"].includes(url.protocol)) return nothing;
  return html`<a
    href=${url.href}
    target="_blank"
    rel="noopener noreferrer"
    class="outside"
    aria-label=${label}
    >${text}</a
  >`;
}

/** Have a screen reader say something. */
export function announce(text) {
  byId("announcer").textContent = text;
}
