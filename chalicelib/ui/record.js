// How the forecasts have done, beside base rates and the market, over the chosen filters.

import { reliabilityChart, reliabilityTable } from "./charts.js";
import { byId, fill, h } from "./dom.js";
import * as show from "./format.js";
import { OUTCOME_NAMES, OUTCOMES } from "./format.js";
import { baseRates, calibration, judged, priced, scores } from "./measures.js";
import { empty, skeleton } from "./problem.js";
import { select } from "./select.js";

/** @type {[string, string, (value: number) => string, string][]} */
const MEASURES = [
  [
    "accuracy",
    "Accuracy",
    (v) => show.percent(v, 1),
    "Share of matches whose likeliest outcome came; higher is better",
  ],
  ["logLoss", "Log loss", (v) => v.toFixed(4), "Natural logarithm; lower is better"],
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
let outcome = null;

/** Fill the track record from all matches of a catalogue. */
export function showRecord(root, catalogue, filters) {
  if (!catalogue.loaded.recent) return fill(root, skeleton(8));
  const rows = select(catalogue.rows, filters, catalogue.anchor, "finished");
  const counted = judged(rows);
  if (counted.length === 0) {
    return fill(
      root,
      empty(
        "No finished match to judge the model by",
        rows.length
          ? `All ${show.count(rows.length)} finished matches here were used to fit the model.`
          : "The filters leave no finished match.",
      ),
    );
  }
  const training = catalogue.rows.filter(
    (row) => row.in_sample === true && row.outcome_1x2 !== null,
  );
  const rates = baseRates(training) ?? baseRates(counted);
  const withMarket = priced(rows);
  const left = rows.length - counted.length;
  fill(
    root,
    h(
      "section",
      { class: "panel", "aria-labelledby": "record-title" },
      h("h2", { id: "record-title" }, "Track record"),
      h(
        "p",
        { class: "lede" },
        `${show.count(counted.length)} finished matches`,
        period(counted),
        left > 0 &&
          `; ${show.count(left)} more are left out, because the model was fitted on them or they have no result`,
        ".",
      ),
      keyFigures(
        scores(counted, model),
        scores(counted, () => rates),
      ),
      table("All of them", counted, [
        ["Model", model],
        ["Base rates", () => rates],
      ]),
      withMarket.length > 0
        ? table("Those with odds before kickoff, the market without its margin", withMarket, [
            ["Model", model],
            ["Base rates", () => rates],
            ["Market", (row) => row.market],
          ])
        : h(
            "p",
            { class: "note" },
            "None of these matches has market odds in this release, so there is no comparison with the market.",
          ),
      h(
        "p",
        { class: "muted small" },
        training.length
          ? `Base rates: how often each outcome came in the ${show.count(training.length)} matches the model was ` +
              `fitted on (${shares(rates)}), the forecast of somebody who knows no team.`
          : `Base rates: how often each outcome came in these very matches (${shares(rates)}), as the training ` +
              "matches are not loaded.",
        " Differences in log loss under 0.015 are noise on a season of matches.",
      ),
    ),
    reliability(counted, chartRoom(root), () => showRecord(root, catalogue, filters)),
  );
}

const shares = (rates) => rates.map((p) => show.percent(p)).join(" / ");
const model = (row) => row.probabilities;

function period(rows) {
  const known = rows.filter((row) => row.kickoff !== null);
  return known.length
    ? `, ${show.shortDay(known[0].kickoff)} to ${show.shortDay(known.at(-1).kickoff)}`
    : "";
}

function keyFigures(own, naive) {
  const figure = (label, value, beside) =>
    h(
      "div",
      { class: "figure" },
      h("dt", {}, label),
      h("dd", {}, h("strong", {}, value), h("span", { class: "muted" }, beside)),
    );
  return h(
    "dl",
    { class: "key-figures" },
    figure("Right", show.percent(own.accuracy, 1), `base rates ${show.percent(naive.accuracy, 1)}`),
    figure("Log loss", own.logLoss.toFixed(3), `base rates ${naive.logLoss.toFixed(3)}`),
    figure("RPS", own.rps.toFixed(3), `base rates ${naive.rps.toFixed(3)}`),
    figure("Calibration error", show.percent(own.ece, 1), "0% is perfect"),
  );
}

function table(caption, rows, forecasts) {
  const found = forecasts.map(([name, forecast]) => [name, scores(rows, forecast)]);
  const best = Object.fromEntries(
    MEASURES.map(([key]) => [
      key,
      key === "accuracy"
        ? Math.max(...found.map(([, s]) => s[key]))
        : Math.min(...found.map(([, s]) => s[key])),
    ]),
  );
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      { class: "data measures" },
      h("caption", {}, `${caption} · ${show.count(rows.length)} matches`),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "Forecast"),
          MEASURES.map(([, name, , title]) =>
            h("th", { scope: "col" }, h("abbr", { title }, name)),
          ),
        ),
      ),
      h(
        "tbody",
        {},
        found.map(([name, values]) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, name),
            MEASURES.map(([key, , format]) =>
              h(
                "td",
                {
                  class: key !== "ece" && values[key] === best[key] ? "best" : "",
                  "data-measure": key,
                  "data-value": values[key],
                },
                format(values[key]),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}

// The diagram stands beside the table where there is room for both.
const chartRoom = (root) =>
  root.clientWidth > 860 ? root.clientWidth * 0.42 - 60 : root.clientWidth - 32;

function reliability(rows, room, again) {
  const bins = calibration(rows, model, outcome);
  const choose = (value) => () => {
    outcome = value;
    again();
    byId("view-record")
      .querySelector(`[name=reliability][value="${value ?? ""}"]`)
      ?.focus();
  };
  return h(
    "section",
    { class: "panel", "aria-labelledby": "reliability-title" },
    h("h2", { id: "reliability-title" }, "Reliability"),
    h(
      "p",
      { class: "lede" },
      "When the model says 30%, does it happen 30% of the time? Dots on the dashed line: yes. ",
      "Whiskers are 95% intervals.",
    ),
    h(
      "div",
      { class: "segments", role: "radiogroup", "aria-label": "Outcome of the diagram" },
      [null, ...OUTCOMES].map((value) =>
        h(
          "label",
          {},
          h("input", {
            type: "radio",
            name: "reliability",
            value: value ?? "",
            checked: outcome === value,
            onchange: choose(value),
          }),
          h("span", {}, value ? OUTCOME_NAMES[value] : "All three"),
        ),
      ),
    ),
    reliabilityChart(bins, room),
    reliabilityTable(bins),
  );
}
