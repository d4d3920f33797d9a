"""Benchmarks of batch, queue and cold starts."""
