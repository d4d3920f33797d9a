"""Objects in the bucket: whole or by range, with or without the SDK."""
