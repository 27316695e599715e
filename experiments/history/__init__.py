"""A country with observed months: calibration, hindcast, counterfactuals."""
