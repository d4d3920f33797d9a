/* A form that sends an operation's request and shows the answer. */

import { element, pretty } from "./dom.js";
import { exampleOf, resolve } from "./schema.js";

const SHOWN = 50_000;

/*
 * `examples` gives values of the running release, which take the place of the document's unless the reader has typed
 * others or is about to; `onKey` calls back when another API key is typed.
 */
export function tryForm({ document, path, method, operation, base, key, examples, onKey }) {
  const parameters = operation.parameters ?? [];
  const inputs = new Map(parameters.map((parameter) => [parameter, field(parameter)]));
  const media = Object.keys(operation.requestBody?.content ?? {})[0];
  const example = media && exampleOf(document, operation.requestBody.content[media].schema);
  const body =
    media &&
    element("textarea", { "aria-label": "Request body", spellcheck: "false" }, pretty(example));
  const answer = element("div", { class: "answer", "aria-live": "polite" });
  const note = element("p", { class: "muted", hidden: true });
  const edited = new Set();
  for (const input of [...inputs.values(), body])
    input?.addEventListener("input", () => edited.add(input));
  const isTheReaders = (input) => edited.has(input) || input.matches(":focus");

  async function fill() {
    for (const [parameter, input] of inputs) {
      if (parameter.in !== "path" || parameter.name !== "match_id") continue;
      const id = await examples.matchId();
      if (id !== null && !isTheReaders(input)) input.value = String(id);
    }
    if (!body) return;
    const schema = resolve(document, operation.requestBody.content[media].schema);
    const live = await examples.body(schema, key());
    note.hidden = live !== null;
    note.textContent = "With an API key the example comes from the running release.";
    if (live && !isTheReaders(body)) body.value = pretty(live);
  }

  let filling = fill();
  onKey(() => (filling = fill()));

  const labels = [...inputs].map(([parameter, input]) =>
    element(
      "label",
      {},
      `${parameter.name} (${parameter.in})${parameter.required ? " *" : ""}`,
      input,
    ),
  );

  async function send(event) {
    event.preventDefault();
    await filling;
    const request = requestOf({ path, method, base, inputs, body: body?.value, media, key: key() });
    answer.replaceChildren(element("p", { class: "muted" }, "Sending …"));
    const started = performance.now();
    try {
      const response = await fetch(request.url, {
        method,
        headers: request.headers,
        body: request.body,
        cache: "no-store",
      });
      const text = await response.text();
      show(answer, request, response, text, performance.now() - started);
    } catch (error) {
      answer.replaceChildren(element("p", { class: "bad" }, `No answer: ${error.message}`));
    }
  }

  return element(
    "form",
    { class: "try", onsubmit: send },
    element("h3", {}, "Try it"),
    note,
    element("div", { class: "fields" }, labels),
    body,
    element("p", {}, element("button", { type: "submit" }, "Send")),
    answer,
  );
}

function field(parameter) {
  const options =
    parameter.schema.enum ?? (parameter.schema.type === "boolean" ? [true, false] : null);
  if (options)
    return element(
      "select",
      {},
      element("option", { value: "" }, "–"),
      options.map((o) => element("option", {}, String(o))),
    );
  const kind =
    parameter.schema.type === "integer" || parameter.schema.type === "number" ? "number" : "text";
  return element("input", {
    type: kind,
    step: "any",
    required: parameter.required,
    placeholder: parameter.schema.default ?? "",
  });
}

function requestOf({ path, method, base, inputs, body, media, key }) {
  let place = path;
  const query = new URLSearchParams();
  const headers = {};
  for (const [parameter, input] of inputs) {
    if (input.value === "") continue;
    if (parameter.in === "path")
      place = place.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (parameter.in === "query") query.append(parameter.name, input.value);
    else headers[parameter.name] = input.value;
  }
  if (key) headers["X-API-Key"] = key;
  if (media) headers["Content-Type"] = media;
  const url = new URL(place.replace(/^\//, ""), base);
  url.search = query.toString();
  return { url, headers, body: method === "GET" ? undefined : body, method };
}

function show(answer, request, response, text, milliseconds) {
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  let shown = text;
  try {
    if (isJson && text) shown = pretty(JSON.parse(text));
  } catch {
    /* Shown as it came. */
  }
  answer.replaceChildren(
    element("h3", {}, "Request"),
    element("pre", {}, curl(request)),
    element("h3", {}, `Answer: ${response.status} in ${Math.round(milliseconds)} ms`),
    element("pre", { class: "headers" }, headers),
    element(
      "pre",
      { class: "body" },
      shown.length > SHOWN
        ? `${shown.slice(0, SHOWN)}\n… ${shown.length} characters in all`
        : shown,
    ),
  );
}

/* The same request for a shell; the key is named, not shown. */
function curl(request) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const parts = [`curl -X ${request.method} ${quote(request.url.href)}`];
  for (const [name, value] of Object.entries(request.headers)) {
    parts.push(
      name === "X-API-Key" ? `-H "X-API-Key: $API_KEY"` : `-H ${quote(`${name}: ${value}`)}`,
    );
  }
  if (request.body) parts.push(`-d ${quote(request.body)}`);
  return parts.join(" \\\n  ");
}
