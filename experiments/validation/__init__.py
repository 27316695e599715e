"""Can it be believed: the scorecard, and what depends on how finely it is computed."""
