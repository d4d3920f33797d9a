// Charts as SVG. Each has a table beside it for those who cannot see it.

import { h, s } from "./dom.js";
import * as show from "./format.js";
import { wilson } from "./measures.js";

/**
 * Forecast against frequency, in so many pixels of width: dots on the diagonal mean that what was forecast with 30%
 * happened 30% of the time.
 */
export function reliabilityChart(bins, room) {
  const [left, bottom, top] = [46, 136, 12];
  const width = Math.min(500, Math.max(280, room));
  const height = width + 10;
  const size = height - bottom - top;
  const x = (p) => left + p * (width - left - 24);
  const y = (p) => top + (1 - p) * size;
  const most = Math.max(...bins.map((bin) => bin.count));
  const floor = height - 40;
  const columnHeight = 52;
  return s(
    "svg",
    {
      class: "chart",
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label":
        "Reliability diagram: forecast probability against observed frequency; the figures are in the table below",
    },
    [0, 0.2, 0.4, 0.6, 0.8, 1].map((p) => [
      s("line", { class: "grid", x1: x(0), x2: x(1), y1: y(p), y2: y(p) }),
      s("text", { class: "tick", x: left - 8, y: y(p) + 4, "text-anchor": "end" }, show.percent(p)),
      s(
        "text",
        { class: "tick", x: x(p), y: floor + 18, "text-anchor": "middle" },
        show.percent(p),
      ),
    ]),
    s("line", { class: "ideal", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }),
    bins.map((bin) => {
      const [low, high] = wilson(bin.frequency, bin.count);
      return s("line", {
        class: "whisker",
        x1: x(bin.forecast),
        x2: x(bin.forecast),
        y1: y(low),
        y2: y(high),
      });
    }),
    s("polyline", {
      class: "line",
      points: bins.map((bin) => `${x(bin.forecast)},${y(bin.frequency)}`).join(" "),
    }),
    bins.map((bin) =>
      s(
        "circle",
        { class: "dot", cx: x(bin.forecast), cy: y(bin.frequency), r: 4.5 },
        s(
          "title",
          {},
          `Said ${show.percent(bin.forecast, 1)}, came ${show.percent(bin.frequency, 1)}, ${bin.count} times`,
        ),
      ),
    ),
    s("line", { class: "axis", x1: x(0), x2: x(1), y1: floor, y2: floor }),
    bins.map((bin) =>
      s("rect", {
        class: "column",
        x: x(bin.lower) + 2,
        width: x(0.1) - x(0) - 4,
        y: floor - (columnHeight * bin.count) / most,
        height: (columnHeight * bin.count) / most,
      }),
    ),
    s("text", { class: "label", x: x(0), y: floor - columnHeight - 8 }, "How often each was said"),
    s(
      "text",
      { class: "label", x: x(0.5), y: height - 4, "text-anchor": "middle" },
      "Forecast probability",
    ),
    s("text", { class: "label", x: x(0) + 6, y: y(1) + 12 }, "Observed frequency"),
  );
}

export function reliabilityTable(bins) {
  return dataTable(
    "Figures of the diagram",
    ["Forecast", "Observed", "Times said"],
    bins.map((bin) => [
      show.percent(bin.forecast, 1),
      show.percent(bin.frequency, 1),
      show.count(bin.count),
    ]),
  );
}

/** Cumulative profit of flat-stake bets, in order of kickoff. */
export function profitChart(bets, room) {
  const [left, right, top, bottom] = [48, 12, 12, 34];
  const width = Math.max(280, room);
  const height = width < 600 ? 220 : 260;
  let sum = 0;
  const points = [
    { t: null, value: 0 },
    ...bets.map((bet) => ({ t: bet.row.kickoff, value: (sum += bet.profit) })),
  ];
  const low = Math.min(...points.map((p) => p.value));
  const high = Math.max(...points.map((p) => p.value));
  const step = niceStep((high - low || 1) / 4);
  const [bottomValue, topValue] = [
    Math.floor(low / step) * step,
    Math.ceil(high / step) * step || step,
  ];
  const x = (i) => left + (i / (points.length - 1)) * (width - left - right);
  const y = (value) =>
    top + ((topValue - value) / (topValue - bottomValue)) * (height - top - bottom);
  const ticks = [];
  for (let value = bottomValue; value <= topValue + step / 2; value += step) ticks.push(value);
  const path = points
    .map((point, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(point.value).toFixed(1)}`)
    .join("");
  const marks = [...new Set([1, Math.ceil(bets.length / 2), bets.length])];
  return s(
    "svg",
    {
      class: "chart wide",
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": `Cumulative profit of ${bets.length} value bets: ${show.signed(sum)} units at the end`,
    },
    ticks.map((value) => [
      s("line", {
        class: Math.abs(value) < 1e-9 ? "zero" : "grid",
        x1: left,
        x2: width - right,
        y1: y(value),
        y2: y(value),
      }),
      s(
        "text",
        { class: "tick", x: left - 8, y: y(value) + 4, "text-anchor": "end" },
        show.signed(value, step < 1 ? 1 : 0),
      ),
    ]),
    s("path", {
      class: `area ${sum < 0 ? "loss" : "gain"}`,
      d: `${path}L${x(points.length - 1).toFixed(1)} ${y(0).toFixed(1)}L${x(0).toFixed(1)} ${y(0).toFixed(1)}Z`,
    }),
    s("path", { class: `line ${sum < 0 ? "loss" : "gain"}`, d: path }),
    s("circle", {
      class: `dot ${sum < 0 ? "loss" : "gain"}`,
      cx: x(points.length - 1),
      cy: y(sum),
      r: 4.5,
    }),
    marks.map((n, i) =>
      s(
        "text",
        {
          class: "tick",
          x: x(n),
          y: height - 12,
          "text-anchor": i === 0 ? "start" : n === bets.length ? "end" : "middle",
        },
        show.shortDay(bets[n - 1].row.kickoff),
      ),
    ),
  );
}

/** ROI intervals beneath one another, on one scale. */
export function intervalChart(row, limits) {
  const [width, height] = [220, 20];
  const x = (value) => 4 + ((value - limits[0]) / (limits[1] - limits[0])) * (width - 8);
  return s(
    "svg",
    { class: "interval", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
    s("line", { class: "zero", x1: x(0), x2: x(0), y1: 0, y2: height }),
    row.roi_ci_low !== null &&
      row.roi_ci_high !== null &&
      s("line", {
        class: "whisker",
        x1: x(row.roi_ci_low),
        x2: x(row.roi_ci_high),
        y1: height / 2,
        y2: height / 2,
      }),
    row.roi !== null &&
      s("circle", {
        class: `dot ${row.roi < 0 ? "loss" : "gain"}`,
        cx: x(row.roi),
        cy: height / 2,
        r: 5,
      }),
  );
}

/** What each feature did to one outcome. */
export function contributionChart(rows) {
  const most = Math.max(...rows.map((row) => Math.abs(row.value)), 1e-9);
  return h(
    "ol",
    { class: "contributions" },
    rows.map((row) =>
      h(
        "li",
        {},
        h("span", { class: "feature", title: row.feature }, show.featureName(row.feature)),
        h(
          "span",
          { class: "push", "aria-hidden": "true" },
          h("span", {
            class: row.value < 0 ? "down" : "up",
            style: { width: `${(50 * Math.abs(row.value)) / most}%` },
          }),
        ),
        h("span", { class: "amount" }, show.signed(row.value, 3)),
      ),
    ),
  );
}

/** A table behind a disclosure. */
export function dataTable(title, head, rows) {
  return h(
    "details",
    { class: "figures" },
    h("summary", {}, title),
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": title },
      h(
        "table",
        { class: "data" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            head.map((text) => h("th", { scope: "col" }, text)),
          ),
        ),
        h(
          "tbody",
          {},
          rows.map((cells) =>
            h(
              "tr",
              {},
              cells.map((text, i) =>
                i === 0 ? h("th", { scope: "row" }, text) : h("td", {}, text),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough);
}
