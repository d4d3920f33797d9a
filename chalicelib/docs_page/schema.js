/* JSON Schemas of the document in words, tables and examples. */

import { element, inline, pretty } from "./dom.js";

export const nameOf = (reference) => reference.split("/").pop();

export function resolve(document, value) {
  let found = value;
  while (found?.$ref)
    found = found.$ref
      .slice(2)
      .split("/")
      .reduce((at, part) => at[part], document);
  return found;
}

/* A type as nodes: `array of CardRow`, `number or null`, `"home" | "draw"`. */
export function typeOf(schema) {
  if (!schema) return ["anything"];
  if (schema.$ref)
    return [element("a", { href: `#schema-${nameOf(schema.$ref)}` }, nameOf(schema.$ref))];
  if (schema.const !== undefined) return [pretty(schema.const)];
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(" | ")];
  if (schema.anyOf)
    return schema.anyOf.flatMap((option, i) => (i ? [" or ", ...typeOf(option)] : typeOf(option)));
  if (schema.type === "array") return ["array of ", ...typeOf(schema.items)];
  if (schema.type === "object" && schema.additionalProperties)
    return ["map to ", ...typeOf(schema.additionalProperties)];
  return [schema.format ? `${schema.type} (${schema.format})` : (schema.type ?? "anything")];
}

export function limitsOf(schema) {
  const names = {
    minimum: "≥",
    maximum: "≤",
    minLength: "length ≥",
    maxLength: "length ≤",
    maxProperties: "entries ≤",
  };
  const limits = Object.entries(names)
    .filter(([name]) => name in schema)
    .map(([name, sign]) => `${sign} ${schema[name]}`);
  if ("default" in schema && schema.default !== null)
    limits.push(`default ${JSON.stringify(schema.default)}`);
  return limits.join(", ");
}

export function exampleOf(document, schema, depth = 0) {
  const known = resolve(document, schema) ?? {};
  if (known.examples?.length) return known.examples[0];
  if (known.default !== undefined) return known.default;
  if (known.const !== undefined) return known.const;
  if (known.enum) return known.enum[0];
  if (depth > 6) return null;
  if (known.anyOf) return exampleOf(document, known.anyOf[0], depth + 1);
  if (known.type === "array") return [exampleOf(document, known.items, depth + 1)];
  if (known.type === "object") {
    const properties = Object.entries(known.properties ?? {});
    return Object.fromEntries(
      properties.map(([name, kind]) => [name, exampleOf(document, kind, depth + 1)]),
    );
  }
  return { integer: 0, number: 0, boolean: false, string: "" }[known.type] ?? null;
}

export function schemaTable(schema) {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([name, kind]) =>
    element(
      "tr",
      {},
      element("td", {}, element("code", {}, name), required.has(name) ? "" : " (optional)"),
      element("td", {}, typeOf(kind)),
      element(
        "td",
        {},
        inline(kind.description ?? ""),
        element("span", { class: "muted" }, ` ${limitsOf(kind)}`),
      ),
    ),
  );
  if (!rows.length) return element("p", {}, typeOf(schema));
  const head = ["Field", "Type", "Meaning"].map((text) => element("th", { scope: "col" }, text));
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, head)),
    element("tbody", {}, rows),
  );
}
