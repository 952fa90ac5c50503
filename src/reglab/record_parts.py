"""The parts of a run's record: scores, histories, traces, costs. Plain values only, no torch."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reglab.config import shown
from reglab.data.tasks import CLASSIFICATION, REGRESSION
from reglab.errors import ReglabError

# What only records of a task hold; those of the other have nothing there and do not write it.
_OWN = {
    CLASSIFICATION: ("accuracy", "ece", "correct", "train_acc", "val_acc", "test_acc"),
    REGRESSION: ("r2", "train_r2", "val_r2", "test_r2"),
}


class _OfTask:
    """A part that holds accuracies of a classification, or R² of a regression."""

    task: str

    def written(self) -> dict[str, Any]:
        """Return its fields by name, without those of the other task."""
        return {name: it for name, it in vars(self).items() if name not in self._others}

    def misplaced(self) -> list[str]:
        """Return the fields of the other task that hold something all the same."""
        return [name for name in self._others if getattr(self, name, None) not in (None, [])]

    @property
    def _others(self) -> tuple[str, ...]:
        return _OWN[REGRESSION if self.task == CLASSIFICATION else CLASSIFICATION]


@dataclass(frozen=True)
class Scores(_OfTask):
    """A model on the test part, eval mode, no penalty.

    Attributes:
        loss: mean cross-entropy in nats; of a regression the mean squared error in variances of the
            training targets. None where it was not finite.
        accuracy: share of images classified right, in [0, 1]; None of a regression.
        ece: expected calibration error, 15 equal bins of confidence, in [0, 1].
        correct: one bit an image (1 = right), packed with `pack_bits`; None of a regression.
        r2: coefficient of determination, at most 1, of several numbers over all of them
            standardized; None of a classification.
    """

    loss: float | None
    accuracy: float | None = None
    ece: float | None = None
    correct: str | None = None
    r2: float | None = None

    @property
    def task(self) -> str:
        """Which task it was made for; R² may be missing where a loss was not finite."""
        return REGRESSION if self.accuracy is None else CLASSIFICATION

    @property
    def value(self) -> float | None:
        """The accuracy, or R²."""
        return self.r2 if self.accuracy is None else self.accuracy


@dataclass(frozen=True)
class History(_OfTask):
    """One value an epoch; training values in eval mode, without penalty.

    A classification has accuracies, a regression R² (None where targets of a part are all alike).
    """

    train_loss: list[float | None] = field(default_factory=list)
    train_acc: list[float] = field(default_factory=list)
    val_loss: list[float | None] = field(default_factory=list)
    val_acc: list[float] = field(default_factory=list)
    train_r2: list[float | None] | None = None
    val_r2: list[float | None] | None = None

    @property
    def task(self) -> str:
        """Which task it was made for (`reglab.data.tasks`)."""
        return CLASSIFICATION if self.train_r2 is None else REGRESSION

    @classmethod
    def of(cls, task: str) -> History:
        """Return an empty one for a task."""
        return cls() if task == CLASSIFICATION else cls(train_r2=[], val_r2=[])

    @property
    def train(self) -> list[float | None]:
        """Accuracies, or R², on the training part."""
        return self.train_acc if self.train_r2 is None else self.train_r2

    @property
    def val(self) -> list[float | None]:
        """Accuracies, or R², on the validation part."""
        return self.val_acc if self.val_r2 is None else self.val_r2

    def append(
        self, train_loss: float, train: float | None, val_loss: float, val: float | None
    ) -> None:
        """Add an epoch."""
        for column, value in (
            (self.train_loss, train_loss),
            (self.train, train),
            (self.val_loss, val_loss),
            (self.val, val),
        ):
            column.append(value)


@dataclass(frozen=True)
class Trace(_OfTask):
    """What else an epoch leaves behind, one value an epoch; nothing is ever chosen by it.

    Attributes:
        test_loss, test_acc: of the test part, eval mode, without penalty.
        weight_norms: Euclidean norm of each weight tensor that L2 may act on, by its name.
        test_r2: in place of accuracies, of a regression.
    """

    test_loss: list[float | None] = field(default_factory=list)
    test_acc: list[float] = field(default_factory=list)
    weight_norms: dict[str, list[float | None]] = field(default_factory=dict)
    test_r2: list[float | None] | None = None

    @property
    def task(self) -> str:
        """Which task it was made for (`reglab.data.tasks`)."""
        return CLASSIFICATION if self.test_r2 is None else REGRESSION

    @classmethod
    def of(cls, task: str) -> Trace:
        """Return an empty one for a task."""
        return cls() if task == CLASSIFICATION else cls(test_r2=[])

    @property
    def test(self) -> list[float | None]:
        """Accuracies, or R², on the test part."""
        return self.test_acc if self.test_r2 is None else self.test_r2


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
