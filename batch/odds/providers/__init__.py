"""Sources of 1X2 odds behind one interface: `fonbet`, `the_odds_api`, and stored snapshots (`s3`)."""

from batch.odds.providers.base import MarketOdds, OddsProvider, OddsSnapshot, Verdict, as_known_at, trust

__all__ = ["MarketOdds", "OddsProvider", "OddsSnapshot", "Verdict", "as_known_at", "trust"]
