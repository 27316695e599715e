"""The classroom: a page in the browser, an after-action sheet, animations. `python -m experiments.classroom`."""
