// How the forecasts have done, beside base rates and the market: the service's own record, or over the chosen filters.

import { FILTERS } from "./address.js";
import { callAll } from "./api.js";
import { inOrder, prepared } from "./card.js";
import { lineChart, timeTicks } from "./charts.js";
import * as show from "./format.js";
import { OUTCOME_NAMES } from "./format.js";
import { html, nothing } from "./html.js";
import {
  baseRates,
  calibration,
  judged,
  logLossDifference,
  priced,
  rollingLogLoss,
  scores,
} from "./measures.js";
import { exportButton, figure, scroll, segments } from "./parts.js";
import { empty, problem, skeleton, unread } from "./problem.js";
import { reliabilityChart, reliabilityTable } from "./reliability.js";
import { select, tally } from "./select.js";
import { isFiltered } from "./state.js";
import { trackRecord } from "./trackrecord.js";

/** @type {[string, string, (value: number) => string, string][]} */
const MEASURES = [
  [
    "accuracy",
    "Accuracy",
    (v) => show.percent(v, 1),
    "Share of matches whose likeliest outcome came; higher is better",
  ],
  [
    "logLoss",
    "Log loss",
    (v) => v.toFixed(4),
    "Mean of −ln of the probability given to what came; lower is better",
  ],
  ["rps", "RPS", (v) => v.toFixed(4), "Ranked probability score; lower is better"],
  [
    "brier",
    "Brier",
    (v) => v.toFixed(4),
    "Sum of squared differences over three outcomes; lower is better",
  ],
  [
    "ece",
    "ECE",
    (v) => show.percent(v, 1),
    "Expected calibration error over ten bins; lower is better",
  ],
];
const WINDOW = 100;

/** @type {[string, string][]} */
const OUTCOME_CHOICES = [
  ["", "All three"],
  ["home", OUTCOME_NAMES.home],
  ["draw", OUTCOME_NAMES.draw],
  ["away", OUTCOME_NAMES.away],
];

let outcome = "";
/** The other model's forecasts, by match: "loading", an error, or a map. */
let other = { stage: "", state: "", error: null, rows: new Map() };

const model = (row) => row.probabilities;
const market = (row) => row.market;

export const forget = () => trackRecord.forget();

/** @param {import("./main.js").Page} page */
export function view({ filters, catalogue, width, redraw }) {
  const record = trackRecord.ask(redraw);
  const isWhole = filters.stage === "champion" && !FILTERS.some(isFiltered);
  if (isWhole && record.error) {
    return html`<section class="panel wide">${unread(record, redraw)}</section>`;
  }
  if (!catalogue.covers(filters) || record.data === null) return skeleton(8);
  const rows = select(catalogue.reaching(filters), filters, catalogue.now, "finished");
  const counted = judged(rows);
  // The whole record is the service's: no browser has to fetch years of matches for it.
  const whole = isWhole && record.data ? record.data : null;
  if (whole ? whole.matches === 0 : counted.length === 0) {
    return empty(
      "No finished match to judge the model by",
      rows.length
        ? `All ${show.count(rows.length)} finished matches here were used to fit the model.`
        : "The filters leave no finished match.",
    );
  }
  const withMarket = priced(rows);
  return html`<section class="panel" aria-labelledby="record-title">
      <h2 id="record-title">Track record</h2>
      ${whole ? wholeRecord(whole) : filteredRecord(catalogue, rows, counted, withMarket)}
      ${withMarket.length ? differenceNote(withMarket, whole) : nothing}
      <p class="muted small">
        Base rates: how often each outcome came before the match's day, the forecast of somebody who
        knows no team.
      </p>
    </section>
    ${reliability(whole, counted, width, redraw)} ${comparison(catalogue, rows, width, redraw)}`;
}

/** The figures of the service's record, in this page's names. */
const named = ({ log_loss: logLoss, ...others }) => ({ ...others, logLoss });

function wholeRecord(record) {
  const { model: own, base_rates: naive } = record.forecasts;
  const { market } = record;
  return html`<p class="lede">
      All ${show.count(record.matches)} finished matches that the champion was not fitted
      on${
        record.first_kickoff
          ? `, ${show.shortDay(Date.parse(record.first_kickoff))} to ${show.shortDay(Date.parse(record.last_kickoff))}`
          : ""
      },
      with the forecasts as published.
    </p>
    ${keyFigures(named(own), named(naive), market?.matches ? named(market.market) : null)}
    ${measuresTable("All of them", record.matches, [
      ["Model", named(own)],
      ["Base rates", named(naive)],
    ])}
    ${marketTable(
      market?.matches ?? 0,
      ["model", "base_rates", "market"].map((key) => market && named(market[key])),
    )}`;
}

function filteredRecord(catalogue, rows, counted, withMarket) {
  const rates = baseRates(judged(catalogue.rows));
  const base = (row) => rates.get(row.match_id);
  const [own, naive] = [model, base].map((forecast) => scores(counted, forecast));
  return html`<p class="lede">
      ${show.count(counted.length)} finished matches${period(counted)}${leftOut(rows, counted)}.
      Every figure here is of these matches, or of those among them that had odds, with the
      forecasts as published.
    </p>
    ${keyFigures(own, naive, scores(withMarket, market))}
    ${measuresTable("All of them", counted.length, [
      ["Model", own],
      ["Base rates", naive],
    ])}
    ${marketTable(
      withMarket.length,
      [model, base, market].map((forecast) => scores(withMarket, forecast)),
    )}`;
}

/**
 * @param {number} matches
 * @param {any[]} measured Of model, base rates and market.
 */
function marketTable(matches, measured) {
  if (matches === 0) {
    return html`<p class="note">
      None of these matches has market odds in this release, so there is no comparison with the
      market.
    </p>`;
  }
  return measuresTable("Those with odds before kickoff, the market without its margin", matches, [
    ["Model", measured[0]],
    ["Base rates", measured[1]],
    ["Market", measured[2]],
  ]);
}

function leftOut(rows, counted) {
  const left = rows.length - counted.length;
  return left > 0
    ? `; ${show.count(left)} more are left out, because the model was fitted on them or they have no result`
    : "";
}

function period(rows) {
  const known = rows.filter((row) => row.kickoff !== null);
  if (!known.length) return "";
  return `, ${show.shortDay(known[0].kickoff)} to ${show.shortDay(known.at(-1).kickoff)}`;
}

/** The difference with its interval, and what that says. */
function differenceNote(rows, whole) {
  const scope = whole && whole.market?.matches !== rows.length ? " of the last year" : "";
  const { mean, low, high, n } = logLossDifference(rows, model, market);
  if (low === null) {
    return html`<p class="note" id="difference">
      ${n} matches with odds are too few to tell model and market apart.
    </p>`;
  }
  const verdict =
    low > 0
      ? "The market is better, and not by chance."
      : high < 0
        ? "The model is better, and not by chance."
        : "The interval holds zero: these matches do not tell the two apart.";
  return html`<p class="note" id="difference">
    Log loss, model − market:
    <strong data-value=${mean}>${show.signed(mean, 4)}</strong>, 95% interval ${show.signed(low, 4)}
    to ${show.signed(high, 4)} over ${show.count(n)} matches${scope}. ${verdict}
  </p>`;
}

function keyFigures(own, naive, prices) {
  const beside = prices
    ? `market ${prices.logLoss.toFixed(3)} where it had odds`
    : `base rates ${naive.logLoss.toFixed(3)}`;
  return html`<dl class="key-figures">
    ${figure("Right", show.percent(own.accuracy, 1), `base rates ${show.percent(naive.accuracy, 1)}`)}
    ${figure("Log loss", own.logLoss.toFixed(3), beside)}
    ${figure("RPS", own.rps.toFixed(3), `base rates ${naive.rps.toFixed(3)}`)}
    ${figure("Calibration error", show.percent(own.ece, 1), "0% is perfect")}
  </dl>`;
}

/**
 * @param {string} caption
 * @param {number} matches
 * @param {[string, any][]} forecasts Name and measures.
 */
function measuresTable(caption, matches, forecasts) {
  const scored = forecasts.map(([name, values]) => ({ name, values }));
  const best = (key) => {
    const values = scored.map(({ values }) => values[key]);
    return key === "accuracy" ? Math.max(...values) : Math.min(...values);
  };
  const head = ["Forecast", ...MEASURES.map(([, name]) => name)];
  const cells = scored.map(({ name, values }) => [name, ...MEASURES.map(([key]) => values[key])]);
  return html`${scroll(
    caption,
    html`<table class="data measures">
      <caption>
        ${caption} · ${show.count(matches)} matches
      </caption>
      <thead>
        <tr>
          <th scope="col">Forecast</th>
          ${MEASURES.map(
            ([, name, , title]) => html`<th scope="col"><abbr title=${title}>${name}</abbr></th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${scored.map(
          ({ name, values }) =>
            html`<tr>
              <th scope="row">${name}</th>
              ${MEASURES.map(
                ([key, , format]) =>
                  html`<td
                    class=${key !== "ece" && values[key] === best(key) ? "best" : ""}
                    data-measure=${key}
                    data-value=${values[key]}
                  >
                    ${format(values[key])}
                  </td>`,
              )}
            </tr>`,
        )}
      </tbody>
    </table>`,
  )}${exportButton("track-record", head, cells)}`;
}

// The diagram stands beside the table where there is room for both.
const chartRoom = (width) => (width > 860 ? width * 0.42 - 60 : width - 32);

function reliability(whole, rows, width, redraw) {
  const bins = whole
    ? whole.reliability[outcome || "all"]
    : calibration(rows, model, outcome || null);
  const choose = (value) => {
    outcome = value;
    redraw();
  };
  return html`<section class="panel" aria-labelledby="reliability-title">
    <h2 id="reliability-title">Reliability</h2>
    <p class="lede">
      When the model says 30%, does it happen 30% of the time? Dots on the dashed line: yes.
      Whiskers are 95% intervals.
    </p>
    ${segments("reliability", "Outcome of the diagram", OUTCOME_CHOICES, outcome, choose)}
    ${reliabilityChart(bins, chartRoom(width))} ${reliabilityTable(bins)}
  </section>`;
}

/** Both models and the market over the same matches. */
function comparison(catalogue, rows, width, redraw) {
  const stage = catalogue.stage === "champion" ? "challenger" : "champion";
  if (other.stage !== stage) {
    other = { stage, state: "", error: null, rows: new Map() };
  }
  const head = html`<h2 id="compare-title">Champion, challenger and market</h2>
    <p class="lede">
      Log loss over the last ${WINDOW} matches, on the matches that both models have not seen and
      that had odds before
      kickoff${catalogue.more ? `, since ${show.shortDay(catalogue.since)}` : ""}. The band is the
      95% interval of the model chosen above.
    </p>`;
  const frame = (content) =>
    html`<section class="panel wide" aria-labelledby="compare-title">${head} ${content}</section>`;
  if (other.state === "") loadOther(stage, priced(catalogue.rows), redraw);
  if (other.state === "loading" || other.state === "") return frame(skeleton(4));
  if (other.error) {
    const again = () => {
      other.state = "";
      redraw();
    };
    return frame(problem(other.error, again));
  }
  const otherForecast = (row) => other.rows.get(row.match_id).probabilities;
  const shared = priced(rows).filter((row) => other.rows.get(row.match_id)?.in_sample === false);
  if (shared.length === 0) {
    return frame(empty("No match that both models can be compared on"));
  }
  /** @type {[string, (row: any) => number[]][]} */
  const forecasts = [
    [catalogue.stage, model],
    [stage, otherForecast],
    ["market", market],
  ];
  return frame(html`${rollingChart(shared, forecasts, width)} ${leagueTable(shared, forecasts)}`);
}

async function loadOther(stage, rows, redraw) {
  other.state = "loading";
  const mine = other;
  try {
    if (rows.length) {
      const from = new Date(rows[0].kickoff).toISOString();
      const cards = await callAll("predict/cards/", {
        stage,
        status: "finished",
        from,
        limit: 500,
      });
      for (const card of cards) mine.rows.set(card.match_id, prepared(card));
    }
  } catch (error) {
    mine.error = error;
  }
  mine.state = "loaded";
  redraw();
}

function rollingChart(rows, forecasts, width) {
  const known = rows.filter((row) => row.kickoff !== null).sort(inOrder);
  if (known.length < WINDOW) {
    return html`<p class="note">
      ${show.count(known.length)} matches here; the chart needs ${WINDOW}.
    </p>`;
  }
  const lines = forecasts.map(([name, forecast], i) => {
    const points = rollingLogLoss(known, forecast, WINDOW);
    const plain = points.map(({ x, y }) => ({ x, y }));
    return { name: show.sentenceCase(name), kind: `series-${i + 1}`, points: i ? plain : points };
  });
  const last = lines.map((line) => `${line.name} ${line.points.at(-1).y.toFixed(3)}`).join(", ");
  return lineChart({
    room: width - 42,
    label: `Log loss over the last ${WINDOW} matches; at the end: ${last}`,
    lines,
    xTicks: timeTicks(lines[0].points),
    format: (value) => value.toFixed(2),
  });
}

function leagueTable(rows, forecasts) {
  const leagues = tally(rows, "league").map(([name]) => name);
  const groups = [
    ["All leagues", rows],
    ...leagues.map((name) => [name, rows.filter((row) => row.league === name)]),
  ];
  const names = forecasts.map(([name]) => show.sentenceCase(name));
  const head = ["League", "Matches", ...names, `${names[0]} − market`, "95% interval"];
  const table = groups.map(([name, group]) => {
    const matches = /** @type {any[]} */ (group);
    const difference = logLossDifference(matches, forecasts[0][1], market);
    const interval =
      difference.low === null
        ? "too few"
        : `${show.signed(difference.low, 3)} to ${show.signed(difference.high, 3)}`;
    return [
      name,
      show.count(matches.length),
      ...forecasts.map(([, forecast]) => scores(matches, forecast).logLoss.toFixed(4)),
      show.signed(difference.mean, 4),
      interval,
    ];
  });
  return html`${scroll(
    "Log loss per league",
    html`<table class="data leagues">
      <caption>
        Log loss per league
      </caption>
      <thead>
        <tr>
          ${head.map((text) => html`<th scope="col">${text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${table.map(
          ([name, ...cells]) =>
            html`<tr>
              <th scope="row">${name}</th>
              ${cells.map((text) => html`<td>${text}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>`,
  )}${exportButton("log-loss-by-league", head, table)}`;
}
