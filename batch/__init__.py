"""Scheduled batch functions and training: matches in, data releases and models out."""
