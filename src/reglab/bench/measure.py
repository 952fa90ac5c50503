"""reglab bench: the usual loop, one plain run, many runs at once, and the machine's ceiling.

All are measured in one call, in turn and several times, so that a machine that is busy or hot
hurts them alike. A ratio is formed within a turn; its range over turns is reported beside it.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial

import torch

from reglab.bench.ceiling import BATCHES, Products
from reglab.bench.usual import UsualLoop
from reglab.config import RunConfig
from reglab.data.dataset import Dataset, dataset_version, load_dataset
from reglab.runs import executors
from reglab.training import machine
from reglab.training.networks import multiplications
from reglab.training.run import Run

SHAPES = {"cifar10": 32, "mnist": 16}  # data set -> width
PRECISIONS = ("fp32", "bf16")
TURNS = 3
SECONDS = 0.6  # of one measurement, at least
# Of the bundled sample, validation included. Our loop is timed by whole epochs, so they are short;
# the usual loop gets the whole sample, so that starting an epoch costs it little.
IMAGES, USUAL_IMAGES = 500, 2000
# A run, for runs an hour: twenty epochs of the reduced profile's 9,000 images, training alone.
RUN_IMAGES = 20 * 9000
WIDTHS = (8, 16, 32, 64)  # of the growth of cost, on the CIFAR-10 shape
RUN_WAYS = ("usual_0_workers", "usual_2_workers", "train", "fast_fp32", "fast_bf16")


def config_for(shape: str, precision: str, device: str) -> RunConfig:
    """Return the run that stands for a shape: no regularization, the study's batch size."""
    return RunConfig(
        dataset=shape,
        data_version=dataset_version(shape, "sample"),
        n_train=IMAGES,
        seed=0,
        width=SHAPES[shape],
        lr=0.01,
        max_epochs=1,
        device=device,
        precision=precision,
    )


@cache
def _data(shape: str, images: int = IMAGES) -> Dataset:
    return load_dataset(shape, source="sample", seed=0, n_train=images)


class PlainRun:
    """The library's own run, kept warm between measurements."""

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.run = Run(config, _data(config.dataset), torch.device(config.device))

    def images_per_second(self, seconds: float) -> float:
        """Train for at least ``seconds``, in whole epochs, and return images per second."""
        size, n_fit = self.run.order.batch_size, len(self.run.fit[1])
        images, started = 0, time.perf_counter()
        while not images or time.perf_counter() - started < seconds:
            self.run.epoch()
            images += n_fit // size * size
        return images / (time.perf_counter() - started)


@cache
def _kept(kind: str, config: RunConfig, batch: int) -> PlainRun | Products:
    """Make a worker's thing to measure once, and warm it."""
    made = PlainRun(config) if kind == "run" else Products(config, _data(config.dataset), batch)
    made.images_per_second(0.0)
    return made


def _in_worker(kind: str, config: RunConfig, batch: int, start: float, seconds: float) -> float:
    """Measure in this process, from ``start`` on (a time all workers share)."""
    with machine.settings(config, threads=1):
        made = _kept(kind, config, batch)
        time.sleep(max(0.0, start - time.time()))
        return made.images_per_second(seconds)


class Together:
    """One measurement in every worker process at the same time; rates add up."""

    def __init__(self, pool: ProcessPoolExecutor, workers: int) -> None:
        self.pool, self.workers = pool, workers

    def images_per_second(self, kind: str, config: RunConfig, batch: int, seconds: float) -> float:
        """Measure "run" or "products" in every worker from one moment on."""
        start = time.time() + 0.05
        jobs = [
            self.pool.submit(_in_worker, kind, config, batch, start, seconds)
            for _ in range(self.workers)
        ]
        return sum(job.result() for job in jobs)


def bench(device: str = "auto") -> dict:
    """Measure and return rates, ratios and the fraction of the ceiling, for each shape.

    Returns:
        Machine and versions, and under ``shapes``, for each: ``images_per_second`` and
        ``runs_per_hour`` of each way, and ``ratio_fp32``, ``ratio_bf16``, ``ceiling_fraction``
        and others, each with ``_range``, its lowest and highest turn. ``growth`` has one row a
        width: multiplications an image and images per second of one run.

    Raises:
        ReglabError: the device is not here.
    """
    device = machine.resolve_device(device)
    workers = executors.default_workers(device)
    summaries = {}
    with _pool(workers) as pool:
        together = Together(pool, workers)
        for shape in SHAPES:
            summaries[shape] = _summary(shape, _turns(shape, device, together))
    return {
        "device": device,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        **machine.environment(torch.device(device), 1),
        "shapes": summaries,
        "growth": [_growth(width, device) for width in WIDTHS],
    }


def _growth(width: int, device: str) -> dict[str, float]:
    plain = PlainRun(config_for("cifar10", "fp32", device).replace(width=width))
    _alone(plain, 0.0)
    return {
        "width": width,
        "multiplications": multiplications(_data("cifar10").in_shape, width),
        "images_per_second": _alone(plain, SECONDS),
    }


def _pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool whose workers are all there before the first measurement."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(workers + 1)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(barrier,))
    for _ in range(workers):
        pool.submit(int)
    barrier.wait(120)
    return pool


def _start(barrier) -> None:
    machine.keep_freed_memory()
    barrier.wait(120)


def _turns(shape: str, device: str, together: Together) -> list[dict[str, float]]:
    """Measure every way once a turn, after a short unrecorded one that warms caches."""
    ways = _ways(shape, device, together)
    for measure in ways.values():
        measure(0.0)
    return [{name: measure(SECONDS) for name, measure in ways.items()} for _ in range(TURNS)]


def _ways(shape: str, device: str, together: Together) -> dict[str, Callable[[float], float]]:
    """Return what is measured: name -> seconds -> images per second."""
    fp32 = config_for(shape, "fp32", device)
    plain = PlainRun(fp32)
    ways: dict[str, Callable[[float], float]] = {
        f"usual_{w}_workers": UsualLoop(fp32, _data(shape, USUAL_IMAGES), w).images_per_second
        for w in (0, 2)
    }
    ways["train"] = partial(_alone, plain)
    for precision in PRECISIONS:
        config = fp32.replace(precision=precision)
        rates = {batch: together.images_per_second("products", config, batch, 0.2)
                 for batch in BATCHES}  # fmt: skip
        best = max(rates, key=rates.get)
        ways[f"fast_{precision}"] = partial(together.images_per_second, "run", config, 0)
        ways[f"ceiling_{precision}"] = partial(together.images_per_second, "products", config, best)
    return ways


def _alone(plain: PlainRun, seconds: float) -> float:
    with machine.settings(plain.config, threads=1):
        return plain.images_per_second(seconds)


def _summary(shape: str, turns: list[dict[str, float]]) -> dict:
    rates = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
    usual = [max(turn["usual_0_workers"], turn["usual_2_workers"]) for turn in turns]
    ratios = {
        "ratio_train": [turn["train"] / u for turn, u in zip(turns, usual, strict=True)],
        "ceiling_fraction": [turn["fast_fp32"] / turn["ceiling_fp32"] for turn in turns],
        "ceiling_fraction_bf16": [turn["fast_bf16"] / turn["ceiling_bf16"] for turn in turns],
    }
    for p in PRECISIONS:
        pairs = zip(turns, usual, strict=True)
        ratios[f"ratio_{p}"] = [turn[f"fast_{p}"] / u for turn, u in pairs]
    runs = {name: 3600 * rate / RUN_IMAGES for name, rate in rates.items() if name in RUN_WAYS}
    summary = {
        "width": SHAPES[shape],
        "turns": len(turns),
        "images_per_second": rates,
        "runs_per_hour": runs,
    }
    for name, values in ratios.items():
        summary[name] = statistics.median(values)
        summary[f"{name}_range"] = [min(values), max(values)]
    return summary
