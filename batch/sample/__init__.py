"""The embedded sample: real matches and real odds, small enough to live in the repository.

Where it comes from is in ORIGIN.md; `python -m batch.sample.build` rebuilds it from the two
public packages.
"""

from pathlib import Path
from typing import Final

MATCHES_PATH: Final = Path(__file__).parent / "matches.parquet"
"""7,268 matches in the raw-matches schema."""

ODDS_PATH: Final = Path(__file__).parent / "odds.parquet"
"""760 pre-match 1X2 odds of 2023/24, teams spelled as the odds source spells them."""
