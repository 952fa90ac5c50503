"""An import from end to end: read, bring into form, check, write."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reglab.data import bundled
from reglab.data.importing import arrays, folders, labels, parquet, parts, pixel_rows, pixels
from reglab.data.importing.draft import Draft, Options, refuse_unequal
from reglab.data.npz import check_arrays, digest, write_npz
from reglab.data.remarks import remarks
from reglab.data.sources import KNOWN, cache_path, load_file
from reglab.errors import ReglabError

KINDS = (
    "a folder of class folders, an .npz of arrays, a .parquet file or a folder of them, or a .csv "
    "(or .csv.gz) of pixels"
)


def import_data(
    source: Path | str,
    name: str,
    options: Options | None = None,
    *,
    folder: Path | str | None = None,
    replace: bool = False,
) -> list[tuple[str, str]]:
    """Make NAME.npz in the data folder from data as people have it.

    Args:
        source: a file or folder; see `KINDS`.
        name: of the data set.
        options: what the source alone cannot tell.
        folder: the data folder; None = $REGLAB_DATA_DIR or the user's cache folder.
        replace: write over a NAME.npz that is there.

    Returns:
        (what, done) for everything that was done, and what is worth knowing of the set ("note").

    Raises:
        ReglabError: one line: the source is of no known kind, broken, or can be read in two ways.
    """
    options, source = options or Options(), Path(source)
    target = cache_path(name, folder)
    if name in (*KNOWN, *bundled.NAMES):
        whose = "the paper's" if name in KNOWN else "the bundled"
        raise ReglabError(f"{name} is one of {whose} data sets; choose another --name")
    if target.exists() and not replace:
        raise ReglabError(f"{target} is there already; choose another --name, or give --replace")
    draft = _reader(source)(source, options)
    refuse_unequal(draft)
    pixels.standard(draft, options)
    labels.standard(draft)
    parts.standard(draft, options)
    made = _arrays(draft)
    n_classes = check_arrays(target, made)
    _count(draft, n_classes)
    write_npz(target, made, compressed=True)
    draft.say("written", f"{target}, SHA-256 {digest(made)[:12]}")
    for remark in remarks(load_file(name, folder)):
        draft.say("note", remark)
    return draft.steps


def _reader(source: Path):
    if not source.exists():
        raise ReglabError(f"{source} is not there; expected {KINDS}")
    if source.is_dir():
        if any(source.rglob("*.parquet")):
            return parquet.read
        return pixel_rows.read if pixel_rows.tables(source) else folders.read
    readers = {".npz": arrays.read, ".parquet": parquet.read}
    readers |= dict.fromkeys(pixel_rows.ENDS, pixel_rows.read)
    for end, reader in readers.items():
        if source.name.lower().endswith(end):
            return reader
    raise ReglabError(f"{source} is of no known kind; expected {KINDS}")


def _arrays(draft: Draft) -> dict[str, np.ndarray]:
    made = {}
    for part in ("train", "test"):
        made[f"x_{part}"] = np.ascontiguousarray(draft.images[part])
        made[f"y_{part}"] = draft.labels[part].astype(np.int64)
    return made | {"classes": np.array(draft.classes)}


def _count(draft: Draft, n_classes: int) -> None:
    for part in ("train", "test"):
        counts = np.bincount(draft.labels[part], minlength=n_classes)
        shape = " x ".join(map(str, draft.images[part].shape[1:]))
        fewest, most = f"{counts.min():,}", f"{counts.max():,}"
        each = f"{fewest if fewest == most else f'{fewest} to {most}'} a class"
        none = (
            f"; none of {(counts == 0).sum()} classes"
            if part == "test" and not counts.all()
            else ""
        )
        draft.say(part, f"{counts.sum():,} images of {shape}, {n_classes} classes, {each}{none}")
