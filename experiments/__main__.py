"""Run an experiment: its runs, its tables, its figures, and whatever else its study makes of it.

python -m experiments                          all mission models in the default country, 30 paired seeds
python -m experiments car experiment.seeds=10  any experiment of conf/experiment, with any override
python -m experiments --list                   their names and questions
python -m experiments --status delay           how far it is, from any terminal; also the folder of a sweep
python -m experiments delay --retry-failed     only the runs that failed
python -m experiments delay hydra/launcher=dask   on another engine: joblib, submitit_slurm, dask
python -m experiments validation               can it be believed: the scorecard
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.engine import runs, sweep
from experiments.engine.experiment import Experiment, names
from sim import asked, paths
from sim.config import composed
from sim.warm import in_a_sentence, say


def _arguments(words):
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("words", nargs="*", metavar="NAME key=value", help="an experiment and overrides")
    parser.add_argument("--list", action="store_true", help="name the experiments and their questions")
    parser.add_argument("--workers", type=int, help="runs at a time; all cores if not given")
    parser.add_argument("--status", action="store_true", help="say how far an experiment or the folder of a sweep is")
    parser.add_argument("--retry-failed", action="store_true", help="run those that failed again, and only those")
    parser.add_argument("--config-dir", help="a folder of your own experiments, countries, missions, ...")
    given = asked.options(parser, words)
    if given.workers is not None and given.workers < 1:
        raise ValueError(f"--workers is {given.workers}; it must be at least 1")
    named = [w for w in given.words if "=" not in w and not w.startswith("~")]
    if len(named) > 1:
        raise ValueError(f"{' and '.join(named)} are {len(named)} names; one experiment is run at a time")
    if given.workers and (others := [w for w in given.words if w.startswith("run.workers=")]):
        raise ValueError(f"--workers is {given.workers} and {others[0]} is given; give one of them")
    question = next((f"--{q}" for q in ("list", "status") if getattr(given, q)), None)
    idle = [w for w in given.words if w not in named or given.list]
    idle += [f"--{n.replace('_', '-')}" for n in ("workers", "retry_failed") if getattr(given, n)]
    idle += ["--status"] if given.list and given.status else []
    if question and idle:
        raise ValueError(f"{idle[0]} has no bearing on {question}, which runs nothing; leave it out")
    asked.refuse_twice([w for w in given.words if w not in named])
    given.name = named[0] if named else "mission_models"
    return given


def main(words: Sequence[str] | None = None) -> None:
    """Run what the command line names."""
    with in_a_sentence(lambda: "finished runs are kept; the same command does the rest"):
        given = _arguments(paths.take_folders(sys.argv[1:] if words is None else list(words)))
        if given.list:
            for name in names():
                print(f"{name:<20}{composed([f'experiment={name}']).experiment.question}")
            return
        name = given.name
        if given.status:
            known = [f for f in (Path(name), Path("results") / name) if (f / "plan").is_dir()]
            print(sweep.status(known[0] if known else Path("results") / name)[1])
            return
        try:
            Experiment(name, [w for w in given.words if w != name]).run(given.workers, given.retry_failed)
        except runs.Failures as error:
            say(f"failed: {error}")
            sys.exit(1)


if __name__ == "__main__":
    main()
