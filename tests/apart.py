"""The ledger's numbers a second time, from the raw records: NumPy, SciPy and plain Python only.

Nothing of reglab is imported here, so that a slip in its rules or its statistics shows when the two
are compared (`test_ledger_apart.py`, which has the claims).
"""

import gzip
import json
import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import stats

ALPHA, ROUNDING, EARLY = 0.05, 0.1, 5
MARGIN = {"mnist": 0.15, "fashion_mnist": 0.5, "cifar10": 0.5}
ALL_IMAGES = {"mnist": 60_000, "fashion_mnist": 60_000, "cifar10": 50_000}
SEEDS = {"paper": 10, "full": 10, "reduced": 5}  # of the factorial, best profile first
FIRST_SWEEP_SEED = 1000  # settings are chosen on these seeds, judged on those below
CHOSEN = "chosen"
PLAIN = {"lam": 0.0, "dropout": 0.0, "batch_norm": False, "l2": "coupled", "optimizer": "sgd",
         "patience": 5, "placement": "fc"}  # fmt: skip


def read(folder):
    """Return the raw records of each data set, of the best profile whose seeds are all there."""
    return {name: next(filter(None, map(partial(_table, folder, name), SEEDS))) for name in MARGIN}


def _table(folder, name, profile):
    """Return a table's records; None if it is not there, or a seed of the factorial is not."""
    path = folder / profile / f"{name}.jsonl.gz"
    if not path.exists():
        return None
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        records = [json.loads(line)["record"] for line in lines]
    judged = [record["config"] for record in records if record["config"]["seed"] < FIRST_SWEEP_SEED]
    whole = {c["seed"] for c in judged if c["lam"] and c["dropout"] and c["batch_norm"]}
    wanted = 5 if (profile, name) == ("full", "cifar10") else SEEDS[profile]
    return records if len(whole) == wanted else None


class Runs:
    """The runs of one data set, and which settings were chosen: those that the cells were run with.

    ``whole``: whether all training images were used, so that printed sizes are judged.
    """

    def __init__(self, name, records, whole=None):
        self.records, self.margin = records, MARGIN[name]
        configs = [record["config"] for record in records]
        self.images = max(config["n_train"] for config in configs)
        self.whole = self.images == ALL_IMAGES[name] if whole is None else whole
        judged = [config for config in configs if config["seed"] < FIRST_SWEEP_SEED]
        triple = [c for c in judged if c["lam"] and c["dropout"] and c["batch_norm"]]
        (self.rate,) = {config["lr"] for config in configs if config["patience"] == 0}
        (lam,) = {config["lam"] for config in triple}
        (dropout,) = {config["dropout"] for config in triple}
        self.chosen = {"lam": lam, "dropout": dropout}
        (self.adamw,) = {c["lr"] for c in configs if c["l2"] == "decoupled" and c["lam"]}

    def scores(self, arm, metric):
        """Return an arm's scores by seed; an arm is what differs from the plain network."""
        sweep = arm.get("sweep", False)
        scores = {}
        for record in self.records_of({key: value for key, value in arm.items() if key != "sweep"}):
            seed = record["config"]["seed"]
            if (seed >= FIRST_SWEEP_SEED) == sweep:
                assert seed not in scores, f"{arm}: seed {seed} twice"
                scores[seed] = score(record, metric)
        return {seed: value for seed, value in scores.items() if value is not None}

    def records_of(self, arm):
        """Return the records of an arm, on all seeds."""
        arm = {key: self.chosen[key] if value == CHOSEN else value for key, value in arm.items()}
        decoupled = arm.get("l2") == "decoupled"
        rate, optimizer = (self.adamw, "adamw") if decoupled else (self.rate, "sgd")
        wanted = PLAIN | {"n_train": self.images, "lr": rate, "optimizer": optimizer} | arm
        return [
            record
            for record in self.records
            if all(record["config"][key] == value for key, value in wanted.items())
        ]

    def run(self, arm, seed):
        (match,) = (record for record in self.records_of(arm) if record["config"]["seed"] == seed)
        return match


def score(record, metric):
    """Return one run's score: percent, points or epochs; None where the run has no such weights."""
    history = record["history"]
    curve = history["val_acc"]
    if metric == "epochs":
        return len(curve)
    if metric == "early":
        return 100 * float(np.mean(curve[:EARLY])) if len(curve) >= EARLY else None
    last = metric.startswith("last ")
    tested = record["last" if last else "best"]
    if tested is None:
        return None
    test = 100 * tested["accuracy"]
    train = 100 * history["train_acc"][-1 if last else record["best_epoch"] - 1]
    return {"test": test, "train": train, "gap": train - test}[metric.removeprefix("last ")]


@dataclass(frozen=True)
class Contrast:
    """Numbers of which the claim says that they are above zero, or equal a printed number.

    ``against``: numbers of another data set, whose mean is subtracted. ``margin``: below it a
    difference is none; None where no margin is fixed. ``size`` and ``levels`` are printed.
    """

    values: tuple
    margin: float | None = None
    against: tuple | None = None
    size: float | None = None
    levels: tuple = ()
    whole: bool = False

    @property
    def sized(self):
        return self.size is not None and self.whole


def above(values, bound):
    """Return the p-value of "the mean is above the bound"; without spread, a sign test's."""
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return 1.0
    if np.ptp(values) == 0:
        return 0.5 ** len(values) if values[0] > bound else 1.0
    t = (values.mean() - bound) / (values.std(ddof=1) / math.sqrt(len(values)))
    return float(stats.t.sf(t, len(values) - 1))


def below(values, bound):
    return above(-np.asarray(values, dtype=float), -bound)


def equal(values, printed, margin):
    """Return the p-value of "the mean is within the margin of what is printed" (two one-sided)."""
    return max(above(values, printed - margin), below(values, printed + margin))


def spread(contrast):
    """Return mean, standard error and degrees of freedom: Student's, of two data sets Welch's."""
    mean, error, freedom = _student(contrast.values)
    if contrast.against is None:
        return mean, error, freedom
    other, other_error, other_freedom = _student(contrast.against)
    both = error**2 + other_error**2
    freedom = both**2 / (error**4 / freedom + other_error**4 / other_freedom)
    return mean - other, math.sqrt(both), freedom


def estimate(contrast):
    """Return mean, the bounds of the 95 % interval and n."""
    mean, error, freedom = spread(contrast)
    half = float(stats.t.ppf(0.975, freedom)) * error
    n = min(len(contrast.values), len(contrast.against or contrast.values))
    return mean, mean - half, mean + half, n


def _student(values):
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return float(values.mean()), math.nan, math.nan
    return float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values)), len(values) - 1


def two_sided(contrast):
    """Return the two-sided p-value of "the mean is not zero"."""
    if contrast.against is None:
        return min(1.0, 2 * min(above(contrast.values, 0), below(contrast.values, 0)))
    if min(len(contrast.values), len(contrast.against)) < 2:
        return 1.0
    return float(stats.ttest_ind(contrast.values, contrast.against, equal_var=False).pvalue)


def p_for(contrast):
    """Return the p-value that speaks for the claim."""
    if contrast.levels:
        return max(equal(contrast.values, level, contrast.margin) for level in contrast.levels)
    if contrast.sized:
        return equal(contrast.values, contrast.size, contrast.margin)
    return two_sided(contrast) if estimate(contrast)[0] > 0 else 1.0


def p_against(contrast):
    """Return the p-value of the opposite; of two ways to refute a size, twice the smaller."""
    if contrast.levels:
        return 1.0
    opposite = two_sided(contrast) if estimate(contrast)[0] < 0 else 1.0
    return min(1.0, 2 * min(opposite, _excluded(contrast))) if contrast.sized else opposite


def _excluded(contrast):
    """Return the p-value of the printed size as one new difference, give or take its rounding."""
    values = np.asarray(contrast.values, dtype=float)
    apart = abs(values.mean() - contrast.size) - ROUNDING
    if len(values) < 2 or apart <= 0:
        return 1.0
    new = values.std(ddof=1) * math.sqrt(1 + 1 / len(values))
    return float(2 * stats.t.sf(apart / new, len(values) - 1))


def p_small(contrast):
    """Return the p-value of "within the margin"; 1 where no direction is claimed."""
    if contrast.margin is None or contrast.sized or contrast.levels:
        return 1.0
    if contrast.against is None:
        return equal(contrast.values, 0, contrast.margin)
    mean, error, freedom = spread(contrast)
    return float(stats.t.sf((contrast.margin - abs(mean)) / error, freedom))


def reading_for(contrasts):
    return max(map(p_for, contrasts))


def reading_sign(contrasts):
    """As `reading_for`, but of a printed size the sign alone is claimed."""
    return max(p_for(c) if c.size is None else _upwards(c) for c in contrasts)


def _upwards(contrast):
    return two_sided(contrast) if estimate(contrast)[0] > 0 else 1.0


def reading_against(contrasts):
    return min(1.0, len(contrasts) * min(map(p_against, contrasts)))


def is_negligible(contrasts):
    """Whether each difference is as claimed or shown to be small, and one of them is small."""
    small = [p_small(contrast) < ALPHA for contrast in contrasts]
    left = [c for c, is_none in zip(contrasts, small, strict=True) if not is_none]
    return any(small) and all(p_for(contrast) < ALPHA for contrast in left)


def claim_p(readings):
    """Return a claim's p-values, as printed and of the sign alone, each of its best reading.

    Each is multiplied by the number of readings.
    """
    best = min(map(reading_for, readings)), min(map(reading_sign, readings))
    return tuple(min(1.0, len(readings) * p) for p in best)


def holm(p_values):
    """Return Holm's adjusted p-values, by claim; the two kinds are corrected each by itself."""
    both = [_holm({name: pair[kind] for name, pair in p_values.items()}) for kind in (0, 1)]
    return {name: (both[0][name], both[1][name]) for name in p_values}


def _holm(p_values):
    adjusted, highest = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=p_values.get)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = highest
    return adjusted


def charitable(readings):
    """Return the reading that speaks most for the claim."""
    return min(readings, key=lambda reading: (reading_for(reading), -reading_against(reading)))


def verdict(readings, adjusted):
    """Return the word. A claim is refuted if every reading of it is."""
    open_still = [reading for reading in readings if reading_against(reading) >= ALPHA]
    if not open_still:
        return "refuted"
    printed, sign = adjusted
    sizes = [c for reading in readings for c in reading if c.size is not None]
    if printed < ALPHA and all(c.whole for c in sizes):
        return "confirmed"
    if sizes and sign < ALPHA:
        return "direction confirmed"
    return "negligible" if all(map(is_negligible, open_still)) else "undecided"


def least_favourable(contrasts):
    """Return the estimate of the contrast whose mean is lowest, counted in half-widths."""

    def favour(contrast):
        mean, low, high, _ = estimate(contrast)
        if contrast.levels:
            mean = -max(abs(mean - level) for level in contrast.levels)
        elif contrast.sized:
            mean = -abs(mean - contrast.size)
        half = (high - low) / 2
        return mean / half if half > 0 else math.copysign(math.inf, mean)

    return estimate(min(contrasts, key=favour))
