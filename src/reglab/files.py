"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from reglab.errors import ReglabError

log = logging.getLogger("reglab")
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)  # of a file system without them


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for a lock and hold it; on a file system without locks nobody waits.

    Raises:
        ReglabError: the folder cannot be written to.
    """
    held = FileLock(path, mode=0o666)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held.acquire()
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise unwritable(path.parent, error) from error
        log.debug("no lock on %s: %s", path, error)
    try:
        yield
    finally:
        held.release()


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` so that ``path`` is either as before or complete, even after a crash.

    Raises:
        ReglabError: one line that says what stands in the way and what to do.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # not tempfile's: its files are readable by their owner only, and these are to be shared
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise unwritable(path.parent, error) from error


def unwritable(folder: Path, error: OSError) -> ReglabError:
    """Return the one line for a folder that cannot be written to, or a full disk."""
    hint = "free some space" if error.errno == errno.ENOSPC else "choose another folder"
    return ReglabError(
        f"cannot write to {folder}: {error.strerror or error}; {hint} and run the same command "
        "again (finished runs are kept)"
    )
