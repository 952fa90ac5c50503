"""`reglab data fetch`: torchvision's downloader, converted to NAME.npz, digest checked."""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reglab.data import bundled
from reglab.data.npz import write_npz
from reglab.data.sources import ARRAYS, FULL_SHA256, KNOWN, cache_path, digest, load_file
from reglab.errors import ReglabError

# torchvision checks MD5 only, and unpickles what is in this archive: so it is checked by SHA-256
# before torchvision may open it. The value is the one that Keras' cifar10.py checks, too.
CIFAR10_ARCHIVE_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
TIMEOUT_SECONDS = 30


def fetch(name: str, folder: Path | str | None = None, *, progress: bool = True) -> Path:
    """Download a known data set and keep it as NAME.npz in the data folder.

    Nothing appears under that name before its SHA-256 is right; what was downloaded on the way is
    removed in every case. A file that is already there and right is left as it is.

    Args:
        name: mnist, fashion_mnist or cifar10.
        folder: the data folder; None = $REGLAB_DATA_DIR or the user's cache folder.
        progress: show torchvision's progress bar (never where there is no terminal).

    Raises:
        ReglabError: unknown name, no network, no disk, wrong digest; one line.
    """
    if name in bundled.NAMES:
        raise ReglabError(f"{name} is bundled with reglab: there is nothing to fetch")
    if name not in KNOWN:
        raise ReglabError(f"only {', '.join(KNOWN)} can be fetched, got {name!r}")
    target = cache_path(name, folder)
    if target.exists():
        load_file(name, folder)
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # beside the target, so that the last step is a rename and a full disk shows before it
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=target.parent))
    except OSError as error:
        raise ReglabError(f"cannot write to {target.parent}: {error.strerror or error}") from None
    try:
        arrays = _download(name, scratch, target.parent, progress)
        _keep(name, arrays, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _download(name: str, scratch: Path, folder: Path, progress: bool) -> dict[str, np.ndarray]:
    try:
        with _quiet(progress and sys.stderr.isatty()), _timeout(TIMEOUT_SECONDS):
            return _arrays(name, scratch)
    except ReglabError:
        raise
    except Exception as error:  # urllib, socket, tarfile, torchvision: each has its own kinds
        detail = " ".join(str(error).split()) or type(error).__name__
        raise ReglabError(
            f"could not download {name}: {detail}; check the network and try again, or place a "
            f"verified {name}.npz in {folder}"
        ) from None


def _arrays(name: str, root: Path) -> dict[str, np.ndarray]:
    """Let torchvision download into ``root``; return the four arrays as uint8."""
    from torchvision import datasets
    from torchvision.datasets.utils import download_url

    if name == "cifar10":
        kind = datasets.CIFAR10
        download_url(kind.url, root, kind.filename, kind.tgz_md5)
        _check_archive(root / kind.filename)
    else:
        kind = {"mnist": datasets.MNIST, "fashion_mnist": datasets.FashionMNIST}[name]
    arrays = {}
    for split in ("train", "test"):
        part = kind(root, train=split == "train", download=True)
        arrays[f"x_{split}"] = np.ascontiguousarray(part.data, dtype=np.uint8)
        arrays[f"y_{split}"] = np.asarray(part.targets, dtype=np.uint8)
    return arrays


def _check_archive(path: Path) -> None:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 != CIFAR10_ARCHIVE_SHA256:
        raise ReglabError(
            f"the downloaded {path.name} is not the published one (its SHA-256 begins "
            f"{sha256[:12]}, expected {CIFAR10_ARCHIVE_SHA256[:12]}); nothing was kept, try again"
        )


def _keep(name: str, arrays: dict[str, np.ndarray], target: Path) -> None:
    sha256 = digest(arrays)
    if sha256 != FULL_SHA256[name]:
        raise ReglabError(
            f"the downloaded {name} is not the published one (SHA-256 begins {sha256[:12]}, "
            f"expected {FULL_SHA256[name][:12]}); nothing was kept, try again later"
        )
    write_npz(target, {key: arrays[key] for key in ARRAYS})


@contextlib.contextmanager
def _quiet(show: bool) -> Iterator[None]:
    """Keep what torchvision prints off standard output, and off standard error unless ``show``."""
    errors = contextlib.nullcontext() if show else contextlib.redirect_stderr(io.StringIO())
    with contextlib.redirect_stdout(io.StringIO()), errors:
        yield


@contextlib.contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    """Give up on a server that does not answer; torchvision sets no limit of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
