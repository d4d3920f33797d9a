import assert from "node:assert/strict";
import { test } from "node:test";

import { displayOrder, roiStops, select, span, tally } from "../../chalicelib/ui/select.js";
import { prepared } from "../../chalicelib/ui/card.js";
import { card } from "./cards.js";

const NO_FILTER = {
  status: "all",
  region: "",
  league: "",
  team: "",
  period: "",
  from: "",
  to: "",
  value_only: false,
  min_region_roi: null,
};
const ids = (rows) => rows.map((row) => row.match_id);

test("each filter leaves the matches that fit", () => {
  const rows = [
    card({ match_id: 1, region: "Spain", value_bet: "home", region_roi: 0.02 }),
    card({ match_id: 2, league: "Eerste Divisie", region_roi: -0.05 }),
    card({ match_id: 3, home_team: "Málaga CF", status: "finished" }),
  ];
  const left = (filter) => ids(select(rows, { ...NO_FILTER, ...filter }, null));
  assert.deepEqual(left({}), [1, 2, 3]);
  assert.deepEqual(left({ region: "Spain" }), [1]);
  assert.deepEqual(left({ league: "Eerste Divisie" }), [2]);
  assert.deepEqual(left({ status: "finished" }), [3]);
  assert.deepEqual(left({ value_only: true }), [1]);
  assert.deepEqual(left({ min_region_roi: 0 }), [1]);
  assert.deepEqual(left({ team: "malaga" }), [3]);
});

test("a period reaches as far back as it reaches ahead", () => {
  const now = Date.parse("2024-04-06T00:00:00Z");
  assert.deepEqual(span({ ...NO_FILTER, period: "7" }, now), [
    now - 7 * 86_400_000,
    now + 7 * 86_400_000,
  ]);
});

test("live matches come first, then the next, then the latest results", () => {
  const rows = [
    card({ match_id: 1, status: "finished" }),
    card({ match_id: 2, status: "finished" }),
    card({ match_id: 3, status: "live" }),
    card({ match_id: 4 }),
    card({ match_id: 5 }),
  ];
  assert.deepEqual(ids(displayOrder(rows)), [3, 4, 5, 2, 1]);
});

test("counts are sorted by name", () => {
  const rows = [card({ region: "Spain" }), card({ region: "England" }), card({ region: "Spain" })];
  assert.deepEqual(tally(rows, "region"), [
    ["England", 1],
    ["Spain", 2],
  ]);
});

test("each word of a search begins a word of either team, in any spelling", () => {
  const spellings = (club) =>
    ({ "Tottenham Hotspur": ["spurs"], "Manchester United": ["man utd"] })[club] ?? [];
  const rows = [
    prepared(
      { ...card({ match_id: 1 }), home_team: "Tottenham Hotspur", away_team: "Manchester United" },
      spellings,
    ),
    card({ match_id: 2, home_team: "Real Madrid", away_team: "FC Barcelona" }),
  ];
  const found = (team) => ids(select(rows, { ...NO_FILTER, team }, null));
  assert.deepEqual(found("Spurs"), [1]);
  assert.deepEqual(found("man u"), [1]);
  assert.deepEqual(found("real madrid barcelona"), [2]);
  assert.deepEqual(found("real man"), []);
  assert.deepEqual(found("adrid"), []);
});

test("today and the weekend are the viewer's days", () => {
  // A Wednesday: the weekend is the one to come; on a Saturday it is the one that has begun.
  const wednesday = new Date(2024, 3, 3, 12).getTime();
  const friday = new Date(2024, 3, 5).getTime();
  const monday = new Date(2024, 3, 8).getTime();
  assert.deepEqual(span({ ...NO_FILTER, period: "weekend" }, wednesday), [friday, monday]);
  assert.deepEqual(span({ ...NO_FILTER, period: "weekend" }, new Date(2024, 3, 6, 9).getTime()), [
    friday,
    monday,
  ]);
  assert.deepEqual(span({ ...NO_FILTER, period: "weekend" }, new Date(2024, 3, 7, 23).getTime()), [
    friday,
    monday,
  ]);
  const [begin, end] = span({ ...NO_FILTER, period: "today" }, wednesday);
  assert.deepEqual([begin, end], [new Date(2024, 3, 3).getTime(), new Date(2024, 3, 4).getTime()]);
});

test("this season is the one of the match closest to now", () => {
  const rows = [
    card({ match_id: 1, season: "2022/23", match_date: "2023-05-01T15:00:00Z" }),
    card({ match_id: 2, season: "2023/24" }),
  ];
  const now = Date.parse("2024-04-01T00:00:00Z");
  assert.deepEqual(ids(select(rows, { ...NO_FILTER, period: "season" }, now)), [2]);
});

test("the limits of a region's return are those that leave out one more", () => {
  const rows = [
    card({ region: "Spain", region_roi: -0.111 }),
    card({ region: "England", region_roi: 0.024 }),
    card({ region: "England", region_roi: 0.024 }),
    card({ region: "Peru" }),
  ];
  assert.deepEqual(roiStops(rows), [
    { least: -0.12, regions: 2 },
    { least: 0.02, regions: 1 },
  ]);
});
