"""The functions' side of MLflow: REST client, mirror of the aliases, log of the runs."""
