"""Observe: what happened is written down, by the declarations in sim/outcomes.py. It changes nothing."""


def observe(model):
    """Enter the week in the record."""
    model.record.write(model)
