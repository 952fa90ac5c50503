"""Parquet files with a column of encoded images and one of labels (as Hugging Face writes them)."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import numpy as np

from reglab.data.importing.draft import PART_NAMES, Draft, Options, in_order, listed
from reglab.data.importing.files import Reader
from reglab.errors import ReglabError

LABELS = ("label", "labels", "class", "target")


def read(source: Path, options: Options) -> Draft:
    """Return the images of all files, by the part that a file's name begins with.

    Raises:
        ReglabError: pyarrow is not installed, a file is damaged, or no column fits, or several.
    """
    reader, images, labels, classes = Reader(options), {}, {}, None
    for part, paths in _files(source).items():
        tables = [_table(path) for path in paths]
        image = _column(paths[0], tables[0], options.image, "image")
        label = _column(paths[0], tables[0], options.label, "label")
        classes = classes or _class_names(tables[0], label)
        rows = [row for path, table in zip(paths, tables, strict=True)
                for row in _rows(path, table, image, label)]  # fmt: skip
        kept = [(reader.read(opened, where), value) for opened, where, value in rows]
        images[part] = [pixels for pixels, _ in kept if pixels is not None]
        labels[part] = np.array([value for pixels, value in kept if pixels is not None])
    draft = Draft(reader.stacked(images), labels, classes)
    draft.say("source", f"columns {image!r} and {label!r} of {', '.join(images)}")
    reader.report(draft)
    return draft


def _files(source: Path) -> dict[str, list[Path]]:
    if source.is_file():
        return {"train": [source]}
    files: dict[str, list[Path]] = {}
    for path in sorted(source.rglob("*.parquet")):
        word = re.split(r"[-_.]", path.name)[0].lower()
        if word not in PART_NAMES:
            raise ReglabError(f"{path}: a file's name must begin with its part (train, test)")
        files.setdefault(PART_NAMES[word], []).append(path)
    if "train" not in files:
        raise ReglabError(f"{source} holds no file that begins with train")
    return in_order(files)


def _table(path: Path):
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise ReglabError(
            "parquet files need pyarrow; install it (pip install pyarrow) and try again"
        ) from None
    try:
        return parquet.read_table(path)
    except (ArrowException, OSError) as error:
        detail = " ".join(str(error).split())[:200]
        raise ReglabError(f"{path} cannot be read as parquet ({detail})") from None


def _column(path: Path, table, named: str | None, what: str) -> str:
    """Return the column of images, or of labels: as named, or the one that fits."""
    names = table.column_names
    if named is not None:
        if named not in names:
            raise ReglabError(f"{path} has no column {named!r}; it has {listed(names, 10)}")
        return named
    if what == "image":
        fits = [name for name in names if _holds_images(table.schema.field(name).type)]
    else:
        fits = [name for name in names if name.lower() in LABELS]
    if len(fits) != 1:
        raise ReglabError(
            f"{path}: which column is the {what}? Give --{what}, one of {listed(names, 10)}"
        )
    return fits[0]


def _holds_images(kind) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _class_names(table, label: str) -> tuple[str, ...] | None:
    """Return the names that Hugging Face keeps beside the schema, if they are there."""
    about = (table.schema.metadata or {}).get(b"huggingface")
    try:
        names = json.loads(about)["info"]["features"][label]["names"]
    except (TypeError, ValueError, KeyError):
        return None
    return tuple(map(str, names)) if isinstance(names, list) else None


def _rows(path: Path, table, image: str, label: str):
    """Yield (file of one image, what to call it, label)."""
    values = table.column(label).to_pylist()
    if None in values:
        raise ReglabError(f"{path}: {values.count(None)} rows have no label in {label!r}")
    cells = table.column(image).to_pylist()
    packed = [cell.get("bytes") if isinstance(cell, dict) else cell for cell in cells]
    if packed and not any(packed):
        raise ReglabError(
            f"{path}: {image!r} names files and holds no image; give the folder of these files, "
            "or a parquet file with the images in it"
        )
    for number, (file, value) in enumerate(zip(packed, values, strict=True)):
        yield io.BytesIO(file or b""), f"{path}, row {number}", value
