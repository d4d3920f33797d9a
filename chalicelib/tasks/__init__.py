"""Queued predictions: their records, their queue, the functions that drain and repair it."""
