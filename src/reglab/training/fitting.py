"""fit(config) -> Run: a network trained to its last epoch and looked at only then."""

from __future__ import annotations

from reglab.config import RunConfig
from reglab.errors import ReglabError
from reglab.training import machine
from reglab.training.run import Run, load_for


def fit(config: RunConfig, *, threads: int = 1) -> Run:
    """Train as `reglab.training.run.train` does and measure once, at the end.

    On small subsets that saves half the time, as `train` looks at all images after each epoch. The
    scores ``last`` are the same bits; ``history`` has one entry, of the last epoch.

    Args:
        config: the run.
        threads: CPU threads.

    Raises:
        ReglabError: ``config`` may stop early, for which each epoch is measured; CUDA is asked for
            and missing; the data are not on this machine.
    """
    if config.patience:
        raise ReglabError(f"patience must be 0 to measure only at the end, got {config.patience}")
    with machine.settings(config, threads) as device:
        run = Run(config, load_for(config), device)
        seconds = sum(run.epoch() for _ in range(config.max_epochs))
        run.end_epoch(seconds)
    return run
