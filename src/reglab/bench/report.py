"""A measurement as text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from reglab import paper
from reglab.bench import measure, shift, shift_text, timing
from reglab.pages import display
from reglab.pages.clauses import Said, points, say
from reglab.paths import results_folder

WAYS = {
    "usual_0_workers": "usual loop, no loader workers",
    "usual_2_workers": "usual loop, 2 loader workers",
    "train": "reglab, one run",
    "fast_fp32": "reglab, many runs, fp32",
    "fast_bf16": "reglab, many runs, bf16",
    "ceiling_fp32": "products alone, fp32",
    "ceiling_bf16": "products alone, bf16",
}
RATIOS = {
    "ratio_train": "one run over the usual loop",
    "ratio_fp32": "many runs over the usual loop, fp32",
    "ratio_bf16": "many runs over the usual loop, bf16",
    "ceiling_fraction": "share of the ceiling, fp32",
    "ceiling_fraction_bf16": "share of the ceiling, bf16",
}


def rate_table(measured: dict) -> pd.DataFrame:
    """Return images a second and networks an hour of every way, one row each."""
    rows = []
    for shape, part in measured["shapes"].items():
        for name, label in WAYS.items():
            rows.append(
                {
                    "shape": f"{paper.title(shape)}, width {part['width']}",
                    "way": label,
                    "images/s": f"{part['images_per_second'][name]:,.0f}",
                    "runs/hour": _runs(part, name),
                }
            )
    return pd.DataFrame(rows)


def _runs(part: dict, name: str) -> str:
    runs = part["runs_per_hour"].get(name)
    return display.MISSING if runs is None else f"{runs:,.1f}"


def ratio_table(measured: dict) -> pd.DataFrame:
    """Return the ratios with their lowest and highest turn."""
    rows = []
    for shape, part in measured["shapes"].items():
        for name, label in RATIOS.items():
            low, high = part[f"{name}_range"]
            rows.append(
                {
                    "shape": f"{paper.title(shape)}, width {part['width']}",
                    "ratio": label,
                    "median": f"{part[name]:.2f}",
                    "range": f"{low:.2f} to {high:.2f}",
                }
            )
    return pd.DataFrame(rows)


def growth_table(measured: dict) -> pd.DataFrame:
    """Return how the cost of an image grows with the width of the network, one row a width."""
    first = measured["growth"][0]
    return pd.DataFrame(
        [
            {
                "width": row["width"],
                "million multiplications an image": f"{row['multiplications'] / 1e6:.2f}",
                "times the first": f"{row['multiplications'] / first['multiplications']:.1f}",
                "images/s, one run": f"{row['images_per_second']:,.0f}",
                "times as slow": f"{first['images_per_second'] / row['images_per_second']:.1f}",
            }
            for row in measured["growth"]
        ]
    )


def gains(measured: dict) -> Said:
    """Return what the ratios say of one run by itself and of a run a core, shape by shape."""
    sentences = []
    for shape, part in measured["shapes"].items():
        one, many = (_beside(part[f"ratio_{name}_range"]) for name in ("train", "fp32"))
        sentences.append(
            f"{paper.title(shape)} at width {part['width']}, compared with the usual loop: one run "
            f"by itself is {one}; a run on each core, in fp32, is {many}"
        )
    return points(*sentences)


def growth(measured: dict) -> Said:
    """Return how many times slower the widest network is than the narrowest, for its arithmetic."""
    first, last = measured["growth"][0], measured["growth"][-1]
    more = last["multiplications"] / first["multiplications"]
    slower = first["images_per_second"] / last["images_per_second"]
    return say(
        f"from width {first['width']} to width {last['width']} an image takes {more:.0f} times the "
        f"multiplications and {slower:.0f} times as long"
    )


def _beside(turns: tuple[float, float]) -> str:
    low, high = turns
    if low > 1:
        return "faster in every turn"
    return "slower in every turn" if high < 1 else "faster in some turns and slower in others"


def source(measured: dict) -> str:
    """Return the machine and the versions in a line."""
    cores = (
        f"{measured['cores']} cores of "
        if measured["device"] == "cpu" and measured["cores"]
        else ""
    )
    turns = next(iter(measured["shapes"].values()))["turns"]
    return (
        f"{cores}{measured['device_name']}; torch {measured['torch']}; "
        f"reglab {measured['code_version']}; medians of {turns} turns"
    )


def render(measured: dict, form: str, part: str = "speed") -> str:
    """Return a part's measurement as "table", "json" or "markdown" text."""
    if form == "json":
        return json.dumps(measured, indent=2)
    made = PARTS[part]
    tables = (table(measured) for table in made.tables)
    if form == "markdown":
        texts = [display.markdown(table) for table in tables]
    else:
        texts = [display.as_text(table).to_string(index=False) for table in tables]
    said = (str(sentence(measured)) for sentence in made.sentences)
    return "\n\n".join([*texts, *said, made.source(measured)])


def recorded(part: str = "speed", folder: Path | str | None = None) -> list[dict]:
    """Return a part's recorded measurements, one a machine, from ``bench/PART/*.json``."""
    paths = sorted((results_folder(folder) / "bench" / part).glob("*.json"))
    return [json.loads(path.read_text("utf-8")) for path in paths]


@dataclass(frozen=True)
class Part:
    """One of the things that `reglab bench` measures, and how it is told.

    Attributes:
        measure: a device ("auto", "cpu" or "cuda") -> plain JSON values.
        tables, sentences: what is made of these values.
        source: machine and versions in a line.
    """

    measure: Callable[[str], dict]
    tables: tuple[Callable[[dict], pd.DataFrame], ...]
    sentences: tuple[Callable[[dict], Said], ...]
    source: Callable[[dict], str]


PARTS = {
    "speed": Part(measure.bench, (rate_table, ratio_table, growth_table), (), source),
    "time": Part(timing.timing, (timing.ratio_table,), (timing.findings,), timing.source),
    "shift": Part(
        shift.shift,
        (shift_text.table,),
        (shift_text.findings, shift_text.conclusion),
        shift_text.source,
    ),
}
