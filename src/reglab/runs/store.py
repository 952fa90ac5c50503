"""RunStore: finished runs on disk, one file a run, written atomically, keyed by config."""

from __future__ import annotations

import gzip
import logging
import os
import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from filelock import FileLock, Timeout

from reglab.config import RunConfig
from reglab.errors import ReglabError
from reglab.files import NO_LOCKS, unwritable, write_atomically
from reglab.paths import results_folder, store_folder
from reglab.record import RunRecord

log = logging.getLogger("reglab")


def open_store(root: Path | str | None = None) -> RunStore:
    """Return the store at ``root`` over the book's recorded results (see `reglab.paths`)."""
    return RunStore(root or store_folder(), recorded=results_folder())


class RunStore:
    """Finished runs: ``ROOT/DATASET/KEY.json``, and a read-only layer of recorded tables.

    A run appears under its name complete or not at all (temporary file, fsync, rename), so a kill
    at any moment loses no finished run. A damaged file is set aside under ``*.broken`` with a
    warning, never deleted, and its run counts as missing.

    Args:
        root: folder of this machine's runs; made at the first `put`.
        recorded: folder of recorded tables (see `write_table`), ``PROFILE/DATASET.jsonl.gz`` and
            ``PROFILE/STUDY/DATASET.jsonl.gz``.

    Raises:
        ReglabError: ``root`` is no path.
    """

    def __init__(self, root: Path | str, recorded: Path | str | None = None) -> None:
        if not isinstance(root, str | os.PathLike) or "\0" in str(root):
            raise ReglabError(f"store must be the path of a folder, got {root!r}")
        self.root = Path(root)
        self.recorded = Path(recorded) if recorded else None
        self._recorded_runs: dict[str, dict[str, RunRecord]] = {}
        self._read_before: dict[Path, tuple[tuple[int, int, int], RunRecord]] = {}

    def path(self, config: RunConfig) -> Path:
        """Return the file that holds, or would hold, this config's run."""
        return self.root / config.dataset / f"{config.key}.json"

    @property
    def weights(self) -> Path:
        """The folder of the weights that runs need of each other (`reglab.training.kept`)."""
        return self.root / "weights"

    def get(self, config: RunConfig) -> RunRecord | None:
        """Return the finished run of ``config``, or None."""
        recorded = self._recorded(config.dataset).get(config.key)
        return recorded if recorded else self._read(self.path(config), config)

    def load(self, configs: Iterable[RunConfig]) -> dict[str, RunRecord]:
        """Return the finished runs among ``configs``, by key."""
        pairs = ((config.key, self.get(config)) for config in configs)
        return {key: record for key, record in pairs if record is not None}

    def put(self, record: RunRecord) -> Path:
        """Write one finished run.

        Raises:
            ReglabError: the folder cannot be written to, or the disk is full; one line.
        """
        path = self.path(record.config)
        write_atomically(path, (record.to_json() + "\n").encode())
        return path

    def lock(self, config: RunConfig) -> RunLock | None:
        """Return the lock of a run, held, or None while another process or thread holds it.

        Whoever makes a run holds its lock, so that several drivers can share a store without
        making anything twice. The kernel gives the lock back when its holder ends, however it
        ends; no clock is involved. Where a file system has no locks, everyone gets one: a run is
        then made twice at worst, and kept once.

        Raises:
            ReglabError: the folder cannot be written to.
        """
        path = self.root / ".locks" / config.key
        held = FileLock(path, timeout=0, mode=0o666, thread_local=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held.acquire()
        except Timeout:
            return None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise unwritable(path.parent, error) from error
            log.debug("no lock on %s: %s", path, error)
        return RunLock(path, held)

    def check_writable(self) -> None:
        """Find out before any training that finished runs can be kept here."""
        probe = self.root / f".writable-{os.getpid()}"
        write_atomically(probe, b"")
        probe.unlink()

    def _read(self, path: Path, config: RunConfig) -> RunRecord | None:
        """Return what a file holds; one that is as it was when it was read is not read again."""
        try:
            stamp = _stamp(path)
            before, record = self._read_before.get(path, (None, None))
            if before == stamp and record.config == config:
                return record
            text = path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            return _set_aside(path, str(error))
        try:
            record = RunRecord.from_json(text)
        except ReglabError as error:
            return _set_aside(path, str(error))
        if record.config != config:
            return _set_aside(path, "it holds another config's run")
        self._read_before[path] = stamp, record
        return record

    def _recorded(self, dataset: str) -> dict[str, RunRecord]:
        if dataset not in self._recorded_runs:
            runs: dict[str, RunRecord] = {}
            tables = self.recorded.glob(f"*/**/{dataset}.jsonl.gz") if self.recorded else ()
            for table in sorted(tables):
                runs.update(_runs_of(table, _stamp(table)))
            self._recorded_runs[dataset] = runs
        return self._recorded_runs[dataset]


def _stamp(path: Path) -> tuple[int, int, int]:
    """Return what a file has another of once it is written anew."""
    state = path.stat()
    return state.st_ino, state.st_mtime_ns, state.st_size


@lru_cache(maxsize=128)  # a page opens many stores on the same tables
def _runs_of(table: Path, stamp: tuple[int, int, int]) -> dict[str, RunRecord]:
    return {record.config.key: record for record in read_table(table)}


class RunLock:
    """A held lock on one run; see `RunStore.lock`."""

    def __init__(self, path: Path, held: FileLock) -> None:
        self._path, self._held = path, held

    def release(self) -> None:
        """Let the run go, once.

        The file goes first, while it is still locked. Whoever opened it before then gets a lock
        that guards nothing, which is harmless: holders look into the store before they train.
        """
        if self._held.is_locked:
            self._path.unlink(missing_ok=True)
            self._held.release()


def write_table(records: Iterable[RunRecord], path: Path) -> None:
    """Write recorded runs as one compact table: a gzip file, a line of JSON a run, by key.

    The bytes depend on the runs alone (no time stamp), so that git sees changes only.
    """
    ordered = sorted(records, key=lambda record: record.config.key)
    lines = "".join(record.to_json() + "\n" for record in ordered)
    write_atomically(path, gzip.compress(lines.encode(), mtime=0))


def read_table(path: Path) -> Iterator[RunRecord]:
    """Yield the runs of a table that `write_table` wrote.

    Raises:
        ReglabError: the file is truncated or altered; it names the file and the line.
    """
    read = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield RunRecord.from_json(line)
                read += 1
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, ReglabError) as error:
        raise ReglabError(
            f"{path} is damaged after run {read}: {error}; restore the file from git"
        ) from None


def merge_tables(paths: Iterable[Path]) -> dict[str, RunRecord]:
    """Return the runs of several tables by key, as where several machines made a study together.

    Raises:
        ReglabError: a table is missing or damaged; two hold unlike runs under one key (times and
            machines aside); or runs of two devices or precisions, which no table mixes.
    """
    merged: dict[str, RunRecord] = {}
    came: dict[str, Path] = {}
    kinds: dict[str, tuple[tuple[str, str], Path]] = {}
    for path in paths:
        for record in read_table(path):
            config, name = record.config, record.config.dataset
            kind, first = kinds.setdefault(name, ((config.device, config.precision), path))
            if kind != (config.device, config.precision):
                raise ReglabError(
                    f"{first} holds {name} runs on {' in '.join(kind)}, {path} on {config.device} "
                    f"in {config.precision}; one table cannot hold both"
                )
            known = merged.setdefault(config.key, record)
            came.setdefault(config.key, path)
            if known.reproducible() != record.reproducible():
                raise ReglabError(
                    f"{came[config.key]} and {path} hold unlike runs of {name} under the key "
                    f"{config.key}; keep one of the two tables"
                )
    return merged


def _set_aside(path: Path, why: str) -> None:
    broken = path.with_name(path.name + ".broken")
    try:
        path.replace(broken)
        log.warning("%s is damaged (%s): kept as %s, its run will be made again", path, why, broken)
    except OSError:
        log.warning("%s is damaged (%s): its run will be made again", path, why)
