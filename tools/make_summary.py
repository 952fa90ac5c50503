"""What the front page says of the runs that its build rests on, by profile, with their table.

python tools/make_summary.py PROFILE FILE
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from make_front import numbered

from reglab.data.sources import KNOWN
from reglab.errors import ReglabError
from reglab.results import recorded
from reglab.runs.store import open_store
from reglab.study.frame import load_frame
from reglab.study.plan import make_plan

RERUNS = "The pages under *The experiments, rerun*"
SMALL = """## What this build ran itself

{rest} show runs that were trained for this copy, at the *{profile}* profile: {what}

{table}
:::{{admonition}} How far these numbers reach
:class: important

Such runs show that the road from data to table works, and what the effects look like on little
data. **They decide nothing about the paper**, whose networks saw the full data sets; a gap to its
column is expected. Claims are judged by recorded runs only; the chapters and the
[verdict](../notebooks/verdict.ipynb) show those, and name the profile that each table rests on.
:::
"""
WHAT = {
    "smoke": "a few images and seconds of training, to test the road and nothing else.",
    "pilot": "real images of all three data sets, but a small sample of them, a narrow network and "
    "short training, so that a laptop needs minutes.",
}
SAME = """## What this build rests on

{rest} show the recorded runs of the table above; nothing had to be trained for this copy. Without
a profile, `make book` first builds these pages, then trains small networks of its own, on a sample
of the images that comes with the code, and shows those instead; `PROFILE={profile}` ends here.
"""
LARGE = """## What this build rests on

{rest} show runs at the *{profile}* profile:

{table}
"""


def section(
    profile: str, frames: Mapping[str, pd.DataFrame], committed: Mapping[str, pd.DataFrame]
) -> str:
    """Return the section as MyST.

    Args:
        profile: what the book is built with.
        frames: its study of each data set.
        committed: the recorded studies, `reglab.results.recorded.studies`.
    """
    same = all(
        name in committed and set(committed[name]["key"]) == set(frame["key"])
        for name, frame in frames.items()
    )
    form = SMALL if profile in WHAT else SAME if same else LARGE
    table = "" if form is SAME else numbered(frames)
    return form.format(rest=RERUNS, profile=profile, what=WHAT.get(profile, ""), table=table)


def main(argv: list[str]) -> int:
    """Write the section to a file."""
    if len(argv) != 2:
        print("usage: make_summary.py PROFILE FILE", file=sys.stderr)
        return 2
    profile, file = argv[0], Path(argv[1])
    try:
        runs = open_store()
        frames = {name: load_frame(make_plan(name, profile), runs) for name in KNOWN}
        text = section(profile, frames, recorded.studies())
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except (ReglabError, OSError) as error:
        print(f"reglab: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
