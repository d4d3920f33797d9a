"""Objects in the bucket: read, written, signed for, read by range."""
