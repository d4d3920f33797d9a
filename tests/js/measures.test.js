import assert from "node:assert/strict";
import { test } from "node:test";

import {
  baseRates,
  calibration,
  calibrationError,
  judged,
  logLossDifference,
  priced,
  returns,
  rollingLogLoss,
  scores,
  settledBets,
  wilson,
} from "../../chalicelib/ui/measures.js";
import { card } from "./cards.js";

const close = (actual, expected, tolerance = 1e-12) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
const won = { outcome_1x2: "home", probabilities: [0.8, 0.1, 0.1] };
const forecast = (row) => row.probabilities;

test("scores of one forecast, worked out by hand", () => {
  const result = scores([won], forecast);
  // RPS ((0.8 - 1)² + (0.9 - 1)²) / 2; Brier 0.2² + 0.1² + 0.1².
  close(result.rps, 0.025);
  close(result.brier, 0.06);
  close(result.logLoss, -Math.log(0.8));
  assert.equal(result.accuracy, 1);
});

test("a forecast of zero for what came is a large loss and not an infinite one", () => {
  const { logLoss } = scores([{ outcome_1x2: "away", probabilities: [1, 0, 0] }], forecast);
  close(logLoss, -Math.log(1e-15), 1e-9);
});

test("nothing to score gives nothing", () => {
  assert.equal(scores([], forecast), null);
  assert.equal(returns([]), null);
  assert.equal(baseRates([]).size, 0);
});

test("base rates of a day are those of the days before, with one match of each outcome more", () => {
  const rows = [
    { match_id: 1, match_date: "2024-04-06T12:00:00Z", outcome_1x2: "home" },
    { match_id: 2, match_date: "2024-04-06T18:00:00Z", outcome_1x2: "home" },
    { match_id: 3, match_date: "2024-04-07T12:00:00Z", outcome_1x2: "away" },
    { match_id: 4, match_date: "2024-04-08T12:00:00Z", outcome_1x2: "draw" },
  ];
  const rates = baseRates(rows);
  assert.deepEqual(rates.get(1), [1 / 3, 1 / 3, 1 / 3]);
  assert.deepEqual(rates.get(2), rates.get(1));
  assert.deepEqual(rates.get(3), [3 / 5, 1 / 5, 1 / 5]);
  assert.deepEqual(rates.get(4), [3 / 6, 1 / 6, 2 / 6]);
});

test("a bin holds the mean forecast and how often it came", () => {
  const rows = [
    { outcome_1x2: "home", probabilities: [0.62, 0.2, 0.18] },
    { outcome_1x2: "draw", probabilities: [0.68, 0.2, 0.12] },
  ];
  const [bin] = calibration(rows, forecast, "home");
  assert.equal(bin.count, 2);
  close(bin.forecast, 0.65);
  assert.equal(bin.frequency, 0.5);
  close(calibrationError([bin]), 0.15);
});

test("matches the model was fitted on, or without a result, are not judged", () => {
  const rows = [
    card({ outcome_1x2: "home" }),
    card({ outcome_1x2: "home", in_sample: true }),
    card(),
  ];
  assert.deepEqual(judged(rows), [rows[0]]);
});

test("only odds collected before kickoff count as the market's forecast", () => {
  const market = { implied_home: 0.5, implied_draw: 0.3, implied_away: 0.2, outcome_1x2: "home" };
  const early = card({ ...market, odds_collected_at: "2024-04-06T17:59:59Z" });
  const late = card({ ...market, odds_collected_at: "2024-04-06T18:00:00Z" });
  assert.deepEqual(priced([early, late]), [early]);
});

test("a bet that wins pays its odds less the stake; one that loses costs the stake", () => {
  const bet = {
    implied_home: 0.4,
    implied_draw: 0.3,
    implied_away: 0.3,
    odds_home: 2.5,
    odds_collected_at: "2024-04-06T12:00:00Z",
    value_bet: "home",
  };
  const bets = settledBets([
    card({ ...bet, outcome_1x2: "home" }),
    card({ ...bet, outcome_1x2: "away" }),
  ]);
  assert.deepEqual(
    bets.map((settled) => settled.profit),
    [1.5, -1],
  );
  const total = returns(bets);
  assert.equal(total.roi, 0.25);
  assert.equal(total.interval, null);
});

test("Wilson's interval of one in ten", () => {
  const [low, high] = wilson(0.1, 10);
  close(low, 0.0179, 5e-5);
  close(high, 0.4042, 5e-5);
});

test("the interval of a difference is that of its matches, one by one", () => {
  const rows = Array.from({ length: 20 }, (_, i) => ({
    outcome_1x2: "home",
    probabilities: [i % 2 ? 0.5 : 0.4, 0.3, 0.2],
    market: [0.5, 0.3, 0.2],
  }));
  const { mean, low, high, n } = logLossDifference(rows, forecast, (row) => row.market);
  // Half of the matches differ by ln(0.5 / 0.4), the others by nothing.
  const gap = Math.log(0.5 / 0.4);
  close(mean, gap / 2);
  close(high - low, (2 * 1.96 * Math.sqrt(((gap / 2) ** 2 * 20) / 19)) / Math.sqrt(20));
  assert.equal(n, 20);
  assert.equal(logLossDifference(rows.slice(0, 9), forecast, forecast).low, null);
});

test("the rolling loss begins with the first full window", () => {
  const rows = [0.5, 0.25, 0.125].map((p, i) => ({
    outcome_1x2: "home",
    probabilities: [p, 0, 1 - p],
    kickoff: i,
  }));
  const points = rollingLogLoss(rows, forecast, 2);
  assert.deepEqual(
    points.map((point) => point.x),
    [1, 2],
  );
  close(points[1].y, (Math.log(4) + Math.log(8)) / 2);
});
