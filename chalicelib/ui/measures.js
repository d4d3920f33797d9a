// Quality of forecasts and return of bets; the definitions of batch/evaluate.py and batch/returns/region_roi.py. Pure.

import { OUTCOMES, pricedBeforeKickoff } from "./card.js";

const FLOOR = 1e-15;
const BINS = 10;

/** Finished matches whose forecast was one: the model was not fitted on them. */
export const judged = (rows) =>
  rows.filter((row) => row.outcome_1x2 !== null && row.in_sample !== true);

/** Of those, the ones that had fair odds before kickoff. */
export const priced = (rows) =>
  judged(rows).filter((row) => row.market !== null && pricedBeforeKickoff(row));

/** Settled value bets: one unit on the value bet of each priced match that has one. */
export function settledBets(rows) {
  return priced(rows)
    .filter((row) => row.value_bet !== null)
    .map((row) => ({
      row,
      bet: row.value_bet,
      odds: row[`odds_${row.value_bet}`],
      profit: row.outcome_1x2 === row.value_bet ? row[`odds_${row.value_bet}`] - 1 : -1,
    }));
}

/**
 * Accuracy, log loss (natural), RPS, Brier score and expected calibration error.
 * @param {Record<string, any>[]} rows With a result.
 * @param {(row: Record<string, any>) => number[]} forecast Home, draw, away.
 * @returns {{n: number, accuracy: number, logLoss: number, rps: number, brier: number, ece: number} | null}
 */
export function scores(rows, forecast) {
  if (rows.length === 0) return null;
  let right = 0;
  let logLoss = 0;
  let rps = 0;
  let brier = 0;
  for (const row of rows) {
    const p = forecast(row);
    const outcome = OUTCOMES.indexOf(row.outcome_1x2);
    right += Number(p.indexOf(Math.max(...p)) === outcome);
    logLoss -= Math.log(Math.min(1, Math.max(FLOOR, p[outcome])));
    const upToHome = p[0] - Number(outcome === 0);
    const upToDraw = p[0] + p[1] - Number(outcome <= 1);
    rps += (upToHome ** 2 + upToDraw ** 2) / 2;
    for (let k = 0; k < 3; k++) brier += (p[k] - Number(k === outcome)) ** 2;
  }
  const n = rows.length;
  return {
    n,
    accuracy: right / n,
    logLoss: logLoss / n,
    rps: rps / n,
    brier: brier / n,
    ece: calibrationError(calibration(rows, forecast)),
  };
}

/**
 * Forecast against frequency in ten equal-width bins.
 * @param {string|null} outcome Only statements about this outcome; null pools all three.
 * @returns {{lower: number, count: number, forecast: number, frequency: number}[]} Bins that hold anything.
 */
export function calibration(rows, forecast, outcome = null) {
  const bins = Array.from({ length: BINS }, (_, i) => ({
    lower: i / BINS,
    count: 0,
    forecast: 0,
    frequency: 0,
  }));
  const wanted = outcome === null ? [0, 1, 2] : [OUTCOMES.indexOf(outcome)];
  for (const row of rows) {
    const p = forecast(row);
    for (const k of wanted) {
      const bin = bins[Math.min(BINS - 1, Math.floor(p[k] * BINS))];
      bin.count += 1;
      bin.forecast += p[k];
      bin.frequency += Number(row.outcome_1x2 === OUTCOMES[k]);
    }
  }
  return bins
    .filter((bin) => bin.count > 0)
    .map((bin) => ({
      ...bin,
      forecast: bin.forecast / bin.count,
      frequency: bin.frequency / bin.count,
    }));
}

export function calibrationError(bins) {
  const total = bins.reduce((sum, bin) => sum + bin.count, 0);
  return total === 0
    ? NaN
    : bins.reduce((sum, bin) => sum + bin.count * Math.abs(bin.forecast - bin.frequency), 0) /
        total;
}

/**
 * The forecast of somebody who knows no team: how often each outcome came before the match's day, one match of each
 * outcome counted beforehand.
 * @param {Record<string, any>[]} rows Judged matches in order of kickoff.
 * @returns {Map<number, number[]>} By match.
 */
export function baseRates(rows) {
  const counts = [1, 1, 1];
  const found = new Map();
  let day = null;
  let rates = null;
  for (const row of rows) {
    const today = row.match_date?.slice(0, 10) ?? null;
    if (rates === null || today !== day) {
      const total = counts[0] + counts[1] + counts[2];
      rates = counts.map((n) => n / total);
      day = today;
    }
    found.set(row.match_id, rates);
    counts[OUTCOMES.indexOf(row.outcome_1x2)] += 1;
  }
  return found;
}

/** Turnover, profit, ROI and its 95 % interval (normal approximation; from 10 bets on). */
export function returns(bets) {
  const n = bets.length;
  if (n === 0) return null;
  const profit = bets.reduce((sum, bet) => sum + bet.profit, 0);
  const roi = profit / n;
  const spread = Math.sqrt(
    bets.reduce((sum, bet) => sum + (bet.profit - roi) ** 2, 0) / Math.max(1, n - 1) / n,
  );
  return {
    n,
    won: bets.filter((bet) => bet.profit > 0).length,
    profit,
    roi,
    interval: n < 10 ? null : [roi - 1.96 * spread, roi + 1.96 * spread],
  };
}

/** 95 % interval of a frequency. Source: Wilson (1927). */
export function wilson(share, n) {
  const z = 1.96;
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half =
    (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** Natural log loss of one forecast. */
export function logLossOf(row, forecast) {
  const chance = forecast(row)[OUTCOMES.indexOf(row.outcome_1x2)];
  return -Math.log(Math.min(1, Math.max(FLOOR, chance)));
}

/**
 * Mean of some numbers and its 95 % interval (normal approximation; none for fewer than ten).
 * @param {number[]} values
 * @returns {{n: number, mean: number, low: number | null, high: number | null}}
 */
export function meanWithInterval(values) {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 10) return { n, mean, low: null, high: null };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const half = 1.96 * Math.sqrt(variance / n);
  return { n, mean, low: mean - half, high: mean + half };
}

/**
 * How much larger the first forecast's log loss is, match by match.
 * @returns {{n: number, mean: number, low: number | null, high: number | null}}
 */
export const logLossDifference = (rows, first, second) =>
  meanWithInterval(rows.map((row) => logLossOf(row, first) - logLossOf(row, second)));

/**
 * Mean log loss of the last so many matches, at each match from the first full window on.
 * @param {Record<string, any>[]} rows In order of kickoff.
 * @param {(row: Record<string, any>) => number[]} forecast
 * @param {number} window
 * @returns {{x: number, y: number, low: number, high: number}[]}
 */
export function rollingLogLoss(rows, forecast, window) {
  const losses = rows.map((row) => logLossOf(row, forecast));
  const points = [];
  for (let end = window; end <= losses.length; end++) {
    const { mean, low, high } = meanWithInterval(losses.slice(end - window, end));
    points.push({ x: rows[end - 1].kickoff, y: mean, low: low ?? mean, high: high ?? mean });
  }
  return points;
}
