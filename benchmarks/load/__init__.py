"""The load test: what callers do, and its report."""
