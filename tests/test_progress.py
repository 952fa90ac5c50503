"""What a long command shows: a bar, lines or nothing."""

import io
import itertools
import re
import threading
from typing import NamedTuple

import pytest

from reglab.data.dataset import dataset_version
from reglab.runs import executors, progress, workers
from reglab.runs.executors import Crew
from reglab.runs.progress import Progress, duration, roughly
from reglab.runs.store import RunStore
from reglab.study import profiles, sweep
from reglab.study.plan import make_plan


class Config(NamedTuple):
    """As much of a run's configuration as is read here."""

    key: str
    max_epochs: int = 50


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets, and no thread that looks at it."""
    monkeypatch.setattr(progress, "_BEAT", 3600)
    return Clock()


def test_a_log_gets_a_line_now_and_then(clock):
    log = io.StringIO()
    with Progress(True, every=30, clock=clock, file=log) as shown:
        shown.start("mnist (pilot): 10 runs", total=10, done=2, exact=False)
        shown.names = {"k": "mnist dropout"}
        shown.begin([Config("k")])
        for seconds, runs in ((29, 0), (30, 0), (59, 1), (60, 1), (61, 2), (89.9, 0)):
            clock.now = 1000 + seconds
            shown.update(runs)
            shown.look()
        shown.exact = True
        clock.now = 1120
        shown.look()
        shown.update(4)
    assert log.getvalue().splitlines() == [
        "reglab: mnist (pilot): 10 runs",
        "reglab: 2 of up to 10 runs after 30 s, now mnist dropout",
        "reglab: 4 of up to 10 runs after 1 min 0 s, up to about 3 min left, now mnist dropout",
        "reglab: 6 of 10 runs after 2 min 0 s, about 2 min left, now mnist dropout",
        "reglab: 8 runs made in 2 min 0 s",
    ]


def test_other_drivers_runs_count_for_the_time_left_alone(clock):
    log = io.StringIO()
    with Progress(True, clock=clock, file=log) as shown:
        shown.start("", total=10)
        shown.update(1)
        shown.done, shown.waiting = 4, True
        clock.now += 40
        assert shown.line() == (
            "4 of 10 runs after 40 s, about 60 s left, waiting for another driver's runs"
        )
    assert log.getvalue().endswith("reglab: 1 runs made in 40 s\n")


def test_a_terminal_gets_a_bar(clock):
    terminal = Terminal()
    with Progress(clock=clock, file=terminal) as shown:
        shown.start("what is made", total=10, done=4)
        shown.names = {"k": "cifar10 lambda"}
        shown.begin([Config("k")])
        shown.update(3)
        shown.look()
        last = terminal.getvalue().rpartition("\r")[2]
        shown.total = shown.done
    assert terminal.getvalue().startswith("reglab: what is made\n")
    assert re.match(r"cifar10 lambda:  70%\|.*\| 7/10 \[00:", last)
    assert "100%" in terminal.getvalue()
    assert terminal.getvalue().endswith("\nreglab: 3 runs made in 0 s\n")


@pytest.mark.parametrize(("shown", "file"), [(None, io.StringIO), (False, Terminal)])
def test_nothing_is_shown_unasked(shown, file):
    """A kernel's standard error is no terminal either: executed notebooks stay as they are."""
    target = file()
    with Progress(shown, every=0, file=target) as quiet:
        quiet.start("opening", total=3)
        quiet.update()
        quiet.look()
    assert target.getvalue() == ""


def test_an_error_is_the_last_line(clock):
    log = io.StringIO()
    with pytest.raises(ZeroDivisionError), Progress(True, clock=clock, file=log) as shown:
        shown.start("opening", total=3)
        raise ZeroDivisionError
    assert log.getvalue() == "reglab: opening\n"


def test_epochs_of_runs_under_way_are_told_and_count(clock):
    log, runs = io.StringIO(), [Config(key) for key in "abcd"]
    with Progress(True, clock=clock, file=log) as shown:
        shown.start("", total=10)
        shown.names = dict.fromkeys("abcd", "cifar10 lr")
        shown.begin(runs)
        clock.now += 60
        assert shown.line() == "0 of 10 runs after 1 min 0 s, now cifar10 lr"
        shown.epoch("a", 7)
        shown.epoch("b", 3)
        # a fifth of a run of fifty epochs in a minute; ten such runs at most
        assert shown.line() == (
            "0 of 10 runs after 1 min 0 s, 2 under way with 10 epochs, up to about 49 min left, "
            "now cifar10 lr"
        )
        shown.epoch("a", 20)
        shown.end(runs[:1])  # runs of twenty epochs, by the first that ended
        assert shown.line() == (
            "1 of 10 runs after 1 min 0 s, 1 under way with 3 epochs, about 8 min left, "
            "now cifar10 lr"
        )
        shown.epoch("b", 40)  # one that lasts is one run all the same
        shown.epoch("c", 1)
        assert "2 under way with 41 epochs" in shown.line()
        shown.epoch("a", 20)  # late
        shown.epoch("z", 5)  # another driver's
        shown.end(runs[1:])
        assert shown.line() == "4 of 10 runs after 1 min 0 s, about 90 s left"


def test_a_bar_moves_with_the_epochs(clock):
    terminal = Terminal()
    with Progress(clock=clock, file=terminal) as shown:
        shown.start("opening", total=4)
        shown.begin([Config("k")])
        clock.now += 600
        shown.epoch("k", 25)
        shown.look()
        last = terminal.getvalue().rpartition("\r")[2]
        shown.total = shown.done
    assert re.search(
        r" 12%\|.*\| 0/4 \[00:.., 1 under way with 25 epochs, up to about 70 min left\]", last
    )


def test_a_run_tells_its_epochs(config):
    version = dataset_version("mnist", "sample")
    run, told = config.replace(data_version=version), []
    for together in (1, 2):
        list(executors.train_all([run], together, lambda *said: told.append(said)))
    assert told == 2 * [(run.key, 1), (run.key, 2)]


def test_a_worker_tells_its_driver():
    reports = workers.Reports()
    assert reports.read() == []
    with workers.processes(1, reports) as pool:
        for epochs in (1, 2):
            pool.submit(workers.report, "key", epochs).result()
    assert reports.read() == [("key", 1), ("key", 2)]


def test_a_pipe_that_nobody_reads_holds_no_worker_up(monkeypatch):
    reports = workers.Reports()
    monkeypatch.setattr(workers, "_driver", reports.workers_end)
    for epochs in range(20_000):
        workers.report("k" * 64, epochs)
    heard = reports.read()
    assert heard[:2] == [("k" * 64, 0), ("k" * 64, 1)]  # whole lines, the last ones lost
    assert 100 < len(heard) < 20_000
    workers.report("key", 1)
    assert reports.read() == [("key", 1)]


def test_without_a_driver_nothing_is_told():
    assert workers.report("key", 1) is None


class Full(io.StringIO):
    def flush(self):
        raise OSError("No space left on device")


def test_a_log_that_cannot_be_written_stops_no_run(clock):
    with Progress(True, clock=clock, file=Full()) as shown:
        shown.start("opening", total=1)
        shown.update()
    assert shown.made == 1


def test_one_long_run_is_no_silence(monkeypatch):
    """Nobody calls `look` here but the thread."""
    monkeypatch.setattr(progress, "_BEAT", 0.001)
    said = threading.Event()

    class Log(io.StringIO):
        def write(self, text):
            if "0 of 1 runs" in text:
                said.set()

    with Progress(True, clock=itertools.count(step=100).__next__, file=Log()) as shown:
        shown.start("opening", total=1)
        assert said.wait(300)


def test_times_read_well():
    assert [duration(s) for s in (0, 59.4, 59.6, 250, 3599.7, 7500)] == [
        "0 s", "59 s", "1 min 0 s", "4 min 10 s", "1 h 0 min", "2 h 5 min"
    ]  # fmt: skip
    assert [roughly(s) for s in (1, 44, 94, 95, 250, 5999, 6000, 90000, 180000)] == [
        "10 s", "40 s", "90 s", "2 min", "4 min", "100 min", "2 h", "25 h", "2 days"
    ]  # fmt: skip


# The opening line


def left(plans, store):
    return sweep._look(plans, store)


def test_opening_line(tmp_path):
    plan = make_plan("mnist", "smoke", device="cpu")
    there = left([plan], RunStore(tmp_path))
    some = sweep.Left(total=163, done=20)
    assert not there.exact
    assert str(there).startswith("up to ")
    assert sweep._opening([plan], some, Crew(workers=2)) == (
        "mnist (smoke): 163 runs, 20 of them finished; 143 to make with 2 workers, "
        "about 20 s if a run takes 0.3 s, as on a core of an AMD EPYC"
    )
    assert sweep._opening([plan], some, Crew(workers=None)).endswith("on an executor's workers")
    assert sweep._opening([plan], some, Crew(together=32)).endswith("143 to make 32 at a time")


def test_the_number_of_runs_is_exact_once_the_last_stage_is_named(undisturbed):
    plan = make_plan("tiny", "smoke", device="cpu")
    there = left([plan], RunStore(undisturbed.folder))
    assert there.exact
    assert there.done == there.total == len(list(undisturbed.folder.glob("*/*.json")))
    assert set(there.names.values()) >= {"tiny lr", "tiny dropout", "tiny factorial"}


def test_every_profile_says_how_long_a_run_takes():
    assert list(profiles.RUN_SECONDS) == list(profiles.PROFILES)
    assert profiles.run_seconds("another", "mnist") is None
    plans = [make_plan(name, "full", device="cpu") for name in ("mnist", "cifar10")]
    said = [sweep._opening(some, sweep.Left(total=9), Crew(workers=1)) for some in
            (plans[:1], plans[1:], plans)]  # fmt: skip
    assert [re.search(r"a run takes (\d+) s", text)[1] for text in said] == ["900", "720", "810"]
