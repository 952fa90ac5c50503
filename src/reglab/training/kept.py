"""Best weights of finished runs that other runs begin with or learn from.

They are a cache: a run's config names the one it needs in full, so that lost weights can be trained
again. In a folder they are NumPy archives, read without pickle, and a SHA-256 is checked.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import zipfile
from collections import OrderedDict
from collections.abc import Collection
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from reglab.config import RunConfig
from reglab.files import locked, write_atomically

log = logging.getLogger("reglab")

Weights = dict[str, Tensor]
IN_MEMORY = 4  # networks that a process keeps where there is no folder
_DIGEST = "sha256"


class Kept:
    """Weights by run.

    Args:
        folder: where they are kept, a file a run; None = in this process.
        needed: keys of runs whose weights others will ask for (`offer`).
    """

    def __init__(self, folder: Path | None = None, needed: Collection[str] = ()) -> None:
        self.folder, self.needed = folder, needed
        self._here: OrderedDict[str, Weights] = OrderedDict()

    def get(self, config: RunConfig) -> Weights | None:
        """Return a run's weights on the CPU, or None where they are not kept or damaged."""
        if self.folder is None:
            return self._here.get(config.key)
        try:
            return read_weights(self._path(config).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            path = self._path(config)
            log.warning("%s is damaged (%s): its run is trained again", path, error)
            return None

    def offer(self, config: RunConfig, weights: Weights | None) -> None:
        """Keep a finished run's weights if they will be needed; errors as `put`."""
        if weights is not None and config.key in self.needed:
            self.put(config, weights)

    def lock(self, config: RunConfig) -> contextlib.AbstractContextManager:
        """Return a lock under which a run's weights are made, so that one process makes them.

        Raises:
            ReglabError: the folder cannot be written to.
        """
        if self.folder is None:
            return contextlib.nullcontext()
        return locked(self._path(config).with_suffix(".lock"))

    def put(self, config: RunConfig, weights: Weights) -> None:
        """Keep a run's weights.

        Raises:
            ReglabError: the folder cannot be written to.
        """
        weights = {name: value.detach().cpu().clone() for name, value in weights.items()}
        if self.folder is not None:
            write_atomically(self._path(config), weights_as_bytes(weights))
            return
        self._here[config.key] = weights
        while len(self._here) > IN_MEMORY:
            self._here.popitem(last=False)

    def _path(self, config: RunConfig) -> Path:
        return self.folder / config.dataset / f"{config.key}.npz"


IN_PROCESS = Kept()  # for runs of one process, where nobody names a folder


def weights_as_bytes(weights: Weights) -> bytes:
    """Return tensors as a NumPy archive with a digest of their names, shapes and bytes."""
    arrays = {name: value.contiguous().numpy() for name, value in weights.items()}
    file = io.BytesIO()
    np.savez(file, **arrays, **{_DIGEST: np.array(_digest(arrays))})
    return file.getvalue()


def read_weights(content: bytes) -> Weights:
    """Return what `weights_as_bytes` was given.

    Raises:
        ValueError, OSError, EOFError, zipfile.BadZipFile: it is damaged, or holds other things.
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    digest = str(arrays.pop(_DIGEST, ""))
    if digest != _digest(arrays):
        raise ValueError("its bytes are not those that were written")
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _digest(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
