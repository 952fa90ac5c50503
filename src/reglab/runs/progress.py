"""What a long command shows: a bar in a terminal, a line now and then in a log, or nothing."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TextIO

from tqdm import tqdm

if TYPE_CHECKING:
    from reglab.config import RunConfig
    from reglab.runs.workers import Reports

EVERY = 30.0  # seconds between two lines in a log
_BEAT = 1.0  # seconds between two looks at the clock


class Progress:
    """Counts runs and says how far they are, on standard error.

    In a terminal that is tqdm's bar. Elsewhere (a log, a pipe) it is a plain line every so often,
    as a bar would be drawn over and over there. A thread looks at the clock, so that a long run is
    no silence. Used as a context manager: without an error, the last line says what was made.

    Args:
        shown: True = show it; None = only where standard error is a terminal, hence not in a
            notebook; False = never.
        every: seconds between two lines where there is no terminal.
        clock: gives the seconds of a monotonic clock.
        file: where to write; None = standard error.

    Attributes:
        done: runs finished, those from before included.
        total: runs in all.
        exact: whether ``total`` is known; otherwise it is the most there can be.
        made: those of them that were made here since the start.
        names: a few words on each run, by key.
        waiting: whether all that is left is being made by others.
        reports: where workers say how many epochs their runs have; None = nowhere.
    """

    def __init__(
        self,
        shown: bool | None = None,
        *,
        every: float = EVERY,
        clock: Callable[[], float] = time.monotonic,
        file: TextIO | None = None,
    ) -> None:
        self._file = sys.stderr if file is None else file
        self._terminal = self._file.isatty()
        self._shown = self._terminal if shown is None else shown
        self._every, self._clock = every, clock
        self._over = threading.Event()
        self._bar: tqdm | None = None
        self.done = self.made = self.total = self._before = 0
        self.exact, self.waiting = True, False
        self.names: dict[str, str] = {}
        self.reports: Reports | None = None
        self._epochs = Epochs()

    def __enter__(self) -> Progress:
        self._beat = threading.Thread(target=self._keep_looking, daemon=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._over.set()
        if self._beat.is_alive():
            self._beat.join()
        if self._bar is not None:
            self._show()
            self._bar.close()
        if kind is None and self.total:
            self.say(f"{self.made} runs made in {duration(self._clock() - self._began)}")

    def start(self, opening: str, total: int, done: int = 0, *, exact: bool = True) -> None:
        """Say what is going to be made, and start the clock."""
        self.say(opening)
        self.total, self.exact, self.done, self._before = total, exact, done, done
        self._began = self._said = self._clock()
        if self._shown and self._terminal:
            columns = _columns(self._file)
            width = {"ncols": columns, "dynamic_ncols": columns is None}
            self._bar = tqdm(total=total, initial=done, file=self._file, **width)
        if self._shown:
            self._beat.start()

    def begin(self, configs: Iterable[RunConfig]) -> None:
        """Take note of runs that are being worked on from now on, or wait for a worker."""
        for config in configs:
            self._epochs.begin(config.key, config.max_epochs)

    def epoch(self, key: str, epochs: int) -> None:
        """Take note of how many epochs a run has that is being worked on."""
        self._epochs.note(key, epochs)

    def end(self, configs: Iterable[RunConfig]) -> None:
        """Count runs that were made."""
        self._hear()
        for config in configs:
            self._epochs.end(config.key)
            self.update()

    def update(self, runs: int = 1) -> None:
        """Count runs that were made, where no note was taken of their beginning."""
        self.done += runs
        self.made += runs
        if self._bar is not None:
            self._show()

    def look(self) -> None:
        """Redraw the bar, or say a line if one is due."""
        self._hear()
        if self._bar is not None:
            self._show()
        elif self._clock() - self._said >= self._every:
            self._said = self._clock()
            self.say(self.line())

    def line(self) -> str:
        """Return how far the runs are, and about how long they will take by what was measured."""
        total = f"{self.total}" if self.exact else f"up to {self.total}"
        took = duration(self._clock() - self._began)
        parts = [f"{self.done} of {total} runs after {took}", str(self._epochs), self._left()]
        parts += [f"now {self._first}"] if self._first and not self.waiting else []
        parts += ["waiting for another driver's runs"] if self.waiting else []
        return ", ".join(part for part in parts if part)

    def say(self, text: str) -> None:
        """Write a line, if anything is shown; a log that cannot be written stops no run."""
        if self._shown:
            with contextlib.suppress(OSError):
                self._file.write(f"reglab: {text}\n")
                self._file.flush()

    @property
    def _first(self) -> str:
        """What is being worked on: of several runs the one that began first."""
        return self.names.get(self._epochs.first, "")

    def _left(self) -> str:
        """Return about how long the rest will take; "" before anything was measured.

        The epochs of the runs under way count. Until a run has ended, nobody knows how early one
        is stopped, so that the time is the most there can be.
        """
        under_way = self._epochs.worth
        ended = self.done - self._before  # by other drivers as well
        rest = self.total - self.done - under_way
        if ended + under_way == 0 or rest <= 0:
            return ""
        seconds = (self._clock() - self._began) / (ended + under_way) * rest
        most = "" if self.exact and ended else "up to "
        return f"{most}about {roughly(seconds)} left"

    def _show(self) -> None:
        bar = self._bar
        bar.n, bar.total = min(self.total, self.done + self._epochs.worth), self.total
        times = ["{elapsed}", str(self._epochs)]
        bar.bar_format = (
            "{desc}: {percentage:3.0f}%|{bar}| "
            f"{self.done}/{self.total} [{', '.join(filter(None, times))}{{postfix}}]"
        )
        bar.set_description_str(self._first, refresh=False)
        waiting = "waiting for another driver's runs" if self.waiting else ""
        bar.set_postfix_str(waiting or self._left(), refresh=False)
        bar.refresh()

    def _hear(self) -> None:
        for key, epochs in self.reports.read() if self.reports else ():
            self.epoch(key, epochs)

    def _keep_looking(self) -> None:
        while not self._over.wait(_BEAT):
            self.look()


class Epochs:
    """How far the runs are that are being worked on; what is said of others is passed over.

    The thread that draws reads while another writes, so that each look takes a copy first.
    """

    def __init__(self) -> None:
        self._now: dict[str, int] = {}
        self._most: dict[str, int] = {}
        self._ended: list[int] = []

    def begin(self, key: str, most: int) -> None:
        """Take note of a run that may have ``most`` epochs."""
        self._most[key] = most
        self._now[key] = 0

    def note(self, key: str, epochs: int) -> None:
        """Take note of how many a run has by now."""
        if key in self._now:
            self._now[key] = epochs

    def end(self, key: str) -> None:
        """Forget a run; how many epochs it had is what is expected of the others."""
        if epochs := self._now.pop(key, 0):
            self._ended.append(epochs)

    @property
    def first(self) -> str:
        """The key of the run that began first; "" where none is being worked on."""
        return next(iter(list(self._now)), "")

    @property
    def worth(self) -> float:
        """What the epochs of runs under way are worth in whole runs, by those that have ended."""
        ended = self._ended
        usual = sum(ended) / len(ended) if ended else None
        parts = [epochs / (usual or self._most[key]) for key, epochs in list(self._now.items())]
        return sum(min(1.0, part) for part in parts)

    def __str__(self) -> str:
        begun = [epochs for epochs in list(self._now.values()) if epochs]
        word = "epoch" if sum(begun) == 1 else "epochs"
        return f"{len(begun)} under way with {sum(begun)} {word}" if begun else ""


def duration(seconds: float) -> str:
    """Return a measured time as a reader says it: 40 s, 4 min 10 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def roughly(seconds: float) -> str:
    """Return an estimated time, no more exact than it is: 40 s, 4 min, 3 h, 9 days."""
    if seconds < 95:
        return f"{max(10, round(seconds, -1)):.0f} s"
    for unit, size, most in (("min", 60, 100), ("h", 3600, 48)):
        if seconds < most * size:
            return f"{round(seconds / size)} {unit}"
    return f"{round(seconds / 86400)} days"


def _columns(terminal: TextIO) -> int | None:
    """Return None, so that tqdm follows the width, except for a terminal that has none."""
    with contextlib.suppress(OSError):
        if os.get_terminal_size(terminal.fileno()).columns:
            return None
    return 80
