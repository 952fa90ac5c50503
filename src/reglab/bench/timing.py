"""reglab bench --part time: four training times with batch normalization, against those without.

Both networks of a seed are trained in one process, an epoch of one and an epoch of the other in
turn, so that a machine that is busy or hot hurts them alike.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import pandas as pd
import torch

from reglab import paper
from reglab.config import RunConfig
from reglab.data.dataset import dataset_version
from reglab.data.sources import KNOWN
from reglab.formulas import training_times
from reglab.pages import display
from reglab.pages.clauses import Said, grouped, say
from reglab.results.arms import TARGET
from reglab.training import machine
from reglab.training.run import Run, load_for

SEEDS = 5
CLAIMED = 0.85  # "a significant reduction in training time (by approximately 15%)"
TIMES = {
    "seconds_per_epoch": "seconds of an epoch",
    "epochs": "epochs until the stop",
    "seconds": "seconds until the stop",
    "seconds_to_target": f"seconds to {100 * TARGET:g} % of the best accuracy without BN",
}


def config_of(dataset: str, seed: int, batch_norm: bool, device: str = "cpu") -> RunConfig:
    """Return a timed run: 800 images of the sample, stopped early on 200 more, one rate for all."""
    return RunConfig(
        dataset=dataset,
        data_version=dataset_version(dataset, "sample"),
        n_train=1000,
        val_fraction=0.2,
        seed=seed,
        width=16,
        lr=0.01,
        max_epochs=30,
        batch_norm=batch_norm,
        device=device,
    )


def timing(device: str = "auto", seeds: int = SEEDS) -> dict:
    """Measure on this machine, on one thread of a processor; return plain JSON values.

    Returns:
        Machine and versions, and under ``datasets`` for each: ``without`` and ``with``, a list of
        `reglab.formulas.training_times` each, one a seed; ``ratios`` of with to without (`ratios`).
        The target is a seed's own, `reglab.results.arms.TARGET` of the best validation accuracy
        without BN.

    Raises:
        ReglabError: the device is not here.
    """
    device = machine.resolve_device(device)
    return {
        "device": device,
        **machine.environment(torch.device(device), 1),
        "seeds": seeds,
        "config": config_of("mnist", 0, False, device).to_dict(),
        "datasets": {name: _dataset(name, device, seeds) for name in KNOWN},
    }


def ratios(without: Sequence[dict], with_bn: Sequence[dict]) -> dict[str, dict]:
    """Return for each time the ratio with to without BN: ``median``, ``range`` and ``n`` seeds.

    A ratio is formed within a seed. Seeds in which one of the two never reached the target have no
    ratio of that time; median and range are None where no seed has one.
    """
    summary = {}
    for name in TIMES:
        pairs = zip(without, with_bn, strict=True)
        values = [b[name] / a[name] for a, b in pairs if None not in (a[name], b[name])]
        summary[name] = {
            "median": statistics.median(values) if values else None,
            "range": [min(values), max(values)] if values else None,
            "n": len(values),
        }
    return summary


def _dataset(name: str, device: str, seeds: int) -> dict:
    pairs = [_pair(name, device, seed) for seed in range(seeds)]
    without, with_bn = ([pair[at] for pair in pairs] for at in (0, 1))
    return {"without": without, "with": with_bn, "ratios": ratios(without, with_bn)}


def _pair(name: str, device: str, seed: int) -> list[dict]:
    """Train a seed's two networks in turn, the first one changing from seed to seed."""
    configs = [config_of(name, seed, batch_norm, device) for batch_norm in (False, True)]
    data = load_for(configs[0])
    with machine.settings(configs[0], threads=1) as place:
        for config in configs:
            Run(config, data, place).epoch()  # warms caches, unrecorded
        runs = [Run(config, data, place) for config in configs]
        turns = runs if seed % 2 == 0 else runs[::-1]
        while not all(run.finished for run in runs):
            for run in [run for run in turns if not run.finished]:
                run.end_epoch(run.epoch())
    target = TARGET * max(runs[0].history.val_acc)
    return [training_times(run.epoch_seconds, run.history.val_acc, target) for run in runs]


def ratio_table(measured: dict) -> pd.DataFrame:
    """Return the ratios as a table, one row a data set and time."""
    return pd.DataFrame(
        [
            {
                "data set": paper.title(dataset),
                "time": TIMES[name],
                "without BN, median": _median(part["without"], name),
                "with BN, median": _median(part["with"], name),
                "ratio": display.MISSING if ratio["n"] == 0 else f"{ratio['median']:.2f}",
                "range": display.MISSING if ratio["n"] == 0 else _range(ratio),
                "seeds": ratio["n"],
            }
            for dataset, part in measured["datasets"].items()
            for name, ratio in part["ratios"].items()
        ]
    )


def findings(measured: dict) -> Said:
    """Return what the ratios say of each time, and of the paper's 15 %, data set by data set."""
    head = say(f"the paper's saving would be a ratio of about {CLAIMED:g}")
    said = grouped(
        {
            paper.title(dataset): (_said(TIMES[name], r) for name, r in part["ratios"].items())
            for dataset, part in measured["datasets"].items()
        }
    )
    return Said(f"{head}\n\n{said}")


def _said(time: str, ratio: dict) -> str:
    if ratio["n"] == 0:
        return f"{time}: no seed in which both networks came that far"
    low, high = ratio["range"]
    kind = (
        "more with BN in every seed" if low > 1
        else "fewer with BN in every seed" if high < 1
        else "more with BN in some seeds, fewer in others"
    )  # fmt: skip
    lies = "lies within" if low <= CLAIMED <= high else "lies outside"
    return f"{time}: {kind}; {CLAIMED:g} {lies} the range of {_range(ratio)}"


def _range(ratio: dict) -> str:
    return "{:.2f} to {:.2f}".format(*ratio["range"])


def _median(times: Sequence[dict], name: str) -> str:
    known = [run[name] for run in times if run[name] is not None]
    return f"{statistics.median(known):.3g}" if known else display.MISSING


def source(measured: dict) -> str:
    """Return the machine and the versions in a line."""
    where = "one core of " if measured["device"] == "cpu" else ""
    return (
        f"{where}{measured['device_name']}; torch {measured['torch']}; reglab "
        f"{measured['code_version']}; ranges over {measured['seeds']} seeds"
    )
