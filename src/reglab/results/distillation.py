"""The study of distillation as numbers: students with and without a teacher, paired by seed.

Each function takes the study of one data set (`reglab.results.recorded.further`). Accuracies and
agreement are in percent, differences in points.
"""

from __future__ import annotations

import pandas as pd

from reglab.formulas import agreement_bounds
from reglab.record import unpack_bits
from reglab.results import tables
from reglab.results.costs import PASSES, multiplications_an_epoch, spent
from reglab.results.further import contrast, mean
from reglab.stats import Estimate
from reglab.study.further.distillation import CONTROL, STUDENTS, TEMPERATURES

WIDTHS = {"half": "half the width", "quarter": "a quarter of the width"}  # of the profile's network
CONTROLS = {
    "smoothed": "smoothed labels",
    "self-taught": "taught by its own like",
    "taught hastily": "taught by a hasty teacher",
}


def runs(frame: pd.DataFrame, variant: str, temperature: float | None = None) -> pd.DataFrame:
    """Return an arm's runs by seed, e.g. of ``"half taught"`` at temperature 4."""
    label = variant if temperature is None else f"{variant} {temperature:g}"
    return tables.arm(frame, "distillation", label).set_index("seed")


def accuracy(frame: pd.DataFrame, variant: str, temperature: float | None = None) -> pd.Series:
    """Return test accuracy in percent by seed."""
    return 100 * runs(frame, variant, temperature)["test_acc"].astype(float)


def lacking(frame: pd.DataFrame, student: str) -> Estimate | None:
    """Return a student's accuracy alone minus its teacher's."""
    pair = {name: accuracy(frame, name) for name in (f"{student} alone", "teacher")}
    return contrast(pair, {f"{student} alone": 1, "teacher": -1})


def gain(
    frame: pd.DataFrame, student: str, how: str = "taught", temperature: float | None = CONTROL
) -> Estimate | None:
    """Return what a student gains over learning alone.

    Args:
        student: half or quarter.
        how: taught, or one of `CONTROLS`.
        temperature: of a taught one; the controls have none.
    """
    temperature = temperature if how == "taught" else None
    pair = {
        how: accuracy(frame, f"{student} {how}", temperature),
        "alone": accuracy(frame, f"{student} alone"),
    }
    return contrast(pair, {how: 1, "alone": -1})


def beside(frame: pd.DataFrame, student: str, control: str) -> Estimate | None:
    """Return what teaching at temperature 4 brings minus what a control brings."""
    pair = {
        "taught": accuracy(frame, f"{student} taught", CONTROL),
        control: accuracy(frame, f"{student} {control}"),
    }
    return contrast(pair, {"taught": 1, control: -1})


def agreement(frame: pd.DataFrame, variant: str, temperature: float | None = None) -> pd.Series:
    """Return on how many test images a taught student and its own teacher choose one class."""
    probed = runs(frame, variant, temperature)["probed"].dropna()
    return 100 * probed.map(lambda it: it["teacher"]["agreement"]).astype(float)


def alike(frame: pd.DataFrame, variant: str, temperature: float | None = None) -> pd.Series:
    """Return on how many test images a student and the teacher are both right or both wrong.

    It needs no probe, so that a student which never saw the teacher has it too.
    """
    teacher = runs(frame, "teacher")["test_correct"].dropna().map(unpack_bits)
    student = runs(frame, variant, temperature)["test_correct"].dropna().map(unpack_bits)
    both = sorted(set(teacher.index) & set(student.index))
    shares = {seed: 100 * (teacher[seed] == student[seed]).mean() for seed in both}
    return pd.Series(shares, dtype=float)


def possible(frame: pd.DataFrame, student: str) -> tuple[float, float] | None:
    """Return between which shares the agreement of a student taught at temperature 4 can lie.

    Means over seeds of `reglab.formulas.agreement_bounds`, in percent; None without common seeds.
    """
    pair = accuracy(frame, f"{student} taught", CONTROL), accuracy(frame, "teacher")
    both = pd.concat(pair, axis=1, join="inner").dropna() / 100
    if both.empty:
        return None
    bounds = pd.DataFrame([agreement_bounds(*row) for row in both.itertuples(index=False)])
    low, high = 100 * bounds.mean()
    return low, high


def price(frame: pd.DataFrame, student: str) -> float | None:
    """Return the multiplications that a student taught at temperature 4 takes, over one alone's.

    The teacher's training counts, and its one look at the training images. Means over seeds, see
    `reglab.results.costs.multiplications_an_epoch`; None for a data set that it does not know.
    """
    before = teaching(frame)
    if before is None:
        return None
    taught, alone = (
        spent(runs(frame, *arm)) for arm in ((f"{student} taught", CONTROL), (f"{student} alone",))
    )
    return (before.mean() + taught.mean()) / alone.mean()


def teaching(frame: pd.DataFrame) -> pd.Series | None:
    """Return what a teacher takes by seed: its training, and one look at the training images."""
    teacher = runs(frame, "teacher")
    each = multiplications_an_epoch(teacher)
    return None if each is None else spent(teacher) + each / PASSES


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the teacher and each student: accuracy, gain over learning alone, agreement."""
    rows = [_row(frame, "teacher", None, "the teacher, twice as wide")]
    rows.append(_row(frame, "hasty teacher", None, "the hasty teacher, three epochs"))
    for student in STUDENTS:
        rows.append(_row(frame, f"{student} alone", None, f"{WIDTHS[student]}, alone"))
        for temperature in TEMPERATURES:
            words = f"{WIDTHS[student]}, taught at T = {temperature:g}"
            row = _row(frame, f"{student} taught", temperature, words)
            rows.append(row | {"gain": gain(frame, student, temperature=temperature)})
        for how, words in CONTROLS.items():
            row = _row(frame, f"{student} {how}", None, f"{WIDTHS[student]}, {words}")
            rows.append(row | {"gain": gain(frame, student, how)})
    columns = ["network", "accuracy", "gain", "epochs", "calibration error"]
    columns += ["agrees with its teacher", "right or wrong as the teacher"]
    return pd.DataFrame(rows, columns=columns)


def _row(
    frame: pd.DataFrame, variant: str, temperature: float | None, words: str
) -> dict[str, object]:
    found = runs(frame, variant, temperature)
    own = variant == "teacher"
    return {
        "network": words,
        "accuracy": mean(accuracy(frame, variant, temperature)),
        "epochs": mean(found["epochs"]),
        "calibration error": mean(100 * found["test_ece"]),
        "agrees with its teacher": mean(agreement(frame, variant, temperature)),
        "right or wrong as the teacher": None if own else mean(alike(frame, variant, temperature)),
    }
