// The model's card and the drift of its inputs.

import { call, hasKey } from "./api.js";
import * as show from "./format.js";
import { html, nothing, outsideLink } from "./html.js";
import { dataTable, figure, scroll } from "./parts.js";
import { keyForm, problem, skeleton } from "./problem.js";

const MEASURES = [
  ["log_loss", "Log loss"],
  ["rps", "RPS"],
  ["brier", "Brier"],
  ["accuracy", "Accuracy"],
  ["ece", "ECE"],
];
const FORECASTS = [
  ["", "Model"],
  ["elo_only_", "Elo alone"],
  ["base_rates_", "Base rates"],
  ["market_", "Market"],
];

let card = { stage: "", info: null, headers: null, error: null };
let drift = { state: "closed", report: null, error: null };

/** @param {import("./main.js").Page} page */
export function view({ filters, redraw }) {
  if (filters.stage !== card.stage) loadCard(filters.stage, redraw);
  return html`<section class="panel" aria-labelledby="model-title">
      <h2 id="model-title">Model card: ${filters.stage}</h2>
      ${
        card.error
          ? problem(card.error, () => loadCard(filters.stage, redraw))
          : card.info
            ? modelCard(card.info, card.headers)
            : skeleton(6)
      }
    </section>
    <section class="panel" aria-labelledby="drift-title">
      <h2 id="drift-title" tabindex="-1">Feature drift</h2>
      ${driftPanel(redraw)}
    </section>`;
}

async function loadCard(stage, redraw) {
  const mine = { stage, info: null, headers: null, error: null };
  card = mine;
  try {
    const { data, headers } = await call("predict/model/info", { query: { stage } });
    Object.assign(mine, { info: data, headers });
  } catch (error) {
    mine.error = error;
  }
  redraw();
}

function driftPanel(redraw) {
  const load = async () => {
    drift = { state: "loading", report: null, error: null };
    redraw();
    try {
      drift = { state: "open", report: (await call("monitoring/drift")).data, error: null };
    } catch (error) {
      drift = { state: "open", report: null, error };
    }
    redraw();
    document.getElementById("drift-title")?.focus({ preventScroll: true });
  };
  if (drift.state === "loading") return skeleton(3);
  if (drift.error) return problem(drift.error, load);
  if (drift.state === "open") {
    return html`${driftReport(drift.report)}
      <button type="button" class="button" @click=${load}>Look again</button>`;
  }
  return html`<p class="lede">
      Whether the inputs still look like those the model was fitted on. For operators.
    </p>
    ${
      hasKey()
        ? html`<button type="button" class="button" @click=${load}>Show drift</button>`
        : keyForm(load, "Operator key", "drift-key")
    }`;
}

function modelCard(info, headers) {
  const runUrl = /<([^>]+)>; rel="describedby"/.exec(headers.get("Link") ?? "")?.[1];
  const link = runUrl
    ? outsideLink(runUrl, "open the run", "open the run in MLflow, in a new tab")
    : nothing;
  const required = info.features.filter((feature) => feature.required).length;
  return html`<dl class="facts">
      <dt>Name</dt>
      <dd>${info.model_name}</dd>
      <dt>Alias</dt>
      <dd>${info.model_version}</dd>
      <dt>Registered version</dt>
      <dd>${info.registered_version}</dd>
      <dt>MLflow run</dt>
      <dd><code>${info.model_run_id}</code> ${link}</dd>
      <dt>Inputs</dt>
      <dd>${info.features.length} features, ${required} of them required</dd>
    </dl>
    ${testTable(info.metrics)}
    ${dataTable(
      "All metrics",
      ["Metric", "Value"],
      Object.entries(info.metrics)
        .sort()
        .map(([name, value]) => [
          name,
          typeof value === "number" ? value.toFixed(4) : String(value),
        ]),
      "model-metrics",
    )}
    ${dataTable(
      "Features",
      ["Feature", "Type", "Required"],
      info.features.map((feature) => [
        feature.name,
        feature.type,
        feature.required ? "yes" : "may be missing",
      ]),
      "model-features",
    )}
    ${dataTable(
      "Parameters",
      ["Parameter", "Value"],
      Object.entries(info.params)
        .sort()
        .map(([name, value]) => [name, String(value)]),
      "model-parameters",
    )}`;
}

function testTable(metrics) {
  const named = FORECASTS.map(([prefix, name]) => ({
    name,
    values: MEASURES.map(([measure]) => metrics[`test_${prefix}${measure}`] ?? null),
  }));
  const rows = named.filter(({ values }) => values.some((value) => value !== null));
  if (!rows.length) return nothing;
  const shown = MEASURES.map((_, i) => i).filter((i) =>
    rows.some(({ values }) => values[i] !== null),
  );
  const matches = metrics.test_matches ?? metrics.test_n ?? null;
  return html`${scroll(
      "Held-out test",
      html`<table class="data measures">
        <caption>
          Held-out test, as logged when it was trained
        </caption>
        <thead>
          <tr>
            <th scope="col">Forecast</th>
            ${shown.map((i) => html`<th scope="col">${MEASURES[i][1]}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ name, values }) =>
              html`<tr>
                <th scope="row">${name}</th>
                ${shown.map(
                  (i) => html`<td>${values[i] === null ? "–" : values[i].toFixed(4)}</td>`,
                )}
              </tr>`,
          )}
        </tbody>
      </table>`,
    )}
    <p class="muted small" id="test-scope">
      Of ${matches === null ? "all" : `all ${show.count(matches)}`} matches of the test period,
      played or not by the service's clock: the track record counts only those that are over by now,
      so that its log loss, defined alike, is another number.
    </p>`;
}

/** What a report proves, and its colour: a score that proves nothing is not red. */
function driftVerdict(report) {
  if (report.sufficient_sample === false) return ["Too few matches to tell", ""];
  if (report.dataset_drift && report.number_of_columns_beyond_noise !== 0)
    return ["Drift", "wrong"];
  return ["No drift of the data set", "right"];
}

function driftReport(report) {
  if (report.drift_score === null) {
    return html`<p class="note">No drift report has been made yet.</p>`;
  }
  const columns = Object.values(report.drift_by_columns ?? {}).sort(
    (a, b) =>
      Number(b.beyond_noise ?? false) - Number(a.beyond_noise ?? false) ||
      Number(b.drift_detected) - Number(a.drift_detected) ||
      String(a.column_name).localeCompare(String(b.column_name)),
  );
  const drifted = `${report.number_of_drifted_columns ?? "–"} of ${report.number_of_columns ?? "–"}`;
  const beyond = `${report.number_of_columns_beyond_noise ?? "–"} of ${report.number_of_columns ?? "–"}`;
  const [verdict, tone] = driftVerdict(report);
  return html`<p><span class="badge ${tone}">${verdict}</span></p>
    <dl class="key-figures">
      ${figure("Features beyond noise", beyond, "moved farther than chance moves such a sample")}
      ${figure("Drifted features", drifted, "by Evidently's thresholds; half of them make a drift")}
      ${figure("Drift score", show.percent(report.drift_score), "share of drifted features")}
    </dl>
    ${
      columns.length
        ? dataTable(
            "Feature by feature",
            ["Feature", "Beyond noise", "Test", "Score", "Threshold", "Drift"],
            columns.map((column) => [
              column.column_name,
              column.beyond_noise ? "yes" : "no",
              column.stattest_name ?? "–",
              typeof column.drift_score === "number" ? column.drift_score.toFixed(3) : "–",
              column.stattest_threshold ?? "–",
              column.drift_detected ? "yes" : "no",
            ]),
            "feature-drift",
          )
        : nothing
    }`;
}
