"""The fourteen processes of a week, one a file, in the order of the schedule."""
