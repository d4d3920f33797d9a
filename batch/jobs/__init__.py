"""What the scheduled functions do on the bucket, one module each; `batch.handlers` imports only the one it runs."""
