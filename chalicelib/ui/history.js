// What a club's own matches tell: shared by the pages of a match and of a team.

import { callAll } from "./api.js";
import { inOrder, prepared } from "./card.js";
import { html } from "./html.js";

/** Longer than any summer: a club without matches for so long was not in the data. */
export const SUMMER_MS = 150 * 86_400_000;

/**
 * Every match of a club, in order of kickoff.
 * @param {string} club
 * @param {string} region
 * @param {string} stage
 * @param {AbortSignal} [signal]
 */
export async function teamMatches(club, region, stage, signal) {
  const query = { team: club, region, stage, limit: 500 };
  const rows = await callAll("predict/cards/", query, signal);
  return rows
    .filter((row) => row.home_team === club || row.away_team === club)
    .map((row) => prepared(row))
    .sort(inOrder);
}

/** The club's rating before each of its matches up to a moment. */
export const ratingPoints = (rows, club, until = null) =>
  rows
    .filter((row) => row.kickoff !== null && (until === null || row.kickoff <= until))
    .filter((row) => row.outcome_1x2 !== null || row.kickoff === until)
    .map((row) => ({ x: row.kickoff, y: row[row.home_team === club ? "home_elo" : "away_elo"] }))
    .filter((point) => point.y !== null && point.y !== undefined);

/** Won, drew or lost, as a letter. */
export function resultFor(row, club) {
  const side = row.home_team === club ? "home" : "away";
  const letter = row.outcome_1x2 === "draw" ? "D" : row.outcome_1x2 === side ? "W" : "L";
  const said = { W: "won", D: "drew", L: "lost" }[letter];
  return html`<span class="pip ${letter}" role="img" aria-label=${said}>${letter}</span>`;
}
