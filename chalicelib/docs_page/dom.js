/* Elements from plain values; text is always text, never markup. */

export function element(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child != null));
  return node;
}

/* The little Markdown that descriptions use: `code`, paragraphs and lists. */
export function words(text) {
  const blocks = [];
  for (const block of (text ?? "").trim().split(/\n\s*\n/)) {
    const items = block.split(/^- /m);
    const before = items.shift().trim();
    if (before) blocks.push(element("p", {}, inline(before)));
    if (items.length)
      blocks.push(
        element(
          "ul",
          {},
          items.map((item) => element("li", {}, inline(item))),
        ),
      );
  }
  return blocks;
}

export function inline(text) {
  return text
    .split(/(`[^`]+`)/)
    .map((part) =>
      part.startsWith("`") && part.endsWith("`") && part.length > 1
        ? element("code", {}, part.slice(1, -1))
        : part,
    );
}

export const pretty = (value) => JSON.stringify(value, null, 2);
