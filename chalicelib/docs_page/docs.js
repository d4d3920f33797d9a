/* The page of the OpenAPI document. Everything is relative to this file: the API lives below a stage's prefix. */

import { element, inline, pretty, words } from "./dom.js";
import { liveExamples } from "./examples.js";
import { exampleOf, limitsOf, resolve, schemaTable, typeOf } from "./schema.js";
import { tryForm } from "./try.js";

const BASE = new URL("../", import.meta.url);
const METHODS = ["get", "post"];
const EXAMPLES = liveExamples(BASE);
/** @type {(id: string) => any} */
const $ = (id) => document.getElementById(id);

function table(columns, rows) {
  const head = columns.map((text) => element("th", { scope: "col" }, text));
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, head)),
    element("tbody", {}, rows),
  );
}

function parameterRows(parameters) {
  return parameters.map((parameter) =>
    element(
      "tr",
      {},
      element("td", {}, element("code", {}, parameter.name), parameter.required ? " *" : ""),
      element("td", {}, parameter.in),
      element("td", {}, typeOf(parameter.schema)),
      element(
        "td",
        {},
        inline(parameter.description ?? ""),
        element("span", { class: "muted" }, ` ${limitsOf(parameter.schema)}`),
      ),
    ),
  );
}

function responseRows(responses) {
  return Object.entries(responses).map(([status, response]) => {
    const headers = Object.keys(response.headers ?? {})
      .map((name) => [element("code", {}, name), " "])
      .flat();
    const kinds = Object.values(response.content ?? {}).flatMap((media) => typeOf(media.schema));
    return element(
      "tr",
      {},
      element("td", {}, status),
      element("td", {}, inline(response.description)),
      element("td", {}, kinds),
      element("td", {}, headers),
    );
  });
}

function successExample(api, responses) {
  const [status, response] = Object.entries(responses).find(([code]) => code.startsWith("2")) ?? [];
  const schema = response?.content?.["application/json"]?.schema;
  const hasShape = schema && (schema.$ref || schema.items?.$ref);
  return hasShape
    ? [
        element("h3", {}, `Example of ${status}`),
        element("pre", {}, pretty(exampleOf(api, schema))),
      ]
    : [];
}

function operationPanel(api, path, method, operation) {
  const content = element("div", {});
  const panel = element(
    "details",
    { class: `operation${operation.deprecated ? " deprecated" : ""}`, id: operation.operationId },
    element(
      "summary",
      {},
      element("span", { class: `method ${method}` }, method.toUpperCase()),
      element("span", { class: "path" }, path),
      element("span", { class: "level" }, operation["x-access-level"]),
      element("span", { class: "muted" }, operation.summary),
    ),
    content,
  );
  // Filled at its first opening: twenty operations at once would make a slow page of nothing that is looked at.
  panel.addEventListener("toggle", () => {
    if (content.childElementCount) return;
    const body = Object.values(operation.requestBody?.content ?? {})[0];
    content.append(...words(operation.description));
    if (operation.parameters?.length) {
      content.append(
        element("h3", {}, "Parameters"),
        table(["Name", "In", "Type", "Meaning"], parameterRows(operation.parameters)),
      );
    }
    if (body)
      content.append(
        element("h3", {}, "Request body"),
        element("p", {}, typeOf(body.schema)),
        schemaTable(resolve(api, body.schema)),
      );
    content.append(
      element("h3", {}, "Answers"),
      table(["Status", "When", "Body", "Headers"], responseRows(operation.responses)),
    );
    content.append(...successExample(api, operation.responses));
    content.append(
      tryForm({
        document: api,
        path,
        method: method.toUpperCase(),
        operation,
        base: BASE,
        key: () => $("key").value,
        examples: EXAMPLES,
        onKey: (changed) => $("key").addEventListener("change", changed),
      }),
    );
  });
  panel.dataset.words =
    `${method} ${path} ${operation.summary} ${operation.description}`.toLowerCase();
  return panel;
}

function render(api) {
  document.title = `${api.info.title}: API`;
  $("title").textContent = api.info.title;
  $("version").textContent = `Version ${api.info.version}, OpenAPI ${api.openapi}.`;
  $("description").replaceChildren(...words(api.info.description));
  const operations = Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({
      path,
      method,
      operation: item[method],
    })),
  );
  $("operations").replaceChildren(
    ...api.tags.map((tag) =>
      element(
        "section",
        {},
        element("h2", {}, tag.name),
        element("p", { class: "muted" }, inline(tag.description)),
        operations
          .filter(({ operation }) => operation.tags?.includes(tag.name))
          .map(({ path, method, operation }) => operationPanel(api, path, method, operation)),
      ),
    ),
  );
  $("schemas").replaceChildren(
    element("h2", {}, "Schemas"),
    ...Object.entries(api.components.schemas).map(([name, schema]) =>
      element(
        "details",
        { class: "operation", id: `schema-${name}` },
        element("summary", {}, element("span", { class: "path" }, name)),
        element("div", {}, words(schema.description), schemaTable(schema)),
      ),
    ),
  );
}

function openTarget() {
  const target = $(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

function filter() {
  const wanted = $("filter").value.toLowerCase();
  for (const panel of document.querySelectorAll("#operations details")) {
    const details = /** @type {HTMLDetailsElement} */ (panel);
    details.hidden = !details.dataset.words.includes(wanted);
  }
}

const source = new URL("openapi.json", BASE);
$("raw").href = source.href;
$("settings").addEventListener("submit", (event) => event.preventDefault());
$("filter").addEventListener("input", filter);
window.addEventListener("hashchange", openTarget);
try {
  const response = await fetch(source);
  if (!response.ok) throw new Error(`status ${response.status}`);
  render(await response.json());
  openTarget();
} catch (error) {
  $("state").textContent = `The document cannot be read: ${error.message}`;
}
