"""Which numbers matter, and which of them change the ranking of the mission models."""
