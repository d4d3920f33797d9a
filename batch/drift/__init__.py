"""Feature drift: its measures and its report."""
