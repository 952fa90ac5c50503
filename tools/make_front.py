"""What the pages that are no notebooks show of recorded runs and the ledger.

    python tools/make_front.py FOLDER

writes into it what book/index.md, from_the_paper.md, method.md and reproducibility.md include, and
share.png.

The picture is part of the page, not a file beside it, so that its colours follow the page's light
or dark theme. `share.png` is what a link to the book is shown with, if it has a public address.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import make_map
import make_reproduced
import matplotlib as mpl
import pandas as pd

from reglab import paper, verdicts
from reglab.data.sources import KNOWN
from reglab.errors import ReglabError
from reglab.pages import display, holding, ledger
from reglab.pages.clauses import listed
from reglab.pages.figures import styled
from reglab.pages.forest import forest
from reglab.pages.in_short import in_short
from reglab.results import provenance, recorded, tables
from reglab.study.further import STUDIES
from reglab.verdicts import BY_ARITHMETIC, BY_RUNS, Row
from reglab.verdicts.words import WHOLE

SQUARE, STEP, GAP = 10, 13, 6  # a claim's square, from one to the next, between two verdicts
# how it is judged, field of a row, its words
KINDS = (
    ("{n} claims by arithmetic alone", "by_arithmetic", BY_ARITHMETIC),
    ("The same {n} by recorded runs", "by_runs", BY_RUNS),
)
# What is filled of a square: a shape for each, so that colour is never the only sign.
MARKS = {
    "yes": "M0 0H10V10H0Z",
    "no": "M0 0H10V10H0Z",
    "read-yes": "M3 3H7V7H3Z",
    "read-no": "M2 1L5 4L8 1L9 2L6 5L9 8L8 9L5 6L2 9L1 8L4 5L1 2Z",
    "part": "M0 5H10V10H0Z",
    "small": "M0 4H10V6H0Z",
    "open": "M0 0L10 10H0Z",
    "none": "",
    "editorial": "M4 4H6V6H4Z",
}


def words(rows: Sequence[Row]) -> str:
    """Return the counts in words: the picture's alternative text."""
    parts = []
    for title, kind, wanted in KINDS:
        tally = ", ".join(f"{len(group)} {word}" for word, group in _groups(rows, kind, wanted))
        parts.append(f"{title.format(n=len(rows))}: {tally}.")
    return " ".join(parts)


def _groups(rows: Sequence[Row], kind: str, wanted: Sequence[str]) -> list[tuple[str, list[Row]]]:
    return [(word, [row for row in rows if getattr(row, kind) == word]) for word in wanted]


def picture(rows: Sequence[Row]) -> str:
    """Return both kinds of verdict as HTML: a square a claim, and under them what is what."""
    body = "".join(
        _kind(title.format(n=len(rows)), _groups(rows, kind, wanted))
        for title, kind, wanted in KINDS
    )
    return f'<div class="tally" role="img" aria-label="{html.escape(words(rows))}">{body}</div>'


def _kind(title: str, groups: Sequence[tuple[str, Sequence[Row]]]) -> str:
    squares, x = [], 0
    for word, group in groups:
        for row in group:
            squares.append(_square(word, x, f"{row.id}: {row.quote}"))
            x += STEP
        x += GAP if group else 0
    size = f'viewBox="-1 -1 {x - GAP - STEP + SQUARE + 2} {SQUARE + 2}"'
    keys = "".join(
        f'<li><svg viewBox="-1 -1 12 12">{_square(word, 0)}</svg> <b>{len(group)}</b> {word}</li>'
        for word, group in groups
    )
    return f'<p>{title}</p><svg class="claims" {size}>{"".join(squares)}</svg><ul>{keys}</ul>'


def _square(word: str, x: int, about: str = "") -> str:
    tone = ledger.tone(word)
    title = f"<title>{html.escape(about)}</title>" if about else ""
    mark = f'<path d="{MARKS[tone]}"/>' if MARKS[tone] else ""
    cut = '<path class="cut" d="M0 10L10 0"/>' if tone == "no" else ""
    frame = f'<rect width="{SQUARE}" height="{SQUARE}"/>'
    return f'<g class="tally-{tone}" transform="translate({x})">{title}{frame}{mark}{cut}</g>'


def front(rows: Sequence[Row]) -> str:
    """Return the picture and how sure we are, as MyST."""
    return f"```{{raw}} html\n{picture(rows)}\n```\n\n**How sure?** {ledger.standing(rows)}\n"


def runs(studies: Mapping[str, pd.DataFrame]) -> str:
    """Return the recorded factorials beside the paper's values, a table a kind of run."""
    if not studies:
        return "No runs are recorded with this copy of the book.\n"
    alike: dict[tuple, dict[str, pd.DataFrame]] = {}
    for name, study in studies.items():
        kind = tuple(study[column].iloc[0] for column in provenance.UNMIXED)
        alike.setdefault(kind, {})[name] = study
    absent = [paper.title(name) for name in KNOWN if name not in studies]
    missing = f"\nNot recorded yet: {', '.join(absent)}.\n" if absent else ""
    return "\n".join(map(numbered, alike.values())) + missing


def numbered(frames: Mapping[str, pd.DataFrame]) -> str:
    """Return studies of one kind of run as a table of MyST, which Sphinx gives a number."""
    source = provenance.note(pd.concat(frames.values(), ignore_index=True))
    table = display.markdown(tables.summary_table(frames))
    return f"```{{table}} Mean test accuracy in percent. {source}\n{table}\n```\n"


def sources(studies: Mapping[str, pd.DataFrame]) -> str:
    """Return machines, versions and digests behind the recorded runs, as a table of MyST."""
    if not studies:
        return "No runs are recorded with this copy of the book.\n"
    caption = "The recorded runs that this book judges by."
    table = display.markdown(provenance.table(studies))
    return f"```{{table}} {caption}\n:class: prose\n\n{table}\n```\n"


@styled
def share(rows: Sequence[Row], path: Path) -> None:
    """Write the counts as bars, of the size that sites show with a link (1200 by 630 pixels)."""
    figure = ledger.count_figure(rows)
    figure.set_size_inches(8, 4.2)
    figure.suptitle(f"Regularization, rerun: verdicts on {len(rows)} claims", fontsize=15)
    figure.savefig(path, dpi=150)


def gains(studies: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write the forest plot as SVG, the same bytes for the same records; empty without any."""
    if not studies:
        path.write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>', "utf-8")
        return
    with mpl.rc_context({"svg.hashsalt": "reglab"}):
        forest(studies).savefig(path, format="svg", metadata={"Date": None})


def behind(studies: Mapping[str, pd.DataFrame]) -> str:
    """Return how large the runs are, and what that keeps them from deciding."""
    part = any(study["profile"].iloc[0] not in WHOLE for study in studies.values())
    limit = (
        " On part of the images they judge whether an effect has the direction that the paper "
        "claims, not whether it has the printed size."
    )
    return f"{holding.behind(studies)}{levels(studies)}{limit if part else ''}\n"


def levels(studies: Mapping[str, pd.DataFrame]) -> str:
    """Return how accurate the network is without regularization, beside the paper's; "" of none."""
    said = []
    for name, study in studies.items():
        ours = tables.score(tables.arm(study, "factorial", "none"))
        printed = " and ".join(map(str, paper.printed_cell(name, "none")))
        beside = f" (the paper: {printed})" if printed else ""
        said += [f"{ours.mean:.1f} % on {paper.title(name)}{beside}"] if ours else []
    return f" Without regularization it reaches {listed(said)}." if said else ""


def texts(studies: Mapping[str, pd.DataFrame], rows: Sequence[Row]) -> dict[str, str]:
    """Return what is written, by the name of the file; front.md last, as make waits for it."""
    further = {name: recorded.further(name) for name in STUDIES}
    return {
        "rules.md": (files("reglab") / "rules.md").read_text("utf-8"),
        "recorded.md": runs(studies),
        "provenance.md": sources(studies),
        "map.md": make_map.whole(rows),
        "effort.md": make_reproduced.effort(studies, further),
        "scale.md": make_reproduced.scale(studies, recorded.begun()),
        "beyond.md": make_reproduced.beyond(rows),
        "holds.md": f"{in_short(studies, rows, '../notebooks/')}\n",
        "behind.md": behind(studies),
        "front.md": front(rows),
    }


def main(argv: list[str]) -> int:
    """Write the files."""
    if len(argv) != 1:
        print("usage: make_front.py FOLDER", file=sys.stderr)
        return 2
    folder = Path(argv[0])
    try:
        studies = recorded.studies()
        rows = verdicts.ledger(recorded.all_profiles())
        folder.mkdir(parents=True, exist_ok=True)
        share(rows, folder / "share.png")
        gains(studies, folder / "forest.svg")
        for name, text in texts(studies, rows).items():
            together = text.replace(" ± ", "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}")
            (folder / name).write_text(together, encoding="utf-8")
    except (ReglabError, OSError) as error:
        print(f"reglab: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
