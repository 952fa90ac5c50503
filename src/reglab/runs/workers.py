"""Worker processes that end with their driver, and a pipe by which they say how far they are."""

from __future__ import annotations

import ast
import contextlib
import multiprocessing
import multiprocessing.context
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path

from reglab.errors import ReglabError
from reglab.training import machine

_driver: Connection | None = None  # of a worker: where it says how far it is


class Reports:
    """How many epochs the workers' runs have: a line an epoch, in a pipe that nobody waits for.

    A line is short enough for a pipe to take it in one piece, so that those of several workers
    never mix, and no lock is needed that a killed worker could keep. A full pipe loses lines, which
    a later one makes up for. Nothing is left when the processes are gone.
    """

    def __init__(self) -> None:
        self._end, self.workers_end = multiprocessing.Pipe(duplex=False)
        os.set_blocking(self._end.fileno(), False)
        os.set_blocking(self.workers_end.fileno(), False)

    def read(self) -> list[tuple[str, int]]:
        """Return what came since the last look: a run's key, and how many epochs it has."""
        try:
            text = os.read(self._end.fileno(), 1 << 20)  # more than a pipe holds: whole lines
        except BlockingIOError:
            return []
        lines = (line.split() for line in text.decode().splitlines())
        return [(key, int(epochs)) for key, epochs in lines]


def report(key: str, epochs: int) -> None:
    """Say to the driver how many epochs a run has; nothing where there is none that listens."""
    if _driver is not None:
        with contextlib.suppress(OSError):  # the pipe is full, or the driver gone
            os.write(_driver.fileno(), f"{key} {epochs}\n".encode())


class Worker(multiprocessing.context.SpawnProcess):
    """A process that a terminal's Ctrl-C does not reach, not even while it is starting (POSIX).

    Before `_start_worker` has run, it would end in a traceback of Python's own.
    """

    def start(self) -> None:
        """Start with SIGINT blocked, which the new process inherits."""
        with _interrupts_put_off():
            super().start()


@contextlib.contextmanager
def _interrupts_put_off() -> Iterator[None]:
    """Block SIGINT in this thread, and let the driver hear of it only afterwards.

    Another of its threads may be given the signal meanwhile; Python then runs the main thread's
    handler, so that one is replaced as well.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # starting it unblocks SIGINT
    noted: list[int] = []
    main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, lambda number, _: noted.append(number)) if main else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if main:
            signal.signal(signal.SIGINT, handler)
    if noted:
        signal.raise_signal(signal.SIGINT)


class Workers(multiprocessing.context.SpawnContext):
    """Where a pool gets its processes: they are of `Worker`."""

    Process = Worker


@contextlib.contextmanager
def processes(workers: int, reports: Reports | None = None) -> Iterator[Executor]:
    """Give a pool of processes; on an error or Ctrl-C end it at once.

    Raises:
        ReglabError: a script calls that would start itself anew in each process, or the system has
            no place for locks.
    """
    _refuse_unguarded_script()
    try:
        pool = ProcessPoolExecutor(
            workers,
            mp_context=Workers(),
            initializer=_start_worker,
            initargs=(os.getpid(), reports.workers_end if reports else None),
        )
    except OSError as error:  # on Linux /dev/shm is full, or cannot be written
        raise ReglabError(
            f"no worker process can be started ({error.strerror}): their locks need a little "
            "shared memory, on Linux in /dev/shm; free some of it, or take --workers 1"
        ) from error
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    pool.shutdown()


def _refuse_unguarded_script() -> None:
    """Raise a ReglabError if the running script is without the guard that new processes need.

    Each of them reads the script from its top, as a module of another name than "__main__".
    """
    path, frame = getattr(sys.modules["__main__"], "__file__", None), sys._getframe()
    while frame and not (frame.f_code.co_filename == path and frame.f_code.co_name == "<module>"):
        frame = frame.f_back
    if path is None or frame is None:
        return  # a notebook, a prompt, or a module that has long been read
    safe = True
    with contextlib.suppress(OSError, SyntaxError, ValueError):  # what cannot be read is not judged
        safe = guarded(Path(path).read_text("utf-8"), frame.f_lineno)
    if not safe:
        raise ReglabError(
            f"{path}, line {frame.f_lineno}: every worker process reads this script from its top; "
            'put what is to run once below `if __name__ == "__main__":`, or take workers=1'
        )


def guarded(source: str, line: int) -> bool:
    """Return whether a line of a script stands below a test of ``__name__``.

    Raises:
        SyntaxError: the source is not Python.
    """
    for statement in ast.parse(source).body:
        if statement.lineno <= line <= statement.end_lineno and isinstance(statement, ast.If):
            names = (node for node in ast.walk(statement.test) if isinstance(node, ast.Name))
            return any(name.id == "__name__" for name in names)
    return False


def _start_worker(driver: int, reports: Connection | None) -> None:
    global _driver
    _driver = reports
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to handle
    machine.keep_freed_memory()
    threading.Thread(target=_die_with, args=(driver,), daemon=True).start()


def _die_with(driver: int) -> None:
    """End this worker when the driver is gone: a killed driver cannot tell it to."""
    while os.getppid() == driver:
        time.sleep(0.5)
    os._exit(1)
