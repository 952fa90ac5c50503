"""Shared: made-up records, one real smoke study, a clean environment, the tally of faults."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

# Before torch is there: several workers (pytest -n) with several threads each would be in each
# other's way.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from filelock import FileLock
from owndata import write_own

from reglab.config import RunConfig
from reglab.data.dataset import load_dataset
from reglab.data.sources import load_sample
from reglab.data.tasks import REGRESSION
from reglab.record import Costs, History, RunRecord, Scores, pack_bits
from reglab.study.frame import frame
from reglab.study.outlook import outlook
from reglab.study.plan import Plan
from reglab.study.profiles import PROFILES
from reglab.study.protocol import next_configs, stages

REPRODUCE = [sys.executable, "-m", "reglab.cli", "reproduce", "--profile", "smoke"]
REPRODUCE += ["--dataset", "tiny", "--device", "cpu"]


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=3, help="times a process is killed; torture: 50")


class Tally(dict):
    """What injected faults did, a line a fault, printed at the end (`make torture`)."""

    def note(self, fault: str, *now) -> None:
        """Add (times, runs lost, duplicates, whether the table is equal) to what is there."""
        before = self.get(fault, (0, 0, 0, True))
        self[fault] = (*(a + b for a, b in zip(before[:3], now[:3], strict=True)),
                       before[3] and now[3])  # fmt: skip

    def add(self, fault: str, times: int, lost: int, duplicates: int, equal: bool) -> None:
        self.note(fault, times, lost, duplicates, equal)
        assert times > 0
        assert (lost, duplicates, equal) == (0, 0, True)


def pytest_configure(config):
    config.tally = Tally()


def pytest_sessionfinish(session):
    """A worker of pytest -n hands its tally to the process that prints it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["tally"] = dict(session.config.tally)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    for fault, counts in getattr(node, "workeroutput", {}).get("tally", {}).items():
        node.config.tally.note(fault, *counts)


def pytest_terminal_summary(terminalreporter, config):
    if config.tally:
        layout = "{:<40} {:>5} {:>19} {:>11} {:>12}"
        head = ("fault", "times", "finished runs lost", "duplicates", "table equal")
        terminalreporter.section("injected faults")
        terminalreporter.write_line(layout.format(*head))
        for fault, (*counts, equal) in config.tally.items():
            terminalreporter.write_line(layout.format(fault, *counts, "yes" if equal else "NO"))


@pytest.fixture
def tally(pytestconfig):
    return pytestconfig.tally


def example(word: str) -> str:
    """Return the one Python example of the page "Do it yourself" that has a word in it."""
    page = Path(__file__).resolve().parents[1] / "book" / "do_it_yourself.md"
    examples = re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
    (match,) = (text for text in examples if word in text)
    return match


@dataclass(frozen=True)
class Study:
    """A finished study on disk, and what the command that made it wrote."""

    folder: Path
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder that all workers of pytest -n have in common."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture
def tiny(tmp_path):
    """An own data set, "tiny": a study of it takes a fifth of the time that MNIST's takes.

    Of a smoke run most goes into looking at 1,000 test images after every epoch. These are 100, of
    a quarter of the pixels; whatever becomes of files, processes and workers is the same.
    """
    write_tiny(tmp_path / "data")
    return "tiny"


def write_tiny(folder):
    whole = load_sample("mnist")
    train, test = (images[:, ::2, ::2] for images in (whole.x_train[:200], whole.x_test[:100]))
    labels = {"y_train": whole.y_train[:200], "y_test": whole.y_test[:100]}
    write_own(folder, "tiny", x_train=train, x_test=test, **labels)


@pytest.fixture(scope="session")
def _undisturbed(tmp_path_factory, shared):
    said, made, data = (shared / f"undisturbed{end}" for end in (".json", "", "-data"))
    with FileLock(shared / "undisturbed.lock"):
        if not said.exists():
            write_tiny(data)
            command = [*REPRODUCE, "--workers", "2", "--store", str(made)]
            here = {**os.environ, "REGLAB_DATA_DIR": str(data)}
            done = subprocess.run(command, env=here, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            said.write_text(json.dumps([done.stdout, done.stderr]))
    folder = tmp_path_factory.mktemp("own") / "undisturbed"
    shutil.copytree(made, folder)
    return Study(folder, *json.loads(said.read_text()))


@pytest.fixture
def undisturbed(_undisturbed, tiny):
    """One whole smoke study of tiny, made by the command line without a disturbance.

    Under pytest -n the first worker that needs it makes it for all; each has a copy of its own.
    """
    return _undisturbed


@pytest.fixture
def store(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def command(store, tiny):
    """The command line that makes the whole smoke study of tiny in ``store``."""
    return [*REPRODUCE, "--workers", "2", "--store", str(store)]


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch, tmp_path):
    """Tests neither read nor write the data or the runs of whoever runs them."""
    monkeypatch.setenv("REGLAB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("REGLAB_STORE", str(tmp_path / "runs"))
    monkeypatch.setenv("REGLAB_RESULTS", str(tmp_path / "results"))


@pytest.fixture
def config():
    return RunConfig(
        dataset="mnist",
        data_version="sample:0123456789ab",
        n_train=200,
        seed=0,
        width=4,
        lr=0.03,
        max_epochs=2,
    )


@pytest.fixture
def plan():
    return Plan(
        dataset="mnist",
        data_version="sample:0123456789ab",
        n_train=200,
        profile=PROFILES["smoke"],
        device="cpu",
        seeds=2,
    )


def fake_record(config: RunConfig, *, diverged: bool = False, **validation) -> RunRecord:
    """Return a made-up finished run; its numbers depend on the config's key alone."""
    rng = np.random.default_rng(int(hashlib.sha256(config.key.encode()).hexdigest()[:8], 16))
    loss, accuracy = rng.uniform(0.2, 2.0), rng.uniform(0.3, 0.9)
    history = History(
        train_loss=[loss + 0.5, loss - 0.1],
        train_acc=[accuracy - 0.1, accuracy + 0.05],
        val_loss=[loss + 0.6, validation.get("val_loss", loss)],
        val_acc=[accuracy - 0.2, validation.get("val_acc", accuracy)],
    )
    correct = rng.random(50) < accuracy
    scores = Scores(loss, float(correct.mean()), 0.05, pack_bits(correct))
    if config.dataset == "weather":  # the same numbers, as R²
        shares = {"train_r2": history.train_acc, "val_r2": history.val_acc}
        history = replace(history, train_acc=[], val_acc=[], **shares)
        scores = Scores(loss, r2=scores.accuracy)
    return RunRecord(
        config=config,
        history=History.of(history.task) if diverged else history,
        best_epoch=None if diverged else 2,
        best=None if diverged else scores,
        last=None if diverged else scores,
        diverged=diverged,
        learned=True if history.task == REGRESSION else None,
        n_params=1000,
        n_fit=180,
        costs=Costs(1.5, [0.5, 0.6], 2.0, 10**8),
        environment={
            "device_name": "a processor",
            "threads": "1",
            "python": "3.11.7",
            "torch": "2.11.0",
            "code_version": "0.1.0",
        },
    )


def finish(plan, record=None) -> dict[str, RunRecord]:
    """Return made-up runs of a whole study, by key; ``record`` makes one of a config."""
    records: dict[str, RunRecord] = {}
    while configs := next_configs(plan, records):
        records |= {config.key: (record or fake_record)(config) for config in configs}
    return records


def study_frame(plan, record=None):
    """Return a whole made-up study as `reglab.study.frame.load_frame` would."""
    records = finish(plan, record)
    return frame(plan, stages(plan, lambda _: records)[0], records)


@pytest.fixture
def study(plan):
    """The smoke study of MNIST, made up."""
    return study_frame(plan)


def further_frame(study, record, dataset="cifar10"):
    """Return a made-up further study of four seeds, as `reglab.results.recorded` would."""
    plan = Plan(dataset, "full:0123456789ab", 10_000, PROFILES["reduced"], "cpu", seeds=4)
    records, of = finish(plan, record), replace(plan, study=study)
    records |= {it.key: record(it) for it in outlook(of, lambda _: records).missing}
    return frame(of, outlook(of, lambda _: records).arms, records)


@pytest.fixture(scope="session")
def digits():
    """200 digits, and 100 to test on: most of the time would go into looking at 1,000."""
    whole = load_dataset("mnist", source="sample", seed=0, n_train=200)
    return replace(whole, x_test=whole.x_test[:100], y_test=whole.y_test[:100])


@pytest.fixture(scope="session")
def digits_run(digits):
    """A short run of a small network on these digits."""
    asked = {"dataset": "mnist", "data_version": digits.version, "n_train": 200, "seed": 0}
    return RunConfig(**asked, width=2, lr=0.01, max_epochs=2)
