"""The line under a figure of recorded runs: what drew it, and from which files."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from reglab.pages.clauses import Said, listed
from reglab.study.further import STUDIES

# From a chapter or a rerun page, which both lie one folder down. All that draws is in one package.
LIBRARY = "../book/api_pages.html#module-"
RECORDS = "../book/method.html#method-provenance"


def by(draw: Callable, *frames: Mapping[str, pd.DataFrame]) -> Said | None:
    """Return the function that drew a figure, linked to its module, and the files of its runs.

    Args:
        draw: of the library.
        frames: recorded studies by data set, as `reglab.results.recorded` gives them; where there
            is none, there is no line.
    """
    files = [_file(frame) for studies in frames for frame in studies.values()]
    if not files:  # and so no picture was drawn
        return None
    names = listed(f"[`{name}`](../{name})" for name in files)
    return Said(
        f"*Made by* [`{draw.__module__}.{draw.__name__}`]({LIBRARY}{draw.__module__}) *from* "
        f"{names} ([what these are]({RECORDS}))."
    )


def _file(frame: pd.DataFrame) -> str:
    """Return the path of a recorded table in the repository; see `reglab.results.recorded`."""
    first = frame.iloc[0]
    folder = f"{first['study']}/" if first["study"] in STUDIES else ""
    return f"book/results/{first['profile']}/{folder}{first['dataset']}.jsonl.gz"
