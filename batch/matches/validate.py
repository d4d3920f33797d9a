"""Validate the rows of one file, each by itself."""

import numpy as np
import pandas as pd

from batch.matches.schema import EARLIEST_KICKOFF, GOALS_LIMIT, LATEST_KICKOFF, MATCH_ID_LIMIT, TEXT_COLUMNS, Reason


def validate(raw: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Return typed rows, and for each the first reason to reject it, or the empty string."""
    match_id, _, id_ok = whole_numbers(raw["match_id"])
    sex, _, sex_ok = whole_numbers(raw["sex"])
    home_goals, home_null, home_ok = whole_numbers(raw["home_goals"])
    away_goals, away_null, away_ok = whole_numbers(raw["away_goals"])
    kickoff, kickoff_null, date_only = _kickoffs(raw["kickoff"])
    texts = {column: _texts(raw[column]) for column in TEXT_COLUMNS}
    time_known = ~date_only
    if "kickoff_time_known" in raw.columns:
        time_known &= ~_is_false(raw["kickoff_time_known"])

    id_ok &= (match_id >= 1) & (match_id < MATCH_ID_LIMIT)
    home_bad = ~home_null & ~(home_ok & (home_goals >= 0) & (home_goals <= GOALS_LIMIT))
    away_bad = ~away_null & ~(away_ok & (away_goals >= 0) & (away_goals <= GOALS_LIMIT))
    no_text = np.logical_or.reduce([(text == "").to_numpy() for text in texts.values()])
    out_of_range = (kickoff < EARLIEST_KICKOFF) | (kickoff > LATEST_KICKOFF)
    bad_kickoff = (kickoff.isna().to_numpy() & ~kickoff_null) | out_of_range.to_numpy()
    reasons = np.select(
        [
            ~id_ok,
            no_text,
            (texts["home_team"] == texts["away_team"]).to_numpy(),
            ~(sex_ok & ((sex == 0) | (sex == 1))),
            bad_kickoff,
            home_bad | away_bad,
            home_null != away_null,
            ~home_null & kickoff.isna().to_numpy(),
        ],
        [
            Reason.INVALID_MATCH_ID,
            Reason.MISSING_TEXT,
            Reason.SAME_TEAM,
            Reason.INVALID_SEX,
            Reason.INVALID_KICKOFF,
            Reason.INVALID_GOALS,
            Reason.HALF_RESULT,
            Reason.RESULT_WITHOUT_KICKOFF,
        ],
        default="",
    )
    good = reasons == ""
    rows = pd.DataFrame(
        {
            "match_id": np.where(good, match_id, 0).astype(np.int64),
            "kickoff": kickoff,
            "kickoff_time_known": time_known,
            "season": texts["season"],
            "region": texts["region"],
            "league": texts["league"],
            "sex": np.where(good, sex, 0).astype(np.int8),
            "home_team": texts["home_team"],
            "away_team": texts["away_team"],
            "home_goals": pd.array(np.where(good & ~home_null, home_goals, 0).astype(np.int16), dtype="Int16"),
            "away_goals": pd.array(np.where(good & ~away_null, away_goals, 0).astype(np.int16), dtype="Int16"),
            "row": raw["row"].to_numpy(),
        }
    )
    rows.loc[home_null, ["home_goals", "away_goals"]] = pd.NA
    return rows, pd.Series(reasons, dtype=object)


def whole_numbers(column: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the values as float64 (NaN if not a number), and masks of empty cells and of whole numbers."""
    is_bool = np.zeros(len(column), dtype=bool)
    if pd.api.types.is_bool_dtype(column.dtype):
        is_bool[:] = True
    elif not pd.api.types.is_numeric_dtype(column.dtype):
        if column.dtype == object:
            is_bool = column.map(lambda value: isinstance(value, bool)).to_numpy(dtype=bool)
        text = column.astype("str").str.strip()
        column = column.mask((text == "") | text.isna())
    empty = column.isna().to_numpy(dtype=bool)
    numeric = pd.to_numeric(column.where(~is_bool) if is_bool.any() else column, errors="coerce")
    values = numeric.to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(invalid="ignore"):
        whole = np.isfinite(values) & (values == np.floor(values))
    return values, empty, whole


def finite_numbers(column: pd.Series) -> np.ndarray:
    """Values as float64, NaN unless finite."""
    values = whole_numbers(column)[0]
    return np.where(np.isfinite(values), values, np.nan)


def _texts(column: pd.Series) -> pd.Series:
    """Text stripped, with inner runs of blanks collapsed; empty strings for missing values."""
    if pd.api.types.is_float_dtype(column.dtype):
        column = column.astype("Int64")  # a season such as 2015 became a float beside a missing value
    # few distinct texts in millions of rows: each is cleaned once
    codes, spellings = pd.factorize(column)
    cleaned = [" ".join(str(spelling).split()) for spelling in spellings]
    return pd.Series(np.array([*cleaned, ""], dtype=object)[codes], dtype="str")


def _kickoffs(column: pd.Series) -> tuple[pd.Series, np.ndarray, np.ndarray]:
    """Return kickoffs as datetime64[ms, UTC], and masks of empty cells and of bare dates."""
    date_only = np.zeros(len(column), dtype=bool)
    if isinstance(column.dtype, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_dtype(column.dtype):
        kickoff = pd.to_datetime(column, utc=True)
        empty = column.isna().to_numpy(dtype=bool)
    elif pd.api.types.is_numeric_dtype(column.dtype):
        empty = column.isna().to_numpy(dtype=bool)
        kickoff = pd.Series(pd.NaT, index=column.index, dtype="datetime64[ms, UTC]")
    else:
        # Arrow's date columns arrive as datetime.date objects, whose text is a bare date
        text = column.astype("str").str.strip()
        empty = (column.isna() | (text == "") | text.isna()).to_numpy(dtype=bool)
        # ISO 8601 also allows 2023, 2023-08 and 20230811, which are more likely something else
        dated = text.str.match(r"\d{4}-\d{2}-\d{2}(?:[T ]|$)").fillna(value=False).to_numpy(dtype=bool)
        date_only = dated & (text.str.len() == len("2023-08-11")).fillna(value=False).to_numpy(dtype=bool)
        kickoff = pd.to_datetime(text.where(dated & ~empty), format="ISO8601", utc=True, errors="coerce")
    return kickoff.dt.as_unit("ms").reset_index(drop=True), empty, date_only


def _is_false(column: pd.Series) -> np.ndarray:
    return column.astype("str").str.strip().str.lower().isin(["false", "0", "0.0"]).to_numpy(dtype=bool)
