// The page of one match: forecasts side by side, what the model weighs, ratings, form, earlier meetings, the price.

import { addressOf, call, callAll } from "./api.js";
import { matchAddress } from "./address.js";
import { OUTCOMES, inOrder, prepared, triple } from "./card.js";
import { lineChart, timeTicks } from "./charts.js";
import * as show from "./format.js";
import { OUTCOME_NAMES } from "./format.js";
import { SUMMER_MS, ratingPoints, resultFor, teamMatches } from "./history.js";
import { announce, html, nothing } from "./html.js";
import {
  bar,
  chancesRow,
  dataTable,
  edgeOf,
  figure,
  form,
  goals,
  hasOdds,
  matchLink,
  outcomeHead,
  scroll,
  segments,
  teamLink,
  verdict,
} from "./parts.js";
import { problem, skeleton } from "./problem.js";
import { whatIf } from "./whatif.js";

/** @type {[string, string][]} */
const OUTCOME_CHOICES = [
  ["home", OUTCOME_NAMES.home],
  ["draw", OUTCOME_NAMES.draw],
  ["away", OUTCOME_NAMES.away],
];
/** The colours of the outcomes everywhere on the board. */
const KINDS = { home: "series-1", draw: "series-3", away: "series-2" };
const TOP = 8;
const DAY_MS = 86_400_000;

/** What is known of the match that is open; replaced when another is opened. */
let open = fresh(null, "");

function fresh(matchId, stage) {
  return {
    matchId,
    stage,
    card: null,
    live: null,
    info: null,
    own: null,
    prices: null,
    matches: { home: null, away: null },
    errors: { card: null, live: null, matches: null, prices: null },
    explained: null,
    stop: new AbortController(),
  };
}

/** Forget the match: the next time it is opened, everything is asked for again. */
export function close() {
  open.stop.abort();
  open = fresh(null, "");
}

/** @param {import("./main.js").Page} page */
export function view({ filters, catalogue, width, redraw }) {
  if (open.matchId !== filters.match || open.stage !== filters.stage) {
    close();
    open = fresh(filters.match, filters.stage);
    load(open, catalogue, redraw);
  }
  const mine = open;
  // A live match's score is refreshed with the list.
  const card = catalogue.byId.get(filters.match) ?? mine.card;
  if (mine.errors.card) {
    return html`<section class="panel wide">
      ${problem(mine.errors.card, () => again(redraw))}
    </section>`;
  }
  if (!card) return html`<section class="panel wide">${skeleton(8)}</section>`;
  return html`${head(card, filters.stage, catalogue)}
    <section class="panel" aria-labelledby="forecast-title">
      <h2 id="forecast-title">Forecasts and price</h2>
      ${forecasts(card, catalogue)}
    </section>
    <section class="panel" aria-labelledby="weighs-title">
      <h2 id="weighs-title">What the model weighs</h2>
      ${weighs(mine, redraw)}
    </section>
    <section class="panel wide" aria-labelledby="what-if-title">
      <h2 id="what-if-title">What if?</h2>
      ${
        mine.live && mine.info
          ? whatIf(mine, card, redraw)
          : mine.errors.live
            ? html`<p class="muted">It needs the live prediction above.</p>`
            : skeleton(4)
      }
    </section>
    <div class="stack">
      <section class="panel" aria-labelledby="ratings-title">
        <h2 id="ratings-title">Elo ratings</h2>
        ${history(mine, redraw, () => ratings(mine, card, width))}
      </section>
      <section class="panel" aria-labelledby="price-title">
        <h2 id="price-title">Price movement</h2>
        ${priceMovement(mine, card, width, redraw)}
      </section>
    </div>
    <section class="panel" aria-labelledby="form-title">
      <h2 id="form-title">Form and earlier meetings</h2>
      ${history(mine, redraw, () => formAndMeetings(mine, card, filters.stage))}
    </section>`;
}

function again(redraw) {
  close();
  redraw();
}

async function load(mine, catalogue, redraw) {
  const { signal } = mine.stop;
  const { matchId, stage } = mine;
  const part = async (name, work) => {
    try {
      await work();
    } catch (error) {
      if (signal.aborted) return;
      mine.errors[name] = error;
    }
    redraw();
  };
  await part("card", async () => {
    mine.card = catalogue.byId.get(matchId) ?? (await fetchCard(matchId, stage, signal));
  });
  if (mine.errors.card || signal.aborted) return;
  const { card } = mine;
  await Promise.all([
    part("live", async () => {
      const [live, info, own] = await Promise.all([
        call(`predict/${matchId}`, { query: { stage, explain: true }, signal }),
        call("predict/model/info", { query: { stage }, signal }),
        call(`predict/what-if/${matchId}`, { query: { stage }, body: { changes: {} }, signal }),
      ]);
      Object.assign(mine, { live: live.data, info: info.data, own: own.data.features });
    }),
    part("matches", async () => {
      const [home, away] = await Promise.all(
        ["home", "away"].map((side) =>
          teamMatches(card[`${side}_team`], card.region, stage, signal),
        ),
      );
      mine.matches = { home, away };
    }),
    part("prices", async () => {
      mine.prices = (await call(`predict/prices/${matchId}`, { signal })).data;
    }),
  ]);
}

/** A match that the list has not loaded: found by its day and teams. */
async function fetchCard(matchId, stage, signal) {
  const { data } = await call(`predict/precomputed/${matchId}`, { query: { stage }, signal });
  const query = { stage, team: data.home_team, limit: 500 };
  if (data.match_date) {
    query.from = data.match_date;
    query.to = new Date(Date.parse(data.match_date) + DAY_MS).toISOString();
  }
  const rows = await callAll("predict/cards/", query, signal);
  const card = rows.find((row) => row.match_id === matchId) ?? { ...blank(), ...data };
  return prepared(card);
}

/** What a card has beyond a prediction's row, all of it unknown. */
const blank = () =>
  Object.fromEntries(
    [
      ...["odds", "implied", "edge"].flatMap((name) => OUTCOMES.map((side) => `${name}_${side}`)),
      ...["value_bet", "kelly_quarter", "live_score", "region_roi", "is_correct"],
      ...["odds_collected_at", "fonbet_url", "status"],
    ].map((name) => [name, null]),
  );

function head(card, stage, catalogue) {
  const when = card.kickoff === null ? "Date to be confirmed" : kickoffText(card);
  const status = { live: "Live", finished: "Finished", upcoming: "Upcoming" }[card.status] ?? "";
  return html`<section class="panel wide match-head" aria-labelledby="match-title">
    <p class="muted">
      ${card.region} · ${card.league}${card.season ? ` · ${card.season}` : ""}
      ${status ? html`<span class="badge quiet">${status}</span>` : nothing}
      ${catalogue.replayed ? html`<span class="badge quiet">Replay</span>` : nothing}
    </p>
    <h2 id="match-title" tabindex="-1">
      ${teamLink(card.home_team, card.region, stage)}
      <span class="result">${score(card)}</span>
      ${teamLink(card.away_team, card.region, stage)}
    </h2>
    <p>
      ${card.match_date ? html`<time datetime=${card.match_date}>${when}</time>` : when}
      ${card.dateOnly ? nothing : html`<span class="muted">${card.kickoff ? show.zoneAt(card.kickoff) : ""}</span>`}
    </p>
    <div class="head-actions">
      ${verdict(card)}
      <button type="button" class="button small" id="share" @click=${() => share(card, stage)}>
        Copy link
      </button>
      <a
        class="button small"
        id="calendar"
        href=${addressOf("predict/calendar/", { match_id: card.match_id }).href}
        download="match-${card.match_id}.ics"
        >Calendar file</a
      >
    </div>
  </section>`;
}

const kickoffText = (card) =>
  card.dateOnly ? show.day(card) : `${show.day(card)}, ${show.time(card)}`;

function score(card) {
  const home = goals(card, "home");
  return home === nothing
    ? "–"
    : html`${home}<span aria-hidden="true">:</span>${goals(card, "away")}`;
}

async function share(card, stage) {
  const url = new URL(matchAddress(card.match_id, stage), location.href).href;
  try {
    await navigator.clipboard.writeText(url);
    announce("Link copied");
    document.getElementById("share").textContent = "Link copied";
  } catch {
    // No clipboard without permission: the address bar holds the same link.
    announce("Copy the address of this page");
    document.getElementById("share").textContent = "Copy the address above";
  }
}

/** Model, pool and market side by side. */
function forecasts(card, catalogue) {
  const odds = triple(card, "odds");
  const edges = OUTCOMES.map((outcome) => edgeOf(card, outcome));
  const later = card.oddsTime !== null && catalogue.replayed && card.oddsTime > catalogue.now;
  return html`${bar(card.probabilities)}
    ${scroll(
      "Forecasts",
      html`<table class="data triples forecasts">
        <caption class="hidden">
          Probabilities of home win, draw and away win, and odds
        </caption>
        ${outcomeHead()}
        <tbody>
          ${chancesRow("Model", card.probabilities, card, 1)}
          ${card.pool ? chancesRow("Pool", card.pool, card, 1) : nothing}
          ${card.market ? chancesRow("Market", card.market, card, 1) : nothing}
          <tr>
            <th scope="row">Fair odds</th>
            ${card.probabilities.map((share) => html`<td>${(1 / share).toFixed(2)}</td>`)}
          </tr>
          ${
            odds
              ? html`<tr>
                  <th scope="row">Odds</th>
                  ${odds.map((value) => html`<td>${show.odds(value)}</td>`)}
                </tr>`
              : nothing
          }
          ${
            edges[0] !== null
              ? html`<tr>
                  <th scope="row">Edge</th>
                  ${edges.map(
                    (edge, i) =>
                      html`<td class=${card.value_bet === OUTCOMES[i] ? "value" : ""}>
                        ${show.signedPercent(edge)}
                      </td>`,
                  )}
                </tr>`
              : nothing
          }
        </tbody>
      </table>`,
    )}
    <p class="muted small">
      ${
        card.market
          ? "Market: the odds' probabilities without the margin. "
          : hasOdds(card)
            ? "The market is closed. "
            : "No market odds. "
      }
      ${card.pool ? "Pool: model and price combined, as learned on past matches. " : ""}
      ${
        edges[0] !== null
          ? `Edge: expected value per unit staked by the ${card.pool ? "pool" : "model"}. `
          : ""
      }
      ${card.oddsTime ? `Odds of ${show.moment(card.oddsTime)}.` : ""}
      ${later ? html`<strong>They were collected after the replay's clock.</strong>` : nothing}
    </p>`;
}

function weighs(mine, redraw) {
  if (mine.errors.live) return problem(mine.errors.live, () => again(redraw));
  if (!mine.live) return skeleton(6);
  const { prediction, contributions, base } = mine.live;
  if (!contributions) return html`<p class="muted">The service gives no contributions.</p>`;
  mine.explained ??= OUTCOMES[prediction.predicted_class];
  const outcome = mine.explained;
  const choose = (value) => {
    mine.explained = value;
    redraw();
  };
  return html`${segments("explained", "Outcome explained", OUTCOME_CHOICES, outcome, choose)}
    ${baseNote(base, outcome)} ${contributionChart(pushes(contributions, outcome).slice(0, TOP))}
    <p class="muted small">
      SHAP values in log-odds for or against ${OUTCOME_NAMES[outcome].toLowerCase()}, relative to
      the three outcomes' mean. The ${Math.min(TOP, contributions.length)} largest of
      ${contributions.length}. ${prediction.model_version}, run
      <code>${prediction.model_run_id}</code>${
        prediction.features_computed_at
          ? `, features computed ${show.moment(Date.parse(prediction.features_computed_at))}`
          : ""
      }.
    </p>`;
}

/** Contributions to one outcome: what is added to all three scores cancels in the softmax. */
export const pushes = (contributions, outcome) =>
  contributions
    .map((row) => ({
      feature: row.feature,
      value: row[outcome] - (row.home + row.draw + row.away) / 3,
    }))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));

function baseNote(base, outcome) {
  if (!base) return nothing;
  const scores = OUTCOMES.map((name) => base[name]);
  const total = scores.reduce((sum, value) => sum + Math.exp(value), 0);
  const shares = scores.map((value) => Math.exp(value) / total);
  const centred = base[outcome] - scores.reduce((sum, value) => sum + value, 0) / 3;
  return html`<p class="small" id="base">
    Base: ${show.signed(centred, 3)}, an unknown match
    (${shares.map((p) => show.percent(p)).join(" / ")}).
  </p>`;
}

function history(mine, redraw, content) {
  if (mine.errors.matches) return problem(mine.errors.matches, () => again(redraw));
  return mine.matches.home ? content() : skeleton(4);
}

// Beside another panel where there is room for both.
const halfRoom = (width) => Math.max(280, width * (width > 900 ? 0.5 : 1) - 60);

function ratings(mine, card, width) {
  const lines = ["home", "away"].map((side, i) => ({
    name: card[`${side}_team`],
    kind: `series-${i + 1}`,
    points: ratingPoints(mine.matches[side], card[`${side}_team`], card.kickoff),
  }));
  const drawn = lines.filter((line) => line.points.length > 1);
  if (drawn.length === 0) return html`<p class="muted">No earlier match to draw a line from.</p>`;
  const now = lines.map((line) => `${line.name} ${Math.round(line.points.at(-1)?.y ?? 0)}`);
  return html`${lineChart({
      room: halfRoom(width),
      label: `Elo ratings over time; before this match ${now.join(", ")}`,
      lines: drawn,
      xTicks: timeTicks(drawn.flatMap((line) => line.points)),
      format: (value) => String(Math.round(value)),
      maxGap: SUMMER_MS,
    })}
    <p class="muted small">Rating before each match, this one the last.</p>`;
}

function formAndMeetings(mine, card, stage) {
  const before = (row) =>
    row.outcome_1x2 !== null &&
    row.match_id !== card.match_id &&
    (card.kickoff === null || (row.kickoff !== null && row.kickoff < card.kickoff));
  const meetings = mine.matches.home
    .filter((row) => before(row) && [row.home_team, row.away_team].includes(card.away_team))
    .sort(inOrder)
    .reverse();
  const tally = { home: 0, draw: 0, away: 0 };
  for (const row of meetings) {
    const winner = row.outcome_1x2 === "draw" ? null : row[`${row.outcome_1x2}_team`];
    tally[winner === null ? "draw" : winner === card.home_team ? "home" : "away"] += 1;
  }
  return html`<div class="two">
      ${["home", "away"].map((side) => {
        const name = card[`${side}_team`];
        const last = mine.matches[side].filter(before).sort(inOrder).slice(-5).reverse();
        return html`<div data-form=${side}>
          <h3>${name} ${form(card[`${side}_form`])}</h3>
          <ul class="results">
            ${last.map((row) => html`<li>${resultFor(row, name)} ${resultLine(row, stage)}</li>`)}
          </ul>
        </div>`;
      })}
    </div>
    <h3>Earlier meetings</h3>
    ${
      meetings.length
        ? html`<dl class="key-figures three" id="meetings">
              ${figure(card.home_team, String(tally.home), "won", "")}
              ${figure("Drawn", String(tally.draw))}
              ${figure(card.away_team, String(tally.away), "won")}
            </dl>
            <ul class="results">
              ${meetings.slice(0, 6).map((row) => html`<li>${resultLine(row, stage)}</li>`)}
            </ul>`
        : html`<p class="muted">None in this release.</p>`
    }`;
}

const resultLine = (row, stage) =>
  html`<span class="muted">${row.kickoff === null ? "" : show.shortDay(row.kickoff)}</span>
    ${matchLink(row, stage)}
    <strong>${row.home_score}:${row.away_score}</strong>`;

/** What each feature did to one outcome. */
function contributionChart(rows) {
  const most = Math.max(...rows.map((row) => Math.abs(row.value)), 1e-9);
  return html`<ol class="contributions">
    ${rows.map(
      (row) =>
        html`<li>
          <span class="feature" title=${row.feature}>${show.featureName(row.feature)}</span>
          <span class="push" aria-hidden="true"
            ><span
              class=${row.value < 0 ? "down" : "up"}
              .style=${`width: ${(50 * Math.abs(row.value)) / most}%`}
            ></span
          ></span>
          <span class="amount">${show.signed(row.value, 3)}</span>
        </li>`,
    )}
  </ol>`;
}

/** How the price moved before kickoff, as it was seen. */
function priceMovement(mine, card, width, redraw) {
  if (mine.errors.prices) return problem(mine.errors.prices, () => again(redraw));
  if (!mine.prices) return skeleton(3);
  const { snapshots, closing, provider } = mine.prices;
  if (snapshots.length === 0 && !closing) {
    return html`<p class="muted">No price of this match has been collected.</p>`;
  }
  const source = (provider ?? "").replaceAll("_", " ");
  // A closing price that is stated without a time was the last before kickoff.
  const closedAt = closing && (Date.parse(closing.collected_at ?? "") || card.kickoff);
  const seen = snapshots.map((row) => ({ ...row, time: Date.parse(row.collected_at) }));
  const prices = seen.filter((row) => row.time !== closedAt);
  if (closing) prices.push({ ...closing, time: closedAt });
  const rows = prices.map((row) => [
    `${show.moment(row.time)}${closing && row.time === closedAt ? " (closing)" : ""}`,
    ...OUTCOMES.map((outcome) => show.odds(row[`odds_${outcome}`])),
    ...(seen.some(({ bookmaker }) => bookmaker) ? [row.bookmaker ?? "–"] : []),
  ]);
  if (prices.length < 2) {
    return html`<p id="one-price">
      One price was seen, by ${source}: <strong>${rows[0].slice(1, 4).join(" / ")}</strong>
      (${rows[0][0]}). A line is drawn from two on.
    </p>`;
  }
  const head = ["Seen", "1", "X", "2", ...(rows[0].length > 4 ? ["Bookmaker"] : [])];
  const lines = OUTCOMES.map((outcome) => ({
    name: OUTCOME_NAMES[outcome],
    kind: KINDS[outcome],
    points: steps(prices.map((row) => ({ x: row.time, y: row[`odds_${outcome}`] }))),
  }));
  return html`${lineChart({
      room: halfRoom(width),
      label: `Odds over time, ${prices.length} prices; at the end ${rows.at(-1).slice(1, 4).join(", ")}`,
      lines,
      xTicks: timeTicks(lines[0].points),
      format: (value) => value.toFixed(2),
      marks: closing ? [{ x: closedAt, text: "Closing price" }] : [],
    })}
    <p class="muted small">
      Odds of ${source} as they were seen before kickoff; each holds until the next.
      ${
        closing
          ? html`<span id="closing">Closing price ${rows.at(-1).slice(1, 4).join(" / ")}.</span>`
          : "The closing price is known once the match has begun."
      }
    </p>
    ${dataTable("The prices", head, rows, `prices-${card.match_id}`)}`;
}

/** A price holds until the next one is seen. */
export const steps = (points) =>
  points.flatMap((point, i) => (i ? [{ x: point.x, y: points[i - 1].y }, point] : [point]));
