"""The page Explorer: recorded runs and formulas as pictures that a reader can change.

Every number is made here, by the functions of the chapters; `reglab.charts` only shows them.
Learning curves and accuracies are means over seeds with 95 % intervals; raw runs are not shipped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from reglab import charts, display, formulas, paper, recorded, tables, tradeoffs
from reglab.charts import Picture, State
from reglab.profiles import PRINTED_LAMBDA, PRINTED_P
from reglab.protocol import CELLS
from reglab.stats import Estimate, mean_interval
from reglab.tradeoffs import Setting

PLAIN = tables.CELL_NAMES["none"]
# Where a cell of the factorial, or a printed strength, is to be looked for.
_TECHNIQUES = {
    "L2": f"L2, {tables.READINGS['coupled']}",
    "dropout": tradeoffs.PLACES["fc"],
    "BN": "batch normalization",
}
# The cells that have no sweep come last; within a technique, what was judged comes first.
_ORDER = (PLAIN, *(f"L2, {name}" for name in tables.READINGS.values()), *tradeoffs.PLACES.values())
_STUDIES = ("factorial", "literal", "no_early_stop", *tradeoffs.SWEPT)
_CURVES = {"acc": ("accuracy (%)", 100.0), "loss": ("loss (nats)", 1.0)}


def recorded_picture(found: Mapping[str, pd.DataFrame] | None = None) -> Picture | recorded.Stack:
    """Return the recorded runs by data set, technique and strength; a sentence if there are none.

    Args:
        found: studies by data set; None = `reglab.recorded.studies`.
    """
    found = recorded.studies() if found is None else found
    states = [state for name, study in found.items() for state in _states(name, study)]
    if not states:
        return recorded.Stack((), tradeoffs.missing_remark(found))
    titles = {"acc": "Accuracy over epochs", "loss": "Loss over epochs"}
    specs = {titles[m]: charts.curves_chart(m, label) for m, (label, _) in _CURVES.items()}
    specs["Test accuracy"] = charts.scores_chart("scores")
    controls = tuple((name, "select") for name in ("Data set", "Technique", "Strength"))
    opening = next((s for s in states if s.first and s.path[1] != PLAIN), None)
    return Picture("explorer", controls, specs, tuple(states), opening=opening)


def table(found: Mapping[str, pd.DataFrame] | None = None) -> recorded.Stack:
    """Return a table a data set: accuracy and cost of the eight combinations, as text."""
    found = recorded.studies() if found is None else found
    caption = "The eight combinations, at the strengths chosen: test accuracy, and cost of a run."
    shown = [
        display.show(
            pd.DataFrame([_row(name, s) for s in tradeoffs.settings(study) if _is_cell(s)]),
            f"{paper.title(name)}. {caption}",
            tables.provenance(study),
        )
        for name, study in found.items()
    ]
    return recorded.Stack(tuple(shown), tradeoffs.missing_remark(found))


def _is_cell(setting: Setting) -> bool:
    return setting.study == "factorial"


def _row(dataset: str, setting: Setting) -> dict[str, Any]:
    memory = tradeoffs.megabytes(setting)
    return {
        "network": setting.technique,
        "strength": setting.strength or None,
        "accuracy": tables.accuracy(setting.runs),
        "paper": " / ".join(map(str, printed(dataset, setting))) or None,
        "epochs": setting.cost("epochs"),
        "seconds": setting.cost("seconds"),
        "parameters": f"{setting.runs['n_params'].iloc[0]:,}",
        "peak memory (MB)": None if memory is None else f"{memory:,.0f}",
        "n": len(setting.kept),
    }


def _states(dataset: str, study: pd.DataFrame) -> list[State]:
    """Return a state a setting, techniques in the order of the chapters."""
    tables.provenance(study)  # refuses a mixture of profiles, devices or precisions
    settings = tradeoffs.settings(study)
    if (study["study"] == "no_early_stop").any():
        base, runs = (tables.arm(study, s, "none") for s in ("factorial", "no_early_stop"))
        settings.append(Setting("no_early_stop", PLAIN, "", runs, base))
    found = []
    for setting in sorted(settings, key=_place):
        study, technique = setting.study, _technique(setting)
        if study in tradeoffs.SWEPT:
            near = [s for s in settings if (s.study, _technique(s)) == (study, technique)]
        else:
            near = [s for s in settings if _is_cell(s)]
        found.append(_state(dataset, technique, setting, near))
    return found


def _place(setting: Setting) -> tuple[int, int]:
    technique = _technique(setting)
    swept = _ORDER.index(technique) if technique in _ORDER else len(_ORDER)
    return swept, _STUDIES.index(setting.study)


def _technique(setting: Setting) -> str:
    name = setting.technique.removesuffix(", as printed")
    return _TECHNIQUES.get(name, name)


def _choice(setting: Setting) -> str:
    """Return the word for a strength; one of fresh seeds is told apart from the sweep's."""
    if setting.technique == PLAIN:
        return "not stopped early" if setting.study == "no_early_stop" else "stopped early"
    alone = setting.technique in ("L2", "dropout") or setting.study == "literal"
    return (setting.strength or "on") + (", on evaluation seeds" if alone else "")


def _state(dataset: str, technique: str, setting: Setting, near: Sequence[Setting]) -> State:
    rows = {measure: curves(setting, measure) for measure in _CURVES}
    return State(
        (paper.title(dataset), technique, _choice(setting)),
        rows | {"scores": _scores(dataset, setting, near)},
        tuple(_facts(dataset, setting).items()),
        first=_is_cell(setting),
    )


def curves(setting: Setting, measure: str) -> dict[str, list]:
    """Return mean and interval at each epoch, training and validation, with those of the control.

    Args:
        measure: "acc" (percent) or "loss" (nats).

    The mean ends where the first seed stops; it is missing where a seed's loss was not finite.
    """
    rows = []
    for network, runs in zip(charts.NETWORKS, (setting.runs, setting.control), strict=True):
        histories = [] if runs is None else [h for h in runs["history"] if h["val_loss"]]
        for part, column in zip(charts.PARTS, ("train", "val"), strict=True):
            values = [history[f"{column}_{measure}"] for history in histories]
            for epoch in range(min(map(len, values), default=0)):
                scale = _CURVES[measure][1]
                at = _estimate([curve[epoch] for curve in values], scale)
                rows.append({"epoch": epoch + 1, **at, "part": part, "network": network})
    return _columns(rows, ("epoch", "mean", "low", "high", "part", "network"))


def _estimate(values: Sequence[float | None], scale: float = 1.0) -> dict[str, float | None]:
    if not values or None in values:
        return dict.fromkeys(("mean", "low", "high"))
    found = mean_interval([scale * value for value in values])
    return {"mean": found.mean, "low": found.low, "high": found.high}


def _scores(dataset: str, setting: Setting, near: Sequence[Setting]) -> dict[str, list]:
    """Return accuracies beside one another, all on the same seeds, and what the paper prints."""
    rows = []
    for order, other in enumerate([*near, *([] if setting in near else [setting])]):
        label = other.strength if other.study in tradeoffs.SWEPT else other.technique
        label += ", not stopped early" if other.study == "no_early_stop" else ""
        found = _estimate((100 * other.runs["test_acc"].dropna()).tolist())
        kind = charts.KINDS[0 if other is setting else 2]
        rows.append({"label": label, "order": order, "kind": kind, **found})
        for value in printed(dataset, other):
            exact = {"mean": float(value), "low": None, "high": None}
            rows.append({"label": label, "order": order, "kind": charts.KINDS[1], **exact})
    return _columns(rows, ("label", "order", "kind", "mean", "low", "high"))


def printed(dataset: str, setting: Setting) -> list[Decimal]:
    """Return what the paper prints for a setting: none, one, or several values, in percent.

    A sweep has one where its strength is the paper's; whose reading of it the paper means is open.
    """
    if setting.study == "no_early_stop":
        return []
    first = setting.runs.iloc[0]
    parts = (bool(first["lam"]), bool(first["dropout"]), bool(first["batch_norm"]))
    (cell,) = (name for name, *wanted in CELLS if tuple(wanted) == parts)
    if _is_cell(setting):
        return paper.printed_cell(dataset, cell)
    which = "dropout" if setting.study == "dropout" or cell == "dropout" else "l2"
    if cell != "none" and (first["lam"], first["dropout"]) not in (
        (PRINTED_LAMBDA, 0), (0, PRINTED_P)
    ):  # fmt: skip
        return []
    value = paper.printed(which, dataset, cell)
    return [] if value is None else [value]


def _facts(dataset: str, setting: Setting) -> dict[str, str]:
    first, runs = setting.runs.iloc[0], setting.runs
    memory, products = tradeoffs.megabytes(setting), tradeoffs.trillions(setting)
    facts = {
        "profile": f"{first['profile']}, {first['n_train']:,} training images",
        "setting": ", ".join(filter(None, (setting.strength, f"{first['optimizer'].upper()} at "
                                           f"{first['lr']:g}"))),
        "seeds": f"{len(runs)} ({setting.seeds})",
        "test accuracy": _text(tables.accuracy(runs), " %"),
        "gain": _text(setting.gain, " points", "+"),
        "the paper prints": " / ".join(f"{value} %" for value in printed(dataset, setting)),
        "epochs until the stop": _text(setting.cost("epochs")),
        "seconds a run": _text(setting.cost("seconds")),
        "multiplications": "" if products is None else f"{products:.2f} × 10¹²",
        "parameters": f"{first['n_params']:,}",
        "peak memory": "" if memory is None else f"{memory:,.0f} MB",
    }  # fmt: skip
    if diverged := int(runs["test_acc"].isna().sum()):
        facts["diverged"] = f"{diverged} of {len(runs)}"
    return {name: value for name, value in facts.items() if value}


def _text(found: Estimate | None, unit: str = "", sign: str = "") -> str:
    if found is None:
        return ""
    half = "" if found.n < 2 else f" ± {found.half_width:.2f}"
    return f"{found.mean:{sign}.2f}{half}{unit}"


def _columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list]:
    return {name: [row[name] for row in rows] for name in names}


# The mathematics: strengths from none to the largest of the paper's grid, four a decade.
LAMBDAS = (0.0, *(10 ** (k / 4) for k in range(-20, 5)))
CURVATURES = tuple(10 ** (k / 10) for k in range(-50, 21))
EXAMPLES = (0.0001, 0.01, 1.0)  # curvatures that the text names
DROPS = tuple(k / 20 for k in range(17))
SCALES = tuple(2 ** (k / 4) for k in range(-8, 9))
# A made-up unit in front of batch normalization: six inputs, its weights, its targets, a rate.
INPUTS = ((0.9, -0.3), (-1.2, 0.4), (0.2, 1.1), (0.5, -0.9), (-0.6, -0.2), (1.4, 0.8))
WEIGHTS, TARGETS, RATE = (0.8, -0.5), (0.5, -1.0, 0.0, 1.0, -0.5, 1.0), 0.1


def shrinkage_picture() -> Picture:
    """What L2 leaves of a minimum along eigenvectors of the Hessian: `formulas.shrinkage`."""
    states = []
    for lam in LAMBDAS:
        half = [lam] if lam else []  # where h = λ, half is kept
        rows = {"kept": _kept(CURVATURES, lam), "half": _kept(half, lam)}
        parts = [f"{100 * share:.3g} % where h = {h:g}" for h, share in zip(*_kept(EXAMPLES, lam)
                 .values(), strict=True)]  # fmt: skip
        text = f"λ = {lam:.2g} keeps {', '.join(parts)}."
        states.append(State((f"{lam:.2g}",), rows, (("", text),), math.isclose(lam, 0.01)))
    specs = {"What L2 keeps along each direction": charts.shrinkage_chart(CURVATURES[::10])}
    return Picture("shrinkage", (("Strength λ", "range"),), specs, tuple(states))


def _kept(curvatures: Sequence[float], lam: float) -> dict[str, list[float]]:
    h = _vector(curvatures)
    return {"h": h.tolist(), "kept": formulas.shrinkage(h, lam).tolist()}


def dropout_picture() -> Picture:
    """Variance of a dropped-out activation over the drop rate: `formulas.dropout_moments`."""
    names = ("drop", "form", "variance")
    states = []
    for drop in DROPS:
        rows = _moments(drop)
        parts = [
            f"{r['form']}, mean {r['mean']:.3g} and variance {r['variance']:.3g}" for r in rows
        ]
        text = f"At drop rate {drop:g} an activation of 1 has, {'; '.join(parts)}."
        states.append(
            State((f"{drop:g}",), {"point": _columns(rows, names)}, (("", text),), drop == 0.5)
        )
    curve = {"curve": _columns([row for drop in DROPS for row in _moments(drop)], names)}
    specs = {"The noise of dropout": charts.variance_chart()}
    return Picture("dropout", (("Drop rate δ", "range"),), specs, tuple(states), curve)


def _moments(drop: float) -> list[dict[str, Any]]:
    rows = []
    for inverted, form in zip((True, False), charts.FORMS, strict=True):
        mean, variance = formulas.dropout_moments(_vector([1.0]), drop, inverted=inverted)
        rows.append({"drop": drop, "form": form, "mean": mean.item(), "variance": variance.item()})
    return rows


def scale_picture() -> Picture:
    """Batch normalization under weights scaled by a: the output stays, the gradient is over a."""
    names = ("a", "what", "value")
    states = []
    for a in SCALES:
        rows = {"outputs": _outputs(a), "now": _columns(_speeds(a), names)}
        states.append(State((f"{a:.3g}",), rows, (("", _scale_text(a)),), a == 1))
    rates = {"rates": _columns([row for a in SCALES for row in _speeds(a)], names)}
    specs = {
        "The unit's values": charts.outputs_chart(8),
        "How fast it learns": charts.speeds_chart(SCALES[::4], (0.001, 0.01, 0.1, 1.0, 10.0)),
    }
    return Picture("scale", (("Scale a of the weights", "range"),), specs, tuple(states), rates)


def unit_values(weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the made-up unit's values before and after batch normalization, shape (6, 1)."""
    before = (_vector(INPUTS) @ weights)[:, None]
    return before, formulas.batch_norm(before, _vector([1.0]), _vector([0.0]), eps=0)


def unit_gradient() -> Tensor:
    """Return the gradient of half the unit's mean squared error in its weights, shape (2,)."""
    before, after = unit_values(_vector(WEIGHTS))
    upstream = (after - _vector(TARGETS)[:, None]) / len(TARGETS)
    slope, _, _ = formulas.batch_norm_backward(before, _vector([1.0]), upstream, eps=0)
    return (_vector(INPUTS).T @ slope)[:, 0]


def _outputs(a: float) -> dict[str, list]:
    before, after = (values[:, 0].tolist() for values in unit_values(a * _vector(WEIGHTS)))
    n = len(INPUTS)
    what = [side for side in charts.SIDES for _ in range(n)]
    return {"example": [*range(1, n + 1)] * 2, "what": what, "value": before + after}


def _speeds(a: float) -> list[dict[str, Any]]:
    norm = formulas.gradient_at_scale(unit_gradient(), a).norm().item()
    rate = formulas.effective_learning_rate(RATE, a * _vector(WEIGHTS))
    pairs = zip(charts.SPEEDS, (norm, rate), strict=True)
    return [{"a": a, "what": what, "value": value} for what, value in pairs]


def _scale_text(a: float) -> str:
    moved = (unit_values(a * _vector(WEIGHTS))[1] - unit_values(_vector(WEIGHTS))[1]).abs().max()
    now, then = ([row["value"] for row in _speeds(scale)] for scale in (a, 1.0))
    ratios = [one / other for one, other in zip(now, then, strict=True)]
    return (
        f"a = {a:.3g}. The values after BN differ from those at a = 1 by at most {moved:.4f}; "
        f"the gradient has norm {now[0]:.3g}, {ratios[0]:.3g} times that at a = 1; the effective "
        f"learning rate is {now[1]:.3g}, {ratios[1]:.3g} times."
    )


def _vector(values: Sequence) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
