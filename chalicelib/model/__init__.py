"""The served model: its mirror and LightGBM's C API."""
