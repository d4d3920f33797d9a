// The list of matches, by day. Rows are made a screenful at a time: ten thousand matches cost no more than sixty.

import { fill, h, outsideLink } from "./dom.js";
import * as show from "./format.js";
import { OUTCOME_NAMES, OUTCOMES } from "./format.js";

const AT_ONCE = 60;
const RESULTS = { W: "won", D: "drew", L: "lost" };

export class MatchList {
  /**
   * @param {HTMLElement} root
   * @param {(matchId: number) => void} ask Opens a match.
   */
  constructor(root, ask) {
    this.root = root;
    this.ask = ask;
    this.rows = [];
    this.shown = 0;
    this.sentinel = h("div", { class: "more" });
    this.watch = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && this.#extend(),
      { rootMargin: "600px" },
    );
  }

  /** Show these rows, in this order. Nothing is touched where nothing changed, so that no focus is lost. */
  update(rows) {
    if (
      rows.length === this.rows.length &&
      rows.every((row, i) => row === this.rows[i]) &&
      this.root.contains(this.sentinel)
    )
      return;
    this.rows = rows;
    this.shown = 0;
    this.day = null;
    this.watch.disconnect();
    fill(this.root, this.sentinel);
    this.#extend();
    this.watch.observe(this.sentinel);
  }

  #extend(focus = false) {
    const next = this.rows.slice(this.shown, this.shown + AT_ONCE);
    const made = document.createDocumentFragment();
    let first = null;
    for (const row of next) {
      const heading = `${row.status === "live" ? "Live · " : ""}${show.day(row)}`;
      if (heading !== this.day) {
        this.day = heading;
        this.list = h("ol", { class: "matches" });
        made.append(
          h("section", { class: "day", "aria-label": heading }, h("h2", {}, heading), this.list),
        );
      }
      const item = h("li", {}, matchCard(row, this.ask));
      first ??= item;
      this.list.append(item);
    }
    this.sentinel.before(made);
    this.shown += next.length;
    const left = this.rows.length - this.shown;
    fill(
      this.sentinel,
      left > 0 &&
        h(
          "button",
          { type: "button", class: "button", onclick: () => this.#extend(true) },
          `Show ${Math.min(left, AT_ONCE)} more of ${show.count(left)}`,
        ),
    );
    if (focus) first?.querySelector("button")?.focus();
  }
}

/** One match. */
export function matchCard(row, ask) {
  const name = `${row.home_team} – ${row.away_team}`;
  return h(
    "article",
    {
      class: `match ${row.status}${row.value_bet ? " has-value" : ""}`,
      "aria-label": name,
      "data-match": row.match_id,
    },
    h(
      "div",
      { class: "when" },
      when(row),
      h("span", { class: "league" }, h("span", {}, row.region), h("span", {}, row.league)),
    ),
    h("div", { class: "teams" }, team(row, "home"), team(row, "away")),
    h("div", { class: "chances" }, bars(row)),
    h("div", { class: "prices" }, prices(row)),
    h(
      "div",
      { class: "verdict" },
      verdict(row),
      h(
        "div",
        { class: "actions" },
        row.fonbet_url &&
          outsideLink(row.fonbet_url, "Bookmaker", `${name} at the bookmaker, opens in a new tab`),
        h(
          "button",
          {
            type: "button",
            class: "button small ask",
            "aria-label": `Ask the model about ${name}`,
            onclick: () => ask(row.match_id),
          },
          "Ask",
        ),
      ),
    ),
  );
}

function when(row) {
  if (row.status === "live") return h("span", { class: "live-now" }, "Live");
  const clock = show.time(row);
  return clock
    ? h("time", { datetime: row.match_date }, clock)
    : h("span", { class: "muted", title: "The time of day is not known" }, "–:–");
}

function team(row, side) {
  const won = row.outcome_1x2 === side;
  const elo = row[`${side}_elo`];
  return h(
    "div",
    { class: `team${won ? " won" : ""}` },
    h("span", { class: "name" }, row[`${side}_team`]),
    form(row[`${side}_form`]),
    elo !== null &&
      elo !== undefined &&
      h(
        "span",
        { class: "elo", title: "Elo rating before the match" },
        h("abbr", {}, "Elo"),
        " ",
        Math.round(elo),
      ),
    score(row, side),
  );
}

function score(row, side) {
  const goals = row[`${side}_score`];
  if (goals !== null) return h("span", { class: "score" }, goals);
  if (row.status !== "live" || !row.live_score) return null;
  const parts = row.live_score.match(/^\s*(\d+)\s*[-:–]\s*(\d+)/);
  return h(
    "span",
    { class: "score live" },
    parts ? parts[side === "home" ? 1 : 2] : side === "home" ? row.live_score : "",
  );
}

function form(results) {
  if (!results) return h("span", { class: "form" });
  const said = [...results].map((letter) => RESULTS[letter] ?? letter).join(", ");
  return h(
    "span",
    {
      class: "form",
      role: "img",
      "aria-label": `Last ${results.length}: ${said}`,
      title: "Last five, oldest first",
    },
    [...results].map((letter) =>
      h("span", { class: `pip ${letter in RESULTS ? letter : ""}`, "aria-hidden": "true" }, letter),
    ),
  );
}

/** The model's probabilities above the market's. */
export function bars(row) {
  return [
    bar("Model", row.probabilities),
    row.market
      ? bar("Market", row.market, "market")
      : h("p", { class: "no-market muted" }, "No market odds"),
  ];
}

/** Three probabilities side by side. */
export function bar(label, probabilities, kind = "") {
  const said = OUTCOMES.map(
    (outcome, i) => `${OUTCOME_NAMES[outcome].toLowerCase()} ${show.percent(probabilities[i])}`,
  ).join(", ");
  return h(
    "div",
    { class: `bar-row ${kind}` },
    h("span", { class: "bar-label", "aria-hidden": "true" }, label),
    h(
      "div",
      { class: "bar", role: "img", "aria-label": `${label}: ${said}` },
      OUTCOMES.map((outcome, i) =>
        h(
          "span",
          {
            class: `part ${outcome}`,
            style: { "flex-grow": String(probabilities[i]) },
            "aria-hidden": "true",
          },
          probabilities[i] >= 0.1 ? show.percent(probabilities[i]) : "",
        ),
      ),
    ),
  );
}

function prices(row) {
  if (row.odds_home === null && row.odds_draw === null && row.odds_away === null) return null;
  const cells = (name, format) =>
    OUTCOMES.map((outcome) =>
      h("td", { class: cellClass(row, outcome, name) }, format(row[`${name}_${outcome}`])),
    );
  const closed = row.edge_home === null;
  return h(
    "table",
    { class: "odds", title: row.odds_collected_at ? `Odds of ${show.moment(row.oddsTime)}` : null },
    h("caption", { class: "hidden" }, "Decimal odds and expected value per unit staked"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("td", {}),
        ["1", "X", "2"].map((mark, i) =>
          h("th", { scope: "col" }, h("abbr", { title: OUTCOME_NAMES[OUTCOMES[i]] }, mark)),
        ),
      ),
    ),
    h(
      "tbody",
      {},
      h("tr", {}, h("th", { scope: "row" }, "Odds"), cells("odds", show.odds)),
      h(
        "tr",
        {},
        h("th", { scope: "row" }, "Edge"),
        closed
          ? h("td", { colspan: 3, class: "muted" }, "market closed")
          : cells("edge", (edge) => show.signedPercent(edge)),
      ),
    ),
  );
}

const cellClass = (row, outcome, name) =>
  [
    row.value_bet === outcome ? "value" : "",
    name === "odds" && row.outcome_1x2 === outcome ? "came" : "",
    name === "edge" && !(row[`edge_${outcome}`] > 0) ? "muted" : "",
  ].join(" ");

function verdict(row) {
  const lines = [];
  if (row.is_correct !== null && row.is_correct !== undefined) {
    lines.push(
      h(
        "span",
        { class: `badge ${row.is_correct ? "right" : "wrong"}` },
        row.is_correct ? "✓ Right" : "✗ Wrong",
        h("span", { class: "hidden" }, `, the model said ${row.predicted_label}`),
      ),
    );
    if (row.in_sample)
      lines.push(
        h(
          "span",
          {
            class: "badge quiet",
            title: "The model was fitted on this match; it does not count in the track record",
          },
          "Training match",
        ),
      );
  } else if (row.status === "finished") {
    lines.push(h("span", { class: "badge quiet" }, "Result to come"));
  }
  if (row.value_bet) {
    const edge = row[`edge_${row.value_bet}`];
    lines.push(
      h(
        "span",
        { class: "badge value", title: "Expected value per unit staked is over the threshold" },
        `Value: ${OUTCOME_NAMES[row.value_bet]} ${show.signedPercent(edge)}`,
      ),
    );
    if (row.outcome_1x2 !== null)
      lines.push(
        h(
          "span",
          { class: "kelly" },
          row.outcome_1x2 === row.value_bet
            ? `won ${show.signed(row[`odds_${row.value_bet}`] - 1)} u`
            : "lost 1 u",
        ),
      );
    else if (row.kelly_quarter !== null)
      lines.push(
        h(
          "span",
          { class: "kelly", title: "A quarter of the Kelly fraction of the bankroll" },
          `¼ Kelly ${show.percent(row.kelly_quarter, 1)}`,
        ),
      );
  }
  return h("div", { class: "badges" }, lines);
}
