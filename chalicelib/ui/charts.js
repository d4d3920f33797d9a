// Charts as SVG. Each has a table beside it for those who cannot see it.

import * as show from "./format.js";
import { html, nothing, svg } from "./html.js";
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

/** Cumulative profit of flat-stake bets, in order of kickoff. */
export function profitChart(bets, room) {
  let sum = 0;
  const points = [{ x: 0, y: 0 }, ...bets.map((bet, i) => ({ x: i + 1, y: (sum += bet.profit) }))];
  const marks = [...new Set([1, Math.ceil(bets.length / 2), bets.length])];
  return lineChart({
    room,
    label: `Cumulative profit of ${bets.length} value bets: ${show.signed(sum)} units at the end`,
    lines: [{ name: "", kind: `${sum < 0 ? "loss" : "gain"} filled`, points }],
    xTicks: marks.map((n) => ({ x: n, text: show.shortDay(bets[n - 1].row.kickoff) })),
    format: (value, step) => show.signed(value, step < 1 ? 1 : 0),
    zero: true,
  });
}

/**
 * Lines over time, with an optional band.
 * @param {object} chart
 * @param {number} chart.room Pixels of width.
 * @param {string} chart.label What a screen reader says.
 * @param {{name: string, kind: string, points: {x: number, y: number, low?: number, high?: number}[]}[]} chart.lines
 * @param {{x: number, text: string}[]} chart.xTicks
 * @param {(value: number, step: number) => string} chart.format
 * @param {boolean} [chart.zero] Whether zero belongs to it.
 * @param {number | null} [chart.maxGap] Points further apart are not joined.
 */
export function lineChart({ room, label, lines, xTicks, format, zero = false, maxGap = null }) {
  const [left, right, top, bottom] = [48, 14, 12, 34];
  const width = Math.max(280, room);
  const height = width < 600 ? 220 : 260;
  const points = lines.flatMap((line) => line.points);
  const values = points.flatMap((point) => [point.low ?? point.y, point.high ?? point.y]);
  const low = Math.min(...values, ...(zero ? [0] : []));
  const high = Math.max(...values, ...(zero ? [0] : []));
  const step = niceStep((high - low || 1) / 4);
  const bottomValue = Math.floor(low / step) * step;
  const topValue = Math.max(Math.ceil(high / step) * step, bottomValue + step);
  const first = Math.min(...points.map((point) => point.x));
  const last = Math.max(...points.map((point) => point.x));
  const x = (value) => left + ((value - first) / (last - first || 1)) * (width - left - right);
  const y = (value) =>
    top + ((topValue - value) / (topValue - bottomValue)) * (height - top - bottom);
  const ticks = [];
  for (let value = bottomValue; value <= topValue + step / 2; value += step) ticks.push(value);
  const at = (point, value) => `${x(point.x).toFixed(1)} ${y(value).toFixed(1)}`;
  const begins = (ordered, i) =>
    i === 0 || (maxGap !== null && Math.abs(ordered[i].x - ordered[i - 1].x) > maxGap);
  const path = (ordered, of) =>
    ordered.map((point, i) => `${begins(ordered, i) ? "M" : "L"}${at(point, of(point))}`).join("");
  return html`<svg
      class="chart wide"
      viewBox="0 0 ${width} ${height}"
      role="img"
      aria-label=${label}
    >
      ${ticks.map(
        (value) =>
          svg`<line
              class=${Math.abs(value) < 1e-9 ? "zero" : "grid"}
              x1=${left}
              x2=${width - right}
              y1=${y(value)}
              y2=${y(value)}
            />
            <text class="tick" x=${left - 8} y=${y(value) + 4} text-anchor="end">
              ${format(value, step)}
            </text>`,
      )}
      ${lines.map((line) => {
        const end = line.points.at(-1);
        const banded = line.points.length > 1 && line.points[0].low !== undefined;
        const back = [...line.points].reverse();
        const around = banded
          ? `${path(line.points, (p) => p.high)}L${path(back, (p) => p.low).slice(1)}Z`
          : "";
        const under = line.kind.includes("filled")
          ? `${path(line.points, (p) => p.y)}L${at(end, 0)}L${at(line.points[0], 0)}Z`
          : "";
        return svg`<path class="area ${line.kind}" d=${around || under} />
          <path class="line ${line.kind}" d=${path(line.points, (p) => p.y)} />
          <circle class="dot ${line.kind}" cx=${x(end.x)} cy=${y(end.y)} r="4" />`;
      })}
      ${xTicks.map(
        (tick, i) =>
          svg`<text
            class="tick"
            x=${x(tick.x)}
            y=${height - 12}
            text-anchor=${i === 0 ? "start" : i === xTicks.length - 1 ? "end" : "middle"}
          >${tick.text}</text>`,
      )}
    </svg>
    ${
      lines.length > 1
        ? html`<p class="line-names">
            ${lines.map((line) => html`<span class="line-name ${line.kind}">${line.name}</span>`)}
          </p>`
        : nothing
    }`;
}

/** First, middle and last moment of points in time, as ticks. */
export function timeTicks(points) {
  if (points.length === 0) return [];
  const times = points.map((point) => point.x);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const chosen = first === last ? [first] : [first, (first + last) / 2, last];
  return chosen.map((time) => ({ x: time, text: show.shortDay(time) }));
}

/** ROI intervals beneath one another, on one scale. */
export function intervalChart(row, limits) {
  const [width, height] = [220, 20];
  const x = (value) => 4 + ((value - limits[0]) / (limits[1] - limits[0])) * (width - 8);
  const middle = height / 2;
  return html`<svg class="interval" viewBox="0 0 ${width} ${height}" aria-hidden="true">
    <line class="zero" x1=${x(0)} x2=${x(0)} y1="0" y2=${height} />
    ${
      row.roi_ci_low !== null && row.roi_ci_high !== null
        ? svg`<line class="whisker" x1=${x(row.roi_ci_low)} x2=${x(row.roi_ci_high)} y1=${middle} y2=${middle} />`
        : nothing
    }
    ${
      row.roi !== null
        ? svg`<circle class="dot ${row.roi < 0 ? "loss" : "gain"}" cx=${x(row.roi)} cy=${middle} r="5" />`
        : nothing
    }
  </svg>`;
}

/** What each feature did to one outcome. */
export function contributionChart(rows) {
  const most = Math.max(...rows.map((row) => Math.abs(row.value)), 1e-9);
  return html`<ol class="contributions">
    ${rows.map(
      (row) =>
        html`<li>
          <span class="feature" title=${row.feature}>${show.featureName(row.feature)}</span>
          <span class="push" aria-hidden="true"
            ><span
              class=${row.value < 0 ? "down" : "up"}
              .style=${`width: ${(50 * Math.abs(row.value)) / most}%`}
            ></span
          ></span>
          <span class="amount">${show.signed(row.value, 3)}</span>
        </li>`,
    )}
  </ol>`;
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough);
}
