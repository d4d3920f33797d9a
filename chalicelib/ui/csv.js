// What is shown, as a file for a spreadsheet.

const COLUMNS = [
  ...["match_id", "match_date", "status", "season", "region", "league", "home_team", "away_team"],
  ...["home_form", "away_form", "home_elo", "away_elo", "proba_home", "proba_draw", "proba_away"],
  ...["predicted_label", "odds_home", "odds_draw", "odds_away", "implied_home", "implied_draw"],
  ...["implied_away", "edge_home", "edge_draw", "edge_away", "value_bet", "kelly_quarter"],
  ...["region_roi", "live_score", "outcome_1x2", "home_score", "away_score", "is_correct"],
  ...["in_sample", "odds_collected_at", "fonbet_url", "model_stage", "model_run_id"],
];

/** RFC 4180 text of matches. */
export const csv = (rows) =>
  tableCsv(
    COLUMNS,
    rows.map((row) => COLUMNS.map((name) => row[name])),
  );

/** The same of any table. */
export const tableCsv = (head, rows) =>
  [head, ...rows].map((cells) => cells.map(cell).join(",")).join("\r\n") + "\r\n";

/** One cell. A text that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay as they are. */
export function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  // eslint-disable-next-line no-control-regex -- spreadsheets skip a NUL in front of a formula, too
  const text = /^[\s\u0000]*[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Hand a text to the browser as a download. */
export function download(text, name, type = "text/csv;charset=utf-8") {
  // The mark tells spreadsheets that it is UTF-8.
  const parts = type.startsWith("text/csv") ? ["\uFEFF", text] : [text];
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
