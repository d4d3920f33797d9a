import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const VENDORED = new URL("../../chalicelib/ui/vendor/lit-html/", import.meta.url);
const PACKAGE = new URL("../../node_modules/lit-html/", import.meta.url);
const SUMS = readFileSync(new URL("SHA256SUMS", VENDORED), "utf-8")
  .trim()
  .split("\n")
  .map((line) => line.split(/\s+/));

test("each vendored file has its checksum and is the pinned package's", () => {
  assert.ok(SUMS.length >= 6);
  for (const [sum, name] of SUMS) {
    const content = readFileSync(new URL(name, VENDORED));
    assert.equal(createHash("sha256").update(content).digest("hex"), sum, name);
    assert.deepEqual(content, readFileSync(new URL(name, PACKAGE)), name);
  }
});

test("no script is vendored without a checksum", () => {
  const scripts = readdirSync(VENDORED, { recursive: true }).filter((name) =>
    /\.js$/.test(String(name)),
  );
  assert.deepEqual(
    scripts.sort(),
    SUMS.map(([, name]) => name)
      .filter((name) => name !== "LICENSE")
      .sort(),
  );
});
