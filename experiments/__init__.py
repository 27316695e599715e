"""Experiments: arms that differ, seeds that they share, tables and figures."""
