// The filter bar: it shows the state and changes it; it holds nothing of its own but whether it is open.

import { FILTERS } from "./address.js";
import * as show from "./format.js";
import { announce, byId, html, live, nothing } from "./html.js";
import { roiStops, select, tally } from "./select.js";
import * as state from "./state.js";

const STATUS_NAMES = { upcoming: "Upcoming", live: "Live", finished: "Finished", all: "All" };
const PERIOD_NAMES = {
  today: "Today",
  weekend: "This weekend",
  season: "This season",
  7: "Within 7 days",
  30: "Within 30 days",
  90: "Within 90 days",
  365: "Within a year",
};
const CLEARED = { period: "", from: "", to: "", value_only: false, min_region_roi: null };

let open = false;
let ownDates = false;

/**
 * @param {import("./address.js").State} filters
 * @param {import("./catalogue.js").Catalogue} catalogue
 * @param {() => void} redraw
 */
export function filterBar(filters, catalogue, redraw) {
  const { now } = catalogue;
  const rows = catalogue.reaching(filters);
  const set = FILTERS.filter(state.isFiltered);
  const isOneDay = filters.from !== "" && filters.from === filters.to;
  ownDates = !isOneDay && (Boolean(filters.from || filters.to) || (ownDates && !filters.period));
  const toggle = () => {
    open = !open;
    redraw();
  };
  return html`<section
    id="filters"
    class="filters ${open ? "open" : ""} ${filters.view === "model" ? "stage-only" : ""} ${
      filters.view === "tables" ? "places-only" : ""
    }"
    aria-label="Filters"
  >
    <div class="filter-top">
      ${filters.view === "matches" ? statuses(filters, rows, now, catalogue) : nothing}
      <button
        type="button"
        id="filters-toggle"
        class="button"
        aria-expanded=${String(open)}
        aria-controls="filter-fields"
        @click=${toggle}
      >
        Filters <span class="filters-count">${set.length || ""}</span>
      </button>
    </div>
    <div id="filter-fields" class="filter-fields">
      ${teamField(filters)} ${placeFields(filters, rows)} ${periodFields(filters, redraw)}
      ${filters.view === "matches" ? dayField(filters, now) : nothing} ${roiField(filters, rows)}
      <label class="field check">
        <input
          id="filter-value"
          type="checkbox"
          .checked=${live(filters.value_only)}
          @change=${(event) => state.change({ value_only: event.target.checked })}
        />
        <span>Value bets only</span>
      </label>
      <div class="field stage-field">
        <label for="filter-stage">Model</label>
        ${choice(
          "filter-stage",
          [
            ["champion", "Champion"],
            ["challenger", "Challenger"],
          ],
          filters.stage,
          (value) => state.change({ stage: value }),
        )}
      </div>
    </div>
    ${chips(filters, set)}
  </section>`;
}

/**
 * A select. The value is set after its options, and again if the user left it elsewhere.
 * @param {string} id
 * @param {[string, string][]} options
 * @param {string} chosen
 * @param {(value: string) => void} choose
 */
function choice(id, options, chosen, choose, disabled = false) {
  return html`<select
    id=${id}
    ?disabled=${disabled}
    @change=${(event) => choose(event.target.value)}
  >
    ${options.map(
      ([value, text]) =>
        html`<option value=${value} .selected=${live(value === chosen)}>${text}</option>`,
    )}
  </select>`;
}

/** @type {(value: string, text: string) => [string, string]} */
const option = (value, text) => [value, text];

function teamField(filters) {
  const search = (event) => state.change({ team: event.target.value }, { replace: true });
  return html`<div class="field team-field">
    <label for="filter-team">Team</label>
    <input
      id="filter-team"
      type="search"
      placeholder="Find teams"
      autocomplete="off"
      spellcheck="false"
      maxlength="100"
      .value=${live(filters.team)}
      @input=${search}
    />
  </div>`;
}

function placeFields(filters, rows) {
  const inRegion = filters.region ? rows.filter((row) => row.region === filters.region) : rows;
  /** @type {(all: string, counts: [string, number][], chosen: string) => [string, string][]} */
  const options = (all, counts, chosen) => [
    ["", all],
    ...counts.map(([name, n]) => option(name, `${name} (${show.count(n)})`)),
    ...(chosen && !counts.some(([name]) => name === chosen) ? [option(chosen, chosen)] : []),
  ];
  return html`<div class="field place-field">
      <label for="filter-region">Region</label>
      ${choice(
        "filter-region",
        options("All regions", tally(rows, "region"), filters.region),
        filters.region,
        (region) => state.change({ region, league: "" }),
      )}
    </div>
    <div class="field place-field">
      <label for="filter-league">League</label>
      ${choice(
        "filter-league",
        options("All leagues", tally(inRegion, "league"), filters.league),
        filters.league,
        (league) => state.change({ league }),
      )}
    </div>`;
}

function periodFields(filters, redraw) {
  const choose = (value) => {
    ownDates = value === "custom";
    if (ownDates && !filters.period) redraw();
    state.change(ownDates ? { period: "" } : { period: value, from: "", to: "" });
  };
  const date = (name, label) =>
    html`<div>
      <label for="filter-${name}">${label}</label>
      <input
        id="filter-${name}"
        type="date"
        .value=${live(filters[name])}
        @change=${(event) => state.change({ [name]: event.target.value, period: "" })}
      />
    </div>`;
  return html`<div class="field">
      <label for="filter-period">Period</label>
      ${choice(
        "filter-period",
        [["", "Any time"], ...Object.entries(PERIOD_NAMES).sort(byPeriod), ["custom", "Dates…"]],
        ownDates ? "custom" : filters.period,
        choose,
      )}
    </div>
    ${
      ownDates
        ? html`<div id="period-dates" class="field dates">
            ${date("from", "From")} ${date("to", "To")}
          </div>`
        : nothing
    }`;
}

/** Jumps to the matches of one day, whether they are over or to come. */
function dayField(filters, now) {
  const day = filters.from && filters.from === filters.to ? filters.from : "";
  const jump = (date) => {
    if (!date) return state.change({ from: "", to: "" });
    const today = now === null ? "" : show.isoDay(now);
    const status = date < today ? "finished" : date > today ? "upcoming" : "all";
    return state.change({ from: date, to: date, period: "", status });
  };
  return html`<div class="field day-field">
    <label for="filter-day">Jump to a date</label>
    <input
      id="filter-day"
      type="date"
      .value=${live(day)}
      @change=${(event) => jump(event.target.value)}
    />
  </div>`;
}

const ORDER = ["today", "weekend", "7", "30", "90", "season", "365"];
/** @type {(a: [string, string], b: [string, string]) => number} */
const byPeriod = ([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b);

function roiField(filters, rows) {
  const stops = roiStops(rows);
  const text = (least) => show.signedPercent(least, 0);
  /** @type {[string, string][]} */
  const options = stops.map(({ least, regions }) => [
    String(least),
    `≥ ${text(least)} (${regions} region${regions === 1 ? "" : "s"})`,
  ]);
  const chosen = filters.min_region_roi === null ? "" : String(filters.min_region_roi);
  const known = options.some(([value]) => value === chosen);
  const none = stops.length === 0 && chosen === "";
  return html`<div class="field roi-field">
    <label for="filter-roi">Region ROI</label>
    ${choice(
      "filter-roi",
      [
        ["", none ? "No figures yet" : "Any"],
        ...options,
        ...(chosen && !known ? [option(chosen, `≥ ${text(filters.min_region_roi)}`)] : []),
      ],
      chosen,
      (value) => state.change({ min_region_roi: value === "" ? null : Number(value) }),
      none,
    )}
  </div>`;
}

function statuses(filters, rows, now, catalogue) {
  const found = select(rows, filters, now, "all");
  const tallies = (status) => {
    const past = status === "finished" || status === "all";
    if (!catalogue.loaded.coming || (past && !catalogue.covers(filters))) return "";
    const n = status === "all" ? found : found.filter((row) => row.status === status);
    return show.count(n.length) + (past && catalogue.more && !filters.from ? "+" : "");
  };
  return html`<fieldset id="filter-status" class="segments">
    <legend class="hidden">Status</legend>
    ${Object.entries(STATUS_NAMES).map(
      ([status, name]) =>
        html`<label>
          <input
            type="radio"
            name="status"
            value=${status}
            .checked=${live(filters.status === status)}
            @change=${() => state.change({ status })}
          />
          <span>${name} <span class="tally" data-status=${status}>${tallies(status)}</span></span>
        </label>`,
    )}
  </fieldset>`;
}

function chips(filters, all) {
  const isOneDay = filters.from !== "" && filters.from === filters.to;
  const set = isOneDay ? all.filter((name) => name !== "to") : all;
  const texts = {
    region: filters.region,
    league: filters.league,
    team: `“${filters.team}”`,
    period: PERIOD_NAMES[filters.period]?.toLowerCase(),
    from: `${isOneDay ? "on" : "from"} ${filters.from}`,
    to: `to ${filters.to}`,
    value_only: "value bets only",
    min_region_roi: `region ROI ≥ ${show.signedPercent(filters.min_region_roi, 0)}`,
  };
  const drop = (name) => {
    const more = name === "from" && isOneDay ? { to: "" } : {};
    state.change({ [name]: name in CLEARED ? CLEARED[name] : "", ...more });
    announce(`Filter ${texts[name]} removed`);
    byId("results")?.focus();
  };
  return html`<div id="chips" class="chips" ?hidden=${set.length === 0}>
    ${set.map(
      (name) =>
        html`<button
          type="button"
          class="chip"
          aria-label="Remove filter ${texts[name]}"
          @click=${() => drop(name)}
        >
          ${texts[name]}<span aria-hidden="true"> ×</span>
        </button>`,
    )}
    ${
      set.length > 1
        ? html`<button type="button" class="chip clear" @click=${() => state.clear()}>
            Clear all
          </button>`
        : nothing
    }
  </div>`;
}
