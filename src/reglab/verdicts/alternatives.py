"""Other arms than those that a claim's words name: tried on every claim alike.

Nobody chooses which claim is tried on what: each alternative is a rule for which arm stands in for
which (`reglab.verdicts.lookup.Swap`), and counts for a claim where it compares other runs or other
scores than the claim's own. What it needs and is not recorded is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reglab.cells import CELL_ORDER, CELLS
from reglab.errors import ReglabError
from reglab.results import arms
from reglab.verdicts.lookup import Missing, Names, Swap

_LAST = {name: f"last_{name}" for name in ("test_acc", "train_acc", "val_acc", "gap")}
_CHOSEN = {"literal:l2=0.1": "l2", "literal:dropout=0.5": "dropout"}
_PRINTED = {  # by reading of λ, and the arm without a penalty beside it
    "coupled": ("literal:l2=0.1", "none"),
    "per sample": ("lambda:per_sample 0.1", "lambda:coupled 0"),
    "decoupled": ("lambda:decoupled 0.1", "lambda:decoupled 0"),
}
_WITH_DROPOUT = [name for name, _, dropout, _ in CELLS if dropout and name != "dropout"]


@dataclass(frozen=True)
class Alternative:
    """A way to compare what the words do not name.

    Attributes:
        name: in a few words, for the ledger.
        about: what stands in for what, a sentence for whoever has not seen the code.
        swap: the same for the code.
    """

    name: str
    about: str
    swap: Swap


def _chosen(study: pd.DataFrame, names: Names, metric: str) -> tuple[Names, str]:
    return tuple(_CHOSEN.get(name, name) for name in names), metric


def _last_epoch(study: pd.DataFrame, names: Names, metric: str) -> tuple[Names, str]:
    return names, _LAST.get(metric, metric)


def _best_epoch(study: pd.DataFrame, names: Names, metric: str) -> tuple[Names, str]:
    return names, {last: best for best, last in _LAST.items()}.get(metric, metric)


def _chosen_last(study: pd.DataFrame, names: Names, metric: str) -> tuple[Names, str]:
    swapped, _ = _chosen(study, names, metric)
    return (names, metric) if swapped == names else _last_epoch(study, swapped, metric)


def _printed(reading: str) -> Swap:
    l2, plain = _PRINTED[reading]

    def swap(study: pd.DataFrame, names: Names, metric: str) -> tuple[Names, str]:
        if not set(names) <= {"none", "l2", "dropout"} or len(names) > 2:
            return names, metric  # at the printed strengths nothing is recorded in combination
        if "l2" in names:
            return tuple({"l2": l2, "none": plain}.get(name, name) for name in names), metric
        return tuple({"dropout": "literal:dropout=0.5"}.get(name, name) for name in names), metric

    return swap


def _not_stopped(study: pd.DataFrame, names: Names, metric: str) -> tuple[Names, str]:
    """Replace the plain network, alone or beside one other: only it was run without stopping."""
    small = any(name.startswith("size:") for name in names)
    if "none" not in names or len(names) > 2 or small or metric not in {*_LAST, *_LAST.values()}:
        return names, metric
    swapped = tuple({"none": "no_early_stop:none"}.get(name, name) for name in names)
    return swapped, _LAST.get(metric, metric)


def _own_rates(study: pd.DataFrame, names: Names, metric: str) -> tuple[Names, str]:
    """Give each network its own rate: judged anew, or else as the study of rates has it."""
    if not set(names) <= set(CELL_ORDER):
        return names, metric
    if (study["study"] == "fair").any():
        return tuple(f"fair:{name}" for name in names), metric
    if set(names) == {"none"}:  # all networks have the rate that suits this one
        return names, metric
    try:
        return tuple(f"rate:{name} {arms.own_rate(study, name):g}" for name in names), metric
    except ReglabError as error:
        raise Missing(str(error), str(study["dataset"].iloc[0])) from None


def _pools(study: pd.DataFrame, names: Names, metric: str) -> tuple[Names, str]:
    """Put dropout after the pools as well: recorded as a sweep, without other techniques."""
    if set(names) & set(_WITH_DROPOUT):
        raise Missing("combinations with dropout after the pools", str(study["dataset"].iloc[0]))
    places = {name: "dropout:all" + name.removeprefix("dropout:fc")
              for name in names if name.startswith("dropout:fc ")}  # fmt: skip
    if "literal:dropout=0.5" in names:
        places["literal:dropout=0.5"] = "dropout:all 0.5"
    if "dropout" in names:
        chosen = arms.runs(study, "dropout")["dropout"].iloc[0]
        places["dropout"] = f"dropout:all {chosen:g}"
    places |= {"none": "dropout:all 0"} if places else {}
    return tuple(places.get(name, name) for name in names), metric


ALTERNATIVES = (
    Alternative(
        "the strength that validation chose",
        "λ and drop rate as validation chose them in place of those that the paper prints",
        _chosen,
    ),
    Alternative(
        "the strength that validation chose, after the last epoch",
        "the same, with the weights that training ended with",
        _chosen_last,
    ),
    *(
        Alternative(
            f"the printed strengths, λ {reading}",
            f"λ = 0.1, read as {reading}, and p = 0.5 in place of what validation chose",
            _printed(reading),
        )
        for reading in _PRINTED
    ),
    Alternative(
        "after the last epoch",
        "the weights that training ended with in place of those that validated best",
        _last_epoch,
    ),
    Alternative(
        "with the best weights",
        "the weights that validated best, where the words are about the end of training",
        _best_epoch,
    ),
    Alternative(
        "the unregularized network not stopped",
        "the unregularized network trained for all epochs, both sides with their last weights",
        _not_stopped,
    ),
    Alternative(
        "each network at its own learning rate",
        "the rate that validates best for each, on the seeds that chose it if no others have it",
        _own_rates,
    ),
    Alternative(
        "dropout after the pools as well",
        "dropout at both places, on the seeds that choose settings",
        _pools,
    ),
)
OTHER_PROFILE = "the same runs of another recorded profile, where a better one decides"
