// Lines over time as SVG.

import * as show from "./format.js";
import { html, nothing, svg } from "./html.js";

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
 * @param {{x: number, text: string}[]} [chart.marks] Moments that are marked by a line of their own.
 */
export function lineChart({
  room,
  label,
  lines,
  xTicks,
  format,
  zero = false,
  maxGap = null,
  marks = [],
}) {
  const [left, right, top, bottom] = [48, 14, 12, 34];
  const width = Math.max(280, room);
  const height = width < 600 ? 220 : 260;
  const points = lines.flatMap((line) => line.points);
  const times = [...points, ...marks].map((point) => point.x);
  const values = points.flatMap((point) => [point.low ?? point.y, point.high ?? point.y]);
  const low = Math.min(...values, ...(zero ? [0] : []));
  const high = Math.max(...values, ...(zero ? [0] : []));
  const step = niceStep((high - low || 1) / 4);
  const bottomValue = Math.floor(low / step) * step;
  const topValue = Math.max(Math.ceil(high / step) * step, bottomValue + step);
  const first = Math.min(...times);
  const last = Math.max(...times);
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
      ${marks.map(
        (mark) =>
          svg`<line class="ideal" x1=${x(mark.x)} x2=${x(mark.x)} y1=${top} y2=${height - bottom} />
            <text class="label" x=${x(mark.x) - 6} y=${top + 10} text-anchor="end">${mark.text}</text>`,
      )}
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

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough);
}
