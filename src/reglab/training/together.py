"""Many runs at once on one device: the fast path of a GPU.

A small network leaves most of a GPU idle, and the processor busy launching its kernels. Here many
runs take their steps in turn. On CUDA each run's step, from picking the images to the optimizer, is
recorded once as a graph and replayed on a stream of its own, so that a step costs the processor one
launch and the steps of different runs overlap (`reglab.training.lanes`, where the first graph of
each kind is held against the plain loop). On a CPU the steps are the plain ones: that is for the
tests, since there `reglab.study.sweep` is faster with a process a core.

Initialization, batch order, loss, stopping and scoring are `reglab.training.run`'s own code.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import torch

from reglab.config import RunConfig
from reglab.data.dataset import Dataset
from reglab.errors import ReglabError
from reglab.record import RunRecord
from reglab.training import machine
from reglab.training.callbacks import OnEpoch, silent
from reglab.training.evaluate import Labelled
from reglab.training.kept import IN_PROCESS, Kept
from reglab.training.lanes import Lane, Lanes
from reglab.training.run import Run, load_for, on_device

LANES = Lanes()  # what graphs have shown in this process


def train_many(
    configs: Sequence[RunConfig],
    *,
    size: int = 32,
    on_epoch: OnEpoch = silent,
    kept: Kept = IN_PROCESS,
) -> Iterator[RunRecord]:
    """Train runs together and yield each record as soon as its run ends.

    A run that stops early leaves, and the next takes its place. Equal in law to
    `reglab.training.run.train`: a run's weights, batches and masks do not depend on its company.
    Seconds are the group's, divided by the runs in it.

    Args:
        configs: runs of one device and one precision; anything else may differ.
        size: how many at once, >= 1.
        on_epoch: called after each epoch of a run with its key and its number of epochs.
        kept: as for `train`.

    Raises:
        ReglabError: mixed devices or precisions, or size < 1.
    """
    if size < 1:
        raise ReglabError(f"size must be an integer >= 1, got {size}")
    if len({(config.device, config.precision) for config in configs}) > 1:
        raise ReglabError("runs that are trained together must share device and precision")
    waiting, lanes, parts = list(configs)[::-1], [], {}
    if not waiting:
        return
    with machine.settings(waiting[0], threads=1) as device:
        while waiting or lanes:
            while waiting and len(lanes) < size:
                lanes.append(_lane(waiting.pop(), device, parts, kept))
            _epoch(lanes)
            for lane in lanes:
                on_epoch(lane.run.config.key, len(lane.run.epoch_seconds))
            for lane in [lane for lane in lanes if lane.run.finished]:
                lanes.remove(lane)
                kept.offer(lane.run.config, lane.run.best_weights)
                yield lane.run.record()


def _lane(config: RunConfig, device: torch.device, parts: dict, kept: Kept) -> Lane:
    """Return a run ready for its first epoch; equal splits are on the device once."""
    key = (config.dataset, config.data_version, config.seed, config.n_train, config.val_fraction)
    if key not in parts:
        data = load_for(config)
        parts[key] = data, on_device(data, device)
    shared: tuple[Dataset, tuple[Labelled, Labelled, Labelled]] = parts[key]
    return LANES.lane(lambda: Run(config, shared[0], device, shared[1], kept))


def _epoch(lanes: Sequence[Lane]) -> None:
    """Give every run an epoch, step by step in turn, then measure each."""
    started = time.perf_counter()
    left = [(lane, lane.begin_epoch()) for lane in lanes]
    for step in range(max(steps for _, steps in left)):
        for lane, steps in left:
            if step < steps:
                lane.step()
    machine.synchronize(lanes[0].run.device)
    seconds = (time.perf_counter() - started) / len(lanes)
    for lane in lanes:
        lane.run.end_epoch(seconds)
