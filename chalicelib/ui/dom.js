// Elements are built, never parsed: whatever a data set holds ends up as text.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element.
 * @param {string} tag
 * @param {Record<string, any>} attributes `class`, any attribute, `onevent` listeners, `style` through CSSOM.
 * @param {...any} children Strings become text nodes.
 */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style")
      for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(
    ...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** Replace an element's content. */
export function fill(element, ...children) {
  element.replaceChildren(
    ...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false),
  );
}

/** A link to another site, or null where the address is not a web address (`javascript:` and its like). */
export function outsideLink(address, text, label) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  if (!["https:", "http:"].includes(url.protocol)) return null;
  return h(
    "a",
    {
      href: url.href,
      target: "_blank",
      rel: "noopener noreferrer",
      class: "outside",
      "aria-label": label,
    },
    text,
  );
}

/**
 * An element of the page, which is part of it from the start.
 * @type {(id: string) => any}
 */
export const byId = (id) => document.getElementById(id);

let speaker;
/** Have a screen reader say something. */
export function announce(text) {
  speaker ??= byId("announcer");
  speaker.textContent = text;
}
