"""The jobs of the scheduled functions, one module each; `batch.handlers` imports only the one it runs."""
