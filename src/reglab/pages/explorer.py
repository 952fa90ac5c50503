"""The page Explorer: recorded runs as a picture that a reader can change.

Every number is made here, by the functions of the chapters; `reglab.pages.charts` only shows them.
The page's pictures of formulas are `reglab.pages.sliders`.
Learning curves and accuracies are means over seeds with 95 % intervals; raw runs are not shipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from reglab import paper
from reglab.cells import CELL_NAMES, CELLS
from reglab.pages import chapters, charts
from reglab.pages.picture import Picture
from reglab.pages.states import State, columns
from reglab.results import costs, further_settings, provenance, recorded, tables
from reglab.results.costs import Setting
from reglab.stats import Estimate, TwoKinds, mean_interval
from reglab.study import measures
from reglab.study.profiles import PRINTED_LAMBDA, PRINTED_P

PLAIN = CELL_NAMES["none"]
# Where a cell of the factorial, or a printed strength, is to be looked for.
_TECHNIQUES = {
    "L2": f"L2, {tables.READINGS['coupled']}",
    "dropout": costs.PLACES["fc"],
    "BN": "batch normalization",
}
# The cells that have no sweep come last; within a technique, what was judged comes first.
_ORDER = (PLAIN, *(f"L2, {name}" for name in tables.READINGS.values()), *costs.PLACES.values())
_STUDIES = ("factorial", "literal", "no_early_stop", *costs.SWEPT)
# Further studies that are shown too, in the order of the chapters.
FURTHER = tuple(further_settings.MADE)
_CURVES = ("score", "loss")


def recorded_picture(
    studies: Mapping[str, pd.DataFrame] | None = None,
    further: Mapping[str, Mapping[str, pd.DataFrame]] | None = None,
) -> Picture | chapters.Stack:
    """Return the recorded runs by data set, technique and strength; a sentence if there are none.

    Args:
        studies: by data set; None = `reglab.results.recorded.studies`.
        further: of `FURTHER`, by name and data set; None = `reglab.results.recorded.further`.
    """
    studies = recorded.studies() if studies is None else studies
    further = {it: recorded.further(it) for it in FURTHER} if further is None else further
    states = []
    for name, study in studies.items():
        states += _states(name, study)
        for frames in further.values():
            states += _further_states(name, frames[name]) if name in frames else []
    if not states:
        return chapters.Stack((), chapters.missing_remark(studies))
    what = measures.in_words(studies.values())
    units = " or ".join(dict.fromkeys(measures.of(it).loss_unit for it in studies.values()))
    specs = {
        f"{what[0].upper()}{what[1:]} over epochs": charts.curves_chart("score", f"{what} (%)"),
        "Loss over epochs": charts.curves_chart("loss", f"loss ({units})"),
        f"Test {what}": charts.scores_chart("scores", f"test {what} (%)"),
    }
    controls = tuple((name, "select") for name in ("Data set", "Technique", "Strength"))
    opening = next((s for s in states if s.first and s.path[1] != PLAIN), None)
    return Picture("explorer", controls, specs, tuple(states), opening=opening)


def table(studies: Mapping[str, pd.DataFrame] | None = None) -> chapters.Stack:
    """Return a table a data set: accuracy and cost of the eight combinations, as text."""
    studies = recorded.studies() if studies is None else studies
    caption = "The eight combinations, at the strengths chosen: test {}, and cost of a run."
    shown = [
        chapters.shown_for(
            name,
            study,
            pd.DataFrame([_row(name, s) for s in costs.settings(study) if _is_cell(s)]),
            caption.format(measures.of(study).name),
        )
        for name, study in studies.items()
    ]
    return chapters.Stack(tuple(shown), chapters.missing_remark(studies))


def _is_cell(setting: Setting) -> bool:
    return setting.study == "factorial"


def _row(dataset: str, setting: Setting) -> dict[str, Any]:
    memory = costs.megabytes(setting)
    return {
        "network": setting.technique,
        "strength": setting.strength or None,
        measures.of(setting.runs).name: tables.score(setting.runs),
        "paper": " / ".join(map(str, printed(dataset, setting))) or None,
        "epochs": setting.cost("epochs"),
        "seconds": setting.cost("seconds"),
        "parameters": f"{setting.runs['n_params'].iloc[0]:,}",
        "peak memory (MB)": None if memory is None else f"{memory:,.0f}",
        "n": len(setting.kept),
    }


def _states(dataset: str, study: pd.DataFrame) -> list[State]:
    """Return a state a setting, techniques in the order of the chapters."""
    provenance.refuse_mixture(study, *provenance.UNMIXED)
    settings = costs.settings(study)
    if (study["study"] == "no_early_stop").any():
        base, runs = (tables.arm(study, s, "none") for s in ("factorial", "no_early_stop"))
        settings.append(Setting("no_early_stop", PLAIN, "", runs, base))
    states = []
    for setting in sorted(settings, key=_place):
        study, technique = setting.study, _technique(setting)
        if study in costs.SWEPT:
            near = [s for s in settings if (s.study, _technique(s)) == (study, technique)]
        else:
            near = [s for s in settings if _is_cell(s)]
        states.append(_state(dataset, technique, setting, near))
    return states


def _further_states(dataset: str, frame: pd.DataFrame) -> list[State]:
    """Return a state a setting of a further study, beside others of its technique."""
    provenance.refuse_mixture(frame, *provenance.UNMIXED)
    settings = further_settings.settings(frame)
    return [
        _state(dataset, it.technique, it, [s for s in settings if s.technique == it.technique])
        for it in settings
    ]


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
        measure: "score" (accuracy or R² in percent) or "loss" (nats, or variances).

    The mean ends where the first seed stops; it is missing where a seed's loss was not finite.
    """
    rows, suffix, scale = [], "loss", 1.0
    if measure == "score":
        suffix, scale = measures.of(setting.runs).suffix, 100.0
    for network, runs in zip(charts.NETWORKS, (setting.runs, setting.control), strict=True):
        histories = [] if runs is None else [h for h in runs["history"] if h["val_loss"]]
        for part, column in zip(charts.PARTS, ("train", "val"), strict=True):
            values = [history[f"{column}_{suffix}"] for history in histories]
            for epoch in range(min(map(len, values), default=0)):
                estimate = _estimate([curve[epoch] for curve in values], scale)
                rows.append({"epoch": epoch + 1, **estimate, "part": part, "network": network})
    return columns(rows, ("epoch", "mean", "low", "high", "part", "network"))


def _estimate(values: Sequence[float | None], scale: float = 1.0) -> dict[str, float | None]:
    if not values or None in values:
        return dict.fromkeys(("mean", "low", "high"))
    return _bounds(mean_interval([scale * value for value in values]))


def _bounds(estimate: Estimate | None) -> dict[str, float | None]:
    return {name: getattr(estimate, name, None) for name in ("mean", "low", "high")}


def _scores(dataset: str, setting: Setting, near: Sequence[Setting]) -> dict[str, list]:
    """Return accuracies beside one another, all on the same seeds, and what the paper prints."""
    rows = []
    for order, other in enumerate([*near, *([] if setting in near else [setting])]):
        listed = other.study in (*costs.SWEPT, *FURTHER)  # by strength, not by technique
        label = other.strength if listed else other.technique
        label += ", not stopped early" if other.study == "no_early_stop" else ""
        estimate = _bounds(tables.score(other.runs))
        kind = charts.KINDS[0 if other is setting else 2]
        rows.append({"label": label, "order": order, "kind": kind, **estimate})
        for value in printed(dataset, other):
            exact = {"mean": float(value), "low": None, "high": None}
            rows.append({"label": label, "order": order, "kind": charts.KINDS[1], **exact})
    return columns(rows, ("label", "order", "kind", "mean", "low", "high"))


def printed(dataset: str, setting: Setting) -> list[Decimal]:
    """Return what the paper prints for a setting: none, one, or several values, in percent.

    A sweep has one where its strength is the paper's; whose reading of it the paper means is open.
    """
    if setting.study in ("no_early_stop", *FURTHER):
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
    memory, products = costs.megabytes(setting), costs.trillions(setting)
    facts = {
        "profile": f"{first['profile']}, {first['n_train']:,} training {provenance.items(runs)}",
        "setting": ", ".join(filter(None, (setting.strength, f"{first['optimizer'].upper()} at "
                                           f"{first['lr']:g}"))),
        "seeds": f"{len(runs)} ({setting.seeds})",
        f"test {measures.of(runs).name}": _text(tables.score(runs), " %"),
        "gain": _text(setting.gain, " points", "+"),
        "the paper prints": " / ".join(f"{value} %" for value in printed(dataset, setting)),
        "epochs until the stop": _text(setting.cost("epochs")),
        "seconds a run": _text(setting.cost("seconds")),
        "multiplications": "" if products is None else costs.in_trillions(products),
        "parameters": f"{first['n_params']:,}",
        "peak memory": "" if memory is None else f"{memory:,.0f} MB",
    }  # fmt: skip
    if before := _before(setting):
        facts["trained before"] = f"{before}, not counted here"
    if diverged := int(runs["best_epoch"].isna().sum()):
        facts["diverged"] = f"{diverged} of {len(runs)}"
    if failed := tables.unlearned(runs):
        facts["did not learn"] = f"{failed} of {len(runs)}"
    return {name: value for name, value in facts.items() if value}


def _before(setting: Setting) -> str:
    """Return what had to be trained before such a run, if anything."""
    if setting.study == "pruning" and setting.control is not None:
        return "the dense network"
    return "another network" if "taught" in setting.strength else ""


def _text(estimate: Estimate | None, unit: str = "", sign: str = "") -> str:
    if estimate is None:
        return ""
    if isinstance(estimate, TwoKinds):
        return estimate.words
    half = "" if estimate.n < 2 else f" ± {estimate.half_width:.2f}"
    return f"{estimate.mean:{sign}.2f}{half}{unit}"
