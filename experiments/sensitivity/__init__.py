"""Which numbers matter, and which of them change the ranking of the mission models."""

from experiments.sensitivity.analysis import analyse, plan

__all__ = ["analyse", "plan"]
