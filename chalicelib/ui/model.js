// The model's card and the drift of its inputs.

import { call, hasKey } from "./api.js";
import { dataTable } from "./charts.js";
import { fill, h, outsideLink } from "./dom.js";
import * as show from "./format.js";
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

export class ModelPanels {
  constructor(root) {
    this.card = h("section", { class: "panel", "aria-labelledby": "model-title" });
    this.drift = h("section", { class: "panel", "aria-labelledby": "drift-title" });
    this.stage = null;
    fill(root, this.card, this.drift);
    this.#driftGate();
  }

  update(filters) {
    if (filters.stage !== this.stage) this.load(filters.stage);
  }

  async load(stage) {
    this.stage = stage;
    const head = h("h2", { id: "model-title" }, `Model card: ${stage}`);
    fill(this.card, head, skeleton(6));
    try {
      const { data, headers } = await call("predict/model/info", { query: { stage } });
      if (stage === this.stage) fill(this.card, head, modelCard(data, headers));
    } catch (error) {
      if (stage === this.stage)
        fill(
          this.card,
          head,
          problem(error, () => this.load(stage)),
        );
    }
  }

  #driftGate() {
    fill(
      this.drift,
      h("h2", { id: "drift-title" }, "Feature drift"),
      h(
        "p",
        { class: "lede" },
        "Whether the inputs still look like those the model was fitted on. For operators.",
      ),
      hasKey()
        ? h(
            "button",
            { type: "button", class: "button", onclick: () => this.loadDrift() },
            "Show drift",
          )
        : keyForm(() => this.loadDrift(), "Operator key"),
    );
  }

  async loadDrift() {
    const head = h("h2", { id: "drift-title", tabindex: -1 }, "Feature drift");
    fill(this.drift, head, skeleton(3));
    try {
      const { data } = await call("monitoring/drift");
      fill(
        this.drift,
        head,
        driftReport(data),
        h(
          "button",
          { type: "button", class: "button", onclick: () => this.loadDrift() },
          "Look again",
        ),
      );
    } catch (error) {
      fill(
        this.drift,
        head,
        problem(error, () => this.loadDrift()),
      );
    }
    head.focus({ preventScroll: true });
  }
}

function modelCard(info, headers) {
  const runUrl = /<([^>]+)>; rel="describedby"/.exec(headers.get("Link") ?? "")?.[1];
  const link =
    runUrl && outsideLink(runUrl, "open the run", "open the run in MLflow, in a new tab");
  return [
    h(
      "dl",
      { class: "facts" },
      [
        ["Name", info.model_name],
        ["Alias", info.model_version],
        ["Registered version", info.registered_version],
      ].map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
      h("dt", {}, "MLflow run"),
      h("dd", {}, h("code", {}, info.model_run_id), link && [" ", link]),
      h("dt", {}, "Inputs"),
      h(
        "dd",
        {},
        `${info.features.length} features, `,
        `${info.features.filter((feature) => feature.required).length} of them required`,
      ),
    ),
    testTable(info.metrics),
    dataTable(
      "All metrics",
      ["Metric", "Value"],
      Object.entries(info.metrics)
        .sort()
        .map(([name, value]) => [
          name,
          typeof value === "number" ? value.toFixed(4) : String(value),
        ]),
    ),
    dataTable(
      "Features",
      ["Feature", "Type", "Required"],
      info.features.map((feature) => [
        feature.name,
        feature.type,
        feature.required ? "yes" : "may be missing",
      ]),
    ),
    dataTable(
      "Parameters",
      ["Parameter", "Value"],
      Object.entries(info.params)
        .sort()
        .map(([name, value]) => [name, String(value)]),
    ),
  ];
}

function testTable(metrics) {
  /** @type {[string, (number | null)[]][]} */
  const named = FORECASTS.map(([prefix, name]) => [
    name,
    MEASURES.map(([measure]) => metrics[`test_${prefix}${measure}`] ?? null),
  ]);
  const rows = named.filter(([, values]) => values.some((value) => value !== null));
  if (!rows.length) return null;
  const shown = MEASURES.map((_, i) => i).filter((i) =>
    rows.some(([, values]) => values[i] !== null),
  );
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": "Held-out test" },
    h(
      "table",
      { class: "data measures" },
      h("caption", {}, "Held-out test, as logged when it was trained"),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "Forecast"),
          shown.map((i) => h("th", { scope: "col" }, MEASURES[i][1])),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map(([name, values]) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, name),
            shown.map((i) => h("td", {}, values[i] === null ? "–" : values[i].toFixed(4))),
          ),
        ),
      ),
    ),
  );
}

function driftReport(report) {
  if (report.drift_score === null)
    return h("p", { class: "note" }, "No drift report has been made yet.");
  const columns = Object.values(report.drift_by_columns ?? {}).sort(
    (a, b) =>
      Number(b.drift_detected) - Number(a.drift_detected) ||
      String(a.column_name).localeCompare(String(b.column_name)),
  );
  return [
    h(
      "p",
      {},
      h(
        "span",
        { class: `badge ${report.dataset_drift ? "wrong" : "right"}` },
        report.dataset_drift ? "Drift" : "No drift of the data set",
      ),
    ),
    h(
      "dl",
      { class: "key-figures" },
      h(
        "div",
        { class: "figure" },
        h("dt", {}, "Drifted features"),
        h(
          "dd",
          {},
          h(
            "strong",
            {},
            `${report.number_of_drifted_columns ?? "–"} of ${report.number_of_columns ?? "–"}`,
          ),
          h("span", { class: "muted" }, "half of them make a drift"),
        ),
      ),
      h(
        "div",
        { class: "figure" },
        h("dt", {}, "Drift score"),
        h(
          "dd",
          {},
          h("strong", {}, show.percent(report.drift_score)),
          h("span", { class: "muted" }, "share of drifted features"),
        ),
      ),
    ),
    columns.length > 0 &&
      dataTable(
        "Feature by feature",
        ["Feature", "Test", "Score", "Threshold", "Drift"],
        columns.map((column) => [
          column.column_name,
          column.stattest_name ?? "–",
          typeof column.drift_score === "number" ? column.drift_score.toFixed(3) : "–",
          column.stattest_threshold ?? "–",
          column.drift_detected ? "yes" : "no",
        ]),
      ),
  ];
}
