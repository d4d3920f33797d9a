// The projected final tables.

import * as show from "./format.js";
import { html, nothing } from "./html.js";
import { exportButton, scroll, teamLink } from "./parts.js";
import { empty, skeleton, unread } from "./problem.js";
import { projections } from "./projections.js";

/** @param {import("./main.js").Page} page */
export function view({ filters, redraw }) {
  const { data: rows, error } = projections.ask(redraw);
  if (error) return html`<section class="panel wide">${unread(projections, redraw)}</section>`;
  if (rows === null) return html`<section class="panel wide">${skeleton(8)}</section>`;
  const chosen = rows.filter(
    (row) =>
      (!filters.region || row.region === filters.region) &&
      (!filters.league || row.league === filters.league),
  );
  const seasons = bySeason(chosen);
  if (seasons.length === 0) {
    return empty(
      "No season to project",
      rows.length ? "The filters leave none." : "No league has matches left to play.",
    );
  }
  return html`${seasons.map((season) => seasonPanel(season, filters.stage))}
    <section class="panel wide" aria-labelledby="projection-title">
      <h2 id="projection-title">How these are made</h2>
      <p class="lede">
        10,000 simulations of the scheduled matches with the champion's probabilities and a fixed
        seed. Expected points are the mean; the range holds eight in ten simulations. Goals are not
        simulated: teams level on points share the places between them, where the league would look
        at goal difference or head-to-head. Strengths stay what they are today, and relegation means
        the last three places of any league, play-offs left aside.
      </p>
    </section>`;
}

/** Rows of one season each, in order. */
export function bySeason(rows) {
  const seasons = new Map();
  for (const row of rows) {
    const key = `${row.region}\n${row.league}\n${row.sex}\n${row.season}`;
    if (!seasons.has(key)) seasons.set(key, []);
    seasons.get(key).push(row);
  }
  return [...seasons.values()];
}

const COLUMNS = [
  ...["projected_position", "team", "position", "played", "won", "drawn", "lost", "goals_for"],
  ...["goals_against", "points", "remaining", "expected_points", "points_low", "points_high"],
  ...["title", "top_four", "relegation"],
];

function seasonPanel(rows, stage) {
  const [{ region, league, season, matches_missing: missing }] = rows;
  const title = `${league}, ${region} ${season}`;
  const left = rows.reduce((sum, row) => sum + row.remaining, 0) / 2;
  const cells = rows.map((row) => COLUMNS.map((name) => row[name]));
  return html`<section class="panel wide" aria-label=${title}>
    <div class="panel-head">
      <h2>${league} <span class="muted">${region} ${season}</span></h2>
      ${exportButton(`projected-table-${league}`, COLUMNS, cells)}
    </div>
    <p class="lede">
      ${show.count(left)} scheduled matches
      left${
        missing
          ? html`; ${show.count(missing)} more of a full double round are not scheduled yet and not
            simulated`
          : nothing
      }.
    </p>
    ${scroll(`Table: ${title}`, projectedTable(rows, title, stage))}
  </section>`;
}

const projectedTable = (rows, title, stage) =>
  html`<table class="data projected">
    <caption class="hidden">
      Projected final table, ${title}
    </caption>
    <thead>
      <tr>
        <th scope="col"><abbr title="Place by expected points">#</abbr></th>
        <th scope="col">Team</th>
        <th scope="col"><abbr title="Place now">Now</abbr></th>
        <th scope="col"><abbr title="Played">P</abbr></th>
        <th scope="col"><abbr title="Goal difference">GD</abbr></th>
        <th scope="col"><abbr title="Points now">Pts</abbr></th>
        <th scope="col"><abbr title="Matches left">Left</abbr></th>
        <th scope="col"><abbr title="Expected points at the end">Expected</abbr></th>
        <th scope="col"><abbr title="Eight simulations in ten end here">Range</abbr></th>
        <th scope="col">Title</th>
        <th scope="col">Top four</th>
        <th scope="col"><abbr title="Last three places">Relegation</abbr></th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr data-team=${row.team}>
            <td>${row.projected_position}</td>
            <th scope="row">${teamLink(row.team, row.region, stage)}</th>
            <td>${row.position}</td>
            <td>${row.played}</td>
            <td>${show.signed(row.goals_for - row.goals_against, 0)}</td>
            <td>${row.points}</td>
            <td>${row.remaining}</td>
            <td><strong>${row.expected_points.toFixed(1)}</strong></td>
            <td>${row.points_low}–${row.points_high}</td>
            ${chanceCell("title", row)} ${chanceCell("top_four", row)}
            ${chanceCell("relegation", row)}
          </tr>`,
      )}
    </tbody>
  </table>`;

/** A chance over a shade of its size; the number says it. */
const chanceCell = (name, row) =>
  html`<td class="chance ${name}" data-chance=${row[name]}>
    <span class="shade" aria-hidden="true" .style=${`opacity: ${0.55 * row[name]}`}></span>
    <span>${row[name] === 0 ? "–" : show.chance(row[name])}</span>
  </td>`;

/** Read the tables again next time. */
export const forget = () => projections.forget();
