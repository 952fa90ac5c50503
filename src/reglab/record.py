"""RunRecord: what one training run leaves behind. Plain values only, no torch."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from reglab.config import RunConfig
from reglab.errors import ReglabError
from reglab.record_checks import check
from reglab.record_parts import Costs, History, Scores, Trace, pack_bits, unpack_bits

__all__ = ["Costs", "History", "RunRecord", "Scores", "Trace", "pack_bits", "unpack_bits"]

FORMAT = 1
LATER = ("trace", "learned", "probed")  # fields that older records lack


@dataclass(frozen=True)
class RunRecord:
    """One finished run.

    Attributes:
        config: what was asked for.
        history: per-epoch training and validation figures.
        best_epoch: 1-based epoch of the lowest validation loss; None if no epoch of a
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
        learned: whether training accuracy ever was above twice that of guessing; of a regression,
            whether more than a tenth of the variance ever was explained.
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
    def task(self) -> str:
        """Classification or regression (`reglab.data.tasks`)."""
        return self.history.task

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
        for name in ("history", "trace", "best", "last"):
            if (part := getattr(self, name)) is not None:
                values[name] = part.written()
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
        check(record)
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
