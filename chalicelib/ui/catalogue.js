// The cards of one stage, fetched page by page: what is to come at once, the past when something asks for it.

import { call } from "./api.js";
import { inOrder, prepared, searchable } from "./card.js";
import { spellingsOf } from "./clubs.js";
import { span } from "./select.js";

const PAGE = 500;
/** So many older matches are fetched at a click. */
export const COMFORTABLE = 15_000;
const RECENT_MS = 400 * 86_400_000;

export class Catalogue {
  /**
   * @param {string} stage
   * @param {() => void} changed Called after each page.
   */
  constructor(stage, changed) {
    this.stage = stage;
    this.changed = changed;
    /** @type {import("./card.js").Card[]} */
    this.rows = [];
    /** @type {Map<number, import("./card.js").Card>} */
    this.byId = new Map();
    /** @type {Error | null} */
    this.error = null;
    /** `coming`: upcoming and live matches; `recent`: the last year's. */
    this.loaded = { coming: false, recent: false };
    /** From here on every match is there; milliseconds. */
    this.since = Infinity;
    /** Spans of the past that were asked for by their dates. */
    this.spans = new Set();
    /** How older matches are asked for; null once there are none. */
    this.more = null;
    /** Milliseconds; of the predictions, of the release, of the server and of the service's (replay) clock. */
    this.computedAt = null;
    this.releasedAt = null;
    this.servedAt = null;
    this.clock = null;
    this.receivedAt = null;
    this.stop = new AbortController();
    this.past = null;
  }

  /**
   * The service's now. Without its clock: the first kickoff that is still to come, or the last one there was. The
   * browser's clock is not asked, because the service may replay another season.
   */
  get now() {
    if (this.clock !== null) return this.clock + performance.now() - this.receivedAt;
    const coming =
      this.rows.find((row) => row.status === "live") ??
      this.rows.find((row) => row.status === "upcoming" && row.kickoff !== null);
    if (coming) return coming.kickoff;
    return this.rows.findLast((row) => row.kickoff !== null)?.kickoff ?? null;
  }

  /** Whether the service's clock is set to another time: it calls upcoming what lies in its own past. */
  get replayed() {
    if (this.servedAt === null) return false;
    if (this.clock !== null) return Math.abs(this.clock - this.servedAt) > 86_400_000;
    const past = this.servedAt - 60_000;
    return this.rows.some(
      (row) => row.status === "upcoming" && row.kickoff !== null && row.kickoff < past,
    );
  }

  /** Whether nothing is on its way. */
  get done() {
    return this.error !== null || (this.loaded.coming && this.past === null);
  }

  /** Seconds since the predictions were computed. */
  get ageSeconds() {
    const since = this.computedAt ?? this.releasedAt;
    if (since === null) return null;
    return (this.servedAt - since + performance.now() - this.receivedAt) / 1_000;
  }

  /** Newest time at which odds were collected. */
  get oddsCollectedAt() {
    return this.rows.reduce(
      (newest, row) =>
        row.oddsTime !== null && row.oddsTime > (newest ?? 0) ? row.oddsTime : newest,
      null,
    );
  }

  /** Of a replay: how many matches carry odds that were collected after its clock. */
  get laterOdds() {
    const { now } = this;
    if (!this.replayed || now === null) return 0;
    return this.rows.filter((row) => row.status === "upcoming" && row.oddsTime > now).length;
  }

  /** Fetch what is to come. */
  async load() {
    try {
      // One after the other: two calls at once would wake two instances of a sleeping function.
      await this.#pages({ status: "upcoming" });
      this.changed();
      await this.#pages({ status: "live" });
      this.loaded.coming = true;
    } catch (error) {
      if (this.stop.signal.aborted) return;
      this.error = error;
    }
    this.changed();
  }

  /**
   * Fetch of the past what the filters ask for: the last year's matches, and those of dates before it.
   * @param {import("./address.js").State} filters
   */
  async loadPast(filters) {
    if (this.past !== null || this.error !== null || !this.loaded.coming || this.covers(filters))
      return;
    this.past = (this.loaded.recent ? this.#loadSpan(filters) : this.#loadRecent()).catch(
      (error) => {
        if (!this.stop.signal.aborted) this.error = error;
      },
    );
    await this.past;
    this.past = null;
    this.changed();
  }

  /** Whether every finished match that the filters may choose is there, of the last year where they name no date. */
  covers(filters) {
    if (!this.loaded.recent) return false;
    const [begin, end] = span(filters, this.now);
    if (begin === null && end === null) return true;
    return (begin ?? -Infinity) >= this.since || this.spans.has(`${begin} ${end}`);
  }

  /** The matches to choose from: without dates in the filters none of a lone span further back. */
  reaching(filters) {
    if (filters.from || filters.to || this.spans.size === 0) return this.rows;
    return this.rows.filter((row) => row.kickoff === null || row.kickoff >= this.since);
  }

  async #loadRecent() {
    const { now } = this;
    const since = now === null ? -Infinity : now - RECENT_MS;
    await this.#pages({ status: "finished", from: iso(since) });
    this.loaded.recent = true;
    this.since = since;
    if (now !== null) this.more = { to: iso(since), cursor: null };
  }

  async #loadSpan(filters) {
    const [begin, end] = span(filters, this.now);
    const to = iso(Math.min(end ?? Infinity, this.since));
    await this.#pages({ status: "finished", from: iso(begin ?? -Infinity), to });
    this.spans.add(`${begin} ${end}`);
  }

  /** Fetch older matches, the latest of them first. */
  async loadMore() {
    const { to, cursor } = this.more;
    const query = { status: "finished", to, sort: "-kickoff" };
    this.past = this.#pages(query, { cursor, limit: this.rows.length + COMFORTABLE }).then(
      (following) => {
        this.more = following && { to, cursor: following };
        const kickoffs = this.rows.map((row) => row.kickoff ?? Infinity);
        this.since = following ? kickoffs.reduce((a, b) => Math.min(a, b), Infinity) : -Infinity;
      },
      (error) => {
        if (!this.stop.signal.aborted) this.error = error;
      },
    );
    this.changed();
    await this.past;
    this.past = null;
    this.changed();
  }

  /** Ask again for what may have changed by now: matches being played or about to be. */
  async refresh() {
    const release = `${this.computedAt} ${this.releasedAt}`;
    const playing = this.rows.filter((row) => row.status === "live").map((row) => row.match_id);
    const seen = new Set();
    await Promise.all([
      this.#pages({ status: "live" }, { seen }),
      this.#pages({ status: "upcoming" }, { seen }),
    ]);
    // Over or begun meanwhile, or a new release: everything is read again.
    const renewed =
      `${this.computedAt} ${this.releasedAt}` !== release || playing.some((id) => !seen.has(id));
    this.changed();
    return renewed;
  }

  /** Search by the spellings that are known by now. */
  respell() {
    for (const row of this.rows) row.words = searchable(row, spellingsOf);
    this.changed();
  }

  close() {
    this.stop.abort();
  }

  /**
   * Fetch a list page by page.
   * @param {Record<string, any>} query
   * @param {{cursor?: string | null, limit?: number, seen?: Set<number> | null}} options
   * @returns {Promise<string | null>} The cursor of what was left out at the limit.
   */
  async #pages(query, { cursor = null, limit = Infinity, seen = null } = {}) {
    do {
      const { data, headers } = await call("predict/cards/", {
        query: { ...query, stage: this.stage, limit: PAGE, cursor },
        signal: this.stop.signal,
      });
      this.#note(headers);
      this.#add(data, seen);
      cursor = headers.get("x-next-cursor");
      if (cursor && this.rows.length >= limit) return cursor;
      if (cursor) this.changed();
    } while (cursor);
    return null;
  }

  #note(headers) {
    const time = (name) => {
      const value = Date.parse(headers.get(name) ?? "");
      return Number.isNaN(value) ? null : value;
    };
    this.computedAt = time("x-predictions-computed-at");
    this.releasedAt = time("Last-Modified");
    this.servedAt = time("Date") ?? Date.now();
    this.clock = time("x-clock");
    this.receivedAt = performance.now();
  }

  #add(cards, seen) {
    let changed = false;
    for (const card of cards) {
      seen?.add(card.match_id);
      const known = this.byId.get(card.match_id);
      // The same row stays the same object: what shows it need not be touched.
      if (known && JSON.stringify(known.source) === JSON.stringify(card)) continue;
      const source = { ...card };
      this.byId.set(card.match_id, Object.assign(prepared(card, spellingsOf), { source }));
      changed = true;
    }
    if (changed) this.rows = [...this.byId.values()].sort(inOrder);
  }
}

/** A moment as the API takes it; null where there is no limit. */
const iso = (time) => (Number.isFinite(time) ? new Date(time).toISOString() : null);
