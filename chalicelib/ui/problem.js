// Empty, loading and error states, and the API key where one is asked for.

import { ApiError, hasKey, setKey } from "./api.js";
import { html, nothing } from "./html.js";

const TITLES = {
  0: "No connection",
  401: "API key needed",
  403: "API key needed",
  404: "Not found",
  429: "Too many requests",
  503: "Not available yet",
};

/**
 * Something that cannot be shown, why, and what can be done.
 * @param {any} error
 * @param {(() => void) | null} retry
 */
export function problem(error, retry = null) {
  const status = error instanceof ApiError ? error.status : null;
  if (status === null) console.error(error);
  const faults = error.details?.slice(0, 5) ?? [];
  const needsKey = status === 401 || status === 403;
  return html`<div class="problem" role="alert">
    <h3>${TITLES[status] ?? "Something went wrong"}</h3>
    <p>${sentence(error.message)}</p>
    ${
      error.retryAfter
        ? html`<p class="muted">
            The service suggests trying again in ${error.retryAfter}
            second${error.retryAfter === 1 ? "" : "s"}.
          </p>`
        : nothing
    }
    ${
      faults.length
        ? html`<ul>
            ${faults.map((fault) => html`<li>${(fault.loc ?? []).at(-1) ?? ""}: ${fault.msg}</li>`)}
          </ul>`
        : nothing
    }
    ${needsKey ? keyForm(retry) : nothing}
    ${
      !needsKey && retry && status !== 404
        ? html`<button type="button" class="button" @click=${retry}>Try again</button>`
        : nothing
    }
  </div>`;
}

/**
 * Why a resource could not be read; trying again reads it anew.
 * @param {import("./resource.js").Resource} resource
 * @param {() => void} redraw
 */
export const unread = (resource, redraw) =>
  problem(resource.error, () => {
    resource.forget();
    redraw();
  });

const sentence = (text) =>
  text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

/** Nothing to show, and why. */
export const empty = (title, ...more) =>
  html`<div class="empty">
    <p class="empty-title">${title}</p>
    ${more.map((content) => (typeof content === "string" ? html`<p>${content}</p>` : content))}
  </div>`;

/** Grey shapes where content will be. */
export const skeleton = (lines = 3) =>
  html`<div class="skeleton" role="status">
    <span class="hidden">Loading</span>
    ${Array.from({ length: lines }, () => html`<div class="bone" aria-hidden="true"></div>`)}
  </div>`;

/**
 * Asks for an API key; it is kept in memory only.
 * @param {(() => void) | null} done
 */
export function keyForm(done = null, label = "API key", id = "key-field") {
  const submit = (event) => {
    event.preventDefault();
    const input = event.target.elements.namedItem("key");
    setKey(input.value);
    input.value = "";
    done?.();
  };
  return html`<form class="key-form" @submit=${submit}>
    <label for=${id}>${label}</label>
    <div class="row">
      <input id=${id} name="key" type="password" autocomplete="off" spellcheck="false" required />
      <button type="submit" class="button primary">Use key</button>
    </div>
    <p class="muted small">
      ${
        hasKey()
          ? "The key in use was not accepted for this."
          : "Kept in this page's memory only, and forgotten when it is closed."
      }
    </p>
  </form>`;
}
