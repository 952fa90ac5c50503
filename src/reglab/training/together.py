"""Many runs at once on one device: the fast path of a GPU.

A small network leaves most of a GPU idle, and the processor busy launching its kernels. Here many
runs take their steps in turn. On CUDA each run's step, from picking the images to the optimizer, is
recorded once as a graph and replayed on a stream of its own, so that a step costs the processor one
launch and the steps of different runs overlap. On a CPU the steps are the plain ones: that is for
the tests, since there `reglab.study.sweep` is faster with a process a core.

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
from reglab.training.evaluate import Labelled
from reglab.training.model import Dropout, seed_dropout
from reglab.training.run import Run, load_for, on_device

WARM_UP = 3  # steps before recording, as torch's notes on CUDA graphs advise


def train_many(configs: Sequence[RunConfig], *, size: int = 32) -> Iterator[RunRecord]:
    """Train runs together and yield each record as soon as its run ends.

    A run that stops early leaves, and the next takes its place. Equal in law to
    `reglab.training.run.train`: a run's weights, batches and masks do not depend on its company.
    Seconds are the group's, divided by the runs in it.

    Args:
        configs: runs of one device and one precision; anything else may differ.
        size: how many at once, >= 1.

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
                lanes.append(_lane(waiting.pop(), device, parts))
            _epoch(lanes)
            for lane in [lane for lane in lanes if lane.run.finished]:
                lanes.remove(lane)
                yield lane.run.record()


class Lane:
    """One run and its way of taking a step."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def begin_epoch(self) -> int:
        """Draw the epoch's batches; return how many there are."""
        batches = list(self.run.order.epoch())
        self.batches = iter(batches)
        self.run.model.train()
        return len(batches)

    def step(self) -> None:
        """Take the next step of the epoch."""
        run = self.run
        run.step(next(self.batches).to(run.device))


class GraphLane(Lane):
    """A run whose step is a CUDA graph on a stream of its own."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        steps = len(run.fit[1]) // run.order.batch_size
        shape = (steps, run.order.batch_size)
        self.order = torch.zeros(shape, dtype=torch.int64, device=run.device)
        self.at = torch.zeros(1, dtype=torch.int64, device=run.device)
        self.stream = torch.cuda.Stream(run.device)
        self.graph = self._recorded()

    def begin_epoch(self) -> int:
        self.order.copy_(torch.stack(list(self.run.order.epoch())))
        self.at.zero_()
        self.run.model.train()
        self.stream.wait_stream(torch.cuda.current_stream(self.run.device))
        return len(self.order)

    def step(self) -> None:
        with torch.cuda.stream(self.stream):
            self.graph.replay()

    def _recorded(self) -> torch.cuda.CUDAGraph:
        """Record one step, and leave the run as it was before."""
        run = self.run
        weights = {name: value.clone() for name, value in run.model.state_dict().items()}
        for group in run.optimizer.param_groups:
            if "capturable" in group:
                group["capturable"] = True  # Adam's step count on the device
        run.model.train()
        self.stream.wait_stream(torch.cuda.current_stream(run.device))
        with torch.cuda.stream(self.stream):
            for _ in range(WARM_UP):
                self._step()
        torch.cuda.synchronize(run.device)
        graph = torch.cuda.CUDAGraph()
        for module in run.model.modules():
            if isinstance(module, Dropout):
                graph.register_generator_state(module.generator)
        with torch.cuda.graph(graph, stream=self.stream):
            self._step()
        self._rewind(weights)
        return graph

    def _step(self) -> None:
        run = self.run
        index = self.order.index_select(0, self.at.remainder(len(self.order)))[0]
        run.step(index)
        self.at.add_(1)

    def _rewind(self, weights: dict[str, torch.Tensor]) -> None:
        """Undo the warm-up. A zero momentum makes the first step what it is without one."""
        run = self.run
        run.model.load_state_dict(weights)
        for state in run.optimizer.state.values():
            for value in state.values():
                if isinstance(value, torch.Tensor):
                    value.zero_()
        seed_dropout(run.model, run.config.seed, run.device)


def _lane(config: RunConfig, device: torch.device, parts: dict) -> Lane:
    """Return a run ready for its first epoch; equal splits are on the device once."""
    key = (config.dataset, config.data_version, config.seed, config.n_train, config.val_fraction)
    if key not in parts:
        data = load_for(config)
        parts[key] = data, on_device(data, device)
    shared: tuple[Dataset, tuple[Labelled, Labelled, Labelled]] = parts[key]
    run = Run(config, shared[0], device, shared[1])
    return GraphLane(run) if device.type == "cuda" else Lane(run)


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
