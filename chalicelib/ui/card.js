// One card of `GET /predict/cards/`, as the board uses it. Pure.

import { plain } from "./format.js";

/** @typedef {Record<string, any>} Card */

export const OUTCOMES = ["home", "draw", "away"];
const DAY_MS = 86_400_000;

/**
 * A card with what is needed again and again worked out once.
 * @param {Card} card
 * @param {(club: string, region: string) => string[]} spellings Other spellings of a club's name.
 */
export function prepared(card, spellings = () => []) {
  const kickoff = card.match_date === null ? null : Date.parse(card.match_date);
  card.kickoff = Number.isNaN(kickoff) ? null : kickoff;
  // 00:00 UTC stands for a day without a time; it must not slip into the day before in the viewer's zone.
  card.dateOnly = card.kickoff !== null && card.kickoff % DAY_MS === 0;
  card.words = searchable(card, spellings);
  card.oddsTime = card.odds_collected_at ? Date.parse(card.odds_collected_at) : null;
  card.probabilities = [card.proba_home, card.proba_draw, card.proba_away];
  card.market = triple(card, "implied");
  card.pool = triple(card, "pooled");
  return card;
}

/** The words that a search finds a match by. */
export const searchable = (card, spellings) =>
  searchWords(
    [card.home_team, card.away_team].flatMap((name) => [name, ...spellings(name, card.region)]),
  );

/** A field of all three outcomes, or null where one of them is missing. */
export function triple(card, name) {
  const values = OUTCOMES.map((outcome) => card[`${name}_${outcome}`] ?? null);
  return values.includes(null) ? null : values;
}

/** The words of names, lower case and without accents. */
export const searchWords = (names) => [
  ...new Set(names.flatMap((name) => plain(name).split(/[^\p{L}\p{N}]+/u)).filter(Boolean)),
];

/** Whether each word of a query begins a word of the match's teams. */
export const isFound = (card, queryWords) =>
  queryWords.every((word) => card.words.some((known) => known.startsWith(word)));

/** Whether the odds were collected before the match began. */
export const pricedBeforeKickoff = (card) =>
  card.oddsTime !== null && card.kickoff !== null && card.oddsTime < card.kickoff;

/** Order of kickoff; unknown ones last. */
export const inOrder = (a, b) =>
  compare(a.kickoff ?? Infinity, b.kickoff ?? Infinity) || a.match_id - b.match_id;

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
