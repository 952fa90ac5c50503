"""Where numbers come from: a note under a table, one full line, and a table of everything."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from reglab import paper
from reglab.data.sources import KNOWN
from reglab.errors import ReglabError

# What no table may mix.
UNMIXED = ("profile", "device", "precision")
_DEVICES = {"cpu": "a processor", "cuda": "a GPU"}


def note(frame: pd.DataFrame) -> str:
    """Return what a reader needs beside a number: profile, images, seeds and precision.

    Raises:
        ReglabError: the frame mixes profiles, devices or precisions.
    """
    refuse_mixture(frame, *UNMIXED)
    first = frame.iloc[0]
    return (
        f"Profile {first['profile']}: {_images(frame)} {items(frame)}, {_seeds(frame)}, "
        f"{first['precision']} on {_DEVICES[first['device']]}."
    )


def line(frame: pd.DataFrame) -> str:
    """Return one line that names everything: network, machines and versions as well.

    Raises:
        ReglabError: the frame mixes profiles, devices or precisions.
    """
    refuse_mixture(frame, *UNMIXED)
    first = frame.iloc[0]
    return (
        f"Profile {first['profile']}: {_seeds(frame)}, width {_widths(frame)}, at most "
        f"{frame['max_epochs'].max()} epochs, {first['precision']} on {first['device']} "
        f"({_listed(frame, 'device_name')}); reglab {_listed(frame, 'code_version')}, "
        f"torch {_listed(frame, 'torch_version')}."
    )


def table(studies: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a column a data set: its runs, and the settings, machines and versions behind them.

    Args:
        studies: by data set, as `reglab.results.recorded.studies` gives them.
    """
    columns = {paper.title(name): _facts(study) for name, study in studies.items()}
    return pd.DataFrame(columns).rename_axis("").reset_index()


def _facts(study: pd.DataFrame) -> dict[str, str]:
    unique, first = study.drop_duplicates("key"), study.iloc[0]
    return {
        "profile": first["profile"],
        "runs": f"{len(unique):,}",
        "images": _images(study),
        "pixels (digest)": _listed(study, "data_version"),
        "seeds": _seeds(study),
        "width": _widths(study),
        "epochs, at most": str(study["max_epochs"].max()),
        "precision": f"{first['precision']} on {first['device']}",
        "machines": _listed(study, "device_name"),
        "hours of a core": f"{unique['seconds'].sum() / 3600:.1f}",
        "reglab": _listed(study, "code_version"),
        "torch": _listed(study, "torch_version"),
    }


def refuse_mixture(frame: pd.DataFrame, *columns: str) -> None:
    """Raise a ReglabError unless each of the columns has one value."""
    for column in columns:
        if frame[column].nunique() != 1:
            values = ", ".join(sorted(map(str, frame[column].unique())))
            raise ReglabError(f"one table must not mix {column}s, got {values or 'no runs'}")


def items(frame: pd.DataFrame) -> str:
    """Return what a study's inputs are called: images, or examples where they may be others."""
    return "images" if frame["dataset"].iloc[0] in KNOWN else "examples"


def _images(frame: pd.DataFrame) -> str:
    return f"{int(frame['n_train'].max()):,}"


def _seeds(frame: pd.DataFrame) -> str:
    """Return how many; a further study has no sweeps, and all its seeds are judged by."""
    swept = frame.loc[frame["study"] == "lr", "seed"].nunique()
    if not swept:
        return f"{frame['seed'].nunique()} seeds an arm"
    judged = frame.loc[frame["study"] == "factorial", "seed"].nunique()
    return f"{judged} seeds an arm ({swept} in sweeps)"


def _widths(frame: pd.DataFrame) -> str:
    return ", ".join(map(str, sorted(frame["width"].unique())))


def _listed(frame: pd.DataFrame, column: str) -> str:
    return ", ".join(sorted(frame[column].unique()))
