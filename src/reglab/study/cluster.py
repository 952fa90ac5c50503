"""Runs on a Dask cluster: `reglab reproduce --scheduler ADDRESS`. Needs the extra ``cluster``.

The scheduler hands out runs and does a lost worker's again; the driver alone writes the store, so
workers need not see it. Full data sets travel from the driver to each worker once. Messages of a
cluster are pickles: only use one on a network that you trust, or with TLS (Dask's own settings).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import torch

import reglab
from reglab.config import DEVICES, TRAIN_VERSION
from reglab.data import bundled, sources
from reglab.data.dataset import resolve_source
from reglab.errors import ReglabError
from reglab.study.plan import Plan
from reglab.training import machine

try:
    import distributed
    from distributed.comm import CommClosedError
except ImportError:
    raise ReglabError(
        "a cluster needs Dask, which is not installed; install reglab[cluster], here and on the "
        "workers"
    ) from None


def silence() -> None:
    """Keep what Dask logs on top of an error off the terminal: one line is enough there."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


TIMEOUT = 20  # seconds to wait for the scheduler, and for its first worker
ANSWER = 60  # seconds to wait for the workers' answers: the first of each has to import torch


@dataclass(frozen=True)
class Cluster:
    """A connected cluster.

    Attributes:
        executor: for `reglab.study.sweep.run` and `reproduce`.
        plans: the plans given, with the device that the workers have.
        in_flight: tasks to hand over at once, twice the workers' threads.
    """

    executor: Executor
    plans: tuple[Plan, ...]
    in_flight: int


@contextlib.contextmanager
def connect(address: str, plans: Sequence[Plan], device: str = "auto") -> Iterator[Cluster]:
    """Connect to a scheduler and bring its workers what they need for ``plans``.

    Args:
        address: of the scheduler, e.g. ``"tcp://10.0.0.1:8786"``.
        plans: studies whose runs are to be made.
        device: auto (CUDA if every worker has it), cpu, or cuda (those workers that have it).

    Raises:
        ReglabError: no scheduler or no worker there, the connection is lost on the way, a worker's
            reglab or torch is another than this one, or CUDA is asked for and no worker has it.
    """
    with _client(address) as client:
        versions = _versions(client)
        device, able = _device(versions, device)
        full = {plan.dataset for plan in plans if plan.data_version.startswith("full:")}
        for name in sorted(full):  # samples are part of the package
            _bring(client, name)
        plans = tuple(replace(plan, device=device) for plan in plans)
        threads = sum(client.nthreads().values())
        # Only CUDA restricts where a run may go: workers that join later are welcome.
        where = {"workers": able} if device == "cuda" else {}
        pool = client.get_executor(pure=False, **where)
        try:
            yield Cluster(_OneAtATime(pool), plans, 2 * threads)
        except distributed.scheduler.KilledWorker:
            raise ReglabError(
                "one run ended several workers in turn (out of memory?); finished runs are kept, "
                "give the workers more memory and run the same command again"
            ) from None
        except CommClosedError as error:
            raise ReglabError(
                f"the connection to {address} is lost ({error}); finished runs are kept, run the "
                "same command again"
            ) from None


@contextlib.contextmanager
def _client(address: str) -> Iterator[distributed.Client]:
    try:
        with ThreadPoolExecutor(1) as thread:  # a notebook's own thread has a loop already
            thread.submit(asyncio.run, asyncio.wait_for(_greet(address), TIMEOUT)).result()
        client = distributed.Client(address, timeout=TIMEOUT, set_as_default=False)
    except Exception as error:  # of sockets, TLS, Dask, or whatever else answers there
        detail = _detail(error, "what is there says nothing a scheduler would say", TIMEOUT)
        raise ReglabError(f"no Dask scheduler answers at {address!r} ({detail})") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=TIMEOUT)
        except TimeoutError:
            raise ReglabError(
                f"the scheduler at {address} has no workers; start one: dask worker {address} "
                "--nthreads 1"
            ) from None
        yield client


def _detail(error: Exception, late: str, seconds: float) -> str:
    """Return an error as one line, and one that has no words as what did not come in time."""
    if str(error):
        return str(error).splitlines()[0]
    within = isinstance(error, TimeoutError)
    return f"{late} within {seconds:g} s" if within else type(error).__name__


async def _greet(address: str) -> None:
    """Ask whoever is there who it is: Dask's client would wait for a web server's answer for ever.

    Raises:
        Exception: of many kinds; nobody answers, or no scheduler does.
    """
    security = distributed.Security().get_connection_args("client")
    comm = await distributed.comm.connect(address, timeout=TIMEOUT, **security)
    try:
        await comm.write({"op": "identity", "reply": True})
        kind = (await comm.read()).get("type")
    finally:
        comm.abort()
    if kind != "Scheduler":
        raise ValueError(f"there is a {kind}")


class _OneAtATime(Executor):
    """A cluster's executor whose workers make one task at a time each."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool

    def submit(self, function, /, *arguments: object) -> Future:
        return self._pool.submit(_alone, function, *arguments)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait=wait)


_training = threading.Lock()


def _alone(function, *arguments: object):
    """Threads, numerics and memory figures are a process's: two runs at once would mix theirs."""
    with _training:
        machine.keep_freed_memory()  # Dask's nanny tells glibc the opposite
        return function(*arguments)


def _versions(client: distributed.Client) -> dict[str, tuple]:
    """Return each worker's (reglab, train version, torch, has CUDA); refuse what differs."""
    here, versions = _version(), _ask(client)
    for worker, there in versions.items():
        for what, ours, theirs in zip(_NAMES, here, there, strict=False):
            if ours != theirs:
                raise ReglabError(
                    f"worker {worker} has {what} {theirs}, this driver has {ours}; install the "
                    "same there, or results would mix"
                )
    return versions


def _ask(client: distributed.Client) -> dict[str, tuple]:
    """Return each worker's `_version`; a worker that the scheduler cannot reach is refused."""
    thread = ThreadPoolExecutor(1)
    try:
        answers = thread.submit(client.run, _version, on_error="return").result(ANSWER)
    except Exception as error:  # whatever answers in the place of a worker
        answers = {"(it is not known which)": error}
    finally:
        thread.shutdown(wait=False)  # an answer that comes late is nobody's
    for worker, answer in answers.items():
        if isinstance(answer, Exception):
            detail = _detail(answer, "no answer", ANSWER)
            raise ReglabError(
                f"worker {worker} cannot be reached from the scheduler ({detail}); let its port "
                "through (dask worker ADDRESS --worker-port N), or stop it"
            )
    return answers


_NAMES = ("reglab", "reglab's training code version", "torch")


def _version() -> tuple:
    # torch's build ("+cpu", "+cu128") may differ, as workers' devices do
    torch_version = torch.__version__.partition("+")[0]
    return reglab.__version__, TRAIN_VERSION, torch_version, torch.cuda.is_available()


def _device(versions: dict[str, tuple], device: str) -> tuple[str, list[str]]:
    able = [worker for worker, version in versions.items() if version[-1]]
    if device not in ("auto", *DEVICES):
        raise ReglabError(f"device must be one of auto, {', '.join(DEVICES)}, got {device!r}")
    if device == "cuda" and not able:
        raise ReglabError("device 'cuda' asked for, but no worker of the cluster has one")
    everywhere = len(able) == len(versions)
    return ("cuda" if device == "cuda" or (device == "auto" and everywhere) else "cpu"), able


def _bring(client: distributed.Client, name: str) -> None:
    """Send a full data set to each worker once, those included that join later."""
    if name in bundled.NAMES or resolve_source(name, "auto") != "full":
        return  # each worker has it, or has to have it
    arrays = sources.load_file(name)
    plugin = _DataPlugin(name, arrays)
    client.register_plugin(plugin, name=f"reglab-{name}-{arrays.sha256[:12]}")


class _DataPlugin(distributed.WorkerPlugin):
    """Gives a worker's process the driver's images of one data set."""

    idempotent = True  # a second driver with the same data sends nothing

    def __init__(self, name: str, arrays: sources.Arrays) -> None:
        self.data_name, self.arrays = name, arrays

    def setup(self, worker: object) -> None:
        sources.provide(self.data_name, self.arrays)
