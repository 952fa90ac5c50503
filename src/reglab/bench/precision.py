"""Does bf16 shift accuracy? Paired seeds in both precisions, and the test of equality."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
from scipy.stats import norm, t

from reglab import paper, stats
from reglab.config import RunConfig
from reglab.data.dataset import dataset_version
from reglab.data.sources import KNOWN
from reglab.pages.clauses import Said, by_dataset, listed, say
from reglab.paths import results_folder
from reglab.record import RunRecord, unpack_bits
from reglab.runs.store import read_table
from reglab.verdicts.words import ALPHA, margin

FOLDER = "precision"  # of the recorded results
SEEDS = 40
POWER = 0.8  # chance of showing equality where there is no shift at all


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


def pairs_needed(sd: float, margin: float, power: float = POWER) -> int:
    """Return how many pairs show equality within a margin, with a given power, without a shift.

    The smallest n at which two one-sided t tests at 5 % reject with that power, by the normal
    approximation of the mean's distribution. Without any spread it is a sign test at 5 %.

    Args:
        sd: standard deviation of a paired difference, >= 0.
        margin: > 0, in the unit of ``sd``.
        power: between 0 and 1.
    """
    if sd == 0:
        return math.ceil(-math.log2(ALPHA))
    n, reach = 2, norm.ppf((1 + power) / 2)
    while (t.ppf(1 - ALPHA, n - 1) + reach) * sd > margin * math.sqrt(n):
        # at least as far as the least that any n needs, so that few steps are taken
        n = max(n + 1, math.floor(((norm.ppf(1 - ALPHA) + reach) * sd / margin) ** 2))
    return n


def comparison(recorded: Mapping[str, list[RunRecord]]) -> pd.DataFrame:
    """Return bf16 minus fp32 in points of test accuracy, and whether that is equality.

    Equal means that the test of equivalence rejects a difference of the margin or more, on either
    side, at 5 % (`reglab.stats.equivalence`). The last column is how many pairs that would take
    (`pairs_needed`), with the spread that these pairs have.
    """
    rows = []
    for name, records in recorded.items():
        scores, shift = _scores(records), _shift(records)
        bound, mean = margin(name), stats.mean_interval(shift)
        p = stats.equivalence(shift, bound)
        plain = [score for (_, precision), score in scores.items() if precision == "fp32"]
        rows.append(
            {
                "data set": paper.title(name),
                "fp32, accuracy": stats.mean_interval(plain),
                "bf16 minus fp32": mean,
                "pairs": len(shift),
                "margin": bound,
                "p of equivalence": f"{p:.2g}",
                "equal within the margin": "shown" if p < ALPHA else "not shown",
                "pairs to show it": _about(mean, bound),
            }
        )
    return pd.DataFrame(rows)


def setup(recorded: Mapping[str, list[RunRecord]]) -> Said:
    """Return what was run for the recorded comparison, read from its records, as a paragraph."""
    configs = [record.config for records in recorded.values() for record in records]
    tested = [_tested(record) for records in recorded.values() for record in records]
    pairs = listed(f"{len(_shift(records))}" for records in recorded.values())
    fitted = _values(record.n_fit for records in recorded.values() for record in records)
    epochs = _values(c.max_epochs for c in configs)
    return say(
        f"pairs of runs on {listed(map(paper.title, recorded))}: {pairs}, in this order",
        f"each network was given {_values(c.n_train for c in configs)} images, fitted "
        f"{fitted} of them and trained for at most {epochs} epochs, "
        f"with width {_values(c.width for c in configs)}, learning rate "
        f"{_values(c.lr for c in configs)} and no regularization",
        f"it was judged on {_values(tested)} test images, so that one image is "
        f"{_values(round(100 / n, 3) for n in tested)} points",
    )


def finding(recorded: Mapping[str, list[RunRecord]]) -> Said:
    """Return what the recorded comparison shows, and what it would take to show equality."""
    shifts = {name: stats.mean_interval(_shift(records)) for name, records in recorded.items()}
    needed = [
        f"{paper.title(name)}, {_about(mean, margin(name))} pairs for a margin of {margin(name)} "
        f"points, {_values(_images(records, margin(name)))} of the test images"
        for (name, records), mean in zip(recorded.items(), shifts.values(), strict=True)
    ]
    words = {"up": "bf16 is better by", "down": "bf16 is worse by"}
    return say(
        by_dataset(shifts, **words),
        f"with the spread of these pairs, and no shift at all, equality would be shown in "
        f"{POWER:.0%} of studies with: {'; '.join(needed)}".replace("%", " %"),
    )


def in_use(studies: Mapping[str, pd.DataFrame]) -> Said:
    """Return in which precision the recorded runs behind the verdicts were made, by data set."""
    used = [
        f"{paper.title(name)} in {listed(sorted(study['precision'].unique()))}"
        for name, study in studies.items()
    ]
    return say(f"the recorded runs behind this book's verdicts: {', '.join(used)}" if used else "")


def _scores(records: list[RunRecord]) -> dict[tuple[int, str], float]:
    return {(r.config.seed, r.config.precision): 100 * r.best.accuracy for r in records}


def _shift(records: list[RunRecord]) -> list[float]:
    """Return bf16 minus fp32 in points, one a seed."""
    scores = _scores(records)
    return [scores[s, "bf16"] - scores[s, "fp32"] for s in sorted({seed for seed, _ in scores})]


def _tested(record: RunRecord) -> int:
    return unpack_bits(record.best.correct).size


def _images(records: list[RunRecord], points: float) -> set[float]:
    """Return how many test images make up so many points of accuracy."""
    return {round(points / 100 * _tested(record), 2) for record in records}


def _about(shift: stats.Estimate, bound: float) -> str:
    """Return `pairs_needed` to two digits: the spread is not known better than that."""
    if math.isnan(shift.sd):
        return "unknown"
    return f"{float(f'{pairs_needed(shift.sd, bound):.2g}'):,.0f}"


def _values(numbers: Iterable[float]) -> str:
    """Return the different values, in ascending order, as a list in a sentence."""
    return listed(f"{value:,g}" for value in sorted(set(numbers)))
