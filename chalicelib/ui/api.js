// Calls of the API. Everything is relative to the page, because a stage's path may lie in front of it.

export const API = new URL(location.pathname.endsWith("/") ? "../" : "./", location.href);
const TIME_LIMIT_MS = 30_000;

// In memory only: gone with the page, never in storage and never in an address.
let key = "";
/** @type {(() => void)[]} */
const keyListeners = [];
export const hasKey = () => key !== "";
/** Use a key from now on; whoever waits for one is told. */
export function setKey(value) {
  key = value.trim();
  for (const listener of keyListeners) listener();
}
export const onKey = (listener) => keyListeners.push(listener);

/** A call that did not succeed: `status` 0 means that no answer came at all. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {{retryAfter?: number | null, details?: any[]}} more
   */
  constructor(status, message, { retryAfter = null, details = [] } = {}) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
    this.details = details;
  }
}

/**
 * @param {string} path Without a leading slash.
 * @param {{query?: Record<string, any>, body?: any, signal?: AbortSignal}} options
 * @returns {Promise<{data: any, headers: Headers}>}
 * @throws {ApiError}
 */
export async function call(path, { query = {}, body, signal } = {}) {
  const url = addressOf(path, query);
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (key) headers["X-API-Key"] = key;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    const limit = AbortSignal.timeout(TIME_LIMIT_MS);
    answer = await (begun(url) ??
      fetch(url, {
        method: body === undefined ? "GET" : "POST",
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: signal && AbortSignal.any ? AbortSignal.any([signal, limit]) : (signal ?? limit),
      }));
  } catch (error) {
    if (signal?.aborted) throw error;
    const late = error.name === "TimeoutError";
    throw new ApiError(
      0,
      late ? "The service did not answer in time." : "The service cannot be reached.",
    );
  }
  const text = await answer.text();
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    // Not ours: a proxy's or a gateway's page. Its status says enough.
  }
  if (!answer.ok || data === null) {
    const after = Number(answer.headers.get("Retry-After"));
    throw new ApiError(
      answer.ok ? 502 : answer.status,
      data?.message ?? `The service answered ${answer.status}.`,
      {
        retryAfter: Number.isFinite(after) && after > 0 ? after : null,
        details: data?.details ?? [],
      },
    );
  }
  return { data, headers: answer.headers };
}

/** The answer that early.js has asked for, once. */
function begun(url) {
  const { href, answer } = globalThis.firstAnswer ?? {};
  if (href !== url.href) return null;
  globalThis.firstAnswer = null;
  return answer;
}

/**
 * The full address of a call.
 * @param {string} path
 * @param {Record<string, any>} query
 */
export function addressOf(path, query = {}) {
  const url = new URL(path, API);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  return url;
}

/**
 * Every row of a paged list.
 * @param {string} path
 * @param {Record<string, any>} query
 * @param {AbortSignal} [signal]
 */
export async function callAll(path, query, signal) {
  const rows = [];
  let cursor = null;
  do {
    const { data, headers } = await call(path, { query: { ...query, cursor }, signal });
    rows.push(...data);
    cursor = headers.get("x-next-cursor");
  } while (cursor);
  return rows;
}
