"""What is read from the bucket: objects, the data release and its tables."""
