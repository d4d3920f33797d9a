"""Commands of operators: deploy, API keys, redrive, replay."""
