"""The chapter on forecasting: networks beside the naive forecast, rates, strengths, epochs."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from reglab import paper
from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.pages import clauses, simple_rules
from reglab.results import arms, baselines, factorial, further, tables
from reglab.stats import Estimate
from reglab.study import measures

Frames = Mapping[str, pd.DataFrame]
NOTHING = clauses.Said("No forecasts are recorded.")
SWEPT = {"lambda": "strength", "dropout": "drop rate"}


def against_naive(studies: Frames) -> clauses.Said:
    """Return which of the eight networks are better, or worse, than the naive forecast."""
    said = []
    for name, frame in studies.items():
        rules = baselines.recorded(name)
        if rules is None or baselines.NAIVE not in rules:
            continue
        naive = rules[baselines.NAIVE]
        kinds: dict[str, list[str]] = {"up": [], "down": [], "open": []}
        scores = factorial.scores(frame)
        beside = simple_rules.against({cell: scores[cell] for cell in CELL_ORDER}, naive)
        for cell, one in beside.items():
            figure = f" ({clauses.figure(one)})" if one else ""
            kinds[clauses.shown(one)].append(f"{CELL_NAMES[cell]}{figure}")
        words = {"up": "better with", "down": "worse with", "open": "not shown to differ with"}
        listed = "; ".join(
            f"{words[kind]} {clauses.listed(own)}" for kind, own in kinds.items() if own
        )
        said.append(
            f"{paper.title(name)}, the network against the naive forecast (R² of "
            f"{naive.mean():.1f} %): {listed}"
        )
    return clauses.points(*said) if said else NOTHING


def own_rates(studies: Frames) -> clauses.Said:
    """Return what BN brings where each network has the rate at which it validates best."""
    said = []
    for name, frame in studies.items():
        rates = {cell: arms.own_rate(frame, cell) for cell in ("none", "bn")}
        common = float(tables.arm(frame, "factorial", "none")["lr"].iloc[0])
        beside = _at_rates(frame, common, common), _at_rates(frame, rates["none"], rates["bn"])
        shared, own = (clauses.clause(one, up="better by", down="worse by") for one in beside)
        said.append(
            f"{paper.title(name)}: by validation loss the network without BN does best at a rate "
            f"of {rates['none']:g}, the one with BN at {rates['bn']:g}. On the selection seeds, "
            f"with BN against without: {shared} where both have {common:g}, {own} where each has "
            "its own"
        )
    return clauses.points(*said) if said else NOTHING


def _at_rates(frame: pd.DataFrame, none: float, norm: float) -> Estimate | None:
    pair = (tables.arm(frame, "rate", label) for label in (f"bn {norm:g}", f"none {none:g}"))
    return tables.difference(*pair)


def best_swept(studies: Frames) -> clauses.Said:
    """Return the settings of the sweeps of lambda and p with the lowest validation loss.

    With their test scores on the selection seeds, beside the chosen ones and those of no strength.
    """
    said = []
    for name, frame in studies.items():
        chosen = _chosen(frame)
        for study, what in SWEPT.items():
            rows = tables.study_rows(frame, study)
            losses = (
                rows.astype({"val_loss": float}).groupby("arm")["val_loss"].agg(["mean", "count"])
            )
            whole = losses[losses["count"] == losses["count"].max()]  # no run diverged
            best = str(whole["mean"].idxmin())
            first = tables.arm(frame, study, best)
            base = tables.arm(frame, study, f"{_family(first.iloc[0])} 0")
            sentence = (
                f"{paper.title(name)}: of all settings in the sweep of the {what}, "
                f"{arms.in_words(first)} validates best on the selection seeds. Its test "
                f"{measures.of(frame).name} there is {_level(first)}, that of strength zero under "
                f"the same optimizer {_level(base)}"
            )
            if best != chosen[study]:
                kept = tables.arm(frame, study, chosen[study])
                sentence += f", that of the setting which the protocol takes {_level(kept)}"
            said.append(sentence)
    return clauses.points(*said) if said else NOTHING


def _family(first: pd.Series) -> str:
    """Return what a setting shares with that of strength zero: its optimizer, or its place."""
    if first["study"] == "dropout":
        return first["place"]
    return "decoupled" if first["reading"] == "decoupled" else "coupled"


def _chosen(frame: pd.DataFrame) -> dict[str, str]:
    """Return the labels of the settings that the protocol chose, by sweep."""
    lam = tables.arm(frame, "factorial", "l2")["lam"].iloc[0]
    drop = tables.arm(frame, "factorial", "dropout")["dropout"].iloc[0]
    return {"lambda": f"coupled {lam:g}", "dropout": f"fc {drop:g}"}


def _level(rows: pd.DataFrame) -> str:
    one = tables.score(rows)
    return "not measured" if one is None else f"{one.mean:.1f} % (n = {one.n})"


def at_the_cap(studies: Frames) -> clauses.Said:
    """Return how long each network trained, and how many runs were not stopped before the end."""
    said = []
    for name, frame in studies.items():
        parts = []
        for cell in CELL_ORDER:
            runs = tables.arm(frame, "factorial", cell)
            most = int((runs["epochs"] == runs["max_epochs"]).sum())
            cut = f", {most} of {len(runs)} to the last epoch" if most else ""
            parts.append(f"{CELL_NAMES[cell]} {runs['epochs'].mean():.0f}{cut}")
        said.append(
            f"{paper.title(name)}, epochs until the stop, mean over seeds: {'; '.join(parts)}"
        )
    return clauses.points(*said) if said else NOTHING


_LEVEL = {
    "up": "with four times the noise batch normalization costs less, not more, which speaks "
    "against a batch's level as the main part of its cost; steps and rate differ between the sizes "
    "as well",
    "down": "with four times the noise batch normalization costs more, as it would if a batch's "
    "level made up its cost; steps and rate differ between the sizes as well",
    "open": "batch normalization is not shown to cost more or less with four times the noise: "
    "whether a batch's level makes up its cost is left open",
}


def level_noise(frames: Frames) -> clauses.Said:
    """Return what runs with batches of 16 and 64 say of the noise of a batch's own level.

    Args:
        frames: the study *batch_size* by data set.
    """
    said = []
    for name, frame in frames.items():
        words = _LEVEL[clauses.shown(further.batch_change(frame, 16))]
        moves = "; ".join(
            f"{CELL_NAMES[cell]}: {clauses.clause(one, up='better by', down='worse by')}"
            for cell, one in further.batch_moves(frame, 16).items()
        )
        said.append(f"{paper.title(name)}: {words}")
        said.append(f"With batches of 16 against 64, {moves}")
    return clauses.points(*said) if said else clauses.Said("No runs of other sizes are recorded.")
