"""What a long command shows: a bar in a terminal, a line now and then in a log, or nothing."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

from tqdm import tqdm

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
        self._working_on = ""
        self.done = self.made = self.total = self._before = 0
        self.exact, self.waiting = True, False
        self.names: dict[str, str] = {}

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
            self._bar = tqdm(total=total, initial=done, unit="run", file=self._file, **width)
        if self._shown:
            self._beat.start()

    def working_on(self, key: str) -> None:
        """Take note of the run that is being worked on, one of them where there are several."""
        self._working_on = self.names.get(key, "")

    def update(self, runs: int = 1) -> None:
        """Count runs that were made."""
        self.done += runs
        self.made += runs
        if self._bar is not None:
            self._bar.update(self.done - self._bar.n)

    def look(self) -> None:
        """Redraw the bar, or say a line if one is due."""
        if self._bar is not None:
            self._show()
        elif self._clock() - self._said >= self._every:
            self._said = self._clock()
            self.say(self.line())

    def line(self) -> str:
        """Return how far the runs are, and about how long they will take by what was measured."""
        took = self._clock() - self._began
        total = f"{self.total}" if self.exact else f"up to {self.total}"
        parts = [f"{self.done} of {total} runs after {duration(took)}"]
        finished = self.done - self._before  # by other drivers as well
        if finished and self.total > self.done:
            left = took / finished * (self.total - self.done)
            parts.append(f"{'' if self.exact else 'up to '}about {roughly(left)} left")
        parts += [f"now {self._working_on}"] if self._working_on and not self.waiting else []
        parts += ["waiting for another driver's runs"] if self.waiting else []
        return ", ".join(parts)

    def say(self, text: str) -> None:
        """Write a line, if anything is shown; a log that cannot be written stops no run."""
        if self._shown:
            with contextlib.suppress(OSError):
                self._file.write(f"reglab: {text}\n")
                self._file.flush()

    def _show(self) -> None:
        self._bar.n, self._bar.total = self.done, self.total
        self._bar.set_description_str(self._working_on, refresh=False)
        waiting = "waiting for another driver's runs" if self.waiting else ""
        self._bar.set_postfix_str(waiting, refresh=False)
        self._bar.refresh()

    def _keep_looking(self) -> None:
        while not self._over.wait(_BEAT):
            self.look()


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
