"""Finished studies as text: an aligned table, CSV, JSON, or the front page's Markdown."""

from __future__ import annotations

import json
import math

import pandas as pd

from reglab.pages import display
from reglab.results import provenance, tables
from reglab.study import measures
from reglab.study.frame import summarize

_SHOWN = ["dataset", "study", "arm", "mean", "low", "high", "n", "n_diverged"]
_SHOWN += ["n_unlearned", "validation"]


def render(frames: dict[str, pd.DataFrame], format: str) -> str:
    """Return the studies, by data set name, as text in ``format``.

    Args:
        frames: `reglab.study.frame.load_frame` of each data set; one profile and device in all.
        format: "table" (for reading), "csv", "json" (everything), or "markdown" (the factorial
            beside the paper's values; the arms of a further study).
    """
    everything = pd.concat(frames.values(), ignore_index=True)
    source = provenance.line(everything)
    rows = summarize(everything)
    what = measures.in_words(frames.values())
    columns = _SHOWN if what == measures.ACCURACY.name else [*_SHOWN, "measure"]
    if format == "markdown":
        paper = (everything["study"] == "factorial").any()
        shown = tables.summary_table(frames) if paper else rows[columns]
        about = source if columns is _SHOWN else f"Test {what} in percent. {source}"
        return f"{display.markdown(shown)}\n\n*{about}*\n"
    if format == "csv":
        return rows.to_csv(index=False).rstrip("\n")
    if format == "table":
        shown = rows[columns].to_string(index=False, float_format="{:z.2f}".format, na_rep="-")
        return f"{shown}\n\nTest {what} in percent, 95 % t interval over seeds. {source}"
    return json.dumps(_as_json(frames, rows, source), indent=1)


def _as_json(frames: dict[str, pd.DataFrame], rows: pd.DataFrame, source: str) -> dict:
    out: dict = {"profile": rows["profile"].iloc[0], "provenance": source, "datasets": {}}
    for name, frame in frames.items():
        studies: dict[str, list] = {}
        for row in rows[rows["dataset"] == name].to_dict("records"):
            arms = studies.setdefault(row.pop("study"), [])
            del row["dataset"], row["profile"]
            arms.append({key: _plain(value) for key, value in row.items()})
        out["datasets"][name] = {
            "provenance": _provenance(frame),
            "studies": studies,
        }
    return out


def _provenance(frame: pd.DataFrame) -> dict[str, object]:
    """Return what identifies the runs: each value a list, since workers may differ."""
    names = ["data_version", "n_train", "width", "max_epochs", "device", "device_name"]
    names += ["precision", "torch_version", "code_version", "train_version"]
    out: dict[str, object] = {name: sorted(set(frame[name].tolist())) for name in names}
    unique = frame.drop_duplicates("key")
    return out | {"runs": len(unique), "seconds": round(float(unique["seconds"].sum()), 1)}


def _plain(value: object) -> object:
    """Return a JSON value: missing numbers as null, numpy scalars as Python's."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
