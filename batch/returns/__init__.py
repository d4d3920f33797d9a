"""Returns on value bets, and the track record."""
