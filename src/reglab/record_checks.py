"""What a record's fields must be: of a file that somebody else has made, or damaged."""

from __future__ import annotations

import math
from typing import Protocol

from reglab.config import shown
from reglab.data.tasks import REGRESSION
from reglab.errors import ReglabError
from reglab.record_parts import Costs, History, Scores, Trace, unpack_bits


class Record(Protocol):
    """What is checked; see `reglab.record.RunRecord`."""

    history: History
    best_epoch: int | None
    best: Scores | None
    last: Scores | None
    diverged: bool
    n_params: int
    n_fit: int
    costs: Costs
    environment: dict[str, str]
    trace: Trace | None
    learned: bool | None
    probed: dict[str, dict[str, float | None]] | None

    @property
    def task(self) -> str: ...

    @property
    def epochs(self) -> int: ...


def check(record: Record) -> None:
    """Refuse fields that a digest can vouch for and no run could have left behind."""
    for name in ("history", "trace", "best", "last"):
        part = getattr(record, name)
        for field in part.misplaced() if part is not None else ():
            _require(f"{name}.{field}", getattr(part, field), False, f"left out: {record.task}")
    _check_history(record)
    for name in ("best", "last"):
        if (scores := getattr(record, name)) is not None:
            _require(f"{name}'s task", scores.task, scores.task == record.task, record.task)
            _check_scores(name, scores)
    _require("diverged", record.diverged, isinstance(record.diverged, bool), "true or false")
    for name in ("n_params", "n_fit"):
        value = getattr(record, name)
        _require(name, value, _is_integer(value) and value > 0, "an integer > 0")
    learned = record.learned
    _require("learned", learned, learned is None or isinstance(learned, bool), "true or false")
    if record.trace is not None:
        task = record.trace.task
        _require("trace's task", task, task == record.task, record.task)
        _check_trace(record.trace, record.epochs)
    if record.probed is not None:
        _check_probed(record.probed)
    _check_costs(record.costs)
    known = record.environment
    texts = isinstance(known, dict) and all(isinstance(text, str) for text in known.values())
    needed = ("code_version", "torch", "device_name")
    allowed = f"texts by name, {', '.join(needed)} among them"
    _require("environment", known, texts and set(needed) <= set(known), allowed)


def _check_history(record: Record) -> None:
    history, best = record.history, record.best_epoch
    columns = history.written()
    for name, column in columns.items():
        allowed = _is_share if name.endswith("acc") else _is_number_or_none
        kind = "shares in [0, 1]" if name.endswith("acc") else "finite numbers (or null)"
        fine = isinstance(column, list) and all(map(allowed, column))
        _require(f"history.{name}", column, fine, f"a list of {kind}")
    for name, column in columns.items():
        same = len(column) == record.epochs
        _require(f"history.{name}", column, same, f"of {record.epochs} epochs, as val_loss is")
    reached = best is None or (_is_integer(best) and 1 <= best <= record.epochs)
    _require("best_epoch", best, reached, f"null or an epoch from 1 to {record.epochs}")
    finite = best is None or history.val_loss[best - 1] is not None
    _require("history.val_loss", history.val_loss, finite, f"finite at best_epoch, {best}")


def _check_trace(trace: Trace, epochs: int) -> None:
    norms = trace.weight_norms
    _require("trace.weight_norms", norms, isinstance(norms, dict), "lists by a parameter's name")
    columns = trace.written()
    columns |= columns.pop("weight_norms")
    for name, column in columns.items():
        allowed = _is_share if name == "test_acc" else _is_number_or_none
        fine = isinstance(column, list) and len(column) == epochs and all(map(allowed, column))
        _require(f"trace.{name}", column, fine, f"a list of {epochs} numbers, one an epoch")


def _check_probed(probed: object) -> None:
    tables = probed.values() if isinstance(probed, dict) else [None]
    fine = all(isinstance(it, dict) and all(map(_is_number_or_none, it.values())) for it in tables)
    _require("probed", probed, fine, "finite numbers (or null) by name, by a condition's name")


def _check_scores(name: str, scores: Scores) -> None:
    loss, ece = scores.loss, scores.ece
    _require(f"{name}.loss", loss, _is_number_or_none(loss), "a finite number or null")
    if scores.task == REGRESSION:
        fine = _is_number_or_none(scores.r2) and (scores.r2 is None or scores.r2 <= 1)
        _require(f"{name}.r2", scores.r2, fine, "a finite number up to 1, or null")
        return
    _require(f"{name}.accuracy", scores.accuracy, _is_share(scores.accuracy), "in [0, 1]")
    _require(f"{name}.ece", ece, ece is None or _is_share(ece), "in [0, 1], or null")
    try:
        unpack_bits(scores.correct)
    except ReglabError as error:
        raise ReglabError(f"{name}.correct {error}") from None


def _check_costs(costs: Costs) -> None:
    for name in ("seconds", "inference_ms"):
        value = getattr(costs, name)
        _require(f"costs.{name}", value, _is_number(value), "a finite number")
    epochs = costs.epoch_seconds
    fine = isinstance(epochs, list) and epochs and all(map(_is_number, epochs))
    _require("costs.epoch_seconds", epochs, fine, "a list of finite numbers, one an epoch")
    peak = costs.peak_memory_bytes
    _require("costs.peak_memory_bytes", peak, peak is None or _is_integer(peak), "an integer")


def _require(place: str, value: object, fine: object, allowed: str) -> None:
    if not fine:
        raise ReglabError(f"{place} is {shown(value)}; it must be {allowed}")


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _is_number(value: object) -> bool:
    return _is_integer(value) or (isinstance(value, float) and math.isfinite(value))


def _is_number_or_none(value: object) -> bool:
    return value is None or _is_number(value)


def _is_share(value: object) -> bool:
    return _is_number(value) and 0 <= value <= 1
