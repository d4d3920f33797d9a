"""The serving code of the soccer-prediction API; imports nothing from batch or infra."""
