// What is being looked at. It lives in the address: shareable, and the back button undoes it.

export const VIEWS = ["matches", "record", "value", "model"];
const STATUSES = ["upcoming", "live", "finished", "all"];
export const PERIODS = ["7", "30", "90", "365"];
const DEFAULTS = {
  view: "matches",
  status: "upcoming",
  region: "",
  league: "",
  team: "",
  period: "",
  from: "",
  to: "",
  value_only: false,
  min_region_roi: null,
  stage: "champion",
  match: null,
};
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const listeners = [];
let state = read();

export const current = () => state;
export const onChange = (listener) => listeners.push(listener);
export const FILTERS = [
  "region",
  "league",
  "team",
  "period",
  "from",
  "to",
  "value_only",
  "min_region_roi",
];
export const isFiltered = (name) => state[name] !== DEFAULTS[name];

/**
 * Change some of it.
 * @param {Record<string, any>} changes
 * @param {{replace?: boolean}} options `replace` adds no step to the history: for typing and sliding.
 */
export function change(changes, { replace = false } = {}) {
  const before = state;
  state = { ...state, ...changes };
  const url = address(state);
  if (url !== location.search)
    history[replace ? "replaceState" : "pushState"](null, "", url || location.pathname);
  for (const listener of listeners) listener(state, before);
}

/** Take all filters away. */
export const clear = () =>
  change(Object.fromEntries(FILTERS.map((name) => [name, DEFAULTS[name]])));

addEventListener("popstate", () => {
  const before = state;
  state = read();
  for (const listener of listeners) listener(state, before);
});

/** The address's query of a state: only what differs from the defaults. */
export function address(of) {
  const query = new URLSearchParams();
  for (const [name, usual] of Object.entries(DEFAULTS))
    if (of[name] !== usual) query.set(name, String(of[name]));
  return query.size ? `?${query}` : "";
}

function read() {
  const query = new URLSearchParams(location.search);
  const one = (name, allowed) =>
    allowed.includes(query.get(name)) ? query.get(name) : DEFAULTS[name];
  const text = (name) => (query.get(name) ?? "").slice(0, 100);
  const date = (name) =>
    DATE.test(query.get(name) ?? "") && !Number.isNaN(Date.parse(query.get(name)))
      ? query.get(name)
      : "";
  const roi = query.has("min_region_roi") ? Number(query.get("min_region_roi")) : NaN;
  const match = Number(query.get("match"));
  return {
    view: one("view", VIEWS),
    status: one("status", STATUSES),
    region: text("region"),
    league: text("league"),
    team: text("team"),
    period: one("period", PERIODS),
    from: date("from"),
    to: date("to"),
    value_only: query.get("value_only") === "true",
    min_region_roi: Number.isFinite(roi) ? roi : null,
    stage: one("stage", ["champion", "challenger"]),
    match: Number.isSafeInteger(match) && match > 0 ? match : null,
  };
}
