"""How figures look, what they share, and what may be said of a few runs."""
