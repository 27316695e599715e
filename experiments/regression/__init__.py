"""The field's own regression on simulated conflicts."""
