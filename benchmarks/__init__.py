"""Benchmarks: they print figures and the machine, and never fail for being slow."""
