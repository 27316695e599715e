"""How jobs on SLURM stand, from SLURM's queue.

submitit 1.5 asks SLURM's accounts. There, a job whose node died has failed until it runs again, two minutes later: it
is taken for lost, and the sweep ends with it. The queue knows that it waits for another node. And it is always there:
without accounts, which many small clusters do not keep, submitit waits for ever for a job that was killed.
"""

from submitit.slurm.slurm import SlurmInfoWatcher, SlurmJob

ENDS = ("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED",
        "REVOKED", "TIMEOUT")  # of a job that is not put back in the queue  # fmt: skip
FORGOTTEN = "FORGOTTEN"  # by the queue: it ended minutes ago
SELDOM = 60  # seconds between two looks, at most


class Queue(SlurmInfoWatcher):
    """Looks up all jobs at once, at growing intervals, as its parent does."""

    def _make_command(self):
        """Return what is asked; if it cannot be answered, what was known before holds on."""
        if not self._registered - self._finished:
            return None
        return ["squeue", "--me", "--states=all", "--array", "--noheader", "--format=%i|%T"]

    def read_info(self, string: bytes) -> dict[str, dict[str, str]]:
        """Return the state of every job that was asked for."""
        found = dict(line.strip().split("|") for line in string.decode().splitlines())
        return {job: {"State": found.get(job, FORGOTTEN)} for job in self._registered - self._finished}

    def is_done(self, job_id: str, mode: str = "standard") -> bool:
        """Say whether a job has ended for good."""
        return self.get_state(job_id, mode=mode) in (*ENDS, FORGOTTEN)


def install() -> None:
    """Have submitit look at the queue from now on."""
    if not isinstance(SlurmJob.watcher, Queue):
        SlurmJob.watcher = Queue(delay_s=SELDOM)
