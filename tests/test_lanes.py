"""A graph proves itself against the plain loop, on a stand-in for CUDA (`cuda_standin`)."""

import math
from functools import cache

import pytest
import torch
from cuda_standin import Graph, pretend

from reglab.config import RunConfig
from reglab.data.dataset import dataset_version
from reglab.training import lanes, together
from reglab.training.run import Run, train

PLAIN = RunConfig(
    dataset="mnist", data_version=dataset_version("mnist", "sample"), n_train=150, seed=0,
    width=4, lr=0.03, max_epochs=1, patience=0, batch_size=32,
)  # fmt: skip
MASKED = PLAIN.replace(dropout=0.5, placement="all", batch_norm=True)
KINDS = [PLAIN, MASKED, PLAIN.replace(lam=0.1)]
LINE = "CUDA graphs do not do here what the plain loop does"


class OneBatch(Graph):
    """Sees the first batch again and again: its counter, the last thing recorded, is lost."""

    def replay(self):
        self.calls[-1][1][0].zero_()
        super().replay()


class Stuck(Graph):
    """Takes no step at all."""

    def replay(self):
        pass


class Masked(Graph):
    """Drops other units than the plain loop does."""

    def replay(self):
        for generator in self.generators:
            generator.seed()
        super().replay()


class NotANumber(Graph):
    """Divides by zero somewhere."""

    def replay(self):
        weights = (args[1] for name, args, *_ in self.calls if "convolution" in str(name))
        next(weights).fill_(math.nan)


class Refuses(Graph):
    """A step that torch cannot record."""

    def __enter__(self):
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nmore")


class NoMemory(Graph):
    def __enter__(self):
        raise torch.OutOfMemoryError("CUDA out of memory")


@pytest.fixture(autouse=True)
def new_process(monkeypatch):
    monkeypatch.setattr(together, "LANES", lanes.Lanes())


def reproducible(configs, **how):
    records = {r.config.key: r for r in together.train_many(configs, **how)}
    return [records[config.key].reproducible() for config in configs]


@cache
def trained(config):
    return train(config).reproducible()


def plain(configs):
    return [trained(config) for config in configs]


def test_graphs_that_do_what_the_loop_does_are_used(monkeypatch, caplog):
    pretend(monkeypatch)
    replays, real = [], lanes.GraphLane.step
    monkeypatch.setattr(lanes.GraphLane, "step", lambda lane: (replays.append(1), real(lane)))
    assert reproducible(KINDS, size=2) == plain(KINDS)
    assert caplog.messages == []
    assert together.LANES.proved == {lanes.kind_of(config) for config in KINDS}
    assert len(replays) == len(KINDS) * (lanes.CHECKED + 135 // 32)


def test_a_kind_is_proved_once(monkeypatch):
    pretend(monkeypatch)
    seen = []
    real = lanes.drift_of
    monkeypatch.setattr(lanes, "drift_of", lambda *both: (seen.append(1), real(*both))[1])
    alike = [PLAIN, PLAIN.replace(seed=1, lr=0.01), PLAIN.replace(max_epochs=2)]
    assert reproducible(alike) == plain(alike)
    assert len(seen) == 1
    reproducible([PLAIN.replace(batch_norm=True)])
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (OneBatch, "4 steps end"),
        (Stuck, "4 steps end 1 of their way apart"),
        (Masked, "4 steps end"),
        (NotANumber, "4 steps end inf of their way apart"),
        (Refuses, "a step cannot be recorded (CUDA error: operation not permitted when stream is "
                  "capturing); the plain loop goes on"),
    ],
)  # fmt: skip
def test_graphs_that_do_not_are_left_for_the_plain_loop_with_one_line(
    graph, said, monkeypatch, caplog
):
    pretend(monkeypatch, graph)
    configs = [MASKED, *KINDS]  # dropout first: where masks go wrong, it shows
    assert reproducible(configs) == plain(configs)
    (line,) = caplog.messages
    assert line.startswith(LINE)
    assert said in line
    assert together.LANES.refused


def test_a_plain_loop_that_diverges_at_once_shows_nothing(monkeypatch, caplog):
    pretend(monkeypatch)
    wild = PLAIN.replace(lr=1e30)
    assert reproducible([wild]) == plain([wild])
    assert caplog.messages == []
    assert together.LANES.proved == set()
    assert not together.LANES.refused


def test_short_memory_is_left_to_the_caller(monkeypatch, caplog):
    pretend(monkeypatch, NoMemory)
    with pytest.raises(torch.OutOfMemoryError):
        reproducible([PLAIN])
    assert not together.LANES.refused
    assert caplog.messages == []


def test_the_check_leaves_no_trace(monkeypatch):
    """Weights, statistics, masks and the order of images are those of a new run."""
    pretend(monkeypatch)
    data = together.load_for(MASKED)

    def new():
        return Run(MASKED, data, torch.device("cpu"))

    def left(run):
        masks = [run.model.get_submodule(f"drop{i}").generator.get_state() for i in (1, 2, 3)]
        return [*lanes.state_of(run).values(), *masks, *run.order.epoch()]

    lane = lanes.Lanes().lane(new)
    assert isinstance(lane, lanes.GraphLane)
    assert all(map(torch.equal, left(lane.run), left(new())))


def test_distance_is_a_share_of_the_way_and_the_worst_tensor_counts():
    start = {"a": torch.zeros(2), "b": torch.ones(1)}
    moved = {"a": torch.tensor([3.0, 4.0]), "b": torch.tensor([2.0])}
    other = {"a": torch.tensor([3.0, 4.0]), "b": torch.tensor([2.5])}
    assert lanes.largest_drift(moved, moved, start) == 0
    assert lanes.largest_drift(other, moved, start) == pytest.approx(0.5, rel=1e-5)
    broken = other | {"a": torch.tensor([math.nan, 0.0])}
    assert lanes.largest_drift(broken, moved, start) == math.inf
    assert math.isnan(lanes.largest_drift(moved, broken, start))
