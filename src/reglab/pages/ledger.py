"""The ledger as the book shows it: a table of claims, and how many have which verdict."""

from __future__ import annotations

import dataclasses
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from reglab import paper
from reglab.errors import ReglabError
from reglab.pages import display
from reglab.pages.clauses import Said, listed
from reglab.verdicts.alternatives import ALTERNATIVES, OTHER_PROFILE
from reglab.verdicts.judging import Row, counts
from reglab.verdicts.words import (
    BY_ARITHMETIC,
    BY_RUNS,
    CONFIRMED,
    CONSISTENT,
    DIRECTION,
    EDITORIAL,
    INCONSISTENT,
    NEGLIGIBLE,
    NOT_TESTABLE,
    READS_RIGHT,
    READS_WRONG,
    REFUTED,
    UNDECIDED,
    WHOLE,
)

# Colour is a help, never the only sign: the word stands beside it. Okabe and Ito's palette.
_TONES = {
    CONSISTENT: "yes",
    INCONSISTENT: "no",
    READS_RIGHT: "read-yes",
    READS_WRONG: "read-no",
    EDITORIAL: "editorial",
    CONFIRMED: "yes",
    DIRECTION: "part",
    REFUTED: "no",
    NEGLIGIBLE: "small",
    UNDECIDED: "open",
}
_BLUE, _ORANGE, _YELLOW, _GREEN, _GREY = "#0072B2", "#D55E00", "#F0E442", "#009E73", "#BBBBBB"
_COLORS = {
    "yes": _BLUE,
    "part": _BLUE,
    "read-yes": _BLUE,
    "no": _ORANGE,
    "read-no": _ORANGE,
    "small": _GREEN,
    "open": _YELLOW,
}

NOTE = (
    "Under a verdict stands the comparison that decides: of the reading that speaks most for the "
    "claim, the one that speaks least for it, counted in half-widths of its interval. Comparisons "
    "are corrected for their number (Holm), so that one whose interval leaves out zero can still "
    "be undecided."
)


@dataclass(frozen=True)
class LedgerPage:
    """Claims as a table of HTML, stacked on a narrow screen; as text elsewhere.

    Attributes:
        rows: claims, in order.
        root: path from the page to the book's root, for links to the evidence.
        note: what a reader has to know of the rows, above them; a page that has it in its own text
            needs none.
    """

    rows: Sequence[Row]
    root: str = "../"
    note: str = ""

    def _repr_html_(self) -> str:
        head = "<tr><th>Claim</th><th>Verdicts</th><th>Why</th></tr>"
        body = "".join(self._html(row) for row in self.rows)
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        return f'{note}<table class="ledger"><thead>{head}</thead><tbody>{body}</tbody></table>'

    def _html(self, row: Row) -> str:
        text = {key: html.escape(str(getattr(row, key))) for key in ("id", "quote", "place")}
        page, _, section = row.evidence.partition("#")
        link = f"{self.root}{page}.html" + (f"#{section}" if section else "")
        return (
            f'<tr id="claim-{text["id"].lower()}"><td><strong>{text["id"]}</strong> '
            f"“{text['quote']}”<br><small>{text['place']}</small></td>"
            f"<td>By arithmetic<br>{_badge(row.by_arithmetic)}<br>"
            f"By runs<br>{_badge(row.by_runs)}{_estimate(row)}</td>"
            f"<td>{_why(row)}"
            f'<p><a href="{html.escape(link)}">Shown here</a></p></td></tr>'
        )

    def __repr__(self) -> str:
        note = f"{self.note}\n" if self.note else ""
        return note + "\n".join(
            f"{row.id}: {row.quote}\n  by arithmetic: {row.by_arithmetic}; by runs: {row.by_runs}\n"
            + "\n".join(f"  {text}" for text in (row.reason, *row.runs_say, *_beside(row)))
            for row in self.rows
        )


def tone(verdict: str) -> str:
    """Return the class that a verdict is coloured by: yes, no, open, none and so on."""
    return _TONES.get(verdict, "none")


def _badge(verdict: str) -> str:
    return f'<span class="verdict verdict-{tone(verdict)}">{verdict}</span>'


def _estimate(row: Row) -> str:
    return "" if row.figure is None else f"<br><small>{html.escape(row.figure)}</small>"


def _why(row: Row) -> str:
    plain = "".join(f"<p>{html.escape(text)}</p>" for text in (row.reason, *row.runs_say))
    small = "".join(f"<p><small>{html.escape(text)}</small></p>" for text in _beside(row))
    return plain + small


def _beside(row: Row) -> list[str]:
    """Return what other arms say: where they give another verdict, and where the same."""
    if row.by_runs == NOT_TESTABLE:
        return []
    if not row.others:
        return ["No other runs are recorded that could give another verdict."]
    differ = " ".join(f"{_begun(other.name)}: {other.said}." for other in row.differs)
    same = "; ".join(other.name for other in row.same)  # names have commas
    changes = "By other runs, each judged alone and uncorrected, the verdict would be another."
    stays = "By these other runs the verdict stays the same"
    return [f"{changes} {differ}"] * bool(differ) + [f"{stays}: {same}."] * bool(same)


def _begun(text: str) -> str:
    return text[0].upper() + text[1:]


def alternatives() -> Said:
    """Return what is tried on every claim beside the arms that its words name, as a list."""
    tried = [(one.name, one.about) for one in ALTERNATIVES] + [("at the profile …", OTHER_PROFILE)]
    return Said("\n".join(f"- *{name}*: {about}." for name, about in tried))


def starting(rows: Sequence[Row], letter: str) -> LedgerPage:
    """Return the claims whose id starts with a letter (N, M or C), ready to show."""
    return LedgerPage([row for row in rows if row.id.startswith(letter)])


def about(rows: Sequence[Row], page: str) -> LedgerPage:
    """Return the claims whose evidence is on a page ("notebooks/l2"), ready to show there.

    Raises:
        ReglabError: no claim names that page.
    """
    listed = [row for row in rows if row.evidence.partition("#")[0] == page]
    if not listed:
        raise ReglabError(f"no claim has its evidence on the page {page!r}")
    return LedgerPage(listed, note=NOTE)


def count_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Return the counts of both verdicts beside one another, one row a rank."""
    tally = counts(rows)
    text = [
        f"{verdict}: {claims}" for verdict, claims in zip(tally[""], tally["claims"], strict=True)
    ]
    half = len(BY_ARITHMETIC)
    return pd.DataFrame({"by arithmetic": text[:half], "by runs": text[half:]})


def markdown(rows: Sequence[Row]) -> str:
    """Return the counts as Markdown, for the front page."""
    return f"{display.markdown(count_table(rows))}\n\n*{len(rows)} claims.*\n"


def render(rows: Sequence[Row], format: str) -> str:
    """Return the ledger as text: "json" (one object a claim), "table", or "markdown" (counts)."""
    if format == "json":
        return json.dumps([dataclasses.asdict(row) for row in rows], indent=1, ensure_ascii=False)
    if format == "markdown":
        return markdown(rows)
    lines = [f"{'id':4} {'by arithmetic':16} {'by runs':20} quote"]
    lines += [f"{row.id:4} {row.by_arithmetic:16} {row.by_runs:20} {row.quote}" for row in rows]
    return "\n".join([*lines, "", tally(rows)])


def tally(rows: Sequence[Row]) -> str:
    """Return in a line how many claims have which verdict."""
    parts = [
        f"{row['verdict'].replace('_', ' ')} {row['']}: {row['claims']}"
        for _, row in counts(rows).iterrows()
    ]
    return "; ".join(parts)


def standing(rows: Sequence[Row], root: str = "../") -> str:
    """Return two sentences on how sure the verdicts are, as Markdown for the front page.

    A claim waits if its rule asks for runs and there are not enough of them; a claim whose rule is
    "none" is not for runs to settle (mathematics, attribution, something left unspecified).

    Args:
        rows: all claims.
        root: path from the page to the book's root, for links to the claims.
    """
    asks = {claim["id"]: claim["by_runs"]["rule"] != "none" for claim in paper.contents()["claims"]}
    untested = [asks[row.id] for row in rows if row.by_runs == NOT_TESTABLE]
    settled = sum(row.by_arithmetic in (CONSISTENT, INCONSISTENT) for row in rows)
    read = sum(row.by_arithmetic in (READS_RIGHT, READS_WRONG) for row in rows)
    left_open = sum(row.by_runs == UNDECIDED for row in rows)
    return (
        f"Arithmetic settles {settled} of {len(rows)} claims without a run, and reading "
        f"the text or the cited work {read} more. {_decided(rows, root)}; "
        f"{left_open} are measured and left open, {sum(untested)} wait for runs still to be made, "
        f"and {untested.count(False)} are not for runs to settle."
    )


def _decided(rows: Sequence[Row], root: str) -> str:
    verbs = {
        CONFIRMED: "confirm",
        DIRECTION: "confirm the direction of",
        REFUTED: "refute",
        NEGLIGIBLE: "show a negligible difference for",
    }
    by_word = {word: [row for row in rows if row.by_runs == word] for word in verbs}
    decided = [row for word in by_word for row in by_word[word]]
    if not decided:
        return "Recorded runs decide none yet"
    what = [f"{verbs[word]} {_links(claims, root)}" for word, claims in by_word.items() if claims]
    profiles = sorted({str(row.profile) for row in decided})
    limit = "" if set(profiles) & set(WHOLE) else ", which judges directions, not sizes"
    named = " and ".join(f"*{name}*" for name in profiles)
    return f"Recorded runs {listed(what)} at the profile {named}{limit}"


def _links(rows: Sequence[Row], root: str) -> str:
    page = f"{root}notebooks/verdict.html"
    return ", ".join(f'<a href="{page}#claim-{row.id.lower()}">{row.id}</a>' for row in rows)


def count_figure(rows: Sequence[Row]) -> Figure:
    """Return both kinds of verdict as bars, one a word."""
    tally = counts(rows).set_index(["verdict", ""])["claims"]
    figure = Figure(figsize=(7, 2.8), layout="constrained")
    kinds = (("by arithmetic", "by_arithmetic", BY_ARITHMETIC), ("by runs", "by_runs", BY_RUNS))
    panels = figure.subplots(1, 2, sharex=True)
    for axes, (title, which, words) in zip(panels, kinds, strict=True):
        colors = [_COLORS.get(tone(word), _GREY) for word in words]
        values = [int(tally[which, word]) for word in words]
        bars = axes.barh(words, values, color=colors, edgecolor="black", linewidth=0.6)
        axes.bar_label(bars, padding=3)
        axes.invert_yaxis()
        axes.set_xlim(0, len(rows))
        axes.set_xlabel("claims")
        axes.set_title(title)
    figure.suptitle(f"Verdicts on {len(rows)} claims")
    return figure
