"""The processes of a week, one a file; `sim.model.SCHEDULE` has their order."""
