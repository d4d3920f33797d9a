"""What the batch published: the pointer, reading it, paged lists."""
