// Empty, loading and error states, and the API key where one is asked for.

import { ApiError, hasKey, setKey } from "./api.js";
import { h } from "./dom.js";

/** Something that cannot be shown, why, and what can be done. */
export function problem(error, retry) {
  const status = error instanceof ApiError ? error.status : null;
  const title =
    status === 404
      ? "Not found"
      : status === 503
        ? "Not available yet"
        : status === 0
          ? "No connection"
          : status === 401 || status === 403
            ? "API key needed"
            : "Something went wrong";
  const box = h(
    "div",
    { class: "problem", role: "alert" },
    h("h3", {}, title),
    h("p", {}, sentence(error.message)),
  );
  if (status === 503 && error.retryAfter)
    box.append(
      h(
        "p",
        { class: "muted" },
        `The service suggests trying again in ${error.retryAfter} seconds.`,
      ),
    );
  const faults = error.details?.slice(0, 5) ?? [];
  if (faults.length)
    box.append(
      h(
        "ul",
        {},
        faults.map((fault) => h("li", {}, `${(fault.loc ?? []).at(-1) ?? ""}: ${fault.msg}`)),
      ),
    );
  if (status === 401 || status === 403) box.append(keyForm(retry));
  else if (retry && status !== 404)
    box.append(h("button", { type: "button", class: "button", onclick: retry }, "Try again"));
  if (status === null) console.error(error);
  return box;
}

const sentence = (text) =>
  text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

/** Nothing to show, and why. */
export const empty = (title, ...more) =>
  h(
    "div",
    { class: "empty" },
    h("p", { class: "empty-title" }, title),
    more.map((text) => (typeof text === "string" ? h("p", {}, text) : text)),
  );

/** Grey shapes where content will be. */
export const skeleton = (lines = 3) =>
  h(
    "div",
    { class: "skeleton", role: "status" },
    h("span", { class: "hidden" }, "Loading"),
    Array.from({ length: lines }, () => h("div", { class: "bone", "aria-hidden": "true" })),
  );

let fields = 0;
/** Asks for an API key; it is kept in memory only. */
export function keyForm(done, label = "API key") {
  const id = `key-${(fields += 1)}`;
  const input = h("input", {
    id,
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
  });
  return h(
    "form",
    {
      class: "key-form",
      onsubmit: (event) => {
        event.preventDefault();
        setKey(input.value);
        done?.();
      },
    },
    h("label", { for: id }, label),
    h(
      "div",
      { class: "row" },
      input,
      h("button", { type: "submit", class: "button primary" }, "Use key"),
    ),
    h(
      "p",
      { class: "muted small" },
      hasKey()
        ? "The key in use was not accepted for this."
        : "Kept in this page's memory only, and forgotten when it is closed.",
    ),
  );
}
