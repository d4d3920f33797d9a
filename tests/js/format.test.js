import assert from "node:assert/strict";
import { test } from "node:test";

import * as show from "../../chalicelib/ui/format.js";

test("negative numbers carry a minus sign, and nothing is minus zero", () => {
  assert.equal(show.signed(-0.25), "\u22120.25");
  assert.equal(show.signed(0.25), "+0.25");
  assert.equal(show.signedPercent(-0.0001, 1), "0.0%");
  assert.equal(show.percent(null), "–");
});

test("an age is given in the unit a reader would choose", () => {
  assert.deepEqual([30, 600, 7_200, 259_200].map(show.age), ["30 s", "10 min", "2 h", "3 days"]);
});

test("searching ignores case and accents", () => {
  assert.equal(show.plain("Málaga CF"), "malaga cf");
});

test("a match without a time of day has a day and no time", () => {
  const row = { kickoff: Date.parse("2024-04-07T00:00:00Z"), dateOnly: true };
  assert.equal(show.time(row), null);
  assert.match(show.day(row), /Sunday,? 7 April 2024/);
});

test("a day is written as a date field has it, in local time", () => {
  assert.equal(show.isoDay(new Date(2024, 3, 6, 23, 59).getTime()), "2024-04-06");
});
