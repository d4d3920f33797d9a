// The reliability diagram, and the table of its figures.

import * as show from "./format.js";
import { html, svg } from "./html.js";
import { wilson } from "./measures.js";
import { dataTable } from "./parts.js";

/**
 * Forecast against frequency: dots on the diagonal mean that what was forecast with 30% happened 30% of the time.
 * @param {any[]} bins
 * @param {number} room Pixels of width.
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
  const points = bins.map((bin) => `${x(bin.forecast)},${y(bin.frequency)}`).join(" ");
  return html`<svg
    class="chart"
    viewBox="0 0 ${width} ${height}"
    role="img"
    aria-label="Reliability diagram: forecast against observed frequency; the figures are in the table below"
  >
    ${[0, 0.2, 0.4, 0.6, 0.8, 1].map(
      (p) =>
        svg`<line class="grid" x1=${x(0)} x2=${x(1)} y1=${y(p)} y2=${y(p)} />
          <text class="tick" x=${left - 8} y=${y(p) + 4} text-anchor="end">${show.percent(p)}</text>
          <text class="tick" x=${x(p)} y=${floor + 18} text-anchor="middle">${show.percent(p)}</text>`,
    )}
    <line class="ideal" x1=${x(0)} y1=${y(0)} x2=${x(1)} y2=${y(1)} />
    ${bins.map((bin) => {
      const [low, high] = wilson(bin.frequency, bin.count);
      const at = x(bin.forecast);
      return svg`<line class="whisker" x1=${at} x2=${at} y1=${y(low)} y2=${y(high)} />`;
    })}
    <polyline class="line" points=${points} />
    ${bins.map(
      (bin) =>
        svg`<circle class="dot" cx=${x(bin.forecast)} cy=${y(bin.frequency)} r="4.5" />
          <rect
            class="column"
            x=${x(bin.lower) + 2}
            width=${x(0.1) - x(0) - 4}
            y=${floor - (columnHeight * bin.count) / most}
            height=${(columnHeight * bin.count) / most}
          />`,
    )}
    <line class="axis" x1=${x(0)} x2=${x(1)} y1=${floor} y2=${floor} />
    <text class="label" x=${x(0)} y=${floor - columnHeight - 8}>How often each was forecast</text>
    <text class="label" x=${x(0.5)} y=${height - 4} text-anchor="middle">Forecast probability</text>
    <text class="label" x=${x(0) + 6} y=${y(1) + 12}>Observed frequency</text>
  </svg>`;
}

export const reliabilityTable = (bins) =>
  dataTable(
    "Figures of the diagram",
    ["Forecast", "Observed", "Times forecast"],
    bins.map((bin) => [
      show.percent(bin.forecast, 1),
      show.percent(bin.frequency, 1),
      show.count(bin.count),
    ]),
    "reliability",
  );
