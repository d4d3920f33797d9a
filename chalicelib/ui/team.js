// The page of one club: rating, place, fixtures and results with what was forecast, and the model's record on it.

import { addressOf } from "./api.js";
import { OUTCOMES } from "./card.js";
import { lineChart, timeTicks } from "./charts.js";
import * as show from "./format.js";
import { SUMMER_MS, ratingPoints, resultFor, teamMatches } from "./history.js";
import { html, nothing } from "./html.js";
import { judged, logLossDifference, priced, scores } from "./measures.js";
import { exportButton, figure, matchLink, pickOf, scroll } from "./parts.js";
import { empty, problem, skeleton } from "./problem.js";
import { projections } from "./projections.js";

const RESULTS_SHOWN = 40;
let open = { key: "", rows: null, error: null, stop: new AbortController() };

/** @param {import("./main.js").Page} page */
export function view({ filters, width, redraw }) {
  const key = `${filters.stage}\n${filters.country}\n${filters.club}`;
  if (open.key !== key) {
    open.stop.abort();
    open = { key, rows: null, error: null, stop: new AbortController() };
    load(open, filters, redraw);
  }
  const title = html`<h2 id="team-title" tabindex="-1">${filters.club}</h2>`;
  if (open.error) {
    const again = () => {
      open.key = "";
      redraw();
    };
    return html`<section class="panel wide">${title} ${problem(open.error, again)}</section>`;
  }
  if (open.rows === null)
    return html`<section class="panel wide">${title} ${skeleton(8)}</section>`;
  if (open.rows.length === 0) {
    return html`<section class="panel wide">
      ${title} ${empty("No match of this club in this release")}
    </section>`;
  }
  const { rows } = open;
  const latest = rows.at(-1);
  return html`<section class="panel wide" aria-labelledby="team-title">
      <p class="muted">${filters.country || latest.region} · ${latest.league}</p>
      ${title} ${standing(filters, redraw)}
      <div class="head-actions">
        <a
          class="button small"
          id="feed"
          href=${addressOf("predict/calendar/", { team: filters.club, region: latest.region }).href}
          >Calendar of ${filters.club} (.ics)</a
        >
        <a
          class="button small"
          href=${addressOf("predict/calendar/", { league: latest.league, region: latest.region }).href}
          >Calendar of ${latest.league} (.ics)</a
        >
      </div>
    </section>
    <section class="panel" aria-labelledby="rating-title">
      <h2 id="rating-title">Elo rating</h2>
      ${rating(rows, filters.club, width)}
    </section>
    <section class="panel" aria-labelledby="team-record-title">
      <h2 id="team-record-title">The model's record on ${filters.club}</h2>
      ${record(rows)}
    </section>
    <section class="panel wide" aria-labelledby="fixtures-title">
      <h2 id="fixtures-title">Fixtures</h2>
      ${fixtures(rows, filters)}
    </section>
    <section class="panel wide" aria-labelledby="results-title">
      <h2 id="results-title">Results and what was forecast</h2>
      ${results(rows, filters)}
    </section>`;
}

async function load(mine, filters, redraw) {
  try {
    mine.rows = await teamMatches(filters.club, filters.country, filters.stage, mine.stop.signal);
  } catch (error) {
    if (mine.stop.signal.aborted) return;
    mine.error = error;
  }
  redraw();
}

function standing(filters, redraw) {
  const row = projections
    .ask(redraw)
    .data?.find(
      (found) =>
        found.team === filters.club && (!filters.country || found.region === filters.country),
    );
  if (!row) return nothing;
  return html`<p id="standing">
    Place ${row.position} in ${row.league} with ${row.points} points from ${row.played} matches;
    expected ${row.expected_points.toFixed(1)} points at the end
    (${row.points_low}–${row.points_high}), title ${show.chance(row.title)}, top four
    ${show.chance(row.top_four)}, relegation ${show.chance(row.relegation)}.
  </p>`;
}

function rating(rows, club, width) {
  const next = rows.find((row) => row.status === "upcoming" && row.kickoff !== null);
  const points = ratingPoints(rows, club, next?.kickoff ?? null);
  if (points.length < 2) return html`<p class="muted">Too few matches for a line.</p>`;
  return html`${lineChart({
      room: Math.max(280, width * (width > 900 ? 0.5 : 1) - 60),
      label: `Elo rating over time, now ${Math.round(points.at(-1).y)}`,
      lines: [{ name: club, kind: "series-1", points }],
      xTicks: timeTicks(points),
      format: (value) => String(Math.round(value)),
      maxGap: SUMMER_MS,
    })}
    <p class="muted small">Rating before each match; ${show.count(points.length)} matches.</p>`;
}

function record(rows) {
  const counted = judged(rows);
  if (counted.length === 0) {
    return html`<p class="muted">No finished match that the model had not been fitted on.</p>`;
  }
  const model = (row) => row.probabilities;
  const own = scores(counted, model);
  const withMarket = priced(rows);
  const difference = withMarket.length
    ? logLossDifference(withMarket, model, (row) => row.market)
    : null;
  return html`<dl class="key-figures" id="team-record">
      ${figure("Matches", show.count(own.n), "not used for fitting")}
      ${figure("Right", show.percent(own.accuracy, 1))}
      ${figure("Log loss", own.logLoss.toFixed(3))}
      ${
        difference
          ? figure(
              "Model − market",
              show.signed(difference.mean, 3),
              difference.low === null
                ? "too few for an interval"
                : `95% interval ${show.signed(difference.low, 3)} to ${show.signed(difference.high, 3)}`,
            )
          : nothing
      }
    </dl>
    <p class="muted small">
      A season of one club is little to judge by: the interval says how little.
    </p>`;
}

const chances = (row) => row.probabilities.map((share) => show.percent(share)).join(" / ");

function fixtures(rows, filters) {
  const coming = rows.filter((row) => row.status === "upcoming" || row.status === "live");
  if (coming.length === 0) return html`<p class="muted">None scheduled.</p>`;
  const head = ["Kickoff", "Match", "1 / X / 2", "Odds"];
  return matchTable("Table of fixtures", head, coming, filters, (row) => [
    chances(row),
    OUTCOMES.map((outcome) => show.odds(row[`odds_${outcome}`])).join(" / "),
  ]);
}

function results(rows, filters) {
  const over = rows.filter((row) => row.outcome_1x2 !== null).reverse();
  if (over.length === 0) return html`<p class="muted">None yet.</p>`;
  const head = ["Kickoff", "Match", "Result", "1 / X / 2", "Forecast"];
  const shown = over.slice(0, RESULTS_SHOWN);
  return html`${matchTable("Table of results", head, shown, filters, (row) => [
    html`${resultFor(row, filters.club)} ${row.home_score}:${row.away_score}`,
    chances(row),
    html`<span class=${row.is_correct ? "gain" : "loss"}
        >${row.is_correct ? "✓" : "✗"}
        ${show.OUTCOME_NAMES[OUTCOMES[pickOf(row.probabilities)]]}</span
      >${row.in_sample ? html` <span class="muted">(training)</span>` : nothing}`,
  ])}
  ${exportButton(
    `results-${filters.club}`,
    EXPORTED,
    over.map((row) => EXPORTED.map((name) => row[name])),
    over.length > shown.length ? `Export all ${over.length} as CSV` : "Export CSV",
  )}`;
}

const EXPORTED = [
  ...["match_id", "match_date", "league", "season", "home_team", "away_team", "home_score"],
  ...["away_score", "proba_home", "proba_draw", "proba_away", "is_correct", "in_sample"],
];

const matchTable = (label, head, rows, filters, cells) =>
  scroll(
    label,
    html`<table class="data fixtures">
      <thead>
        <tr>
          ${head.map((text) => html`<th scope="col">${text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr data-match=${row.match_id}>
              <td>${row.kickoff === null ? "to be confirmed" : show.shortDay(row.kickoff)}</td>
              <th scope="row">${matchLink(row, filters.stage)}</th>
              ${cells(row).map((content) => html`<td>${content}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>`,
  );

export const forget = () => projections.forget();
