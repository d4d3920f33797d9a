"""The MLflow server as the batch functions use it: the mirror of its aliases, the log of their runs."""
