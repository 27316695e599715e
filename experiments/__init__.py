"""Experiments: arms that differ, seeds that they share, tables and figures.

An experiment is one file of conf/experiment: its question, its arms, its seeds, what is kept of a run, and the study
that it belongs to. A study is a folder here: what is made of the runs. One engine does the runs of all of them.

    drawing      how figures look, what figures share, statistics of few runs
    engine       how runs are planned, done, stored, found again and put into tables; knows no study and no country
    comparison   mission models beside each other; surfaces over two settings; fronts
    validation   the scorecard, and the verification
    sensitivity  which numbers matter
    levers       what people argue about: one setting each, its outcome and the sign that was expected
    regression   the field's own model on simulated conflicts
    history      a country with observed months: calibration, hindcast, counterfactuals
    classroom    the page in the browser

Imports go one way: sim <- drawing <- engine <- a study. No study imports another, so one can be read, changed or
thrown away alone; the engine finds a study by the name of its folder (engine/study.py). The command line is
`__main__.py`. tests/test_layers.py keeps this.
"""
