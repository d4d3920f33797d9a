// One card of `GET /predict/cards/`, as the board uses it. Pure.

import { plain } from "./format.js";

/** A card with what is needed again and again worked out once. */
export function prepared(card) {
  const kickoff = card.match_date === null ? null : Date.parse(card.match_date);
  card.kickoff = Number.isNaN(kickoff) ? null : kickoff;
  // 00:00 UTC stands for a day without a time; it must not slip into the day before in the viewer's zone.
  card.dateOnly = card.kickoff !== null && card.kickoff % 86_400_000 === 0;
  card.search = plain(`${card.home_team}\n${card.away_team}`);
  card.oddsTime = card.odds_collected_at ? Date.parse(card.odds_collected_at) : null;
  card.probabilities = [card.proba_home, card.proba_draw, card.proba_away];
  card.market =
    card.implied_home === null ? null : [card.implied_home, card.implied_draw, card.implied_away];
  return card;
}

/** Order of kickoff; unknown ones last. */
export const inOrder = (a, b) =>
  compare(a.kickoff ?? Infinity, b.kickoff ?? Infinity) || a.match_id - b.match_id;
function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
