// Puts the board together: state, data and what shows them.

import { FILTERS, VIEWS, address, pageOf, parse } from "./address.js";
import { API, hasKey, onKey, setKey } from "./api.js";
import { Catalogue } from "./catalogue.js";
import { loadSpellings } from "./clubs.js";
import { filterBar } from "./filters.js";
import * as show from "./format.js";
import { announce, byId, html, nothing, render } from "./html.js";
import { backToTop, matchList, watchEnd } from "./matches.js";
import { empty, keyForm, problem, skeleton } from "./problem.js";
import { displayOrder, select } from "./select.js";
import * as state from "./state.js";

const REFRESH_MS = 60_000;
const STALE_SECONDS = 36 * 3_600;
const TITLES = {
  matches: "Match board",
  tables: "Tables",
  record: "Track record",
  value: "Value bets",
  model: "Model",
  match: "Match",
  team: "Team",
};

/**
 * @typedef {object} Page What a page is made of.
 * @property {import("./address.js").State} filters
 * @property {Catalogue} catalogue
 * @property {number} width Pixels there are.
 * @property {() => void} redraw
 */

// Each page's code is fetched when the page is: a visit transfers what it shows.
const CODE = {
  tables: () => import("./tables.js"),
  record: () => import("./record.js"),
  value: () => import("./value.js"),
  model: () => import("./model.js"),
  match: () => import("./match.js"),
  team: () => import("./team.js"),
};
/** @type {Record<string, any>} Modules that have arrived; undefined while they are on their way. */
const code = {};
let codeError = null;

/** @type {Catalogue} */
let catalogue;
let shown = [];
let spelled = false;
/** Id of the title that waits for the focus. */
let unfocused = "";
const app = byId("app");

async function fetchCode(page, { ahead = false } = {}) {
  if (page in code || !(page in CODE)) return;
  code[page] = undefined;
  try {
    code[page] = await CODE[page]();
  } catch (error) {
    delete code[page];
    if (ahead) return;
    codeError = error;
  }
  draw();
}

function open(stage) {
  catalogue?.close();
  const mine = new Catalogue(stage, () => mine === catalogue && draw());
  catalogue = mine;
  draw();
  return mine.load();
}

let pending = false;
/** Show the state; several reasons to within one turn are one drawing. */
function draw() {
  if (pending) return;
  pending = true;
  queueMicrotask(() => {
    pending = false;
    redraw(state.current());
  });
}

/** @param {import("./address.js").State} filters */
function redraw(filters) {
  const page = pageOf(filters);
  if (!codeError) fetchCode(page);
  wantPast(filters, page);
  wantSpellings();
  for (const name of VIEWS) {
    const tab = byId(`tab-${name}`);
    tab.href = address({ ...filters, view: name, match: null, club: "", country: "" });
    if (page !== name) tab.removeAttribute("aria-current");
    else if (!tab.hasAttribute("aria-current")) {
      tab.setAttribute("aria-current", "page");
      // On a phone the last ones lie outside.
      tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }
  document.title = TITLES[page];
  const isList = page !== "match" && page !== "team";
  render(
    html`${isList ? filterBar(filters, catalogue, draw) : nothing} ${failure(filters)}
      <div id="view-${page}" class=${page === "matches" ? "" : "panels"}>
        ${page === "matches" ? matchesView(filters) : panels(filters, page)}
      </div>
      ${["matches", "record", "value"].includes(page) ? olderMatches(filters) : nothing}`,
    app,
  );
  byId("main").setAttribute(
    "aria-busy",
    String(!catalogue.done || (page !== "matches" && !code[page] && !codeError)),
  );
  renderAges();
  if (page === "matches") watchEnd();
  focusTitle();
}

/** Whoever opened a page is taken to its title, as soon as that is there. */
function focusTitle() {
  const title = byId(unfocused);
  if (!title) return;
  title.focus({ preventScroll: true });
  unfocused = "";
}

/** The past is fetched when something asks for it. */
function wantPast(filters, page) {
  const isAsked =
    page === "record" ||
    page === "value" ||
    (page === "matches" && ["finished", "all"].includes(filters.status));
  if (isAsked) catalogue.loadPast(filters);
}

/** A search by nickname can wait until matches are there; one that fails leaves the search by name. */
function wantSpellings() {
  if (spelled || !catalogue.loaded.coming) return;
  spelled = true;
  loadSpellings().then(
    () => catalogue.respell(),
    () => {},
  );
}

function failure(filters) {
  if (catalogue.error === null && codeError === null) return nothing;
  const again = () => {
    codeError = null;
    open(filters.stage);
  };
  const partly = catalogue.rows.length
    ? html`<p class="banner warn" role="status">
        Not all matches could be fetched: what is shown is incomplete.
      </p>`
    : nothing;
  return html`<div id="failure">${problem(catalogue.error ?? codeError, again)} ${partly}</div>`;
}

function panels(filters, page) {
  if (!code[page]) return codeError ? nothing : skeleton(6);
  const isOfMatches = page === "record" || page === "value";
  if (isOfMatches && catalogue.error !== null && !catalogue.rows.length) return nothing;
  return code[page].view({ filters, catalogue, width: app.clientWidth, redraw: draw });
}

function matchesView(filters) {
  shown = displayOrder(select(catalogue.reaching(filters), filters, catalogue.now));
  const failed = catalogue.error !== null && !catalogue.rows.length;
  const needsPast = filters.status === "finished" || filters.status === "all";
  const loaded = needsPast
    ? catalogue.covers(filters)
    : catalogue.loaded.coming || shown.length > 0;
  const waiting = catalogue.error === null && !loaded;
  const ready = !waiting && !failed;
  const rows = waiting ? [] : shown;
  const noOdds =
    rows.length > 0 && !catalogue.rows.some((row) => row.market !== null || row.odds_home !== null);
  const results = ready ? resultsText(rows, needsPast && !filters.from && !filters.to) : "";
  return html`<section aria-label="Matches">
    <div class="list-head">
      <p id="results" class="results" tabindex="-1">${results}</p>
      <p class="legend">
        ${
          ready && catalogue.now !== null
            ? `Times in ${show.zoneAt(rows[0]?.kickoff ?? catalogue.now)}`
            : ""
        }
      </p>
      <button
        type="button"
        id="export"
        class="button"
        ?disabled=${!ready || rows.length === 0}
        @click=${exportShown}
      >
        Export CSV
      </button>
    </div>
    ${replayNote()}
    ${
      noOdds
        ? html`<p id="no-odds" class="banner">
            This release carries no market odds: odds, edges and value bets appear once they have
            been collected.
          </p>`
        : nothing
    }
    <div id="list-state">
      ${waiting ? skeleton(8) : rows.length === 0 && !failed ? noMatches(filters) : nothing}
    </div>
    ${rows.length ? matchList(rows, filters.stage, draw) : nothing}
  </section>`;
}

function resultsText(rows, isOpenEnded) {
  const values = rows.filter((row) => row.value_bet).length;
  const text =
    `${show.count(rows.length)} ${rows.length === 1 ? "match" : "matches"}` +
    (values ? ` · ${show.count(values)} with value` : "") +
    (isOpenEnded && catalogue.more ? ` · since ${show.shortDay(catalogue.since)}` : "");
  if (byId("announcer").textContent !== text) announce(text);
  return text;
}

/** What a replay is, and which of its odds its clock could not know; for fingers as for mice. */
function replayNote() {
  if (!catalogue.replayed) return nothing;
  const later = catalogue.laterOdds;
  const coming = catalogue.rows.filter((row) => row.status === "upcoming").length;
  return html`<p id="replay" class="banner">
    <strong>Replay.</strong> The service's clock is set to ${show.shortDay(catalogue.now)}, so what
    is upcoming here has long been played.
    ${
      later
        ? `${show.count(later)} of ${show.count(coming)} upcoming matches carry odds collected after that ` +
          "clock: nobody could have had them then."
        : ""
    }
  </p>`;
}

function noMatches(filters) {
  const filtered = FILTERS.some(state.isFiltered);
  const names = {
    upcoming: "upcoming matches",
    live: "matches being played",
    finished: "finished matches",
    all: "matches",
  };
  const button = (text, action) =>
    html`<button type="button" class="button" @click=${action}>${text}</button>`;
  return empty(
    `No ${names[filters.status]}${filtered ? " fit these filters" : " in this release"}`,
    filtered ? button("Clear filters", () => state.clear()) : nothing,
    filters.status !== "all"
      ? button("Show all statuses", () => state.change({ status: "all" }))
      : nothing,
  );
}

function olderMatches(filters) {
  if (!catalogue.more || filters.from || filters.to) return nothing;
  return html`<p id="older" class="banner">
    ${show.count(catalogue.rows.length)} matches are loaded; there are older ones.
    <button type="button" class="button small" @click=${() => catalogue.loadMore()}>
      Load older matches
    </button>
  </p>`;
}

function renderAges() {
  const seconds = catalogue.ageSeconds;
  const stale = seconds !== null && seconds > STALE_SECONDS;
  render(
    html`${
      seconds === null
        ? nothing
        : html`<span class=${stale ? "stale" : ""}>Predictions ${show.age(seconds)} old</span>`
    }
    ${oddsAge()} ${catalogue.replayed ? html`<span class="badge quiet">Replay</span>` : nothing}`,
    byId("ages"),
  );
  render(
    stale
      ? html`<p class="banner warn" role="status">
          These predictions are ${show.age(seconds)} old: the scheduled rebuild has not published
          since. Results and odds may be missing.
        </p>`
      : nothing,
    byId("stale"),
  );
}

function oddsAge() {
  const collected = catalogue.oddsCollectedAt;
  if (collected === null) {
    return catalogue.loaded.coming && catalogue.rows.length ? html`<span>No odds</span>` : nothing;
  }
  return catalogue.replayed
    ? html`<span>Odds up to ${show.shortDay(collected)}</span>`
    : html`<span>Odds ${show.age((catalogue.servedAt - collected) / 1_000)} old</span>`;
}

async function exportShown() {
  const { stage, status } = state.current();
  const { csv, download } = await import("./csv.js");
  download(csv(shown), `matches-${stage}-${status}.csv`);
  announce(`${show.count(shown.length)} rows exported`);
}

async function refresh() {
  const button = byId("refresh");
  button.disabled = true;
  try {
    if (catalogue.error || (await catalogue.refresh())) {
      for (const page of Object.values(code)) page?.forget?.();
      await reopen();
    }
    announce("Up to date");
  } catch (error) {
    catalogue.error = error;
    draw();
  } finally {
    button.disabled = false;
  }
}

/** Read everything again, and show it once it is there: nothing disappears meanwhile. */
async function reopen() {
  const { stage } = state.current();
  if (catalogue.error) return open(stage);
  const next = new Catalogue(stage, () => next === catalogue && draw());
  const { loaded } = catalogue;
  await next.load();
  if (loaded.recent) await next.loadPast({ ...state.current(), period: "", from: "", to: "" });
  await next.loadPast(state.current());
  if (state.current().stage !== stage) return undefined;
  catalogue.close();
  catalogue = next;
  draw();
  return undefined;
}

state.onChange((now, then) => {
  const [page, before] = [pageOf(now), pageOf(then)];
  if (before === "match" && page !== "match") code.match?.close();
  backToTop();
  if (now.stage !== then.stage) open(now.stage);
  // At once, not at the next turn: a filter answers within the frame it was set in.
  else redraw(now);
  if (page !== before || now.match !== then.match || now.club !== then.club) {
    scrollTo(0, 0);
    unfocused = `${page}-title`;
    focusTitle();
  }
});

// Links to places on the board are followed without leaving the page.
document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a[href^="?"]') : null;
  if (!link) return;
  event.preventDefault();
  state.go(parse(link.getAttribute("href").slice(1)));
});
// A page's code comes as soon as somebody is about to open it.
for (const sign of ["pointerover", "focusin"]) {
  document.addEventListener(sign, (event) => {
    const link = event.target instanceof Element ? event.target.closest('a[href^="?"]') : null;
    if (link && !codeError)
      fetchCode(pageOf(parse(link.getAttribute("href").slice(1))), { ahead: true });
  });
}
byId("refresh").addEventListener("click", refresh);
byId("theme").addEventListener("click", () => {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem("theme", next);
  } catch {
    // It holds for this page then.
  }
});
const keyDialog = byId("key-dialog");
byId("key").addEventListener("click", () => {
  const forget = () => setKey("");
  render(
    html`<p>Live predictions may need a client key, drift needs an operator key.</p>
      ${keyForm(null, "API key", "header-key")}
      ${
        hasKey()
          ? html`<button type="button" class="button" @click=${forget}>Forget the key</button>`
          : nothing
      }`,
    keyDialog.querySelector(".dialog-body"),
  );
  keyDialog.showModal();
});
onKey(() => {
  byId("key").classList.toggle("on", hasKey());
  if (keyDialog.open) keyDialog.close();
  // Whatever waits for a key can be asked for now.
  draw();
});
keyDialog.querySelector(".close").addEventListener("click", () => keyDialog.close());
byId("zone").textContent = show.zone();
byId("api-link").href = new URL("docs/", API).href;
// Charts are drawn to the width there is.
let width = innerWidth;
addEventListener("resize", () => {
  if (width !== innerWidth) draw();
  width = innerWidth;
});
setInterval(() => {
  if (document.visibilityState === "visible" && !catalogue.error && catalogue.done) refresh();
}, REFRESH_MS);

app.replaceChildren();
open(state.current().stage);
