"""The system on one machine: emulator, MLflow server, metrics relay."""
