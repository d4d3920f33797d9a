"""From a provider's markets to odds of our matches."""
