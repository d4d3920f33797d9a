import assert from "node:assert/strict";
import { test } from "node:test";

import { displayOrder, select, span, tally } from "../../chalicelib/ui/select.js";
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
