"""The sweeps as grids: validation accuracy over strength and reading, or rate and placement."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from reglab.results import tables
from reglab.study import measures
from reglab.study.profiles import PRINTED_LAMBDA, PRINTED_P


def lambda_grid(frame: pd.DataFrame) -> pd.DataFrame:
    """Return validation accuracy over lambda under each reading, a row a setting.

    Columns: ``strength``; ``column``, a name of `reglab.results.tables.READINGS`; ``accuracy``, the
    mean over seeds in percent, NaN if every run diverged; ``learned`` and ``n``, how many runs did
    and how many there are; ``chosen``, whether the protocol chose the setting; ``printed``, whether
    the paper's table is of this strength. At strength 0, coupled and per sample are the same runs.

    Raises:
        ReglabError: no run of the sweep, or the frame mixes what no table may.
    """
    rows = tables.study_rows(frame, "lambda")
    zero = rows[(rows["reading"] == "coupled") & (rows["strength"] == 0)]
    rows = pd.concat([rows, zero.assign(reading="per_sample")])
    chosen = "coupled", tables.arm(frame, "factorial", "l2")["lam"].iloc[0]
    return _grid(rows, "reading", tables.READINGS, chosen, PRINTED_LAMBDA)


def drop_grid(frame: pd.DataFrame) -> pd.DataFrame:
    """Return validation accuracy over the drop rate at each placement; as `lambda_grid`.

    ``column`` is a name of `reglab.results.tables.PLACES`.
    """
    rows = tables.study_rows(frame, "dropout")
    chosen = "fc", tables.arm(frame, "factorial", "dropout")["dropout"].iloc[0]
    return _grid(rows, "place", tables.PLACES, chosen, PRINTED_P)


def _grid(
    rows: pd.DataFrame, by: str, names: Mapping[str, str], chosen: tuple, printed: float
) -> pd.DataFrame:
    spots = []
    for (name, strength), runs in rows.groupby([by, "strength"]):
        spots.append(
            {
                "strength": strength,
                "column": names[name],
                "accuracy": 100 * runs[measures.of(runs).val].astype(float).mean(),
                "learned": len(runs) - tables.unlearned(runs),
                "n": len(runs),
                "chosen": (name, strength) == chosen,
                "printed": strength == printed,
            }
        )
    return pd.DataFrame(spots)
