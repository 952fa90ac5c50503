"""RunRecord: what one training run leaves behind. Plain values only, no torch."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reglab.config import RunConfig
from reglab.errors import ReglabError

FORMAT = 1


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
        environment: device name, library and code versions, threads.
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

    @property
    def epochs(self) -> int:
        """Number of epochs that ended with finite losses."""
        return len(self.history.val_loss)

    def reproducible(self) -> dict[str, Any]:
        """Return what must be bit-identical between two runs of one config on one machine."""
        values = dataclasses.asdict(self)
        del values["costs"], values["environment"]
        return values

    def to_json(self) -> str:
        """Return one line of JSON with a SHA-256 of its own body, so that damage shows."""
        body = json.dumps(dataclasses.asdict(self), sort_keys=True, allow_nan=False)
        return json.dumps({"format": FORMAT, "sha256": _digest(body), "record": json.loads(body)})

    @classmethod
    def from_json(cls, text: str) -> RunRecord:
        """Read `to_json`'s output.

        Raises:
            ReglabError: the text is truncated, altered or of another format.
        """
        try:
            outer = json.loads(text)
            values = outer["record"]
            body = json.dumps(values, sort_keys=True, allow_nan=False)
            if outer["format"] != FORMAT or outer["sha256"] != _digest(body):
                raise ReglabError("its SHA-256 or format does not match")
            return cls._from_values(values)
        except ReglabError:
            raise
        except (ValueError, KeyError, TypeError) as error:
            raise ReglabError(f"not a run record ({type(error).__name__}: {error})") from None

    @classmethod
    def _from_values(cls, values: dict[str, Any]) -> RunRecord:
        parts = {
            "config": RunConfig.from_dict(values["config"]),
            "history": History(**values["history"]),
            "best": Scores(**values["best"]) if values["best"] else None,
            "last": Scores(**values["last"]) if values["last"] else None,
            "costs": Costs(**values["costs"]),
        }
        return cls(**{**values, **parts})


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def pack_bits(correct: np.ndarray) -> str:
    """Return a boolean vector as ``"N:BASE64"``, eight images a byte."""
    packed = np.packbits(np.asarray(correct, dtype=bool)).tobytes()
    return f"{len(correct)}:{base64.b64encode(packed).decode()}"


def unpack_bits(text: str) -> np.ndarray:
    """Return `pack_bits`'s input as a boolean vector."""
    n, _, packed = text.partition(":")
    raw = np.frombuffer(base64.b64decode(packed), dtype=np.uint8)
    return np.unpackbits(raw, count=int(n)).astype(bool)
