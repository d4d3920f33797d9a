// Which matches the filters leave. Pure.

import { plain } from "./format.js";

const DAY_MS = 86_400_000;

/**
 * @param {Record<string, any>[]} rows Prepared cards in order of kickoff.
 * @param {Record<string, any>} filters The state.
 * @param {number|null} anchor "Now", milliseconds.
 * @param {string} status `upcoming`, `live`, `finished` or `all`.
 * @returns {Record<string, any>[]} In the same order.
 */
export function select(rows, filters, anchor, status = filters.status) {
  const team = plain(filters.team.trim());
  const [begin, end] = span(filters, anchor);
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
      (!team || row.search.includes(team)),
  );
}

/** First and last moment the filters allow; null is no limit. */
export function span(filters, anchor) {
  if (filters.period && anchor !== null)
    return [anchor - Number(filters.period) * DAY_MS, anchor + Number(filters.period) * DAY_MS];
  const begin = filters.from ? localMidnight(filters.from) : null;
  const end = filters.to ? localMidnight(filters.to, 1) : null;
  return [begin, end];
}

function localMidnight(text, addDays = 0) {
  const [year, month, day] = text.split("-").map(Number);
  return new Date(year, month - 1, day + addDays).getTime();
}

/** Live first, then what comes next, then the latest results. */
export function displayOrder(rows) {
  return [
    ...rows.filter((row) => row.status === "live"),
    ...rows.filter((row) => row.status === "upcoming"),
    ...rows.filter((row) => row.status === "finished").reverse(),
  ];
}

/** Name -> number of rows, sorted by name. */
export function tally(rows, name) {
  const counts = new Map();
  for (const row of rows) counts.set(row[name], (counts.get(row[name]) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a.localeCompare(b));
}
