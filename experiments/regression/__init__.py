"""The field's own regression on simulated conflicts."""

from experiments.regression.conflicts import plan
from experiments.regression.field import analyse

__all__ = ["analyse", "plan"]
