"""Does bf16 shift accuracy? Paired seeds in both precisions, and the test of equality."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from reglab import paper, stats
from reglab.config import RunConfig
from reglab.data.dataset import dataset_version
from reglab.data.sources import KNOWN
from reglab.paths import results_folder
from reglab.record import RunRecord
from reglab.runs.store import read_table
from reglab.verdicts.words import ALPHA, margin

FOLDER = "precision"  # of the recorded results
SEEDS = 40


def configs(dataset: str, seeds: int = SEEDS) -> list[RunConfig]:
    """Return the runs of the comparison on a data set: each seed in fp32 and in bf16.

    The unregularized network on 1,000 images of the bundled sample: small, so that there can be
    many seeds, since it takes many to show that two things are equal.
    """
    plain = RunConfig(
        dataset=dataset,
        data_version=dataset_version(dataset, "sample"),
        n_train=1000,
        seed=0,
        width=16,
        lr=0.01,
        max_epochs=8,
    )
    return [
        plain.replace(seed=seed, precision=precision)
        for seed in range(seeds)
        for precision in ("fp32", "bf16")
    ]


def recorded_runs(folder: Path | str | None = None) -> dict[str, list[RunRecord]]:
    """Return the recorded comparison, by data set; what is not recorded is left out."""
    folder = results_folder(folder) / FOLDER
    paths = {name: folder / f"{name}.jsonl.gz" for name in KNOWN}
    return {name: list(read_table(path)) for name, path in paths.items() if path.exists()}


def comparison(found: Mapping[str, list[RunRecord]]) -> pd.DataFrame:
    """Return bf16 minus fp32 in points of test accuracy, and whether that is equality.

    Equal means that the test of equivalence rejects a difference of the margin or more, on either
    side, at 5 % (`reglab.stats.equivalence`).
    """
    rows = []
    for name, records in found.items():
        scores = {(r.config.seed, r.config.precision): 100 * r.best.accuracy for r in records}
        seeds = sorted({seed for seed, _ in scores})
        shift = [scores[seed, "bf16"] - scores[seed, "fp32"] for seed in seeds]
        bound = margin(name)
        p = stats.equivalence(shift, bound)
        rows.append(
            {
                "data set": paper.title(name),
                "fp32, accuracy": stats.mean_interval([scores[s, "fp32"] for s in seeds]),
                "bf16 minus fp32": stats.mean_interval(shift),
                "n": len(seeds),
                "margin": bound,
                "p of equivalence": f"{p:.2g}",
                "equal within the margin": "shown" if p < ALPHA else "not shown",
            }
        )
    return pd.DataFrame(rows)
