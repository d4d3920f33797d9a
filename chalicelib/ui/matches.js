// The list of matches, by day. Rows are made a screenful at a time: ten thousand matches cost no more than sixty.

import { matchAddress } from "./address.js";
import * as show from "./format.js";
import { byId, html, nothing, outsideLink, repeat } from "./html.js";
import { forecastTable, form, goals, priceTable, teamLink, verdict } from "./parts.js";

const AT_ONCE = 60;

let shownRows = AT_ONCE;
let rowCount = 0;
let watched = null;
let extend = () => {};
const watcher = new IntersectionObserver(
  (entries) => entries.some((entry) => entry.isIntersecting) && extend(),
  { rootMargin: "600px" },
);

/** Begin at the top again: other filters, other matches. */
export const backToTop = () => {
  shownRows = AT_ONCE;
};

/**
 * @param {import("./card.js").Card[]} rows In the order to be shown.
 * @param {string} stage
 * @param {() => void} redraw
 */
export function matchList(rows, stage, redraw) {
  rowCount = rows.length;
  extend = () => {
    if (shownRows >= rowCount) return;
    shownRows += AT_ONCE;
    redraw();
  };
  const left = rows.length - shownRows;
  const more = () => {
    const first = shownRows;
    extend();
    byId("list").querySelectorAll(".match")[first]?.querySelector(".open")?.focus();
  };
  return html`<div id="list">
    ${repeat(
      days(rows.slice(0, shownRows)),
      (day) => day.heading,
      (day) =>
        html`<section class="day" aria-label=${day.heading}>
          <h2>${day.heading}</h2>
          <ol class="matches">
            ${repeat(
              day.rows,
              (row) => row.match_id,
              (row) => html`<li>${matchCard(row, stage)}</li>`,
            )}
          </ol>
        </section>`,
    )}
    <div class="more">
      ${
        left > 0
          ? html`<button type="button" class="button" @click=${more}>
              Show ${Math.min(left, AT_ONCE)} more of ${show.count(left)}
            </button>`
          : nothing
      }
    </div>
  </div>`;
}

/** To be called when the list is in the document: further rows are made as its end comes into view. */
export function watchEnd() {
  const end = document.querySelector("#list .more");
  if (watched) watcher.unobserve(watched);
  watched = end;
  if (end) watcher.observe(end);
}

/** Matches under the heading of their day. */
function days(rows) {
  const found = [];
  for (const row of rows) {
    const heading = `${row.status === "live" ? "Live · " : ""}${show.day(row)}`;
    if (found.at(-1)?.heading !== heading) found.push({ heading, rows: [] });
    found.at(-1).rows.push(row);
  }
  return found;
}

function matchCard(row, stage) {
  const name = `${row.home_team} – ${row.away_team}`;
  return html`<article
    class="match ${row.status} ${row.value_bet ? "has-value" : ""}"
    aria-label=${name}
    data-match=${row.match_id}
  >
    <div class="when">
      ${when(row)}
      <span class="league"><span>${row.region}</span><span>${row.league}</span></span>
    </div>
    <div class="teams">${team(row, "home", stage)} ${team(row, "away", stage)}</div>
    <div class="chances">${forecastTable(row)}</div>
    <div class="prices">${priceTable(row)}</div>
    <div class="verdict">
      ${verdict(row)}
      <div class="actions">
        ${
          row.fonbet_url
            ? outsideLink(
                row.fonbet_url,
                "Bookmaker",
                `${name} at the bookmaker, opens in a new tab`,
              )
            : nothing
        }
        <a
          class="button small open"
          href=${matchAddress(row.match_id, stage)}
          aria-label="Match ${name}"
          >Match</a
        >
      </div>
    </div>
  </article>`;
}

function when(row) {
  if (row.status === "live") return html`<span class="live-now">Live</span>`;
  const clock = show.time(row);
  return clock
    ? html`<time datetime=${row.match_date}>${clock}</time>`
    : html`<span class="muted" title="The time of day is not known">–:–</span>`;
}

function team(row, side, stage) {
  const elo = row[`${side}_elo`];
  return html`<div class="team ${row.outcome_1x2 === side ? "won" : ""}">
    <span class="name">${teamLink(row[`${side}_team`], row.region, stage)}</span>
    ${form(row[`${side}_form`])}
    ${
      elo !== null && elo !== undefined
        ? html`<span class="elo" title="Elo rating before the match"
            ><abbr>Elo</abbr> ${Math.round(elo)}</span
          >`
        : nothing
    }
    ${goals(row, side)}
  </div>`;
}
