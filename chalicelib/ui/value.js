// What edges promised and what bets on them returned: the service's record, per region, and over the chosen filters.

import { call } from "./api.js";
import { lineChart, timeTicks } from "./charts.js";
import * as show from "./format.js";
import { html, nothing, svg } from "./html.js";
import { returns, settledBets } from "./measures.js";
import { dataTable, exportButton, figure, scroll } from "./parts.js";
import { empty, skeleton, unread } from "./problem.js";
import { Resource } from "./resource.js";
import { select } from "./select.js";
import { trackRecord } from "./trackrecord.js";

const LISTED = 200;

const regions = new Resource(
  async () => (await call("predict/region-roi/", { query: { limit: 500 } })).data,
);

/** Read the returns again next time. */
export const forget = () => {
  regions.forget();
  trackRecord.forget();
};

/** @param {import("./main.js").Page} page */
export function view({ filters, catalogue, width, redraw }) {
  const record = trackRecord.ask(redraw);
  return html`<section class="panel wide" aria-labelledby="edges-title">
      <h2 id="edges-title">What edges promised, and what came</h2>
      ${answered(record, redraw, (data) => edges(data, width))}
    </section>
    <section class="panel wide" aria-labelledby="profit-title">
      <h2 id="profit-title">Profit of value bets</h2>
      ${catalogue.covers(filters) ? curve(catalogue, filters, width) : skeleton(5)}
    </section>
    <section class="panel wide" aria-labelledby="roi-title">
      <h2 id="roi-title">Return per region</h2>
      <p class="lede">
        One unit on every edge of the champion above 5%, over all finished matches, whatever the
        filters say. ROI is profit by turnover; the interval resamples matches.
      </p>
      ${answered(regions.ask(redraw), redraw, (rows) =>
        rows.length ? roiTable(rows) : empty("No settled bet yet"),
      )}
    </section>`;
}

/** What a resource holds, or why it does not. */
function answered(resource, redraw, content) {
  if (resource.error) return unread(resource, redraw);
  return resource.data === null ? skeleton(4) : content(resource.data);
}

/** The record of edges: the price's own word first, then promised beside realised, and those who know nothing. */
function edges(record, width) {
  if (!record?.by_threshold) return empty("No settled match with odds in this release yet");
  const { model, pool } = record.by_threshold;
  const { against, with: agreeing } = record.against_the_pick;
  const above = (row) => `Edge above ${show.percent(row.threshold)}`;
  /** @type {[string, any][]} */
  const rows = [
    ...model.map((row) => [`Model: ${above(row).toLowerCase()}`, row]),
    ["Model above 5%, against its own pick", against],
    ["Model above 5%, on its own pick", agreeing],
    ...pool.filter((row) => row.bets).map((row) => [`Pool: ${above(row).toLowerCase()}`, row]),
  ];
  return html`<p class="lede">
      One unit on the outcome with the largest edge of each finished match, at the price that could
      be taken, over everything the champion was not fitted on. Closing-line value says whether the
      market later agreed, and tells skill from luck with far fewer bets than profit does.
    </p>
    ${edgeTable(rows)} ${poolNote(record.pool)} ${curves(record, width)}`;
}

const interval = (low, high, digits) =>
  low === null || low === undefined
    ? "too few bets"
    : `${show.signedPercent(low, digits)} to ${show.signedPercent(high, digits)}`;
const number = (value, format) => (value === null || value === undefined ? "–" : format(value));

function edgeTable(rows) {
  const hasClv = rows.some(([, row]) => row.clv !== null);
  const columns = ["bets", "clv", "clv_ci_low", "clv_ci_high", "promised"];
  columns.push("roi", "roi_ci_low", "roi_ci_high");
  const cells = rows.map(([name, row]) => [name, ...columns.map((column) => row[column])]);
  const head = ["Closing-line value", "95% interval", "Promised", "Came (ROI)", "95% interval"];
  return html`${scroll(
    "Promised and realised returns",
    html`<table class="data edges">
      <thead>
        <tr>
          ${["Bets on", "Bets", ...head].map((text) => html`<th scope="col">${text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([name, row]) =>
            html`<tr data-edge=${name}>
              <th scope="row">${name}</th>
              <td>${show.count(row.bets)}</td>
              <td>${number(row.clv, show.signedPercent)}</td>
              <td>${row.clv === null ? "–" : interval(row.clv_ci_low, row.clv_ci_high, 1)}</td>
              <td>${number(row.promised, show.signedPercent)}</td>
              <td class=${row.roi < 0 ? "loss" : "gain"}>${number(row.roi, show.signedPercent)}</td>
              <td>${interval(row.roi_ci_low, row.roi_ci_high, 0)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  )}
  ${
    hasClv
      ? nothing
      : html`<p class="note">
          No closing price of these matches is known, so there is no closing-line value: profit is
          all there is, and it says little.
        </p>`
  }
  ${exportButton("edges", ["bets_on", ...columns], cells)}`;
}

function poolNote(pool) {
  const learned =
    pool.matches === 0
      ? `The pool is the market alone until ${show.count(pool.min_matches)} priced matches are settled.`
      : `The pool of price and model was learned on ${show.count(pool.matches)} matches.`;
  const word = pool.is_proven
    ? `Its ${show.count(pool.bets.bets)} flags have beaten the closing price: they are called value.`
    : `Nothing is called value: that takes ${show.count(pool.min_bets)} flags with a known closing price that ` +
      `beat it beyond chance, and there are ${show.count(pool.bets.bets)} flags.`;
  return html`<p class="note" id="pool-note">${learned} ${word}</p>`;
}

/** Cumulative profit of the model's edges, of the pool's flags, of a bettor at random and of one on every favourite. */
function curves(record, width) {
  /** @type {[string, string, any[]][]} */
  const named = [
    ["Model's edges above 5%", "series-1", record.profit_curve],
    ["Pool's flags", "series-4", record.curves.pool],
    ["A third on each outcome", "series-3", record.curves.random],
    ["Every favourite", "series-2", record.curves.favourite],
  ];
  const lines = named
    .filter(([, , points]) => points.length > 1)
    .map(([name, kind, points]) => ({
      name: `${name} (${show.signed(points.at(-1)[2], 1)} u)`,
      kind,
      points: points.map(([day, , profit]) => ({ x: Date.parse(day), y: profit })),
    }));
  if (lines.length === 0) return nothing;
  return html`<h3>Profit in units, one a match</h3>
    ${lineChart({
      room: width - 42,
      label: `Profit of edges and of those who know nothing; at the end: ${lines.map((line) => line.name).join(", ")}`,
      lines,
      xTicks: timeTicks(lines.flatMap((line) => line.points)),
      format: (value) => show.signed(value, 0),
      zero: true,
    })}`;
}

function curve(catalogue, filters, width) {
  const bets = settledBets(select(catalogue.rows, filters, catalogue.now, "finished"));
  const total = returns(bets);
  if (total === null) {
    return empty(
      "No settled value bet here",
      "It takes a finished match with odds from before its kickoff, a forecast made without knowing it, and a flag " +
        "that the service calls value.",
    );
  }
  const head = ["Kickoff", "Match", "Bet", "Odds", "Profit"];
  const listed = bets
    .slice(-LISTED)
    .reverse()
    .map((bet) => [
      show.shortDay(bet.row.kickoff),
      `${bet.row.home_team} – ${bet.row.away_team}`,
      show.OUTCOME_NAMES[bet.bet],
      show.odds(bet.odds),
      show.signed(bet.profit),
    ]);
  const interval = total.interval
    ? `95% interval ${show.signedPercent(total.interval[0], 0)} to ${show.signedPercent(total.interval[1], 0)}`
    : "too few bets for an interval";
  return html`<p class="lede">
      Flat stakes of one unit, over the chosen filters. Past returns of a model against average
      odds; expect them to be negative.
    </p>
    <dl class="key-figures three">
      ${figure("Bets", show.count(total.n), `${show.count(total.won)} won`)}
      ${figure(
        "Profit",
        `${show.signed(total.profit)} u`,
        `turnover ${show.count(total.n)} u`,
        total.profit < 0 ? "loss" : "gain",
      )}
      ${figure("ROI", show.signedPercent(total.roi), interval, total.roi < 0 ? "loss" : "gain")}
    </dl>
    ${profitChart(bets, width - 42)}
    ${dataTable(
      bets.length > LISTED ? `The latest ${LISTED} bets` : "The bets",
      head,
      listed,
      "value-bets",
    )}`;
}

function roiTable(rows) {
  const hasClv = rows.some((row) => row.clv !== null && row.clv !== undefined);
  const ends = rows
    .flatMap((row) => [row.roi, row.roi_ci_low, row.roi_ci_high])
    .filter((value) => value !== null);
  const limits = [Math.min(-0.1, ...ends), Math.max(0.1, ...ends)];
  const head = ["Region", "Bets", "Turnover", "Profit", "ROI", "95% interval"];
  const clvHead = hasClv ? ["Closing-line value", "95% interval"] : [];
  const columns = ["region", "bets", "turnover", "profit", "roi", "roi_ci_low", "roi_ci_high"];
  if (hasClv) columns.push("clv", "clv_ci_low", "clv_ci_high");
  const cells = rows.map((row) => columns.map((name) => row[name]));
  return html`${scroll(
    "Table of returns",
    html`<table class="data roi">
      <thead>
        <tr>
          ${[...head, ...clvHead].map((text) => html`<th scope="col">${text}</th>`)}
          <td class="plot"></td>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr data-region=${row.region}>
              <th scope="row">${row.region}</th>
              <td>${show.count(row.bets)}</td>
              <td>${number(row.turnover, (v) => v.toFixed(0))}</td>
              <td class=${row.profit < 0 ? "loss" : "gain"}>${number(row.profit, show.signed)}</td>
              <td class=${row.roi < 0 ? "loss" : "gain"}>${number(row.roi, show.signedPercent)}</td>
              <td>${interval(row.roi_ci_low, row.roi_ci_high, 0)}</td>
              ${
                hasClv
                  ? html`<td>${number(row.clv, show.signedPercent)}</td>
                      <td>${interval(row.clv_ci_low, row.clv_ci_high, 1)}</td>`
                  : nothing
              }
              <td class="plot">${intervalChart(row, limits)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  )}${exportButton("return-by-region", columns, cells)}`;
}

/** Cumulative profit of flat-stake bets, in order of kickoff. */
function profitChart(bets, room) {
  let sum = 0;
  const points = [{ x: 0, y: 0 }, ...bets.map((bet, i) => ({ x: i + 1, y: (sum += bet.profit) }))];
  const marks = [...new Set([1, Math.ceil(bets.length / 2), bets.length])];
  return lineChart({
    room,
    label: `Cumulative profit of ${bets.length} value bets: ${show.signed(sum)} units at the end`,
    lines: [{ name: "", kind: `${sum < 0 ? "loss" : "gain"} filled`, points }],
    xTicks: marks.map((n) => ({ x: n, text: show.shortDay(bets[n - 1].row.kickoff) })),
    format: (value, step) => show.signed(value, step < 1 ? 1 : 0),
    zero: true,
  });
}

/** ROI intervals beneath one another, on one scale. */
function intervalChart(row, limits) {
  const [width, height] = [220, 20];
  const x = (value) => 4 + ((value - limits[0]) / (limits[1] - limits[0])) * (width - 8);
  const middle = height / 2;
  return html`<svg class="interval" viewBox="0 0 ${width} ${height}" aria-hidden="true">
    <line class="zero" x1=${x(0)} x2=${x(0)} y1="0" y2=${height} />
    ${
      row.roi_ci_low !== null && row.roi_ci_high !== null
        ? svg`<line class="whisker" x1=${x(row.roi_ci_low)} x2=${x(row.roi_ci_high)} y1=${middle} y2=${middle} />`
        : nothing
    }
    ${
      row.roi !== null
        ? svg`<circle class="dot ${row.roi < 0 ? "loss" : "gain"}" cx=${x(row.roi)} cy=${middle} r="5" />`
        : nothing
    }
  </svg>`;
}
