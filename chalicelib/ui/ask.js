// "Ask the model": a match's features, changed at will; a live prediction or a queued one; and what moved it.

import { ApiError, call } from "./api.js";
import { contributionChart } from "./charts.js";
import { announce, fill, h } from "./dom.js";
import * as show from "./format.js";
import { OUTCOME_NAMES, OUTCOMES } from "./format.js";
import { bar } from "./matches.js";
import { problem, skeleton } from "./problem.js";

const POLL_MS = 1_000;
const POLL_FOR_MS = 120_000;
const TOP = 8;

export class AskDialog {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {() => void} closed Called when the user closes it.
   */
  constructor(dialog, closed) {
    this.dialog = dialog;
    this.title = dialog.querySelector("h2");
    this.body = dialog.querySelector(".dialog-body");
    this.matchId = null;
    this.run = new AbortController();
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => {
      this.run.abort();
      const open = this.matchId !== null;
      this.matchId = null;
      if (open) closed();
    });
  }

  /** Open a match, or close with null. `card` is its row, where it is at hand. */
  async show(matchId, stage, card) {
    if (matchId === this.matchId && stage === this.stage) return;
    this.matchId = matchId;
    this.stage = stage;
    if (matchId === null) return this.dialog.close();
    if (!this.dialog.open) this.dialog.showModal();
    await this.#load(card);
  }

  async #load(card) {
    this.run.abort();
    this.run = new AbortController();
    const { signal } = this.run;
    const again = () => this.#load(card);
    this.title.textContent = card
      ? `${card.home_team} – ${card.away_team}`
      : `Match ${this.matchId}`;
    fill(this.body, skeleton(6));
    try {
      card ??= (
        await call(`predict/precomputed/${this.matchId}`, { query: { stage: this.stage }, signal })
      ).data;
      this.title.textContent = `${card.home_team} – ${card.away_team}`;
      const [live, info] = await Promise.all([
        call(`predict/${this.matchId}`, { query: { stage: this.stage, explain: true }, signal }),
        call("predict/model/info", { query: { stage: this.stage }, signal }),
      ]);
      this.#ready(card, live.data, info.data);
    } catch (error) {
      if (!signal.aborted) fill(this.body, problem(error, again));
    }
  }

  #ready(card, live, info) {
    this.values = Object.fromEntries(
      (live.contributions ?? []).map((row) => [row.feature, row.value ?? null]),
    );
    this.info = info;
    this.outcome = OUTCOMES[live.prediction.predicted_class];
    this.usual = live;
    this.answers = h("div", { class: "answers" });
    const computed = live.prediction.features_computed_at;
    this.explained = h("section", { "aria-label": "What moved it" });
    this.status = h("div", { class: "task", role: "status" });
    this.form = this.#form();
    fill(
      this.body,
      h(
        "p",
        { class: "muted" },
        [
          card.region,
          card.league,
          card.match_date ? show.shortDay(Date.parse(card.match_date)) : "date to be confirmed",
        ].join(" · "),
      ),
      h(
        "div",
        { class: "ask-columns" },
        h("div", {}, this.answers, this.status, this.explained),
        this.form,
      ),
      h(
        "p",
        { class: "muted small" },
        `${live.prediction.model_version}, run ${live.prediction.model_run_id}, `,
        computed
          ? `features computed ${show.moment(Date.parse(computed))}.`
          : "features of unknown time.",
      ),
    );
    this.#answered("With its own features", live, []);
  }

  #form() {
    this.inputs = new Map();
    const rows = this.info.features.map((feature) => {
      const id = `feature-${feature.name}`;
      const value = this.values[feature.name];
      const input = h("input", {
        id,
        name: feature.name,
        type: "number",
        step: feature.type === "long" ? 1 : "any",
        required: feature.required,
        value: rounded(value),
        placeholder: feature.required ? null : "missing",
        autocomplete: "off",
      });
      this.inputs.set(feature.name, input);
      const row = h(
        "div",
        { class: "feature-row" },
        h("label", { for: id, title: feature.name }, show.featureName(feature.name)),
        input,
      );
      input.addEventListener("input", () =>
        row.classList.toggle("changed", this.#changed().includes(feature.name)),
      );
      return row;
    });
    const search = h("input", {
      type: "search",
      "aria-label": "Find a feature",
      placeholder: "Find a feature",
      oninput: () =>
        rows.forEach(
          (row, i) =>
            (row.hidden =
              !`${show.featureName(this.info.features[i].name)} ${this.info.features[i].name}`
                .toLowerCase()
                .includes(search.value.toLowerCase())),
        ),
    });
    return h(
      "form",
      {
        class: "features",
        "aria-label": "Features",
        onsubmit: (event) => {
          event.preventDefault();
          this.#predict();
        },
      },
      h("div", { class: "form-head" }, h("h3", {}, "Features"), search),
      h(
        "div",
        { class: "feature-rows", role: "group", "aria-label": "Feature values", tabindex: 0 },
        rows,
      ),
      h(
        "div",
        { class: "form-actions" },
        h("button", { type: "submit", class: "button primary" }, "Predict now"),
        h(
          "button",
          {
            type: "button",
            class: "button",
            onclick: () => this.form.reportValidity() && this.#queue(),
          },
          "Queue it",
        ),
        h(
          "button",
          { type: "button", class: "button plain", onclick: () => this.#reset() },
          "Reset",
        ),
      ),
    );
  }

  #features() {
    return Object.fromEntries(
      [...this.inputs].map(([name, input]) => [name, this.#value(name, input.value)]),
    );
  }

  /** Shown rounded, sent in full: only what was typed counts as changed. */
  #value(name, text) {
    const own = this.values[name] ?? null;
    return text === rounded(own) ? own : text === "" ? null : Number(text);
  }

  #changed() {
    const now = this.#features();
    return Object.keys(now).filter((name) => now[name] !== (this.values[name] ?? null));
  }

  #reset() {
    for (const [name, input] of this.inputs) {
      input.value = rounded(this.values[name]);
      input.dispatchEvent(new Event("input"));
    }
    fill(this.status);
    this.#answered("With its own features", this.usual, []);
  }

  async #predict() {
    const changed = this.#changed();
    const { signal } = this.run;
    fill(this.status, h("p", { class: "muted" }, "Asking…"));
    const began = performance.now();
    try {
      const { data } = await call("predict/", {
        query: { stage: this.stage, explain: true },
        body: { match_id: this.matchId, features: this.#features() },
        signal,
      });
      fill(
        this.status,
        h("p", { class: "muted" }, `Answered in ${Math.round(performance.now() - began)} ms.`),
      );
      this.#answered("With your features", data, changed);
    } catch (error) {
      if (!signal.aborted)
        fill(
          this.status,
          problem(error, () => this.#predict()),
        );
    }
  }

  async #queue() {
    const changed = this.#changed();
    const { signal } = this.run;
    const steps = h("ol", { class: "steps" });
    const step = (text) => {
      const item = h("li", {}, text);
      steps.append(item);
      return item;
    };
    fill(this.status, h("h3", {}, "Queued prediction"), steps);
    const began = performance.now();
    const seconds = () => `${((performance.now() - began) / 1_000).toFixed(1)} s`;
    try {
      const { data: accepted } = await call("predict/async/", {
        query: { stage: this.stage },
        body: { match_id: this.matchId, features: this.#features() },
        signal,
      });
      fill(step(), "Submitted as task ", h("code", {}, accepted.task_id));
      const pending = step("Pending");
      let polls = 0;
      for (;;) {
        const { data: task, headers } = await call(`monitoring/task_status/${accepted.task_id}`, {
          signal,
        });
        polls += 1;
        if (task.status === "success") {
          pending.textContent = `Pending until asked ${polls === 1 ? "once" : `${polls} times`}`;
          step(`Success after ${seconds()}`);
          this.#answered("Queued, with your features", { prediction: task.result }, changed);
          return;
        }
        if (task.status === "failed") {
          step(`Failed after ${seconds()}: ${task.error?.message ?? "no reason given"}`);
          return;
        }
        pending.textContent = `Pending, asked ${polls === 1 ? "once" : `${polls} times`}, ${seconds()}`;
        if (performance.now() - began > POLL_FOR_MS)
          throw new ApiError(504, "The task is still pending; ask for its status later.");
        await pause(Number(headers.get("Retry-After")) * 1_000 || POLL_MS, signal);
      }
    } catch (error) {
      if (!signal.aborted) this.status.append(problem(error, () => this.#queue()));
    }
  }

  #answered(title, answer, changed) {
    const { probabilities, predicted_class: predicted } = answer.prediction;
    const now = [probabilities["0"], probabilities["1"], probabilities["2"]];
    const before = this.usual.prediction.probabilities;
    const usual = [before["0"], before["1"], before["2"]];
    const isOwn = answer === this.usual;
    this.outcome = OUTCOMES[predicted];
    fill(
      this.answers,
      h("h3", {}, title),
      bar("Now", now),
      !isOwn && bar("Before", usual, "market"),
      h(
        "dl",
        { class: "key-figures three" },
        OUTCOMES.map((outcome, i) =>
          h(
            "div",
            { class: `figure ${outcome}` },
            h("dt", {}, OUTCOME_NAMES[outcome]),
            h(
              "dd",
              {},
              h("strong", { "data-probability": now[i] }, show.percent(now[i], 1)),
              h(
                "span",
                { class: "muted" },
                isOwn
                  ? `fair odds ${(1 / now[i]).toFixed(2)}`
                  : `${show.signed(100 * (now[i] - usual[i]), 1)} points`,
              ),
            ),
          ),
        ),
      ),
      !isOwn &&
        h(
          "p",
          { class: "muted small" },
          changed.length
            ? `Changed: ${changed.map(show.featureName).join(", ")}.`
            : "No feature was changed.",
        ),
    );
    this.#explain(answer.contributions);
    announce(
      `${title}: ${OUTCOMES.map((outcome, i) => `${OUTCOME_NAMES[outcome]} ${show.percent(now[i])}`).join(", ")}`,
    );
  }

  #explain(contributions) {
    if (!contributions)
      return fill(
        this.explained,
        h("p", { class: "muted small" }, "Contributions are given with live predictions only."),
      );
    const i = this.outcome;
    // What is added to all three scores cancels in the softmax; only the difference from their mean matters.
    const rows = contributions
      .map((row) => ({
        feature: row.feature,
        value: row[i] - (row.home + row.draw + row.away) / 3,
      }))
      .sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    const choose = (outcome) => () => {
      this.outcome = outcome;
      this.#explain(contributions);
      this.explained.querySelector("input:checked").focus();
    };
    fill(
      this.explained,
      h("h3", {}, "What moved it"),
      h(
        "div",
        { class: "segments", role: "radiogroup", "aria-label": "Outcome explained" },
        OUTCOMES.map((outcome) =>
          h(
            "label",
            {},
            h("input", {
              type: "radio",
              name: "explained",
              value: outcome,
              checked: outcome === i,
              onchange: choose(outcome),
            }),
            h("span", {}, OUTCOME_NAMES[outcome]),
          ),
        ),
      ),
      contributionChart(rows.slice(0, TOP)),
      h(
        "p",
        { class: "muted small" },
        `SHAP values, in log-odds for or against ${OUTCOME_NAMES[i].toLowerCase()}, relative to the three `,
        `outcomes' mean. The ${TOP} largest of ${rows.length}.`,
      ),
    );
  }
}

const rounded = (value) =>
  value === null || value === undefined ? "" : String(Number(value.toFixed(4)));

const pause = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
