// "What if?": a match's features changed at will; a live prediction or a queued one.

import { ApiError, call } from "./api.js";
import { OUTCOMES } from "./card.js";
import * as show from "./format.js";
import { OUTCOME_NAMES } from "./format.js";
import { announce, html, live as bound, nothing } from "./html.js";
import { bar, chancesRow, figure, outcomeHead } from "./parts.js";
import { problem } from "./problem.js";

const POLL_MS = 1_000;
const POLL_FOR_MS = 120_000;

/**
 * @typedef {object} Slider
 * @property {string} name
 * @property {string} label
 * @property {number} [reach] To either side of the match's own value.
 * @property {number} [low]
 * @property {number} [high]
 * @property {number} step
 */

/**
 * The few that a person thinks in; the service lets what is derived from them follow.
 * @type {Slider[]}
 */
const SLIDERS = [
  { name: "home_elo_pre", label: "Home Elo rating", reach: 400, step: 1 },
  { name: "away_elo_pre", label: "Away Elo rating", reach: 400, step: 1 },
  {
    name: "diff_points_5_mean",
    label: "Form: points per match in the last 5, home − away",
    low: -3,
    high: 3,
    step: 0.1,
  },
  { name: "home_rest_days", label: "Home days of rest", low: 1, high: 14, step: 1 },
  { name: "away_rest_days", label: "Away days of rest", low: 1, high: 14, step: 1 },
];

/** What was changed and answered on the open match. */
const sessions = new WeakMap();

function sessionOf(mine) {
  if (!sessions.has(mine)) {
    const { prediction } = mine.live;
    sessions.set(mine, {
      own: mine.own,
      changes: {},
      derived: {},
      usual: triple(prediction),
      now: triple(prediction),
      title: "With its own features",
      status: nothing,
      search: "",
      timer: 0,
    });
  }
  return sessions.get(mine);
}

const triple = (prediction) => ["0", "1", "2"].map((key) => prediction.probabilities[key]);

export function whatIf(mine, card, redraw) {
  const session = sessionOf(mine);
  const sliders = SLIDERS.filter(({ name }) => name in session.own);
  const context = { mine, session, redraw };
  return html`<div class="what-if">
    <div class="answers">
      <h3>${session.title}</h3>
      ${bar(session.now)}
      <table class="data triples forecasts">
        <caption class="hidden">
          Probabilities with these features
        </caption>
        ${outcomeHead()}
        <tbody>
          ${chancesRow("Now", session.now, {}, 1)} ${chancesRow("Before", session.usual, {}, 1)}
          ${card.market ? chancesRow("Market", card.market, {}, 1) : nothing}
        </tbody>
      </table>
      <dl class="key-figures three">
        ${OUTCOMES.map((outcome, i) =>
          figure(
            OUTCOME_NAMES[outcome],
            show.percent(session.now[i], 1),
            moved(session, i) + beside(card, outcome, session.now[i]),
          ),
        )}
      </dl>
      <p class="muted small" id="changed">${changedText(session)}</p>
      <div class="task" role="status">${session.status}</div>
    </div>
    <form
      class="features"
      aria-label="Features"
      novalidate
      @submit=${(event) => event.preventDefault()}
    >
      ${sliders.map((slider) => sliderRow(slider, context))}
      <div class="form-actions">
        <button type="button" class="button plain" @click=${() => reset(context)}>Reset</button>
      </div>
      ${advanced(context)}
    </form>
  </div>`;
}

/** How far the chance is from the one with the match's own features, in percentage points. */
const moved = ({ now, usual }, i) => `${show.signed(100 * (now[i] - usual[i]), 1)} points, `;

/** The price next to the chance: what a unit on it is expected to return. */
function beside(card, outcome, chance) {
  const odds = card[`odds_${outcome}`];
  return odds
    ? `edge ${show.signedPercent(chance * odds - 1)} at ${show.odds(odds)}`
    : `fair odds ${(1 / chance).toFixed(2)}`;
}

function changedText({ changes, derived }) {
  const changed = Object.keys(changes);
  if (changed.length === 0) return "No feature was changed.";
  const follow = Object.keys(derived).filter((name) => !(name in changes));
  const names = (list) => list.map(show.featureName).join(", ");
  return `Changed: ${names(changed)}.${follow.length ? ` Followed: ${names(follow)}.` : ""}`;
}

const valueOf = (session, name) =>
  name in session.changes
    ? session.changes[name]
    : name in session.derived
      ? session.derived[name]
      : (session.own[name] ?? null);

/** @type {(slider: Slider, context: Record<string, any>) => any} */
function sliderRow({ name, label, reach, low, high, step }, { mine, session, redraw }) {
  const own = session.own[name];
  const value = valueOf(session, name);
  const middle = own ?? (low + high) / 2;
  const limits = reach
    ? [Math.round(middle) - reach, Math.round(middle) + reach]
    : [Math.min(low, middle), Math.max(high, middle)];
  const set = (event) => change({ mine, session, redraw }, name, Number(event.target.value));
  const text = value === null ? "missing" : String(Number(value.toFixed(step < 1 ? 1 : 0)));
  return html`<div class="slider">
    <label for="slider-${name}">${label}</label>
    <input
      id="slider-${name}"
      name=${name}
      type="range"
      min=${limits[0]}
      max=${limits[1]}
      step=${step}
      .value=${bound(String(value ?? middle))}
      aria-valuetext=${text}
      @input=${set}
    />
    <output for="slider-${name}" class=${name in session.changes ? "changed" : ""}>${text}</output>
  </div>`;
}

/** Note a change and ask for a prediction when the hand rests. */
function change(context, name, value) {
  const { session, redraw } = context;
  if (value === session.own[name] || (value !== null && Number.isNaN(value))) {
    delete session.changes[name];
  } else {
    session.changes[name] = value;
  }
  clearTimeout(session.timer);
  session.timer = setTimeout(() => predict(context), 150);
  redraw();
}

function reset({ session, redraw }) {
  clearTimeout(session.timer);
  Object.assign(session, {
    changes: {},
    derived: {},
    now: session.usual,
    title: "With its own features",
    status: nothing,
  });
  redraw();
}

async function predict({ mine, session, redraw }) {
  const { signal } = mine.stop;
  const changes = { ...session.changes };
  if (Object.keys(changes).length === 0) return reset({ session, redraw });
  const began = performance.now();
  try {
    const { data } = await call(`predict/what-if/${mine.matchId}`, {
      query: { stage: mine.stage },
      body: { changes },
      signal,
    });
    const took = Math.round(performance.now() - began);
    session.derived = Object.fromEntries(data.followed.map((name) => [name, data.features[name]]));
    answered(session, "With your features", data.prediction);
    session.status = html`<p class="muted small">Answered in ${took} ms.</p>`;
  } catch (error) {
    if (signal.aborted) return;
    session.status = problem(error, () => predict({ mine, session, redraw }));
  }
  redraw();
}

function answered(session, title, prediction) {
  session.title = title;
  session.now = triple(prediction);
  announce(
    `${title}: ${OUTCOMES.map((name, i) => `${OUTCOME_NAMES[name]} ${show.percent(session.now[i])}`).join(", ")}`,
  );
}

/** Every feature as a number, sent as it is, and the queue. */
function advanced(context) {
  const { mine, session, redraw } = context;
  const find = (event) => {
    session.search = event.target.value.toLowerCase();
    redraw();
  };
  const shown = mine.info.features.filter((feature) =>
    `${show.featureName(feature.name)} ${feature.name}`.toLowerCase().includes(session.search),
  );
  return html`<details class="figures" id="advanced">
    <summary>Advanced: all ${mine.info.features.length} features</summary>
    <p class="muted small">
      What is typed here is used as it is; what is derived from it follows unless it is typed, too.
    </p>
    <input type="search" aria-label="Find a feature" placeholder="Find a feature" @input=${find} />
    <div class="feature-rows" role="group" aria-label="Feature values" tabindex="0">
      ${shown.map((feature) => featureRow(feature, context))}
    </div>
    <div class="form-actions">
      <button type="button" class="button" @click=${() => queue(context)}>Queue it</button>
    </div>
  </details>`;
}

function featureRow(feature, context) {
  const { session } = context;
  const id = `feature-${feature.name}`;
  const type = (event) => {
    const text = event.target.value;
    if (text === "" && feature.required) return event.target.reportValidity();
    change(context, feature.name, text === "" ? null : Number(text));
    return undefined;
  };
  return html`<div class="feature-row ${feature.name in session.changes ? "changed" : ""}">
    <label for=${id} title=${feature.name}>${show.featureName(feature.name)}</label>
    <input
      id=${id}
      name=${feature.name}
      type="number"
      step=${feature.type === "long" ? 1 : "any"}
      ?required=${feature.required}
      placeholder=${feature.required ? nothing : "missing"}
      autocomplete="off"
      .value=${bound(rounded(valueOf(session, feature.name)))}
      @change=${type}
    />
  </div>`;
}

/** Shown rounded; only what was typed is sent. */
const rounded = (value) =>
  value === null || value === undefined ? "" : String(Number(value.toFixed(4)));

async function queue({ mine, session, redraw }) {
  const { signal } = mine.stop;
  const features = { ...session.own, ...session.derived, ...session.changes };
  const began = performance.now();
  const seconds = () => `${((performance.now() - began) / 1_000).toFixed(1)} s`;
  const steps = [];
  const say = () => {
    session.status = html`<h4>Queued prediction</h4>
      <ol class="steps">
        ${steps.map((text) => html`<li>${text}</li>`)}
      </ol>`;
    redraw();
  };
  try {
    const { data: accepted } = await call("predict/async/", {
      query: { stage: mine.stage },
      body: { match_id: mine.matchId, features },
      signal,
    });
    steps.push(html`Submitted as task <code>${accepted.task_id}</code>`, "Pending");
    say();
    for (let polls = 1; ; polls++) {
      const { data: task, headers } = await call(`monitoring/task_status/${accepted.task_id}`, {
        signal,
      });
      const asked = `asked ${polls === 1 ? "once" : `${polls} times`}`;
      if (task.status === "success") {
        steps[1] = `Pending, ${asked}`;
        steps.push(`Success after ${seconds()}`);
        answered(session, "Queued, with your features", task.result);
        return say();
      }
      if (task.status === "failed") {
        steps.push(`Failed after ${seconds()}: ${task.error?.message ?? "no reason given"}`);
        return say();
      }
      steps[1] = `Pending, ${asked}, ${seconds()}`;
      say();
      if (performance.now() - began > POLL_FOR_MS) {
        throw new ApiError(504, "The task is still pending; ask for its status later.");
      }
      await pause(Number(headers.get("Retry-After")) * 1_000 || POLL_MS, signal);
    }
  } catch (error) {
    if (signal.aborted) return undefined;
    session.status = problem(error, () => queue({ mine, session, redraw }));
    redraw();
  }
  return undefined;
}

const pause = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
