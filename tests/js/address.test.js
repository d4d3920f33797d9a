import assert from "node:assert/strict";
import { test } from "node:test";

import {
  DEFAULTS,
  address,
  matchAddress,
  pageOf,
  parse,
  teamAddress,
} from "../../chalicelib/ui/address.js";

test("only what differs from the defaults stands in the address, and reads back as it was", () => {
  const state = {
    ...DEFAULTS,
    status: "finished",
    team: "real m",
    min_region_roi: -0.1,
    period: "weekend",
  };
  assert.equal(address(state), "?status=finished&team=real+m&period=weekend&min_region_roi=-0.1");
  assert.deepEqual(parse(address(state)), state);
  assert.equal(address(DEFAULTS), "?");
});

test("what makes no sense falls back to the default", () => {
  const query =
    "?status=nonsense&min_region_roi=x&from=2024-99-99&match=-1&view=%3Cscript%3E&period=8";
  assert.deepEqual(parse(query), DEFAULTS);
});

test("a match and a club have pages of their own", () => {
  assert.equal(pageOf(parse(matchAddress(7, "champion"))), "match");
  const team = parse(teamAddress("Brighton & Hove Albion", "England", "challenger"));
  assert.equal(pageOf(team), "team");
  assert.deepEqual(
    [team.club, team.country, team.stage],
    ["Brighton & Hove Albion", "England", "challenger"],
  );
  assert.equal(pageOf(parse("?view=record")), "record");
});
