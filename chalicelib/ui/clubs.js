// Other spellings of clubs' names, so that a search finds "Spurs" and "Barca".

import { call } from "./api.js";

/** @type {Map<string, string[]>} */
let spellings = new Map();

const key = (club, region) => `${region}\n${club}`;

export const spellingsOf = (club, region) => spellings.get(key(club, region)) ?? [];

/** Fetch them; until then, and without them, the names alone are searched. */
export async function loadSpellings() {
  const { data } = await call("predict/clubs/");
  spellings = new Map(data.map((row) => [key(row.club, row.region), row.spellings]));
}
