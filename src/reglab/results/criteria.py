"""Stopping criteria replayed on runs that were not stopped: what each would have kept, and spent.

A criterion sees the losses of the epochs so far, training and validation, and says when to stop;
the weights of the lowest validation loss up to there are kept, as in Prechelt (1998). A stopped run
is the beginning of an unstopped one (tested), so each trajectory of the study *early_stopping*
gives what every criterion would have given, and criteria are compared within a run.

Losses are in nats, accuracies in percent, of the test images with the weights kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from reglab import formulas
from reglab.cells import CELL_ORDER
from reglab.errors import ReglabError
from reglab.results import tables
from reglab.results.further import contrast
from reglab.stats import Estimate

STRIP = 5  # epochs, as in Prechelt
PATIENCE = 5  # of the protocol
Losses = Sequence[float]
Replays = dict[str, pd.DataFrame]  # by measure: a row a seed, a column a criterion


@dataclass(frozen=True)
class Rule:
    """A family of criteria, one for each value that it is tried at.

    Attributes:
        name: "patience", "GL", "PQ" or "UP".
        watched: what it computes from training and validation losses of the epochs so far.
        tried: values, the fastest first.
        every: epochs between two questions; it is asked at the end of such a strip only.
        above: whether ``watched`` has to exceed the value, and not only to reach it.
        unit: of the values.
    """

    name: str
    watched: Callable[[Losses, Losses], float]
    tried: tuple[float, ...]
    every: int = 1
    above: bool = False
    unit: str = ""

    def label(self, value: float) -> str:
        """Return what tables and figures call one of its criteria, e.g. "GL 2 %"."""
        return f"{self.name} {value:g}{self.unit}"

    def stops(self, train_loss: Losses, val_loss: Losses) -> list[int]:
        """Return the epoch, from 1, after which each value stops; the last if it never does."""
        epochs = range(self.every, len(val_loss) + 1, self.every)
        seen = {end: self.watched(train_loss[:end], val_loss[:end]) for end in epochs}
        return [
            next((end for end in epochs if self._enough(seen[end], value)), len(val_loss))
            for value in self.tried
        ]

    def _enough(self, watched: float, value: float) -> bool:
        return watched > value if self.above else watched >= value


RULES = (
    Rule("patience", lambda train, val: formulas.epochs_since_best(val), (1, 2, 3, PATIENCE, 10)),
    Rule(
        "GL",
        lambda train, val: formulas.generalization_loss(val),
        (1, 2, 3, 5),
        above=True,
        unit=" %",
    ),
    Rule(
        "PQ",
        lambda train, val: formulas.progress_quotient(train, val, STRIP),
        (0.5, 0.75, 1, 2),
        every=STRIP,
        above=True,
    ),
    Rule("UP", lambda train, val: formulas.successive_rises(val, STRIP), (1, 2, 3), every=STRIP),
)
MEASURES = ("epochs", "kept", "accuracy", "loss")
PROTOCOL = f"patience {PATIENCE}"
ALL = "all epochs"  # kept: the lowest validation loss of the whole run
BY_ACCURACY = "all epochs, kept by accuracy"  # kept: the highest validation accuracy of it
LAST = "all epochs, the last kept"
ORDER = (*(rule.label(value) for rule in RULES for value in rule.tried), ALL, BY_ACCURACY, LAST)


def lowest(losses: Losses) -> int:
    """Return the epoch, from 1, of the lowest loss; the first of equal ones."""
    return len(losses) - formulas.epochs_since_best(losses)


def replayed(history: dict, trace: dict) -> np.ndarray:
    """Return one run under every criterion of `ORDER`.

    Args:
        history: ``train_loss``, ``val_loss`` and ``val_acc`` by epoch, of a run not stopped.
        trace: ``test_loss`` and ``test_acc`` of the same epochs.

    Returns:
        A row a criterion and a column each of `MEASURES`: epochs spent, the epoch kept, and the
        test accuracy and loss of that one.

    Raises:
        ReglabError: the lists are not of the same epochs.
    """
    train, val = history["train_loss"], history["val_loss"]
    if len({len(train), len(val), len(trace["test_loss"]), len(trace["test_acc"])}) > 1:
        raise ReglabError("a replay needs losses and test figures of the same epochs")
    total = len(val)
    chosen = [(stop, lowest(val[:stop])) for stop in (*_stops(tuple(train), tuple(val)), total)]
    chosen += [(total, highest(history["val_acc"])), (total, total)]
    accuracy, loss = trace["test_acc"], trace["test_loss"]
    return np.array(
        [(stop, epoch, 100 * accuracy[epoch - 1], loss[epoch - 1]) for stop, epoch in chosen]
    )


@lru_cache(maxsize=1024)
def _stops(train_loss: tuple[float, ...], val_loss: tuple[float, ...]) -> tuple[int, ...]:
    """Return where every criterion of `RULES` stops; a page asks for the same run many times."""
    return tuple(stop for rule in RULES for stop in rule.stops(train_loss, val_loss))


def highest(values: Losses) -> int:
    """Return the epoch, from 1, of the highest value; the first of equal ones."""
    return 1 + max(range(len(values)), key=values.__getitem__)


def on_validation(rows: pd.DataFrame) -> Replays:
    """Return every criterion on an arm's runs by what their history alone tells.

    Args:
        rows: one arm's runs, one a seed, that were not stopped; diverged ones are left out.

    Returns:
        ``epochs`` spent, and ``excess``: by how many percent the validation loss kept lies above
        the lowest of the whole run. Of criteria by loss only: those of `RULES`, and `ALL`.
    """
    kept = rows[~rows["diverged"].astype(bool)].set_index("seed").sort_index()["history"]
    names = list(ORDER[: ORDER.index(ALL) + 1])
    found = {"epochs": [], "excess": []}
    for history in kept:
        val = history["val_loss"]
        stops = [*_stops(tuple(history["train_loss"]), tuple(val)), len(val)]
        found["epochs"].append([float(stop) for stop in stops])
        found["excess"].append([100 * (min(val[:stop]) / min(val) - 1) for stop in stops])
    return {
        name: pd.DataFrame(values, index=kept.index, columns=names, dtype=float)
        for name, values in found.items()
    }


def runs(frame: pd.DataFrame, cell: str) -> pd.DataFrame:
    """Return a cell's runs that have test curves, one a seed; those that diverged are left out.

    Args:
        frame: the study *early_stopping* of one data set (`reglab.results.recorded.further`).
    """
    rows = tables.arm(frame, "early_stopping", cell).set_index("seed").sort_index()
    whole = rows["trace"].map(lambda trace: bool(trace) and None not in trace["test_loss"])
    return rows[~rows["diverged"].astype(bool) & whole]


def replay(frame: pd.DataFrame, cells: Sequence[str] = CELL_ORDER) -> Replays:
    """Return every criterion on every run of some cells, averaged over the cells within a seed.

    Returns:
        By measure a table with a row a seed and a column a criterion; a seed that lacks a run of
        one of the cells is left out, and without any seed there is no row.
    """
    parts = {cell: runs(frame, cell) for cell in cells}
    seeds = sorted(set.intersection(*(set(rows.index) for rows in parts.values())))
    found = np.zeros((len(seeds), len(ORDER), len(MEASURES)))
    for i, seed in enumerate(seeds):
        rows = [rows.loc[seed] for rows in parts.values()]
        found[i] = np.mean([replayed(row["history"], row["trace"]) for row in rows], axis=0)
    return {
        name: pd.DataFrame(found[:, :, k], index=seeds, columns=list(ORDER))
        for k, name in enumerate(MEASURES)
    }


def against(table: Replays, measure: str, treated: str, control: str = PROTOCOL) -> Estimate | None:
    """Return one criterion minus another in a measure of `replay`, paired; None without runs."""
    values = table[measure]
    return contrast({"difference": values[treated] - values[control]}, {"difference": 1})


def loss_change(table: Replays, treated: str, control: str = PROTOCOL) -> Estimate | None:
    """Return by how many percent of the one's test loss the other's is higher, paired."""
    loss = table["loss"]
    return contrast({"share": 100 * (loss[treated] / loss[control] - 1)}, {"share": 1})


def criteria_table(table: Replays) -> pd.DataFrame:
    """Return a row a criterion: epochs spent, what is kept, and its change against patience 5."""
    rows = []
    for name in () if table["epochs"].empty else ORDER:
        row = {"criterion": name}
        for measure, head in _HEADS.items():
            row[head] = contrast(table[measure], {name: 1})
        if name != PROTOCOL:
            row["accuracy, change"] = against(table, "accuracy", name)
            row["loss, change (%)"] = loss_change(table, name)
        rows.append(row)
    return pd.DataFrame(rows)


_HEADS = {
    "epochs": "epochs spent",
    "kept": "epoch kept",
    "accuracy": "test accuracy",
    "loss": "test loss",
}


def slow_against_fast(frame: pd.DataFrame) -> dict[str, Estimate | None]:
    """Return what the slowest criterion of a family brings over its fastest, and what it takes.

    Means over families and the eight cells, within a seed: ``loss`` and ``error``, by how many
    percent test loss and test error (100 minus accuracy) change, and ``time``, how many times the
    epochs.
    """
    table = replay(frame)
    pairs = [(rule.label(rule.tried[0]), rule.label(rule.tried[-1])) for rule in RULES]
    parts = {"loss": table["loss"], "error": 100 - table["accuracy"], "time": table["epochs"]}
    times = {
        name: sum(values[slow] / values[fast] for fast, slow in pairs) / len(pairs)
        for name, values in parts.items()
    }
    return {
        name: contrast({name: it if name == "time" else 100 * (it - 1)}, {name: 1})
        for name, it in times.items()
    }
