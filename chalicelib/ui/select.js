// Which matches the filters leave. Pure.

import { isFound, searchWords } from "./card.js";

const DAY_MS = 86_400_000;
const FRIDAY = 5;
const SATURDAY = 6;
const SUNDAY = 0;

/**
 * @param {import("./card.js").Card[]} rows Prepared cards in order of kickoff.
 * @param {import("./address.js").State} filters
 * @param {number | null} now Milliseconds.
 * @param {string} status `upcoming`, `live`, `finished` or `all`.
 * @returns {import("./card.js").Card[]} In the same order.
 */
export function select(rows, filters, now, status = filters.status) {
  const words = searchWords([filters.team]);
  const [begin, end] = span(filters, now);
  const season = filters.period === "season" ? currentSeason(rows, now) : null;
  return rows.filter(
    (row) =>
      (status === "all" || row.status === status) &&
      (!filters.region || row.region === filters.region) &&
      (!filters.league || row.league === filters.league) &&
      (!filters.value_only || row.value_bet !== null) &&
      (filters.min_region_roi === null ||
        (row.region_roi !== null && row.region_roi >= filters.min_region_roi)) &&
      (begin === null || (row.kickoff !== null && row.kickoff >= begin)) &&
      (end === null || (row.kickoff !== null && row.kickoff < end)) &&
      (season === null || row.season === season) &&
      (words.length === 0 || isFound(row, words)),
  );
}

/**
 * First moment the filters allow, and the first they do not; null is no limit. Days are the viewer's.
 * @returns {(number | null)[]}
 */
export function span(filters, now) {
  if (filters.period && now !== null) {
    const midnight = new Date(now).setHours(0, 0, 0, 0);
    if (filters.period === "today") return [midnight, addDays(midnight, 1)];
    if (filters.period === "weekend") return weekend(midnight);
    const days = Number(filters.period);
    return Number.isNaN(days) ? [null, null] : [now - days * DAY_MS, now + days * DAY_MS];
  }
  const begin = filters.from ? localMidnight(filters.from) : null;
  const end = filters.to ? addDays(localMidnight(filters.to), 1) : null;
  return [begin, end];
}

/** Friday to Sunday: the one that has begun, else the next. */
function weekend(midnight) {
  const day = new Date(midnight).getDay();
  const sinceFriday = { [FRIDAY]: 0, [SATURDAY]: 1, [SUNDAY]: 2 }[day];
  const friday = addDays(midnight, sinceFriday === undefined ? FRIDAY - day : -sinceFriday);
  return [friday, addDays(friday, 3)];
}

function addDays(time, days) {
  const date = new Date(time);
  return date.setDate(date.getDate() + days);
}

function localMidnight(text) {
  const [year, month, day] = text.split("-").map(Number);
  return new Date(year, month - 1, day).getTime();
}

/** The season of the match closest to now. */
export function currentSeason(rows, now) {
  let closest = null;
  for (const row of rows) {
    if (row.kickoff === null || !row.season) continue;
    const distance = Math.abs(row.kickoff - (now ?? row.kickoff));
    if (closest === null || distance < closest.distance) closest = { distance, season: row.season };
  }
  return closest?.season ?? null;
}

/** Live first, then what comes next, then the latest results. */
export function displayOrder(rows) {
  return [
    ...rows.filter((row) => row.status === "live"),
    ...rows.filter((row) => row.status === "upcoming"),
    ...rows.filter((row) => row.status === "finished").reverse(),
  ];
}

/**
 * Name -> number of rows, sorted by name.
 * @returns {[string, number][]}
 */
export function tally(rows, name) {
  const counts = new Map();
  for (const row of rows) counts.set(row[name], (counts.get(row[name]) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a.localeCompare(b));
}

/**
 * Limits of a region's ROI that make a difference: each whole percent that leaves out one more region, lowest first.
 * @returns {{least: number, regions: number}[]}
 */
export function roiStops(rows) {
  const byRegion = new Map(rows.map((row) => [row.region, row.region_roi]));
  const known = [...byRegion.values()].filter((roi) => roi !== null && roi !== undefined);
  const stops = [...new Set(known.map((roi) => Math.floor(roi * 100) / 100))].sort((a, b) => a - b);
  return stops.map((least) => ({ least, regions: known.filter((roi) => roi >= least).length }));
}
