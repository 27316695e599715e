"""Hydra jobs on a Dask cluster: hydra/launcher=dask.

Dask, not Ray: both finished all work when a node was killed, but Dask adds 21 MB to an installation and 234 MB of
memory where Ray adds 322 and 904, starts in a third of the time, and runs on the loopback interface as it is. Hydra has
no published launcher for Dask, so this is its own client behind Hydra's launcher interface.
"""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, configure_log, run_job, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

from sim.paths import VARIABLE


class DaskLauncher(Launcher):
    """Starts each job as a task of Dask.

    Parameters
    ----------
    scheduler : str, address of a running cluster, as tcp://head:8786; None: a cluster of this machine's cores
    workers : int, processes of such a local cluster; None: one per core
    retries : int, how often a job is started again when the process that did it dies
    """

    def __init__(self, scheduler: str | None = None, workers: int | None = None, retries: int = 3) -> None:
        self.scheduler, self.workers, self.retries = scheduler, workers, retries

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take what Hydra gives."""
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Do the jobs; return what each returned, in order."""
        try:
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise ValueError("hydra/launcher=dask needs Dask: pip install 'partnership-peacekeeping[dask]'") from error
        import dask

        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        logging.getLogger("distributed").setLevel(logging.ERROR)  # it tells of every connection
        Path(str(self.config.hydra.sweep.dir)).mkdir(parents=True, exist_ok=True)
        state, here, own, jobs = Singleton.get_state(), os.getcwd(), os.environ.get(VARIABLE, ""), []
        with dask.config.set({"distributed.scheduler.allowed-failures": self.retries}):
            where = self.scheduler or LocalCluster(
                n_workers=self.workers or os.cpu_count(), threads_per_worker=1, dashboard_address=None,
                host="127.0.0.1",
                silence_logs=40,
            )  # fmt: skip
            with Client(where, set_as_default=False) as client:
                for i, overrides in enumerate(job_overrides, start=initial_job_idx):
                    jobs.append(client.submit(
                        _do, i, list(overrides), self.hydra_context, self.config, self.task_function, state, here, own,
                        key=f"{here}-{os.getpid()}-{i}", pure=False, retries=0,
                    ))  # fmt: skip
                found = client.gather(jobs, errors="skip")
                if len(found) < len(jobs):
                    lost = next(job for job in jobs if job.status == "error")
                    raise RuntimeError(f"{len(jobs) - len(found)} jobs were lost; first: {lost.exception()}")
            if not isinstance(where, str):
                where.close()
        return found


# Hydra takes launchers only from the namespace hydra_plugins: here it is a second name, not a folder of its own.
try:
    import hydra_plugins  # noqa: F401  others may be installed
except ImportError:
    sys.modules["hydra_plugins"] = ModuleType("hydra_plugins")
    sys.modules["hydra_plugins"].__path__ = []  # a package without modules: Hydra walks through it
sys.modules["hydra_plugins.dask_launcher"] = sys.modules[__name__]
DaskLauncher.__module__ = "hydra_plugins.dask_launcher"
Plugins.instance().register(DaskLauncher)


def _do(number, overrides, context, config, task, state, folder, own):
    """Run one job, as Hydra's own launchers do, in the folder that the sweep was started from."""
    os.chdir(folder)
    os.environ[VARIABLE] = own
    setup_globals()
    Singleton.set_state(state)
    mine = context.config_loader.load_sweep_config(config, overrides)
    with open_dict(mine):
        mine.hydra.job.id = f"{mine.hydra.job.name}_{number}"
        mine.hydra.job.num = number
    HydraConfig.instance().set_config(mine)
    return run_job(
        hydra_context=context, config=mine, task_function=task, job_dir_key="hydra.sweep.dir",
        job_subdir_key="hydra.sweep.subdir",
    )  # fmt: skip
