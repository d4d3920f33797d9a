"""Published data releases: the pointer, reading it, paged lists."""
