"""A picture's HTML: nothing in its data can break it, bad ones are refused, scripts are pinned."""

import hashlib
import json
import re
from pathlib import Path

import altair as alt
import pytest

from reglab.errors import ReglabError
from reglab.pages import charts
from reglab.pages.picture import SCRIPTS, Picture
from reglab.pages.states import State

STATIC = Path(__file__).resolve().parents[1] / "book" / "_static" / "vega"


def test_text_cannot_end_the_script_element():
    chart = {"a title": charts.scores_chart("scores", "test accuracy (%)")}
    nasty = State(("</script><b>",), {"scores": {"label": ["</script>"]}}, (("<i>", "</script>"),))
    text = Picture("nasty", (("<u>", "select"),), chart, (nasty,))._repr_html_()
    assert text.count("</script>") == 1
    assert "<b>" not in text.split('<script type="application/json">')[0]
    assert "&lt;u&gt;" in text
    assert json.loads(re.search(r"json\">(.*)</script>", text)[1])["states"][0]["path"] == [
        *nasty.path
    ]


@pytest.mark.parametrize(
    ("controls", "states", "message"),
    [
        (1, (), "bad: a picture must have at least one state, got none"),
        (2, (State(("a",), {}, ()),), r"bad: a path must have 2 words, got \('a',\)"),
        (
            1,
            (State(("a",), {"curve": {"x": [1, 2], "y": [1]}}, ()),),
            r"bad: the columns of curve must have one length, got \[1, 2\]",
        ),
    ],
)
def test_a_bad_picture_is_refused_in_one_line(controls, states, message):
    with pytest.raises(ReglabError, match=f"^{message}$"):
        Picture("bad", (("word", "select"),) * controls, {}, states)


def test_numbers_are_shortened_and_what_is_not_finite_is_none():
    one = State(("a",), {"curve": {"x": [1.23456789, float("nan"), None], "n": [1, 2, 3]}}, ())
    made = Picture("short", (("word", "select"),), {}, (one,)).payload()
    assert made["states"][0]["rows"]["curve"] == {"x": [1.2346, None, None], "n": [1, 2, 3]}


def test_the_scripts_are_the_builds_that_the_readme_names():
    readme = (STATIC / "README.md").read_text("utf-8")
    named = re.findall(r"^\| `(\S+)` \| (\S+) ([\d.]+) \| `([0-9a-f]{64})` \|$", readme, re.M)
    assert [name for name, *_ in named] == [*SCRIPTS[:3]]
    assert SCRIPTS[3:] == ("charts.js",)
    for name, package, version, digest in named:
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest
        assert "Redistribution and use" in (STATIC / f"LICENSE-{package}").read_text("utf-8")
        assert f'"{version}"' in (STATIC / name).read_text("utf-8")
    versions = {package: version for _, package, version, _ in named}
    assert (
        versions["vega-lite"].split(".")[0] == alt.VEGALITE_VERSION.removeprefix("v").split(".")[0]
    )
