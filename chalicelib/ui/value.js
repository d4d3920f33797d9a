// What the value bets returned: per region as the batch computed it, and over the chosen filters.

import { call } from "./api.js";
import { intervalChart, profitChart } from "./charts.js";
import * as show from "./format.js";
import { html, nothing } from "./html.js";
import { returns, settledBets } from "./measures.js";
import { dataTable, exportButton, figure, scroll } from "./parts.js";
import { empty, problem, skeleton } from "./problem.js";
import { select } from "./select.js";

const LISTED = 200;

/** @type {{state: string, rows: any[], error: any}} */
let regions = { state: "", rows: [], error: null };

/** Read the returns per region again next time. */
export const forgetReturns = () => {
  regions = { state: "", rows: [], error: null };
};

export function valueView(catalogue, filters, width, redraw) {
  if (regions.state === "") loadRegions(redraw);
  return html`<section class="panel wide" aria-labelledby="profit-title">
      <h2 id="profit-title">Profit of value bets</h2>
      ${catalogue.loaded.all ? curve(catalogue, filters, width) : skeleton(5)}
    </section>
    <section class="panel wide" aria-labelledby="roi-title">
      <h2 id="roi-title">Return per region</h2>
      <p class="lede">
        One unit on every value bet of the champion, over all finished matches, whatever the filters
        say. ROI is profit by turnover; the interval resamples matches.
      </p>
      ${regionPanel(redraw)}
    </section>`;
}

async function loadRegions(redraw) {
  const mine = regions;
  mine.state = "loading";
  try {
    mine.rows = (await call("predict/region-roi/", { query: { limit: 500 } })).data;
  } catch (error) {
    mine.error = error;
  }
  mine.state = "loaded";
  redraw();
}

function regionPanel(redraw) {
  if (regions.state !== "loaded") return skeleton(3);
  if (regions.error) {
    const again = () => {
      forgetReturns();
      redraw();
    };
    return problem(regions.error, again);
  }
  return regions.rows.length ? roiTable(regions.rows) : empty("No settled value bet yet");
}

function curve(catalogue, filters, width) {
  const bets = settledBets(select(catalogue.rows, filters, catalogue.now, "finished"));
  const total = returns(bets);
  if (total === null) {
    return empty(
      "No settled value bet here",
      "It takes a finished match with odds from before its kickoff, a forecast made without knowing it, and an " +
        "edge over the threshold.",
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
  const number = (value, format) => (value === null || value === undefined ? "–" : format(value));
  const interval = (low, high, digits) =>
    low === null || low === undefined
      ? "too few bets"
      : `${show.signedPercent(low, digits)} to ${show.signedPercent(high, digits)}`;
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
