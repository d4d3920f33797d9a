// What several pages show of a match or a club: names, form, forecasts, prices, verdicts.

import { matchAddress, teamAddress } from "./address.js";
import { OUTCOMES } from "./card.js";
import * as show from "./format.js";
import { OUTCOME_NAMES } from "./format.js";
import { html, nothing } from "./html.js";

const RESULTS = { W: "won", D: "drew", L: "lost" };
const MARKS = ["1", "X", "2"];

/** A club's name, leading to its page. */
export const teamLink = (name, region, stage) =>
  html`<a class="club" href=${teamAddress(name, region, stage)}>${name}</a>`;

/** "Ajax – PSV", leading to the match. */
export const matchLink = (row, stage) =>
  html`<a href=${matchAddress(row.match_id, stage)}>${row.home_team} – ${row.away_team}</a>`;

/** The last results as letters, oldest first. */
export function form(results) {
  if (!results) return html`<span class="form"></span>`;
  const said = [...results].map((letter) => RESULTS[letter] ?? letter).join(", ");
  return html`<span
    class="form"
    role="img"
    aria-label="Last ${results.length}: ${said}"
    title="Last five, oldest first"
    >${[...results].map(
      (letter) =>
        html`<span class="pip ${letter in RESULTS ? letter : ""}" aria-hidden="true"
          >${letter}</span
        >`,
    )}</span
  >`;
}

/** Index of the likeliest outcome; the earlier on a tie, as the service has it. */
export const pickOf = (probabilities) => probabilities.indexOf(Math.max(...probabilities));

/** Three probabilities as a bar without text; the numbers stand beside it. */
export const bar = (probabilities) =>
  html`<div class="bar" aria-hidden="true">
    ${probabilities.map(
      (share, i) => html`<span class="part ${OUTCOMES[i]}" .style=${`flex-grow: ${share}`}></span>`,
    )}
  </div>`;

/** The heading 1, X, 2 of a table. */
export const outcomeHead = () =>
  html`<thead>
    <tr>
      <td></td>
      ${MARKS.map(
        (mark, i) =>
          html`<th scope="col"><abbr title=${OUTCOME_NAMES[OUTCOMES[i]]}>${mark}</abbr></th>`,
      )}
    </tr>
  </thead>`;

/** A row of probabilities; the likeliest is marked, and the one that came true underlined. */
export function chancesRow(label, probabilities, row, digits = 0) {
  const pick = pickOf(probabilities);
  return html`<tr data-forecast=${label.toLowerCase()}>
    <th scope="row">${label}</th>
    ${probabilities.map(
      (share, i) =>
        html`<td
          class="${i === pick ? "pick" : ""} ${row.outcome_1x2 === OUTCOMES[i] ? "came" : ""}"
          data-probability=${share}
        >
          ${show.percent(share, digits)}${
            i === pick ? html`<span class="hidden"> (likeliest)</span>` : nothing
          }
        </td>`,
    )}
  </tr>`;
}

/** What the model says, and what the market says without its margin. */
export const forecastTable = (row) =>
  html`${bar(row.probabilities)}
    <table class="triples forecast">
      <caption class="hidden">
        Probabilities of home win, draw and away win
      </caption>
      ${outcomeHead()}
      <tbody>
        ${chancesRow("Model", row.probabilities, row)}
        ${row.market ? chancesRow("Market", row.market, row) : nothing}
      </tbody>
    </table>`;

/** The edge that decides about a bet: of model and price combined where the service publishes it. */
export const edgeOf = (row, outcome) =>
  row[`pooled_edge_${outcome}`] ?? row[`edge_${outcome}`] ?? null;

export const hasOdds = (row) => OUTCOMES.some((outcome) => row[`odds_${outcome}`] !== null);

/** Odds and edges. */
export function priceTable(row) {
  if (!hasOdds(row)) return html`<p class="no-market muted">No market odds</p>`;
  const closed = row.edge_home === null;
  return html`<table
    class="triples odds"
    title=${row.oddsTime ? `Odds of ${show.moment(row.oddsTime)}` : nothing}
  >
    <caption class="hidden">
      Decimal odds and expected value per unit staked
    </caption>
    ${outcomeHead()}
    <tbody>
      <tr>
        <th scope="row">Odds</th>
        ${OUTCOMES.map(
          (outcome) =>
            html`<td
              class="${row.value_bet === outcome ? "value" : ""} ${
                row.outcome_1x2 === outcome ? "came" : ""
              }"
            >
              ${show.odds(row[`odds_${outcome}`])}
            </td>`,
        )}
      </tr>
      <tr>
        <th scope="row">Edge</th>
        ${
          closed
            ? html`<td colspan="3" class="muted">market closed</td>`
            : OUTCOMES.map((outcome) => {
                const edge = edgeOf(row, outcome);
                const look = row.value_bet === outcome ? "value" : edge > 0 ? "" : "muted";
                return html`<td class=${look}>${show.signedPercent(edge)}</td>`;
              })
        }
      </tr>
    </tbody>
  </table>`;
}

/** Whether the model was right, and what became of a value bet. */
export function verdict(row) {
  return html`<div class="badges">
    ${correctness(row)} ${row.value_bet ? valueBadge(row) : differs(row) ? DIFFERENCE : nothing}
  </div>`;
}

/** The model's edge from which it is worth a word that model and market disagree. */
const NOTABLE_EDGE = 0.05;
const DIFFERENCE = html`<span
  class="badge quiet"
  title="By the model alone one price looks too high; that is no reason to bet"
  >Model and market differ</span
>`;

const differs = (row) =>
  row.status === "upcoming" && OUTCOMES.some((outcome) => row[`edge_${outcome}`] > NOTABLE_EDGE);

function correctness(row) {
  if (row.is_correct !== null && row.is_correct !== undefined) {
    return html`<span class="badge ${row.is_correct ? "right" : "wrong"}"
        >${row.is_correct ? "✓ Right" : "✗ Wrong"}<span class="hidden"
          >, the model said ${row.predicted_label}</span
        ></span
      >
      ${
        row.in_sample
          ? html`<span
              class="badge quiet"
              title="The model was fitted on this match; it does not count in the track record"
              >Training match</span
            >`
          : nothing
      }`;
  }
  return row.status === "finished"
    ? html`<span class="badge quiet">Result to come</span>`
    : nothing;
}

function valueBadge(row) {
  const bet = row.value_bet;
  const result =
    row.outcome_1x2 === bet ? `won ${show.signed(row[`odds_${bet}`] - 1)} u` : "lost 1 u";
  return html`<span class="badge value" title="Expected value per unit staked is over the threshold"
      >Value: ${OUTCOME_NAMES[bet]} ${show.signedPercent(edgeOf(row, bet))}</span
    >
    ${
      row.outcome_1x2 !== null
        ? html`<span class="kelly">${result}</span>`
        : row.kelly_quarter !== null
          ? html`<span class="kelly" title="A quarter of the Kelly fraction of the bankroll"
              >¼ Kelly ${show.percent(row.kelly_quarter, 1)}</span
            >`
          : nothing
    }`;
}

/** Goals of one side, or nothing. */
export function goals(row, side) {
  const known = row[`${side}_score`];
  if (known !== null && known !== undefined) return html`<span class="score">${known}</span>`;
  if (row.status !== "live" || !row.live_score) return nothing;
  const parts = row.live_score.match(/^\s*(\d+)\s*[-:–]\s*(\d+)/);
  const text = parts ? parts[side === "home" ? 1 : 2] : side === "home" ? row.live_score : "";
  return html`<span class="score live">${text}</span>`;
}

/**
 * Radio buttons that look like one control.
 * @param {string} name
 * @param {string} label
 * @param {[string, string][]} options
 * @param {string} chosen
 * @param {(value: string) => void} choose
 */
export const segments = (name, label, options, chosen, choose) =>
  html`<div class="segments" role="radiogroup" aria-label=${label}>
    ${options.map(
      ([value, text]) =>
        html`<label>
          <input
            type="radio"
            name=${name}
            value=${value}
            .checked=${value === chosen}
            @change=${() => choose(value)}
          />
          <span>${text}</span>
        </label>`,
    )}
  </div>`;

/** A large number with its name. */
export const figure = (label, value, beside = "", kind = "") =>
  html`<div class="figure">
    <dt>${label}</dt>
    <dd>
      <strong class=${kind}>${value}</strong>
      ${beside ? html`<span class="muted">${beside}</span>` : nothing}
    </dd>
  </div>`;

/**
 * A table in a frame that scrolls by itself where it is too wide.
 * @param {string} label
 * @param {any} table
 */
export const scroll = (label, table) =>
  html`<div class="scroll" tabindex="0" role="region" aria-label=${label}>${table}</div>`;

/** A table behind a disclosure, with its export. */
export function dataTable(title, head, rows, fileName = "") {
  return html`<details class="figures">
    <summary>${title}</summary>
    ${fileName ? exportButton(fileName, head, rows) : nothing}
    ${scroll(
      title,
      html`<table class="data">
        <thead>
          <tr>
            ${head.map((text) => html`<th scope="col">${text}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (cells) =>
              html`<tr>
                ${cells.map((text, i) =>
                  i === 0 ? html`<th scope="row">${text}</th>` : html`<td>${text}</td>`,
                )}
              </tr>`,
          )}
        </tbody>
      </table>`,
    )}
  </details>`;
}

/** Hands a table to the browser as a file. */
export function exportButton(fileName, head, rows, label = "Export CSV") {
  const save = async () => {
    const { download, tableCsv } = await import("./csv.js");
    download(tableCsv(head, rows), `${fileName}.csv`);
  };
  return html`<button type="button" class="button small export" @click=${save}>${label}</button>`;
}
