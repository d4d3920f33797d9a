// Numbers and times as they are shown. Times are the viewer's local ones.

// The page is written in English: dates follow, in the viewer's kind of it where that is known.
const LANGUAGES = globalThis.navigator?.languages ?? [];
const LANGUAGE = LANGUAGES.find((language) => language.startsWith("en-")) ?? "en-GB";
/** @type {Intl.DateTimeFormatOptions} */
const LONG_DAY = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
/** @type {Intl.DateTimeFormatOptions} */
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const DAY = new Intl.DateTimeFormat(LANGUAGE, LONG_DAY);
const DAY_UTC = new Intl.DateTimeFormat(LANGUAGE, { ...LONG_DAY, timeZone: "UTC" });
const SHORT = new Intl.DateTimeFormat(LANGUAGE, {
  day: "numeric",
  month: "short",
  year: "numeric",
});
const TIME = new Intl.DateTimeFormat(LANGUAGE, CLOCK);
const MOMENT = new Intl.DateTimeFormat(LANGUAGE, { day: "numeric", month: "short", ...CLOCK });
const COUNT = new Intl.NumberFormat(LANGUAGE);
const MINUS = "\u2212";

export const OUTCOME_NAMES = { home: "Home", draw: "Draw", away: "Away" };

export const count = (n) => COUNT.format(n);
export const day = (row) =>
  row.kickoff === null
    ? "Date to be confirmed"
    : (row.dateOnly ? DAY_UTC : DAY).format(row.kickoff);
/** The day as a date field has it: "2024-04-06". */
export function isoDay(time) {
  const date = new Date(time);
  const two = (n) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
export const shortDay = (time) => SHORT.format(time);
export const time = (row) =>
  row.kickoff === null || row.dateOnly ? null : TIME.format(row.kickoff);
export const moment = (value) => MOMENT.format(value);
/** The viewer's time zone, by its name. */
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? "local time";
/** The same with its offset on a day: "Europe/London (GMT+1)". */
export function zoneAt(value) {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZoneName: "shortOffset" });
  const offset = parts.formatToParts(value).find((part) => part.type === "timeZoneName")?.value;
  return offset ? `${zone()} (${offset})` : zone();
}

/** 0.4567 -> "46%" (or with digits). */
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

/** A chance that is not quite certain is not shown as certain. */
export function chance(share) {
  if (share > 0 && share < 0.005) return "<1%";
  if (share < 1 && share > 0.995) return ">99%";
  return percent(share);
}

export const odds = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));

/** Seconds -> "3 min". */
export function age(seconds) {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** "diff_win_5_mean" -> "Difference win 5 mean". */
export function featureName(name) {
  const words = name
    .replaceAll("_", " ")
    .replace(/\belo\b/g, "Elo")
    .replace(/\bew\b/g, "(weighted)")
    .replace(/\bdiff\b/g, "difference");
  return words[0].toUpperCase() + words.slice(1);
}

/** Lower case without accents, for searching. */
export const plain = (text) =>
  text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll("ø", "o")
    .replaceAll("ł", "l")
    .replaceAll("ß", "ss");

export const sentenceCase = (text) => text.charAt(0).toUpperCase() + text.slice(1);
