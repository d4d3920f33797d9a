"""The served model: its mirror, LightGBM's C API, predictions."""
