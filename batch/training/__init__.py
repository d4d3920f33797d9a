"""Training: fitting, experiments, the registry, plots, model files."""
