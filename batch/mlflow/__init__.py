"""The MLflow server as functions use it: REST, mirror of the aliases, log of the runs."""
