"""Who may call: API keys, their levels, and how fast each may ask."""
