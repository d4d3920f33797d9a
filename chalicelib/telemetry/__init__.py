"""Logs and metrics: names, EMF, gauges, Prometheus, CloudWatch."""
