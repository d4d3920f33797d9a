"""Logs, metrics, and what `GET /metrics` makes of them."""
