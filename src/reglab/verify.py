"""Numbers stay right: golden runs and recorded runs, made again and compared.

On one machine and one version of torch a repeated run is identical bit for bit. Elsewhere rounding
differs, and training amplifies it. `GOLDEN_TOLERANCE` and `RECORDED_TOLERANCE` say how much is put
down to that; what was measured is in their comments.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from reglab.config import TRAIN_VERSION, RunConfig
from reglab.data.dataset import dataset_version
from reglab.data.sources import is_cached
from reglab.data.tasks import REGRESSION
from reglab.errors import ReglabError
from reglab.paths import results_folder
from reglab.record import RunRecord, unpack_bits
from reglab.runs.executors import default_workers
from reglab.runs.store import read_table
from reglab.runs.workers import processes
from reglab.training.run import train

RENEW = "if the change is meant, raise TRAIN_VERSION and run `make golden`"


@dataclass(frozen=True)
class Tolerance:
    """What may differ between two machines.

    Attributes:
        epochs: how many epochs' figures are compared; None = all.
        loss: share of a loss.
        accuracy: of training and validation accuracy, in [0, 1].
        test: of test accuracy and calibration error, in [0, 1].
    """

    epochs: int | None
    loss: float
    accuracy: float
    test: float


# Golden runs have eight steps. With the processor's vector instructions limited in four ways, their
# losses moved by at most 2e-4 of their size; a learning rate 1 % higher moves one by 2e-2. (With
# more steps rounding is amplified: after 27 a batch-normalized run had moved by 3e-2.) One of the
# fewest images that a share is formed over, 15, is 0.067. Of the 1,000 test images a network that
# still guesses judged four otherwise on another kind of processor.
GOLDEN_TOLERANCE = Tolerance(epochs=None, loss=1e-3, accuracy=0.07, test=0.0045)
# Reduced runs have thousands of steps, after which rounding has become another path. The first
# epoch still agrees roughly; at the end they are as alike as two seeds are.
RECORDED_TOLERANCE = Tolerance(epochs=1, loss=0.05, accuracy=0.05, test=0.06)


def golden_configs() -> dict[str, RunConfig]:
    """Return the golden runs by name: each way of training once, each data set at least once."""

    def config(dataset: str, **changes: object) -> RunConfig:
        values = {"n_train": 150, "seed": 3, "width": 8, "lr": 0.02, "max_epochs": 2}
        values |= {"batch_size": 32, "dataset": dataset}
        version = dataset_version(dataset, "sample")
        return RunConfig(data_version=version, **(values | changes))

    everything = {"lam": 0.1, "dropout": 0.4, "batch_norm": True}
    adamw = {"optimizer": "adamw", "lr": 2e-3}
    return {
        "plain": config("cifar10"),
        "L2, coupled": config("mnist", lam=0.3),
        "L2, per sample": config("fashion_mnist", lam=40.0, l2="per_sample"),
        "L2, decoupled": config("mnist", lam=20.0, l2="decoupled", **adamw),
        "L2, coupled under Adam": config("mnist", lam=0.3, **adamw),
        "dropout": config("fashion_mnist", dropout=0.5),
        "dropout everywhere": config("cifar10", dropout=0.3, placement="all"),
        "batch normalization": config("mnist", batch_norm=True),
        "all three": config("cifar10", **everything),
        "stopped early": config("mnist", lr=0.1, max_epochs=8, patience=1),
        "diverging": config("mnist", lr=1e4),
    }


def golden_records() -> dict[str, RunRecord]:
    """Return the golden runs as recorded, by key.

    Raises:
        ReglabError: the table is damaged, or of another version of the training code.
    """
    with as_file(files("reglab") / "golden.jsonl.gz") as path:
        records = {record.config.key: record for record in read_table(path)}
    if missing := [n for n, config in golden_configs().items() if config.key not in records]:
        raise ReglabError(
            f"no golden record of {missing[0]!r} for training version {TRAIN_VERSION}; {RENEW}"
        )
    return records


def compare(made: RunRecord, expected: RunRecord, within: Tolerance) -> list[str]:
    """Return what deviates, a phrase each; nothing if the two runs agree within the tolerance."""
    pairs = [
        ("diverged", made.diverged, expected.diverged),
        ("n_params", made.n_params, expected.n_params),
        ("n_fit", made.n_fit, expected.n_fit),
    ]
    if within.epochs is None:
        pairs += [("epochs", made.epochs, expected.epochs)]
        pairs += [("best_epoch", made.best_epoch, expected.best_epoch)]
    wrong = [f"{name} {have} instead of {want}" for name, have, want in pairs if have != want]
    if made.task != expected.task:
        return [*wrong, f"task {made.task} instead of {expected.task}"]
    # R² follows from the loss, and where it is far below zero by more than a share of itself
    for name in (name for name in made.history.written() if not name.endswith("r2")):
        have, want = (getattr(run.history, name)[: within.epochs] for run in (made, expected))
        relative = name.endswith("loss")
        most = within.loss if relative else within.accuracy
        wrong += _apart(name, have, want, most, relative)
    for part in ("best", "last"):
        have, want = getattr(made, part), getattr(expected, part)
        if have is None or want is None:
            wrong += [] if have is want else [f"{part} is missing in one of the two"]
            continue
        if made.task == REGRESSION:
            wrong += _apart(f"{part}.loss", [have.loss], [want.loss], within.loss, True)
            continue
        wrong += _apart(f"{part}.accuracy", [have.accuracy], [want.accuracy], within.test)
        wrong += _apart(f"{part}.ece", [have.ece], [want.ece], within.test)
        right = [unpack_bits(scores.correct) for scores in (have, want)]
        if right[0].shape != right[1].shape:
            wrong.append(f"{part}.correct has {len(right[0])} images instead of {len(right[1])}")
        elif within.epochs is None and (share := float(np.mean(right[0] != right[1]))) > 0.02:
            wrong.append(f"{part}: {share:.1%} of the test images are judged otherwise")
    return wrong


def _apart(
    name: str, have: Sequence, want: Sequence, most: float, relative: bool = False
) -> list[str]:
    """Return the first pair further apart than ``most``, if there is one."""
    for number, (a, b) in enumerate(zip(have, want, strict=False), 1):
        if (a is None) != (b is None):
            return [f"{name} is {a} instead of {b}"]
        # a loss is compared by its share, down to one so small that rounding is all there is to it
        near = {"rel_tol": most, "abs_tol": most * 1e-3} if relative else {"abs_tol": most}
        if a is None or math.isclose(a, b, **({"rel_tol": 0.0} | near)):
            continue
        epoch = f" of epoch {number}" if len(want) > 1 else ""
        return [f"{name}{epoch} is {a:.6g} instead of {b:.6g}"]
    return []


@dataclass(frozen=True)
class Finding:
    """One run made again.

    Attributes:
        name: what it is called in the output.
        identical: bit for bit, costs and environment aside.
        wrong: what deviates beyond the tolerance.
    """

    name: str
    identical: bool
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        if self.wrong:
            return f"WRONG {self.name}: {'; '.join(self.wrong)}"
        return f"ok    {self.name}: {'identical' if self.identical else 'within tolerance'}"


@dataclass(frozen=True)
class Check:
    """A run to be made again, and what it is to be compared with."""

    name: str
    expected: RunRecord
    within: Tolerance

    def make(self) -> Finding:
        """Train it and compare."""
        made = train(self.expected.config)
        values, expected = made.reproducible(), self.expected.reproducible()
        identical = {name: values[name] for name in expected} == expected
        wrong = () if identical else compare(made, self.expected, self.within)
        return Finding(self.name, identical, tuple(wrong))


def golden_checks() -> list[Check]:
    """Return a check of each golden run; errors as `golden_records`."""
    records = golden_records()
    return [
        Check(f"golden, {name}", records[config.key], GOLDEN_TOLERANCE)
        for name, config in golden_configs().items()
    ]


def recorded_checks(
    share: float, seed: int, folder: Path | None = None
) -> tuple[list[Check], list[str]]:
    """Return checks of a random share of the recorded reduced runs, and why others are left out.

    Args:
        share: of each data set's runs, further studies included, in [0, 1]; at least one run of
            a data set, unless it is 0.
        seed: of the choice.
        folder: of recorded results; None = the book's.

    Raises:
        ReglabError: ``share`` is out of range, or a table is damaged.
    """
    if not 0 <= share <= 1:
        raise ReglabError(f"share must be in [0, 1], got {share}")
    checks, left_out = [], []
    folder = folder or results_folder()
    tables = sorted((folder / "reduced").rglob("*.jsonl.gz")) if share else []
    for name in sorted({table.name.removesuffix(".jsonl.gz") for table in tables}):
        if not is_cached(name):
            left_out.append(f"{name}: the full data set is not here (`reglab data fetch {name}`)")
            continue
        own = [table for table in tables if table.name == f"{name}.jsonl.gz"]
        runs = [run for it in own for run in read_table(it) if run.config.device == "cpu"]
        chosen = random.Random(f"{seed} {name}").sample(runs, max(1, round(share * len(runs))))
        for run in chosen:
            title = f"reduced/{name} {run.config.key[:12]}"
            checks.append(Check(title, run, RECORDED_TOLERANCE))
    return checks, left_out


def verify(checks: Sequence[Check], workers: int | None = None) -> Iterator[Finding]:
    """Make each run again and yield what was found, as runs end.

    Args:
        checks: what to make.
        workers: processes; None = one a core; 1 = in this process.
    """
    workers = default_workers("cpu") if workers is None else workers
    if workers == 1:
        yield from (check.make() for check in checks)
        return
    with processes(workers) as pool:
        for future in as_completed([pool.submit(Check.make, check) for check in checks]):
            yield future.result()
