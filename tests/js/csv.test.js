import assert from "node:assert/strict";
import { test } from "node:test";

import { cell, csv } from "../../chalicelib/ui/csv.js";
import { card } from "./cards.js";

test("a text that a spreadsheet would run is made harmless; a negative number is a number", () => {
  assert.equal(cell("=1+1"), "'=1+1");
  assert.equal(cell('  =1,"x"'), '"\'  =1,""x"""');
  assert.equal(cell("＝1"), "'＝1");
  assert.equal(cell(-0.5), "-0.5");
  assert.equal(cell(null), "");
});

test("a row has a cell for each column", () => {
  const [head, row] = csv([card({ home_team: "A, B" })]).split("\r\n");
  assert.equal(row.startsWith("1,2024-04-06T18:00:00Z,upcoming,"), true);
  assert.equal(row.includes('"A, B"'), true);
  assert.equal(head.split(",").length, 38);
});
