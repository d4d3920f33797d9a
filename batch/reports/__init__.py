"""Figures about the past: returns, track record, drift."""
