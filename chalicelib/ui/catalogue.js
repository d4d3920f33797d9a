// The cards of one stage, fetched page by page: what is to come first, then the recent past, then the rest.

import { call } from "./api.js";
import { inOrder, prepared } from "./card.js";

const PAGE = 1_000;
/** So many matches are fetched without being asked; older ones wait for a click. */
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
    this.rows = [];
    this.byId = new Map();
    this.error = null;
    this.loaded = { coming: false, recent: false, all: false };
    /** The rest's cursor, where fetching stopped at what is comfortable. */
    this.more = null;
    /** When the data were computed, and the server's time when it said so; milliseconds. */
    this.computedAt = null;
    this.servedAt = null;
    this.receivedAt = null;
    this.stop = new AbortController();
  }

  /**
   * First kickoff that is still to come, or the last one there was: "now" to within a match. The browser's clock is not
   * asked, because the service may replay another season.
   */
  get anchor() {
    const coming =
      this.rows.find((row) => row.status === "live") ??
      this.rows.find((row) => row.status === "upcoming" && row.kickoff !== null);
    if (coming) return coming.kickoff;
    const last = this.rows.findLast((row) => row.kickoff !== null);
    return last ? last.kickoff : null;
  }

  /** Whether the service's clock is set to another time: it calls a match upcoming that lies in its own past. */
  get replayed() {
    return (
      this.servedAt !== null &&
      this.rows.some(
        (row) =>
          row.status === "upcoming" && row.kickoff !== null && row.kickoff < this.servedAt - 60_000,
      )
    );
  }

  /** Whether nothing more is on its way. */
  get done() {
    return this.error !== null || this.loaded.all || this.more !== null;
  }

  /** Seconds since the predictions were computed. */
  get ageSeconds() {
    return this.computedAt === null
      ? null
      : (this.servedAt - this.computedAt + performance.now() - this.receivedAt) / 1_000;
  }

  /** Newest time at which odds were collected, up to now; a replayed season has odds from later on, too. */
  get oddsCollectedAt() {
    const { anchor } = this;
    let newest = null;
    for (const row of this.rows)
      if (
        row.oddsTime !== null &&
        (anchor === null || row.oddsTime <= anchor) &&
        (newest === null || row.oddsTime > newest)
      )
        newest = row.oddsTime;
    return newest;
  }

  async load() {
    try {
      // One after the other: two calls at once would wake two instances of a sleeping function and wait for the later.
      await this.#pages({ status: "upcoming" });
      this.changed();
      await this.#pages({ status: "live" });
      this.loaded.coming = true;
      this.changed();
      const anchor = this.anchor;
      if (anchor !== null) {
        const border = new Date(anchor - RECENT_MS).toISOString();
        await this.#pages({ status: "finished", from: border });
        this.loaded.recent = true;
        this.changed();
        await this.#pages({ status: "finished", to: border }, COMFORTABLE);
      } else {
        await this.#pages({ status: "finished" }, COMFORTABLE);
        this.loaded.recent = true;
      }
      this.loaded.all = this.more === null;
    } catch (error) {
      if (this.stop.signal.aborted) return;
      this.error = error;
    }
    this.changed();
  }

  /** Fetch what was left out, as much again. */
  async loadMore() {
    const { query, cursor } = this.more;
    this.more = null;
    try {
      await this.#pages(query, this.rows.length + COMFORTABLE, cursor);
      this.loaded.all = this.more === null;
    } catch (error) {
      if (this.stop.signal.aborted) return;
      this.more = { query, cursor };
      this.error = error;
    }
    this.changed();
  }

  /** Ask again for what may have changed by now: matches being played or about to be. */
  async refresh() {
    const before = this.computedAt;
    const playing = this.rows.filter((row) => row.status === "live").map((row) => row.match_id);
    const seen = new Set();
    await Promise.all([
      this.#pages({ status: "live" }, Infinity, null, seen),
      this.#pages({ status: "upcoming" }, Infinity, null, seen),
    ]);
    // Over or begun meanwhile, or a new release: everything is read again.
    const renewed = this.computedAt !== before || playing.some((id) => !seen.has(id));
    this.changed();
    return renewed;
  }

  close() {
    this.stop.abort();
  }

  async #pages(query, limit = Infinity, cursor = null, seen = null) {
    do {
      const { data, headers } = await call("predict/cards/", {
        query: { ...query, stage: this.stage, limit: PAGE, cursor },
        signal: this.stop.signal,
      });
      this.#note(headers);
      this.#add(data, seen);
      cursor = headers.get("x-next-cursor");
      if (cursor && this.rows.length >= limit) {
        this.more = { query, cursor };
        return;
      }
      if (cursor) this.changed();
    } while (cursor);
  }

  #note(headers) {
    const computed = Date.parse(headers.get("Last-Modified") ?? "");
    const served = Date.parse(headers.get("Date") ?? "");
    if (Number.isNaN(computed)) return;
    this.computedAt = computed;
    this.servedAt = Number.isNaN(served) ? Date.now() : served;
    this.receivedAt = performance.now();
  }

  #add(cards, seen) {
    for (const card of cards) {
      this.byId.set(card.match_id, prepared(card));
      seen?.add(card.match_id);
    }
    this.rows = [...this.byId.values()].sort(inOrder);
  }
}
