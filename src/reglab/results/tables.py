"""What the notebooks and the front page show as tables.

Each function takes a finished study (`reglab.study.frame.load_frame`) and returns numbers;
`reglab.pages.display.show` turns them into a table for a page. Accuracies, and R² where numbers are
predicted, are in percent, differences in points.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pandas as pd

from reglab import paper
from reglab.cells import CELL_NAMES, CELL_ORDER, COMBINATIONS, WITHOUT
from reglab.errors import ReglabError
from reglab.results import levels, provenance
from reglab.stats import Estimate, pooled
from reglab.study import measures
from reglab.study.profiles import DROP_RATES, PAPER_P, PRINTED_LAMBDA, PRINTED_P

READINGS = {"coupled": "coupled", "per_sample": "per sample", "decoupled": "decoupled (AdamW)"}
PLACES = {"fc": "hidden layer", "all": "pools as well"}  # where dropout is


def study_rows(frame: pd.DataFrame, study: str) -> pd.DataFrame:
    """Return the runs of one study.

    Raises:
        ReglabError: there are none; or the frame mixes what no table or figure may.
    """
    rows = frame[frame["study"] == study]
    if rows.empty:
        raise ReglabError(_absent(frame, study))
    provenance.refuse_mixture(frame, "dataset", *provenance.UNMIXED)
    return rows


def arm(frame: pd.DataFrame, study: str, label: str) -> pd.DataFrame:
    """Return the runs of one arm, one a seed.

    Raises:
        ReglabError: there are none (it names what is missing), a seed is there twice, or the
            frame mixes what no table or figure may.
    """
    rows = frame[(frame["study"] == study) & (frame["arm"] == label)]
    if rows.empty:
        study_rows(frame, study)  # says so where the whole study is missing
        raise ReglabError(_absent(frame, f"{study} / {label!r}"))
    provenance.refuse_mixture(frame, "dataset", *provenance.UNMIXED)
    if rows["seed"].duplicated().any():
        raise ReglabError(f"{study} / {label!r}: a seed is there twice; give one study's frame")
    return rows


def score(rows: pd.DataFrame) -> Estimate | None:
    """Return mean test accuracy in percent with its interval; None if every run diverged.

    Of a regression R², in percent as well (`reglab.study.measures`). `reglab.stats.TwoKinds` where
    some of the runs did not learn.
    """
    column = measures.of(rows).test
    kept = rows.dropna(subset=column)
    return pooled((100 * kept[column]).tolist(), kept["learned"]) if len(kept) else None


def unlearned(rows: pd.DataFrame) -> int:
    """Return how many runs never had more than twice a guesser's training accuracy."""
    return int((~rows["learned"].astype(bool)).sum())


def difference(treated: pd.DataFrame, control: pd.DataFrame) -> Estimate | None:
    """Return the paired difference of test accuracy (or R²) in points, over seeds finite in both.

    A diverged run takes its pair with it; ``n`` counts the pairs that are left. It is
    `reglab.stats.TwoKinds` where in some pairs, not in all, a run did not learn.

    Raises:
        ReglabError: the two arms were not run on the same seeds.
    """
    if set(treated["seed"]) != set(control["seed"]):
        seeds = " and ".join(str(sorted(rows["seed"])) for rows in (treated, control))
        raise ReglabError(f"pairs need the same seeds, got {seeds}; run `reglab reproduce` first")
    column = measures.of(control).test
    pair = [rows.dropna(subset=column).set_index("seed") for rows in (treated, control)]
    common = sorted(set(pair[0].index) & set(pair[1].index))
    if not common:
        return None
    ours, theirs = (side.loc[common] for side in pair)
    values = 100 * (ours[column] - theirs[column]).astype(float)
    return pooled(values.tolist(), ours["learned"] & theirs["learned"], pairs=True)


def effect_table(frame: pd.DataFrame, technique: str) -> pd.DataFrame:
    """Return the table of one technique alone ("l2", "dropout", "bn") beside the paper's.

    One row an arm: the baseline, the paper's printed strength where it has one, and the strength
    chosen on validation; with the paired difference to the baseline.
    """
    dataset, base = frame["dataset"].iloc[0], arm(frame, "factorial", "none")
    chosen = arm(frame, "factorial", technique)
    none = paper.printed(technique, dataset, "none")
    treated = paper.printed(technique, dataset, technique)
    rows = [_row("no regularization", base, None, none)]
    if technique == "l2":
        literal = arm(frame, "literal", f"l2={PRINTED_LAMBDA:g}")
        rows.append(_row(f"λ = {PRINTED_LAMBDA:g}, as printed", literal, base, treated))
        rows.append(_row(f"λ = {chosen['lam'].iloc[0]:g}, chosen here", chosen, base, None))
    elif technique == "dropout":
        literal = arm(frame, "literal", f"dropout={PRINTED_P:g}")
        rows.append(_row(f"p = {PRINTED_P:g}, as printed", literal, base, treated))
        label = f"drop rate {chosen['dropout'].iloc[0]:g}, chosen here"
        rows.append(_row(label, chosen, base, None))
    else:
        rows.append(_row("batch normalization", chosen, base, treated))
    return pd.DataFrame(rows)


def factorial_table(frame: pd.DataFrame, cells: tuple[str, ...] | None = None) -> pd.DataFrame:
    """Return the factorial's cells (all eight, or some) beside whatever the paper prints.

    ``λ`` and ``drop rate`` are what validation chose; missing where the cell has no such part.
    """
    dataset, base = frame["dataset"].iloc[0], arm(frame, "factorial", "none")
    rows = []
    for name in cells or CELL_ORDER:
        printed = paper.printed_cell(dataset, name)
        control = None if name == "none" else base
        runs = arm(frame, "factorial", name)
        row = _row(CELL_NAMES[name], runs, control, *printed)
        chosen = {"λ": runs["lam"].iloc[0] or None, "drop rate": runs["dropout"].iloc[0] or None}
        rows.append({"network": row["network"], **chosen, **row})
    return pd.DataFrame(rows)


def combined_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the three pairs and the triple: the paper's Table 3."""
    return factorial_table(frame, tuple(COMBINATIONS))


def ablation_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what leaving one technique out of all three costs, in points (positive = a loss)."""
    dataset, whole = frame["dataset"].iloc[0], arm(frame, "factorial", "all")
    rows = []
    for technique, rest in WITHOUT.items():
        drop = difference(whole, arm(frame, "factorial", rest))
        rows.append(
            {
                "left out": CELL_NAMES[technique],
                "drop": drop,
                "n": drop.n if drop else 0,
                "paper, prose": _number(paper.printed("ablation", dataset, technique)),
                "paper, its Table 3": _number(paper.implied_drop(dataset, technique)),
            }
        )
    return pd.DataFrame(rows)


def lr_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the baseline under each learning rate; the chosen ones are marked."""
    rates = {
        "sgd": arm(frame, "factorial", "none")["lr"].iloc[0],
        "adamw": arm(frame, "lambda", "decoupled 0")["lr"].iloc[0],
    }
    rows = study_rows(frame, "lr")
    return _sweep(rows, ["optimizer", "lr"], lambda o, lr: rates[o] == lr, loss=True)


def lambda_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy over lambda under its three readings; the chosen strength is marked."""
    rows = study_rows(frame, "lambda").assign(l2=lambda f: f["l2"].map(READINGS))
    chosen = arm(frame, "factorial", "l2")["lam"].iloc[0]
    table = _sweep(
        rows, ["l2", "lam"], lambda reading, lam: (reading, lam) == (READINGS["coupled"], chosen)
    )
    return table.rename(columns={"l2": "reading", "lam": "λ"})


def dropout_sweep_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy over the drop rate, and what the paper's p would call each."""
    rows = study_rows(frame, "dropout")
    chosen = arm(frame, "factorial", "dropout")["dropout"].iloc[0]
    rows = rows.assign(placement=rows["place"].map(PLACES))
    table = _sweep(
        rows, ["placement", "dropout"], lambda place, drop: (place, drop) == (PLACES["fc"], chosen)
    )
    table.insert(2, "the paper's p", [_paper_p(drop) for drop in table["dropout"]])
    return table.rename(columns={"dropout": "drop rate"})


def summary_table(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return cells x data sets: mean and interval, and the paper's value, for the front page.

    The note of `reglab.results.provenance` gives the number of seeds; where runs diverged, a column
    counts those left out.
    """
    table: dict[str, list] = {"": list(CELL_NAMES.values())}
    for dataset, frame in frames.items():
        cells = factorial_table(frame)
        table[paper.title(dataset)] = cells[measures.of(frame).name].tolist()
        if cells["diverged"].notna().any():
            counts = cells["diverged"].fillna(0).astype(int)
            table[f"{paper.title(dataset)}, diverged"] = counts.tolist()
        table[f"{paper.title(dataset)}, paper"] = cells["paper"].tolist()
    return pd.DataFrame(table)


def _absent(frame: pd.DataFrame, what: str) -> str:
    name = frame["dataset"].iloc[0] if len(frame) else "an empty study"
    return f"{name}: no run of {what}; run `reglab reproduce` first"


def _sweep(frame: pd.DataFrame, columns: list[str], chosen, *, loss: bool = False) -> pd.DataFrame:
    rows = []
    measure = measures.of(frame)
    for key, group in frame.groupby(columns, sort=False):
        row = dict(zip(columns, key, strict=True))
        if loss:
            row["validation loss"] = float(group["val_loss"].mean())
        row[f"validation {measure.name}"] = float(100 * group[measure.val].astype(float).mean())
        estimate = score(group)
        row |= {f"test {measure.name}": estimate, "n": estimate.n if estimate else 0}
        row["diverged"] = int(group["diverged"].sum()) or None
        row["did not learn"] = unlearned(group)
        rows.append(row | {"chosen": "✓" if chosen(*key) else ""})
    return pd.DataFrame(rows)


def _row(
    label: str, rows: pd.DataFrame, control: pd.DataFrame | None, *printed: Decimal | None
) -> dict[str, object]:
    estimate = score(rows)
    gain = None if control is None else difference(rows, control)
    n = estimate.n if estimate else 0
    return {
        "network": label,
        measures.of(rows).name: estimate,
        "± with images": levels.with_images(rows),
        "to baseline": gain,
        "n": n,
        # only where a diverged baseline leaves fewer pairs than the arm has runs
        "pairs": gain.n if gain and gain.n != n else None,
        "diverged": int(rows["diverged"].sum()) or None,
        "did not learn": unlearned(rows) or None,
        "paper": " / ".join(str(value) for value in printed if value is not None) or None,
    }


def _paper_p(drop: float) -> str | None:
    if drop not in DROP_RATES:
        return None
    names = [f"{drop:g} to drop"] if drop in PAPER_P else []
    keep = round(1 - drop, 10)
    return ", ".join(names + ([f"{keep:g} to keep"] if keep in PAPER_P else []))


def _number(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
