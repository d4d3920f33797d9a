// Numbers and times as they are shown. Times are the viewer's local ones.

// The page is written in English: dates follow, in the viewer's kind of it where that is known.
const LANGUAGES = globalThis.navigator?.languages ?? [];
const LANGUAGE = LANGUAGES.find((language) => language.startsWith("en-")) ?? "en-GB";
const DAY = new Intl.DateTimeFormat(LANGUAGE, {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
});
const DAY_UTC = new Intl.DateTimeFormat(LANGUAGE, {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});
const SHORT = new Intl.DateTimeFormat(LANGUAGE, {
  day: "numeric",
  month: "short",
  year: "numeric",
});
const TIME = new Intl.DateTimeFormat(LANGUAGE, {
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const MOMENT = new Intl.DateTimeFormat(LANGUAGE, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const COUNT = new Intl.NumberFormat(LANGUAGE);
const MINUS = "\u2212";

export const OUTCOMES = ["home", "draw", "away"];
export const OUTCOME_NAMES = { home: "Home", draw: "Draw", away: "Away" };

export const count = (n) => COUNT.format(n);
export const day = (row) =>
  row.kickoff === null
    ? "Date to be confirmed"
    : (row.dateOnly ? DAY_UTC : DAY).format(row.kickoff);
export const shortDay = (time) => SHORT.format(time);
export const time = (row) =>
  row.kickoff === null || row.dateOnly ? null : TIME.format(row.kickoff);
export const moment = (value) => MOMENT.format(value);
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? "local time";

/** 0.4567 -> "46 %" (or with digits). */
export const percent = (share, digits = 0) =>
  share === null || share === undefined ? "–" : `${fixed(100 * share, digits)}%`;
export const signedPercent = (share, digits = 1) =>
  share === null || share === undefined
    ? "–"
    : `${sign(Number((100 * share).toFixed(digits)))}${fixed(Math.abs(100 * share), digits)}%`;
export const signed = (value, digits = 2) =>
  `${sign(Number(value.toFixed(digits)))}${fixed(Math.abs(value), digits)}`;
export const fixed = (value, digits) =>
  (value < 0 && Number(value.toFixed(digits)) !== 0 ? MINUS : "") + Math.abs(value).toFixed(digits);
const sign = (value) => (value > 0 ? "+" : value < 0 ? MINUS : "");

export const odds = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));

/** Seconds -> "3 min". */
export function age(seconds) {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** "diff_win_5_mean" -> "Diff win 5 mean". */
export function featureName(name) {
  const words = name
    .replaceAll("_", " ")
    .replace(/\belo\b/g, "Elo")
    .replace(/\bew\b/g, "(weighted)")
    .replace(/\bdiff\b/g, "difference");
  return words[0].toUpperCase() + words.slice(1);
}

/** Lower case without accents, for searching. */
export const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
