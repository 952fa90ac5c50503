"""How a run among many takes its steps: plainly, or as a CUDA graph that has proved itself.

The first graph of a kind of run is compared with the plain loop: both take the same first steps on
the same device. Where they differ, or nothing can be recorded, a line says so and all further runs
of this process take plain steps.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from reglab.config import RunConfig
from reglab.training import machine
from reglab.training.model import Dropout, seed_dropout
from reglab.training.order import BatchOrder
from reglab.training.run import Run

log = logging.getLogger("reglab")

WARM_UP = 3  # steps before recording, as torch's notes on CUDA graphs advise
CHECKED = 4  # steps that a graph and the plain loop are compared over
# How far a graph's weights may lie from the plain loop's, as a share of the way those went. The
# same kernels may add in another order; a step left out or a wrong mask gives a share near 1.
TOLERANCE = {"fp32": 0.01, "bf16": 0.1}


class Lane:
    """One run and its way of taking a step."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def begin_epoch(self) -> int:
        """Draw the epoch's batches; return how many there are."""
        batches = self.run.begin_epoch()
        self.batches = iter(batches)
        return len(batches)

    def step(self) -> None:
        """Take the next step of the epoch."""
        run = self.run
        run.step(next(self.batches).to(run.device))


class GraphLane(Lane):
    """A run whose step is a CUDA graph on a stream of its own.

    Raises:
        RuntimeError: torch's own, where the step cannot be recorded; the run is then spoilt.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        steps = len(run.fit[1]) // run.order.batch_size
        shape = (steps, run.order.batch_size)
        self.order = torch.zeros(shape, dtype=torch.int64, device=run.device)
        self.position = torch.zeros(1, dtype=torch.int64, device=run.device)
        self.stream = torch.cuda.Stream(run.device)
        self.graph = self._recorded()

    def begin_epoch(self) -> int:
        return self.begin(self.run.begin_epoch())

    def begin(self, batches: Sequence[Tensor]) -> int:
        """Let the next steps take these batches, an epoch of them; return how many they are."""
        self.order.copy_(torch.stack(batches))
        self.position.zero_()
        self.run.model.train()
        self.stream.wait_stream(torch.cuda.current_stream(self.run.device))
        return len(batches)

    def step(self) -> None:
        with torch.cuda.stream(self.stream):
            self.graph.replay()

    def rewind(self, weights: Mapping[str, Tensor]) -> None:
        """Undo all steps. A zero momentum makes the first step what it is without any before."""
        run = self.run
        run.model.load_state_dict(weights)
        for state in run.optimizer.state.values():
            for value in state.values():
                if isinstance(value, Tensor):
                    value.zero_()
        seed_dropout(run.model, run.config.seed, run.device)

    def _recorded(self) -> torch.cuda.CUDAGraph:
        """Record one step, and leave the run as it was before."""
        run = self.run
        weights = state_of(run)
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
        self.rewind(weights)
        return graph

    def _step(self) -> None:
        run = self.run
        index = self.order.index_select(0, self.position.remainder(len(self.order)))[0]  # (B,)
        run.step(index)
        self.position.add_(1)


class Lanes:
    """Gives each run a lane, and remembers what the graphs of this process have shown.

    Attributes:
        proved: kinds of runs whose first graph did what the plain loop does.
        refused: whether a graph differed or could not be recorded; from then on all is plain.
    """

    def __init__(self) -> None:
        self.proved: set[RunConfig] = set()
        self.refused = False

    def lane(self, new_run: Callable[[], Run]) -> Lane:
        """Return a lane with a run that has taken no step yet.

        Args:
            new_run: makes the run, equal each time it is called.
        """
        run = new_run()
        # What a graph has recorded stays. It would know no other mask, and repeat the epoch that
        # decides on alternating flips; and kinds of runs would have to be told apart by teachers.
        # These few runs take plain steps.
        changing = run.config.augment or run.config.before
        if self.refused or changing or not has_graphs(run.device):
            return Lane(run)
        kind = kind_of(run.config)
        try:
            lane = GraphLane(run)
            drift = 0.0 if kind in self.proved else drift_of(lane, new_run())
        except torch.OutOfMemoryError:
            raise  # fewer runs at once may fit: the caller's to try
        except RuntimeError as error:
            return self._refuse(f"a step cannot be recorded ({first_line(error)})", new_run())
        if math.isnan(drift):  # the plain loop diverged at once: nothing is shown, either way
            return Lane(new_run())
        if drift > TOLERANCE[run.config.precision]:
            return self._refuse(f"{CHECKED} steps end {drift:.2g} of their way apart", new_run())
        self.proved.add(kind)
        return lane

    def _refuse(self, deviation: str, run: Run) -> Lane:
        self.refused = True
        log.warning(
            "CUDA graphs do not do here what the plain loop does: %s; the plain loop goes on",
            deviation,
        )
        return Lane(run)


def has_graphs(device: torch.device) -> bool:
    """Whether steps can be recorded on the device."""
    return device.type == "cuda"


def kind_of(config: RunConfig) -> RunConfig:
    """Return the config without what changes no kernel of a step: seed, strengths, lengths."""
    return config.replace(
        seed=0,
        lr=1.0,
        lam=float(config.lam > 0),
        dropout=0.5 if config.dropout else 0.0,
        max_epochs=1,
        patience=0,
        probes="",
        label_smoothing=0.1 if config.label_smoothing else 0.0,
    )


def drift_of(lane: GraphLane, twin: Run) -> float:
    """Let a graph and a plain run take the same first steps; return how far apart they end.

    The lane is rewound afterwards; the twin, an equal run without a step, is used up.

    Returns:
        The largest distance over all weights and running statistics, each as a share of the way
        that the plain run's went; infinite where only one of them is finite, NaN where the plain
        run's weights are not.
    """
    start = state_of(twin)
    batches = list(BatchOrder(twin.config, len(twin.fit[1])).epoch())
    lane.begin(batches)
    twin.model.train()
    for step in range(CHECKED):  # more than an epoch if that is short: both begin it again
        lane.step()
        twin.step(batches[step % len(batches)].to(twin.device))
    machine.synchronize(twin.device)
    drift = largest_drift(state_of(lane.run), state_of(twin), start)
    lane.rewind(start)
    return drift


def largest_drift(
    graph: Mapping[str, Tensor], plain: Mapping[str, Tensor], start: Mapping[str, Tensor]
) -> float:
    """Return the largest distance of a tensor from the plain one, as a share of its way."""
    if not all(value.isfinite().all() for value in plain.values()):
        return math.nan
    if not all(value.isfinite().all() for value in graph.values()):
        return math.inf
    return max(_share(graph[name], plain[name], start[name]) for name in plain)


def _share(graph: Tensor, plain: Tensor, start: Tensor) -> float:
    apart = (graph.double() - plain.double()).norm().item()
    way = (plain.double() - start.double()).norm().item()
    # what rounding alone can do to a tensor that hardly moves
    return apart / (way + 1e-6 * plain.double().norm().item()) if apart else 0.0


def state_of(run: Run) -> dict[str, Tensor]:
    """Return copies of a run's weights and running statistics."""
    return {name: value.detach().clone() for name, value in run.model.state_dict().items()}


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, or its name if it has none."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
