// The filter bar. It shows the state and changes it; it holds nothing of its own.

import { byId, fill, h } from "./dom.js";
import * as show from "./format.js";
import { select, tally } from "./select.js";
import * as state from "./state.js";

const STATUS_NAMES = { upcoming: "Upcoming", live: "Live", finished: "Finished", all: "All" };
const ROI_STEP = 0.01;

export class FilterBar {
  constructor() {
    this.region = byId("filter-region");
    this.league = byId("filter-league");
    this.period = byId("filter-period");
    this.from = byId("filter-from");
    this.to = byId("filter-to");
    this.team = byId("filter-team");
    this.value = byId("filter-value");
    this.roi = byId("filter-roi");
    this.roiText = byId("filter-roi-text");
    this.stage = byId("filter-stage");
    this.statuses = byId("filter-status");
    this.chips = byId("chips");
    this.customPeriod = false;
    fill(
      this.statuses,
      Object.entries(STATUS_NAMES).map(([status, name]) =>
        h(
          "label",
          {},
          h("input", {
            type: "radio",
            name: "status",
            value: status,
            onchange: () => state.change({ status }),
          }),
          h("span", {}, name, " ", h("span", { class: "tally", "data-status": status })),
        ),
      ),
    );
    this.region.addEventListener("change", () =>
      state.change({ region: this.region.value, league: "" }),
    );
    this.league.addEventListener("change", () => state.change({ league: this.league.value }));
    this.stage.addEventListener("change", () => state.change({ stage: this.stage.value }));
    this.value.addEventListener("change", () => state.change({ value_only: this.value.checked }));
    this.team.addEventListener("input", () =>
      state.change({ team: this.team.value }, { replace: true }),
    );
    this.roi.addEventListener("input", () =>
      state.change({ min_region_roi: this.#roiValue() }, { replace: true }),
    );
    this.period.addEventListener("change", () => {
      this.customPeriod = this.period.value === "custom";
      state.change(
        this.customPeriod ? { period: "" } : { period: this.period.value, from: "", to: "" },
      );
    });
    for (const name of ["from", "to"])
      this[name].addEventListener("change", () =>
        state.change({ [name]: this[name].value, period: "" }),
      );
    byId("filters-toggle").addEventListener("click", () => this.#toggle());
  }

  #toggle() {
    const open = byId("filters").classList.toggle("open");
    byId("filters-toggle").setAttribute("aria-expanded", String(open));
  }

  #roiValue() {
    const value = Number(this.roi.value);
    return value <= Number(this.roi.min) ? null : Math.round(value * 100) / 100;
  }

  /** Show a state over the matches there are. */
  update(filters, rows, anchor) {
    options(this.region, "All regions", tally(rows, "region"), filters.region);
    options(
      this.league,
      "All leagues",
      tally(filters.region ? rows.filter((row) => row.region === filters.region) : rows, "league"),
      filters.league,
    );
    this.stage.value = filters.stage;
    this.value.checked = filters.value_only;
    if (document.activeElement !== this.team) this.team.value = filters.team;
    this.customPeriod =
      Boolean(filters.from || filters.to) || (this.customPeriod && !filters.period);
    this.period.value = this.customPeriod ? "custom" : filters.period;
    this.from.value = filters.from;
    this.to.value = filters.to;
    byId("period-dates").hidden = !this.customPeriod;
    this.#updateRoi(filters, rows);
    this.#updateStatuses(filters, rows, anchor);
    this.#updateChips(filters);
  }

  #updateRoi(filters, rows) {
    const known = [...new Set(rows.map((row) => row.region_roi))].filter(
      (roi) => roi !== null && roi !== undefined,
    );
    this.roi.disabled = known.length === 0 && filters.min_region_roi === null;
    const low =
      Math.floor(Math.min(-0.1, ...known, filters.min_region_roi ?? 0) / ROI_STEP) * ROI_STEP -
      ROI_STEP;
    const high =
      Math.ceil(Math.max(0.1, ...known, filters.min_region_roi ?? 0) / ROI_STEP) * ROI_STEP;
    this.roi.min = low.toFixed(2);
    this.roi.max = high.toFixed(2);
    this.roi.step = String(ROI_STEP);
    this.roi.value = String(filters.min_region_roi ?? low.toFixed(2));
    const text = this.roi.disabled
      ? "no figures yet"
      : filters.min_region_roi === null
        ? "any"
        : `at least ${show.signedPercent(filters.min_region_roi, 0)}`;
    this.roiText.textContent = text;
    this.roi.setAttribute("aria-valuetext", text);
  }

  #updateStatuses(filters, rows, anchor) {
    this.statuses.hidden = filters.view !== "matches";
    const found = select(rows, filters, anchor, "all");
    for (const input of this.statuses.querySelectorAll("input")) {
      input.checked = input.value === filters.status;
      const n =
        input.value === "all"
          ? found.length
          : found.reduce((sum, row) => sum + Number(row.status === input.value), 0);
      this.statuses.querySelector(`[data-status="${input.value}"]`).textContent = show.count(n);
    }
  }

  #updateChips(filters) {
    const texts = {
      region: filters.region,
      league: filters.league,
      team: `“${filters.team}”`,
      period: filters.period ? `within ${filters.period} days` : "",
      from: `from ${filters.from}`,
      to: `to ${filters.to}`,
      value_only: "value bets only",
      min_region_roi:
        filters.min_region_roi === null
          ? ""
          : `region ROI ≥ ${show.signedPercent(filters.min_region_roi, 0)}`,
    };
    const set = state.FILTERS.filter(state.isFiltered);
    byId("filters-count").textContent = set.length ? String(set.length) : "";
    const gone = { period: "", from: "", to: "", value_only: false, min_region_roi: null };
    const drop = (name) => {
      state.change({ [name]: name in gone ? gone[name] : "" });
      byId("results").focus();
    };
    fill(
      this.chips,
      set.map((name) =>
        h(
          "button",
          {
            type: "button",
            class: "chip",
            "aria-label": `Remove filter ${texts[name]}`,
            onclick: () => drop(name),
          },
          texts[name],
          h("span", { "aria-hidden": "true" }, " ×"),
        ),
      ),
      set.length > 1 &&
        h(
          "button",
          { type: "button", class: "chip clear", onclick: () => state.clear() },
          "Clear all",
        ),
    );
  }
}

function options(element, all, counts, chosen) {
  const wanted = JSON.stringify([counts, chosen]);
  if (element.dataset.filled === wanted) return;
  element.dataset.filled = wanted;
  const names = counts.map(([name]) => name);
  fill(
    element,
    h("option", { value: "" }, all),
    counts.map(([name, n]) => h("option", { value: name }, `${name} (${show.count(n)})`)),
    chosen && !names.includes(chosen) && h("option", { value: chosen }, chosen),
  );
  element.value = chosen;
}
