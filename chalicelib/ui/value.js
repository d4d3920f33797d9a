// What the value bets returned: per region as the batch computed it, and over the chosen filters.

import { call } from "./api.js";
import { dataTable, intervalChart, profitChart } from "./charts.js";
import { fill, h } from "./dom.js";
import * as show from "./format.js";
import { returns, settledBets } from "./measures.js";
import { empty, problem, skeleton } from "./problem.js";
import { select } from "./select.js";

const LISTED = 200;

export class ValuePanels {
  constructor(root) {
    this.curve = h("section", { class: "panel wide", "aria-labelledby": "profit-title" });
    this.regions = h("section", { class: "panel wide", "aria-labelledby": "roi-title" });
    this.loaded = false;
    fill(root, this.curve, this.regions);
  }

  update(catalogue, filters) {
    this.#showCurve(catalogue, filters);
    if (!this.loaded) this.load();
  }

  async load() {
    this.loaded = true;
    const head = [
      h("h2", { id: "roi-title" }, "Return per region"),
      h(
        "p",
        { class: "lede" },
        "One unit on every value bet of the champion, over all finished matches, whatever the filters say. ",
        "ROI is profit by turnover; the interval resamples matches.",
      ),
    ];
    fill(this.regions, head, skeleton(3));
    try {
      const { data } = await call("predict/region-roi/");
      fill(this.regions, head, data.length ? roiTable(data) : empty("No settled value bet yet"));
    } catch (error) {
      fill(
        this.regions,
        head,
        problem(error, () => this.load()),
      );
    }
  }

  #showCurve(catalogue, filters) {
    const head = h("h2", { id: "profit-title" }, "Profit of value bets");
    if (!catalogue.loaded.recent) return fill(this.curve, head, skeleton(5));
    const bets = settledBets(select(catalogue.rows, filters, catalogue.anchor, "finished"));
    const total = returns(bets);
    if (total === null)
      return fill(
        this.curve,
        head,
        empty(
          "No settled value bet here",
          "It takes a finished match with odds from before its kickoff, a forecast made without knowing it, and an " +
            "edge over the threshold.",
        ),
      );
    const figure = (label, value, kind = "", beside = "") =>
      h(
        "div",
        { class: "figure" },
        h("dt", {}, label),
        h(
          "dd",
          {},
          h("strong", { class: kind }, value),
          beside && h("span", { class: "muted" }, beside),
        ),
      );
    fill(
      this.curve,
      head,
      h(
        "p",
        { class: "lede" },
        "Flat stakes of one unit, over the chosen filters. ",
        "Past returns of a model against average odds; expect them to be negative.",
      ),
      h(
        "dl",
        { class: "key-figures three" },
        figure("Bets", show.count(total.n), "", `${show.count(total.won)} won`),
        figure(
          "Profit",
          `${show.signed(total.profit)} u`,
          total.profit < 0 ? "loss" : "gain",
          `turnover ${show.count(total.n)} u`,
        ),
        figure(
          "ROI",
          show.signedPercent(total.roi),
          total.roi < 0 ? "loss" : "gain",
          total.interval
            ? `95% interval ${show.signedPercent(total.interval[0], 0)} to ${show.signedPercent(total.interval[1], 0)}`
            : "too few bets for an interval",
        ),
      ),
      profitChart(bets, this.curve.clientWidth - 42),
      dataTable(
        bets.length > LISTED ? `The latest ${LISTED} bets` : "The bets",
        ["Kickoff", "Match", "Bet", "Odds", "Profit"],
        bets
          .slice(-LISTED)
          .reverse()
          .map((bet) => [
            show.shortDay(bet.row.kickoff),
            `${bet.row.home_team} – ${bet.row.away_team}`,
            show.OUTCOME_NAMES[bet.bet],
            show.odds(bet.odds),
            show.signed(bet.profit),
          ]),
      ),
    );
  }
}

function roiTable(rows) {
  const ends = rows
    .flatMap((row) => [row.roi, row.roi_ci_low, row.roi_ci_high])
    .filter((value) => value !== null);
  const limits = [Math.min(-0.1, ...ends), Math.max(0.1, ...ends)];
  const number = (value, format) => (value === null ? "–" : format(value));
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table of returns" },
    h(
      "table",
      { class: "data roi" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["Region", "Bets", "Turnover", "Profit", "ROI", "95% interval"].map((text) =>
            h("th", { scope: "col" }, text),
          ),
          h("td", { class: "plot" }),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((row) =>
          h(
            "tr",
            { "data-region": row.region },
            h("th", { scope: "row" }, row.region),
            h("td", {}, show.count(row.bets)),
            h(
              "td",
              {},
              number(row.turnover, (v) => v.toFixed(0)),
            ),
            h(
              "td",
              { class: row.profit < 0 ? "loss" : "gain" },
              number(row.profit, (v) => show.signed(v)),
            ),
            h(
              "td",
              { class: row.roi < 0 ? "loss" : "gain" },
              number(row.roi, (v) => show.signedPercent(v)),
            ),
            h(
              "td",
              {},
              row.roi_ci_low === null
                ? "too few bets"
                : `${show.signedPercent(row.roi_ci_low, 0)} to ${show.signedPercent(row.roi_ci_high, 0)}`,
            ),
            h("td", { class: "plot" }, intervalChart(row, limits)),
          ),
        ),
      ),
    ),
  );
}
