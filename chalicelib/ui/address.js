// What is being looked at, as the address says it: shareable, and the back button undoes it. Pure.

/**
 * @typedef {object} State
 * @property {string} view One of VIEWS.
 * @property {string} status
 * @property {string} region
 * @property {string} league
 * @property {string} team Text searched for.
 * @property {string} period One of PERIODS, or "".
 * @property {string} from A date, or "".
 * @property {string} to A date, or "".
 * @property {boolean} value_only
 * @property {number | null} min_region_roi
 * @property {string} stage
 * @property {number | null} match The match whose page is open.
 * @property {string} club The club whose page is open.
 * @property {string} country The region of that club.
 */

export const VIEWS = ["matches", "tables", "record", "value", "model"];
export const STATUSES = ["upcoming", "live", "finished", "all"];
export const PERIODS = ["today", "weekend", "season", "7", "30", "90", "365"];
export const STAGES = ["champion", "challenger"];

/** @type {State} */
export const DEFAULTS = {
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
  club: "",
  country: "",
};

/** @type {(keyof State)[]} */
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

const DATE = /^\d{4}-\d{2}-\d{2}$/;

/**
 * The state that an address's query stands for; what makes no sense there falls back to the default.
 * @param {string} search
 * @returns {State}
 */
export function parse(search) {
  const query = new URLSearchParams(search);
  const oneOf = (name, allowed) =>
    allowed.includes(query.get(name)) ? query.get(name) : DEFAULTS[name];
  const text = (name) => (query.get(name) ?? "").slice(0, 100);
  const date = (name) => (isDate(query.get(name) ?? "") ? query.get(name) : "");
  const roi = query.has("min_region_roi") ? Number(query.get("min_region_roi")) : NaN;
  const match = Number(query.get("match"));
  return {
    view: oneOf("view", VIEWS),
    status: oneOf("status", STATUSES),
    region: text("region"),
    league: text("league"),
    team: text("team"),
    period: oneOf("period", PERIODS),
    from: date("from"),
    to: date("to"),
    value_only: query.get("value_only") === "true",
    min_region_roi: Number.isFinite(roi) ? roi : null,
    stage: oneOf("stage", STAGES),
    match: Number.isSafeInteger(match) && match > 0 ? match : null,
    club: text("club"),
    country: text("country"),
  };
}

const isDate = (text) => DATE.test(text) && !Number.isNaN(Date.parse(text));

/**
 * The query of a state: only what differs from the defaults.
 * @param {Partial<State>} state
 */
export function address(state) {
  const query = new URLSearchParams();
  for (const [name, usual] of Object.entries(DEFAULTS)) {
    const value = state[name] ?? usual;
    if (value !== usual) query.set(name, String(value));
  }
  return query.size ? `?${query}` : "?";
}

/** Which page a state shows: a match, a team, or one of the views. */
export const pageOf = (state) =>
  state.match !== null ? "match" : state.club ? "team" : state.view;

/** The address of a match's page. */
export const matchAddress = (matchId, stage) => address({ match: matchId, stage });

/** The address of a team's page. */
export const teamAddress = (club, country, stage) => address({ club, country, stage });
