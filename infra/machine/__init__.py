"""The system on one machine: emulator, MLflow server, relay, and throwaway copies of them for tests."""
