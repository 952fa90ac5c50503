"""The further studies as numbers: each contrast with its interval, paired by seed.

Each function takes one study of one data set (`reglab.results.recorded.further`). Accuracies are in
percent, differences in points.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from reglab.config import PLACEMENTS
from reglab.results import arms, tables
from reglab.stats import Estimate, mean_interval
from reglab.study import measures
from reglab.study.further.batch_size import SIZES
from reglab.study.further.dropout_bn import DROPS

WEIGHTS = {"conv": "convolutions", "dense": "dense layers", "all": "all weights"}


def scores(frame: pd.DataFrame, label: str) -> pd.Series:
    """Return the test accuracy (or R²) of the study's arm ``label`` in percent, by seed."""
    return arms.values(tables.arm(frame, frame["study"].iloc[0], label))


def contrast(values: Mapping[str, pd.Series], weights: Mapping[str, float]) -> Estimate | None:
    """Return a weighted sum of arms, formed within each seed, as mean and interval over seeds.

    Args:
        values: scores by seed, by arm.
        weights: of the arms that are in it: 1 and -1 for a difference.
    """
    terms = [weight * values[label] for label, weight in weights.items()]
    sums = sum(terms[1:], terms[0]).dropna().tolist()
    return mean_interval(sums) if sums else None


def mean(values: pd.Series) -> Estimate | None:
    """Return the mean of one arm's figures with its interval over seeds; None of none."""
    return contrast({"": values.astype(float)}, {"": 1})


def contrasts(frame: pd.DataFrame, weights: Mapping[str, float]) -> Estimate | None:
    """Return `contrast` of the test accuracies of a study's arms."""
    return contrast({label: scores(frame, label) for label in weights}, weights)


def order_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return no BN, and BN before and after the ReLU."""
    what = measures.of(frame).name
    rows = [("no batch normalization", "none"), ("convolution, BN, ReLU", "bn before_relu")]
    rows += [("convolution, ReLU, BN", "bn after_relu")]
    return pd.DataFrame(
        {
            "network": name,
            what: contrasts(frame, {label: 1}),
            "against none": None if label == "none" else contrasts(frame, {label: 1, "none": -1}),
            "after minus before": order_effect(frame) if label == "bn after_relu" else None,
        }
        for name, label in rows
    )


def order_effect(frame: pd.DataFrame) -> Estimate | None:
    """Return accuracy (or R²) with BN after the ReLU minus before it."""
    return contrasts(frame, {"bn after_relu": 1, "bn before_relu": -1})


def batch_size_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy without and with BN at each batch size, and what BN brings there.

    ``n`` counts pairs in which both runs stayed finite; how many runs diverged, and how many did
    not learn, is said of each network apart, first without and then with BN.
    """
    rows = []
    for size in SIZES:
        pair = [tables.arm(frame, "batch_size", f"{name} {size}") for name in ("none", "bn")]
        row = {"batch size": str(size), "learning rate": f"{pair[0]['lr'].iloc[0]:g}"}
        row |= {"without BN": tables.score(pair[0]), "with BN": tables.score(pair[1])}
        gain = tables.difference(pair[1], pair[0])
        row |= {"gain": gain, "gain minus that at 64": batch_change(frame, size)}
        row |= {"n": gain.n if gain else 0}
        for words, count in (("diverged", _diverged), ("did not learn", tables.unlearned)):
            row |= {words: " / ".join(str(count(runs)) for runs in pair)}
        rows.append(row)
    return pd.DataFrame(rows)


def _diverged(runs: pd.DataFrame) -> int:
    return int(runs["diverged"].sum())


def batch_moves(frame: pd.DataFrame, size: int) -> dict[str, Estimate | None]:
    """Return by how much each network, without and with BN, is better than at batches of 64.

    Over the seeds of `batch_change`.
    """
    values, cells = _all_learned(frame, size), ("none", "bn")
    return {name: contrast(values, {f"{name} {size}": 1, f"{name} 64": -1}) for name in cells}


def _all_learned(frame: pd.DataFrame, size: int) -> dict[str, pd.Series]:
    """Return both networks' scores at a size and at 64, of seeds of which all four runs learned."""
    labels = [f"{name} {one}" for one in (size, 64) for name in ("none", "bn")]
    rows = {label: tables.arm(frame, "batch_size", label) for label in labels}
    kept = {label: arms.values(one[one["learned"].astype(bool)]) for label, one in rows.items()}
    whole = pd.DataFrame(kept).dropna()
    return {label: whole[label] for label in labels}


def batch_gain(frame: pd.DataFrame, size: int) -> Estimate | None:
    """Return what BN brings at a batch size; of two kinds where only some runs learned."""
    pair = (tables.arm(frame, "batch_size", f"{name} {size}") for name in ("bn", "none"))
    return tables.difference(*pair)


def batch_change(frame: pd.DataFrame, size: int) -> Estimate | None:
    """Return what BN brings at a batch size minus what it brings at 64; None at 64 itself.

    Over the seeds of which all four runs learned.
    """
    if size == 64:
        return None
    weights = {f"bn {size}": 1, f"none {size}": -1, "bn 64": -1, "none 64": 1}
    return contrast(_all_learned(frame, size), weights)


def decay_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what L2 brings on each set of weights, without and with BN, and the difference."""
    what = measures.of(frame).name
    return pd.DataFrame(
        {
            "L2 on": WEIGHTS[on],
            f"{what} without BN": contrasts(frame, {f"l2 {on}": 1}),
            "gain without BN": decay_gain(frame, on, bn=False),
            f"{what} with BN": contrasts(frame, {f"l2+bn {on}": 1}),
            "gain with BN": decay_gain(frame, on, bn=True),
            "difference of the gains": decay_interaction(frame, on),
        }
        for on in WEIGHTS
    )


def decay_gain(frame: pd.DataFrame, on: str, *, bn: bool) -> Estimate | None:
    """Return what L2 on some weights brings, against none of it under the same normalization."""
    return contrasts(frame, {f"l2+bn {on}": 1, "bn": -1} if bn else {f"l2 {on}": 1, "none": -1})


def decay_interaction(frame: pd.DataFrame, on: str) -> Estimate | None:
    """Return what L2 on some weights brings with BN minus what it brings without."""
    return contrasts(frame, {f"l2+bn {on}": 1, "bn": -1, f"l2 {on}": -1, "none": 1})


def dropout_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what dropout brings without and with BN, and what its variance shift costs."""
    rows = []
    for place in PLACEMENTS:
        for drop in DROPS:
            row = {"dropout": tables.PLACES[place], "drop rate": f"{drop:g}"}
            row |= {"gain without BN": dropout_gain(frame, place, drop, bn=False)}
            row |= {"gain with BN": dropout_gain(frame, place, drop, bn=True)}
            row |= {"difference of the gains": dropout_interaction(frame, place, drop)}
            row |= {"variance ratio": variance_ratio(frame, place, drop)}
            rows.append(row | {"statistics without dropout": shift(frame, place, drop)})
    return pd.DataFrame(rows)


def dropout_gain(frame: pd.DataFrame, place: str, drop: float, *, bn: bool) -> Estimate | None:
    """Return what dropout brings, against none under the same normalization."""
    arm = f"{place} {drop:g}"
    weights = {f"dropout+bn {arm}": 1, "bn": -1} if bn else {f"dropout {arm}": 1, "none": -1}
    return contrasts(frame, weights)


def dropout_interaction(frame: pd.DataFrame, place: str, drop: float) -> Estimate | None:
    """Return what dropout brings with BN minus what it brings without."""
    arm = f"{place} {drop:g}"
    return contrasts(frame, {f"dropout+bn {arm}": 1, "bn": -1, f"dropout {arm}": -1, "none": 1})


def variance_ratio(frame: pd.DataFrame, place: str, drop: float) -> Estimate | None:
    """Return what the first BN layer behind dropout sees: variance with it over that without."""
    measured = _probed(frame, place, drop).map(lambda it: it["variance ratio"]["bn3"])
    return mean_interval(measured.tolist()) if len(measured) else None


def shift(frame: pd.DataFrame, place: str, drop: float) -> Estimate | None:
    """Return accuracy with BN statistics taken without dropout minus with it, in points."""
    measured = _probed(frame, place, drop).map(
        lambda it: it["without dropout"]["accuracy"] - it["with dropout"]["accuracy"]
    )
    return mean_interval((100 * measured).tolist()) if len(measured) else None


def _probed(frame: pd.DataFrame, place: str, drop: float) -> pd.Series:
    rows = tables.arm(frame, "dropout_bn", f"dropout+bn {place} {drop:g}")
    return rows.set_index("seed")["probed"].dropna()
