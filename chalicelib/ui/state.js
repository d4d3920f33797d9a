// The state lives in the address; this keeps the two together.

import { DEFAULTS, FILTERS, address, parse } from "./address.js";

/** @typedef {import("./address.js").State} State */

/** @type {((now: State, before: State) => void)[]} */
const listeners = [];
let state = parse(location.search);

export const current = () => state;
export const onChange = (listener) => listeners.push(listener);
export const isFiltered = (name) => state[name] !== DEFAULTS[name];

/**
 * Change some of it.
 * @param {Partial<State>} changes
 * @param {{replace?: boolean}} options `replace` adds no step to the history: for typing.
 */
export function change(changes, { replace = false } = {}) {
  go({ ...state, ...changes }, { replace });
}

/**
 * Show another state.
 * @param {State} next
 * @param {{replace?: boolean}} options
 */
export function go(next, { replace = false } = {}) {
  const before = state;
  state = next;
  const url = address(state);
  if (url !== (location.search || "?")) {
    history[replace ? "replaceState" : "pushState"](
      null,
      "",
      url === "?" ? location.pathname : url,
    );
  }
  for (const listener of listeners) listener(state, before);
}

/** Take all filters away. */
export const clear = () =>
  change(Object.fromEntries(FILTERS.map((name) => [name, DEFAULTS[name]])));

addEventListener("popstate", () => {
  const before = state;
  state = parse(location.search);
  for (const listener of listeners) listener(state, before);
});
