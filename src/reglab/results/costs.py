"""What a gain of accuracy costs: epochs, seconds, arithmetic and memory, strength by strength.

A strength is compared with the unregularized network under the same optimizer and learning rate,
on the same seeds, and nothing else: the factorial on evaluation seeds, a sweep on selection seeds.
Seconds depend on the machine and on what else it did; epochs and multiplications do not.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import pandas as pd

from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.data import bundled
from reglab.data.sources import SHAPES
from reglab.errors import ReglabError
from reglab.results import tables
from reglab.stats import Estimate, mean_interval
from reglab.study import measures
from reglab.training.networks import multiplications

# What runs must share with those they are compared with.
ALIKE = ("optimizer", "lr", "n_train", "width", "batch_size")
PLACES = {place: f"dropout, {name}" for place, name in tables.PLACES.items()}
SWEPT = ("lambda", "dropout")  # on selection seeds; the other studies on evaluation seeds
# A forward pass, the gradient of the inputs and that of the weights: as many products each.
PASSES = 3
NOTHING = Estimate(0.0, 0.0, 0.0, 0.0, 1)  # the gain of the unregularized network over itself


@dataclass(frozen=True, eq=False)
class Setting:
    """One strength of one technique: its runs, and the unregularized runs they are held against.

    Attributes:
        study: factorial, literal, lambda or dropout.
        technique: its name for people.
        strength: for people, e.g. "λ = 0.01"; empty where there is none to choose.
        runs: one row a seed, as `reglab.study.frame.load_frame` gives them.
        control: the same of the unregularized network; None where ``runs`` are that network.

    Raises:
        ReglabError: runs and control differ in seeds, optimizer, learning rate, images or width.
    """

    study: str
    technique: str
    strength: str
    runs: pd.DataFrame
    control: pd.DataFrame | None

    def __post_init__(self) -> None:
        if self.control is None:
            return
        for name in ("seed", *ALIKE):
            ours, theirs = (sorted(set(rows[name])) for rows in (self.runs, self.control))
            if ours != theirs:
                what = f"{self.technique} {self.strength}".strip()
                raise ReglabError(
                    f"{what}: {name} must be that of the runs compared with, {theirs}; got {ours}"
                )

    @property
    def seeds(self) -> str:
        """Which seeds: "selection" in the sweeps, else "evaluation"."""
        return "selection" if self.study in SWEPT else "evaluation"

    @property
    def gain(self) -> Estimate | None:
        """Paired difference of test accuracy in points; None for the unregularized network."""
        return None if self.control is None else tables.difference(self.runs, self.control)

    @property
    def kept(self) -> pd.DataFrame:
        """The runs that stayed finite, and whose control did: those the gain is formed from."""
        column = measures.of(self.runs).test
        rows = self.runs.dropna(subset=column)
        if self.control is None:
            return rows
        return rows[rows["seed"].isin(self.control.dropna(subset=column)["seed"])]

    def cost(self, name: str) -> Estimate | None:
        """Return a column's mean with its interval over `kept`; None where a value is missing."""
        values = self.kept[name]
        return None if values.empty or values.isna().any() else mean_interval(values.tolist())


def settings(frame: pd.DataFrame) -> list[Setting]:
    """Return every cell of the factorial, the paper's strengths, and every strength of the sweeps.

    A study that the frame lacks is left out.

    Raises:
        ReglabError: an arm has runs of other seeds than what it is compared with, or one twice.
    """
    there = set(frame["study"])
    every = []
    if "factorial" in there:
        every += _cells(frame)
    if {"factorial", "literal"} <= there:
        every += _printed(frame)
    if "lambda" in there:
        for reading, name in tables.READINGS.items():
            # λ = 0 is one and the same run for the coupled and the per-sample reading
            zero = "coupled 0" if reading == "per_sample" else f"{reading} 0"
            every += _sweep(frame, "lambda", "reading", reading, f"L2, {name}", zero)
    if "dropout" in there:
        for place, name in PLACES.items():
            every += _sweep(frame, "dropout", "place", place, name, f"{place} 0")
    return every


def _cells(frame: pd.DataFrame) -> list[Setting]:
    base, cells = tables.arm(frame, "factorial", "none"), []
    for name in CELL_ORDER:
        runs = tables.arm(frame, "factorial", name)
        control = None if name == "none" else base
        cells.append(Setting("factorial", CELL_NAMES[name], strength_of(runs), runs, control))
    return cells


def _printed(frame: pd.DataFrame) -> list[Setting]:
    base, literal = tables.arm(frame, "factorial", "none"), []
    for label in frame.loc[frame["study"] == "literal", "arm"].unique():
        runs = tables.arm(frame, "literal", label)
        name = CELL_NAMES[runs["cell"].iloc[0]]
        literal.append(Setting("literal", f"{name}, as printed", strength_of(runs), runs, base))
    return literal


def _sweep(
    frame: pd.DataFrame, study: str, column: str, kind: str, name: str, zero: str
) -> list[Setting]:
    field = "lam" if study == "lambda" else "dropout"
    rows = tables.study_rows(frame, study)
    rows = rows[(rows[column] == kind) | (rows["arm"] == zero)]
    if rows[field].max() == 0 or rows.empty:
        return []
    base, strengths = tables.arm(frame, study, zero), []
    for value in sorted(rows[field].unique()):
        (label,) = rows.loc[rows[field] == value, "arm"].unique()
        runs = base if label == zero else tables.arm(frame, study, label)
        text = f"{'λ =' if field == 'lam' else 'drop rate'} {value:g}"
        strengths.append(Setting(study, name, text, runs, None if label == zero else base))
    return strengths


def strength_of(runs: pd.DataFrame) -> str:
    """Return the strengths of an arm for people; empty where nothing is penalized or dropped."""
    lam, drop = runs["lam"].iloc[0], runs["dropout"].iloc[0]
    parts = [f"λ = {lam:g}"] if lam else []
    return ", ".join(parts + ([f"drop rate {drop:g}"] if drop else []))


_forward = functools.cache(multiplications)


def multiplications_an_epoch(runs: pd.DataFrame) -> int | None:
    """Return the multiplications of an epoch's training steps in convolutions and linear layers.

    Three times those of the forward passes. The first layer needs no gradient of its input, and
    batch normalization, dropout and the penalty do little arithmetic: both are left out. None for
    a data set that is not one of the book's.
    """
    first = runs.iloc[0]
    images = first["n_fit"] // first["batch_size"] * first["batch_size"]
    if (shape := SHAPES.get(first["dataset"])) is not None:
        return int(PASSES * images * _forward(shape, int(first["width"])))
    if (known := bundled.manifest().get(first["dataset"])) is None:
        return None
    shape = tuple(reversed(known["shape"]))  # (C, T)
    sizes = len(known["classes"]) or 1, known["vocabulary"]  # a forecast is one number
    return int(PASSES * images * _forward(shape, int(first["width"]), *sizes))


def spent(runs: pd.DataFrame) -> pd.Series:
    """Return the multiplications of each run's training, NaN where not known; indexed as given."""
    each = multiplications_an_epoch(runs)
    return runs["epochs"].astype(float) * (math.nan if each is None else each)


def trillions(setting: Setting) -> float | None:
    """Return the mean of a run's multiplications in training, in 10¹²; None where not known."""
    epochs, each = setting.cost("epochs"), multiplications_an_epoch(setting.runs)
    return None if epochs is None or each is None else epochs.mean * each / 1e12


def in_trillions(value: float, digits: int = 2) -> str:
    """Return "1.23 × 10¹²"; of a small number two digits that are not zero."""
    return f"{value:.{digits}f} × 10¹²" if value >= 0.1 else f"{value:.2g} × 10¹²"


def megabytes(setting: Setting) -> float | None:
    """Return the mean of the runs' peak memory in units of 10⁶ bytes; None where not measured."""
    peak = setting.cost("peak_memory_bytes")
    return None if peak is None else peak.mean / 1e6


def cost_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row a setting: accuracy gained (points), and epochs and arithmetic of a run.

    Costs are those of the runs that the gain is formed from. ``diverged`` counts runs without a
    finite epoch, which are in neither.
    """
    rows = []
    for setting in settings(frame):
        products = trillions(setting)
        rows.append(
            _costs(
                setting,
                {
                    f"{measures.of(frame).name} gained": setting.gain,
                    "epochs": setting.cost("epochs"),
                    "10¹² multiplications": None if products is None else f"{products:.2f}",
                },
            )
            | {"diverged": int(setting.runs[measures.of(frame).test].isna().sum()) or None}
            | {"did not learn": tables.unlearned(setting.runs) or None}
        )
    return pd.DataFrame(rows)


def machine_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row a setting: seconds and peak memory of a run, which depend on the machine."""
    rows = []
    for setting in settings(frame):
        memory = megabytes(setting)
        rows.append(
            _costs(
                setting,
                {
                    "seconds": setting.cost("seconds"),
                    "peak memory (MB)": None if memory is None else f"{memory:,.0f}",
                },
            )
        )
    return pd.DataFrame(rows)


def _costs(setting: Setting, columns: dict) -> dict:
    """Return a table's row: which setting, the columns, over which seeds."""
    return {
        "technique": setting.technique,
        "strength": setting.strength or None,
        **columns,
        "seeds": f"{len(setting.kept)} {setting.seeds}",
    }


def slowest_over_fastest(frame: pd.DataFrame) -> float | None:
    """Return the largest ratio of seconds an epoch between seeds of one setting.

    An epoch of one setting is always the same work, so what is above 1 is the machine's. None where
    no setting has two runs.
    """
    ratios = []
    for setting in settings(frame):
        pace = setting.kept["seconds_per_epoch"]
        if len(pace) > 1:
            ratios.append(float(pace.max() / pace.min()))
    return max(ratios, default=None)
