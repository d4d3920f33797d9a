// Puts the board together: state, data and what shows them.

import { API, hasKey, setKey } from "./api.js";
import { Catalogue } from "./catalogue.js";
import { announce, byId, fill, h } from "./dom.js";
import { FilterBar } from "./filters.js";
import * as show from "./format.js";
import { MatchList } from "./matches.js";
import { empty, keyForm, problem, skeleton } from "./problem.js";
import { displayOrder, select } from "./select.js";
import * as state from "./state.js";

const REFRESH_MS = 60_000;
const STALE_SECONDS = 36 * 3_600;

let catalogue;
let shown = [];
const bar = new FilterBar();
const list = new MatchList(byId("list"), (match) => state.change({ match }));
// Panels, dialog and export: what the first screen does not need is fetched after it.
let rest = null;
let fetchingRest = null;

function fetchRest() {
  fetchingRest ??= Promise.all([
    import("./record.js"),
    import("./value.js"),
    import("./model.js"),
    import("./ask.js"),
    import("./csv.js"),
  ]).then(
    ([{ showRecord }, { ValuePanels }, { ModelPanels }, { AskDialog }, { download }]) => {
      rest = {
        showRecord,
        download,
        value: new ValuePanels(byId("view-value")),
        model: new ModelPanels(byId("view-model")),
        ask: new AskDialog(
          byId("ask"),
          () => state.current().match !== null && state.change({ match: null }),
        ),
      };
      draw();
    },
    (error) => {
      fetchingRest = null;
      fill(byId("failure"), problem(error, fetchRest));
    },
  );
}

function open(stage) {
  catalogue?.close();
  const mine = new Catalogue(stage, () => mine === catalogue && draw());
  catalogue = mine;
  draw();
  return mine.load();
}

let before = null;
let pending = false;
/** Show the state; several reasons to within one frame are one drawing. */
function draw() {
  if (pending) return;
  pending = true;
  queueMicrotask(() => {
    pending = false;
    render(state.current());
  });
}

function render(filters) {
  const { rows, anchor } = catalogue;
  bar.update(filters, rows, anchor);
  for (const name of state.VIEWS) {
    byId(`view-${name}`).hidden = filters.view !== name;
    const tab = byId(`tab-${name}`);
    if (filters.view === name) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
    tab.href = state.address({ ...filters, view: name }) || "?";
  }
  byId("filters").hidden = false;
  byId("filters").classList.toggle("stage-only", filters.view === "model");
  const failed = catalogue.error && !catalogue.rows.length;
  fill(
    byId("failure"),
    catalogue.error ? problem(catalogue.error, () => open(filters.stage)) : null,
  );
  if (filters.view === "matches") renderMatches(filters, failed);
  if (
    filters.view !== "matches" ||
    filters.match !== null ||
    catalogue.loaded.coming ||
    catalogue.error
  )
    fetchRest();
  if (rest) renderRest(filters, failed);
  else if (filters.view !== "matches") fill(byId(`view-${filters.view}`), skeleton(6));
  byId("main").setAttribute("aria-busy", String(!catalogue.done || !rest));
  renderAges();
  renderMore();
  if (before && before.view !== filters.view) scrollTo(0, 0);
  before = filters;
}

function renderRest(filters, failed) {
  const { showRecord, value, model, ask } = rest;
  if (filters.view === "record")
    failed ? fill(byId("view-record")) : showRecord(byId("view-record"), catalogue, filters);
  if (filters.view === "value") value.update(catalogue, filters);
  if (filters.view === "model") model.update(filters);
  ask.show(filters.match, filters.stage, catalogue.byId.get(filters.match));
}

function renderMatches(filters, failed) {
  shown = displayOrder(select(catalogue.rows, filters, catalogue.anchor));
  const waiting =
    !failed &&
    (filters.status === "finished" || filters.status === "all"
      ? !catalogue.loaded.recent
      : !catalogue.loaded.coming && shown.length === 0);
  byId("list").hidden = waiting || shown.length === 0;
  byId("export").disabled = waiting || !rest || shown.length === 0;
  list.update(waiting ? [] : shown);
  fill(
    byId("list-state"),
    waiting ? skeleton(8) : shown.length === 0 && !failed ? nothing(filters) : null,
  );
  const values = shown.filter((row) => row.value_bet).length;
  const text =
    waiting || failed
      ? ""
      : `${show.count(shown.length)} ${shown.length === 1 ? "match" : "matches"}` +
        (values ? ` · ${show.count(values)} with value` : "");
  if (byId("results").textContent !== text) {
    byId("results").textContent = text;
    if (text) announce(text);
  }
  const noOdds =
    !waiting &&
    shown.length > 0 &&
    !catalogue.rows.some((row) => row.market !== null || row.odds_home !== null);
  byId("no-odds").hidden = !noOdds;
}

function nothing(filters) {
  const filtered = state.FILTERS.some(state.isFiltered);
  const names = {
    upcoming: "upcoming matches",
    live: "matches being played",
    finished: "finished matches",
    all: "matches",
  };
  return empty(
    `No ${names[filters.status]}${filtered ? " fit these filters" : " in this release"}`,
    filtered
      ? h(
          "button",
          { type: "button", class: "button", onclick: () => state.clear() },
          "Clear filters",
        )
      : null,
    filters.status !== "all" &&
      h(
        "button",
        { type: "button", class: "button", onclick: () => state.change({ status: "all" }) },
        "Show all statuses",
      ),
  );
}

function renderAges() {
  const parts = [];
  const seconds = catalogue.ageSeconds;
  if (seconds !== null)
    parts.push(
      h(
        "span",
        { class: seconds > STALE_SECONDS ? "stale" : "" },
        `Predictions ${show.age(seconds)} old`,
      ),
    );
  const collected = catalogue.oddsCollectedAt;
  if (collected !== null)
    parts.push(
      h(
        "span",
        {},
        catalogue.replayed
          ? `Odds of ${show.moment(collected)}`
          : `Odds ${show.age((catalogue.servedAt - collected) / 1_000)} old`,
      ),
    );
  else if (catalogue.loaded.coming && catalogue.rows.length) parts.push(h("span", {}, "No odds"));
  if (catalogue.replayed)
    parts.push(
      h(
        "span",
        {
          class: "badge quiet",
          title:
            "The service's clock is set to another time: what is upcoming here has long been played",
        },
        "Replay",
      ),
    );
  fill(byId("ages"), parts);
  fill(
    byId("stale"),
    seconds > STALE_SECONDS
      ? h(
          "p",
          { class: "banner warn", role: "status" },
          `These predictions are ${show.age(seconds)} old: the scheduled rebuild has not published since. `,
          "Results and odds may be missing.",
        )
      : null,
  );
}

function renderMore() {
  const box = byId("older");
  if (!catalogue.more || state.current().view === "model") return fill(box);
  fill(
    box,
    h(
      "p",
      { class: "banner" },
      `${show.count(catalogue.rows.length)} matches are loaded; there are older ones. `,
      h(
        "button",
        { type: "button", class: "button small", onclick: () => catalogue.loadMore() },
        "Load older matches",
      ),
    ),
  );
}

async function refresh() {
  const button = byId("refresh");
  button.disabled = true;
  try {
    if (catalogue.error || (await catalogue.refresh())) await open(state.current().stage);
    announce("Up to date");
  } catch (error) {
    catalogue.error = error;
    draw();
  } finally {
    button.disabled = false;
  }
}

state.onChange((now, then) => {
  if (now.stage !== then.stage) open(now.stage);
  // At once, not at the next turn: a filter answers within the frame it was set in.
  else render(now);
});

for (const name of state.VIEWS) {
  byId(`tab-${name}`).addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    state.change({ view: name });
  });
}
byId("export").addEventListener("click", () => {
  rest.download(shown, `matches-${state.current().stage}-${state.current().status}.csv`);
  announce(`${show.count(shown.length)} rows exported`);
});
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
byId("key").addEventListener("click", () => {
  const dialog = byId("key-dialog");
  const redraw = () => {
    byId("key").classList.toggle("on", hasKey());
    dialog.close();
  };
  const forget = () => {
    setKey("");
    redraw();
  };
  fill(
    dialog.querySelector(".dialog-body"),
    h("p", {}, "Live predictions may need a client key, drift needs an operator key."),
    keyForm(redraw),
    hasKey() && h("button", { type: "button", class: "button", onclick: forget }, "Forget the key"),
  );
  dialog.showModal();
});
byId("key-dialog")
  .querySelector(".close")
  .addEventListener("click", () => byId("key-dialog").close());
byId("zone").textContent = show.zone();
byId("api-link").href = new URL("docs/", API).href;
// Charts are drawn to the width there is.
let width = innerWidth;
addEventListener("resize", () => {
  if (width !== innerWidth && ["record", "value"].includes(state.current().view)) draw();
  width = innerWidth;
});
setInterval(
  () =>
    document.visibilityState === "visible" &&
    !catalogue.error &&
    catalogue.loaded.recent &&
    refresh(),
  REFRESH_MS,
);

open(state.current().stage);
