"""RunRecord: what one training run leaves behind. Plain values only, no torch."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reglab.config import RunConfig, shown
from reglab.errors import ReglabError

FORMAT = 1
LATER = ("trace", "learned", "probed")  # fields that older records lack


@dataclass(frozen=True)
class Scores:
    """A model on the test images, eval mode, no penalty.

    Attributes:
        loss: mean cross-entropy in nats; None where it was not finite.
        accuracy: share of images classified right, in [0, 1].
        ece: expected calibration error, 15 equal bins of confidence, in [0, 1].
        correct: one bit an image (1 = right), packed with `pack_bits`.
    """

    loss: float | None
    accuracy: float
    ece: float | None
    correct: str


@dataclass(frozen=True)
class History:
    """One value an epoch; training values in eval mode, without penalty."""

    train_loss: list[float | None] = field(default_factory=list)
    train_acc: list[float] = field(default_factory=list)
    val_loss: list[float | None] = field(default_factory=list)
    val_acc: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Trace:
    """What else an epoch leaves behind, one value an epoch; nothing is ever chosen by it.

    Attributes:
        test_loss, test_acc: of the test images, eval mode, without penalty.
        weight_norms: Euclidean norm of each weight tensor that L2 may act on, by its name.
    """

    test_loss: list[float | None] = field(default_factory=list)
    test_acc: list[float] = field(default_factory=list)
    weight_norms: dict[str, list[float | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Costs:
    """What may differ between two runs of one config.

    Attributes:
        seconds: wall time of the whole run.
        epoch_seconds: wall time of each epoch's training steps, evaluation left out.
        inference_ms: milliseconds for one batch of test images of training's size, median of 5.
        peak_memory_bytes: CUDA: peak of the allocator; CPU: peak resident set of the process.
    """

    seconds: float
    epoch_seconds: list[float]
    inference_ms: float
    peak_memory_bytes: int | None


@dataclass(frozen=True)
class RunRecord:
    """One finished run.

    Attributes:
        config: what was asked for.
        history: per-epoch training and validation figures.
        best_epoch: 1-based epoch of the lowest validation cross-entropy; None if no epoch of a
            diverged run was finite.
        best: test scores with that epoch's weights restored; None if there is none.
        last: test scores with the last epoch's weights; None if the run diverged.
        diverged: a loss became NaN or infinite, which ended the run.
        n_params: trainable parameters.
        n_fit: images trained on (validation excluded).
        costs: seconds and memory, the only part that two runs of one config may differ in.
        environment: device name, library and code versions, threads; in newer records UTC times
            of start and end and a digest of the rules of judging as well.
        trace: further per-epoch figures; None in older records, as is ``learned``.
        learned: whether training accuracy ever was above twice that of guessing.
        probed: what the config's ``probes`` measured with the best weights: figures by name (loss,
            accuracy, ece, ...) of each condition by name; None where none was asked for.
    """

    config: RunConfig
    history: History
    best_epoch: int | None
    best: Scores | None
    last: Scores | None
    diverged: bool
    n_params: int
    n_fit: int
    costs: Costs
    environment: dict[str, str]
    trace: Trace | None = None
    learned: bool | None = None
    probed: dict[str, dict[str, float | None]] | None = None

    @property
    def epochs(self) -> int:
        """Number of epochs that ended with finite losses."""
        return len(self.history.val_loss)

    def reproducible(self) -> dict[str, Any]:
        """Return what must be bit-identical between two runs of one config on one machine."""
        values = self._values()
        del values["costs"], values["environment"]
        return values

    def _values(self) -> dict[str, Any]:
        values = dataclasses.asdict(self) | {"config": self.config.to_dict()}
        for name in LATER:  # so that an older record is written as it was read
            if values[name] is None:
                del values[name]
        return values

    def to_json(self) -> str:
        """Return one line of JSON with a SHA-256 of its own body, so that damage shows."""
        body = json.dumps(self._values(), sort_keys=True, allow_nan=False)
        return json.dumps({"format": FORMAT, "sha256": _digest(body), "record": json.loads(body)})

    @classmethod
    def from_json(cls, text: str) -> RunRecord:
        """Read `to_json`'s output.

        Raises:
            ReglabError: the text is truncated, altered or of another format, or a field is not what
                this class says; one line.
        """
        try:
            outer = json.loads(text)
            values = outer["record"]
            body = json.dumps(values, sort_keys=True, allow_nan=False)
            if outer["format"] != FORMAT or outer["sha256"] != _digest(body):
                raise ReglabError("its SHA-256 or format does not match")
            record = cls._from_values(values)
        except ReglabError:
            raise
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            detail = " ".join(f"{type(error).__name__}: {error}".split())
            raise ReglabError(f"not a run record ({detail})") from None
        _check(record)
        return record

    @classmethod
    def _from_values(cls, values: dict[str, Any]) -> RunRecord:
        parts = {
            "config": RunConfig.from_dict(values["config"]),
            "history": History(**values["history"]),
            "best": None if values["best"] is None else Scores(**values["best"]),
            "last": None if values["last"] is None else Scores(**values["last"]),
            "costs": Costs(**values["costs"]),
        }
        if values.get("trace") is not None:
            parts["trace"] = Trace(**values["trace"])
        return cls(**{**values, **parts})


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _check(record: RunRecord) -> None:
    """Refuse fields that a digest can vouch for and no run could have left behind."""
    _check_history(record)
    for name in ("best", "last"):
        if (scores := getattr(record, name)) is not None:
            _check_scores(name, scores)
    _require("diverged", record.diverged, isinstance(record.diverged, bool), "true or false")
    for name in ("n_params", "n_fit"):
        value = getattr(record, name)
        _require(name, value, _is_integer(value) and value > 0, "an integer > 0")
    learned = record.learned
    _require("learned", learned, learned is None or isinstance(learned, bool), "true or false")
    if record.trace is not None:
        _check_trace(record.trace, record.epochs)
    if record.probed is not None:
        _check_probed(record.probed)
    _check_costs(record.costs)
    known = record.environment
    texts = isinstance(known, dict) and all(isinstance(text, str) for text in known.values())
    needed = ("code_version", "torch", "device_name")
    allowed = f"texts by name, {', '.join(needed)} among them"
    _require("environment", known, texts and set(needed) <= set(known), allowed)


def _check_history(record: RunRecord) -> None:
    history, best = record.history, record.best_epoch
    for name, column in vars(history).items():
        allowed = _is_share if name.endswith("acc") else _is_number_or_none
        kind = "shares in [0, 1]" if name.endswith("acc") else "finite numbers (or null)"
        fine = isinstance(column, list) and all(map(allowed, column))
        _require(f"history.{name}", column, fine, f"a list of {kind}")
    for name, column in vars(history).items():
        same = len(column) == record.epochs
        _require(f"history.{name}", column, same, f"of {record.epochs} epochs, as val_loss is")
    reached = best is None or (_is_integer(best) and 1 <= best <= record.epochs)
    _require("best_epoch", best, reached, f"null or an epoch from 1 to {record.epochs}")
    finite = best is None or history.val_loss[best - 1] is not None
    _require("history.val_loss", history.val_loss, finite, f"finite at best_epoch, {best}")


def _check_trace(trace: Trace, epochs: int) -> None:
    norms = trace.weight_norms
    _require("trace.weight_norms", norms, isinstance(norms, dict), "lists by a parameter's name")
    columns = {"test_loss": trace.test_loss, "test_acc": trace.test_acc, **norms}
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
    _require(f"{name}.accuracy", scores.accuracy, _is_share(scores.accuracy), "in [0, 1]")
    _require(f"{name}.loss", loss, _is_number_or_none(loss), "a finite number or null")
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


def pack_bits(correct: np.ndarray) -> str:
    """Return a boolean vector as ``"N:BASE64"``, eight images a byte."""
    packed = np.packbits(np.asarray(correct, dtype=bool)).tobytes()
    return f"{len(correct)}:{base64.b64encode(packed).decode()}"


def unpack_bits(text: str) -> np.ndarray:
    """Return `pack_bits`'s input as a boolean vector.

    Raises:
        ReglabError: the text is not ``"N:BASE64"`` with the bytes of N bits.
    """
    try:
        n, _, packed = text.partition(":")
        count, raw = int(n), base64.b64decode(packed, validate=True)
        fine = count >= 0 and len(raw) == -(-count // 8)  # numpy would add bits that are not there
    except (AttributeError, TypeError, ValueError):
        fine = False
    if not fine:
        raise ReglabError(f"is {shown(text)[:80]}; it must be N:BASE64, the bytes of N bits")
    return np.unpackbits(np.frombuffer(raw, dtype=np.uint8), count=count).astype(bool)
