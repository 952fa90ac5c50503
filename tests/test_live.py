"""Pictures in a live notebook: widgets offer what the page offers, and show the same numbers."""

import json
import subprocess
import sys

import altair as alt
import pytest
from pictures import payload, two_studies_picture

from reglab.errors import ReglabError
from reglab.pages import live, sliders
from reglab.pages.picture import FOR_BOOK, Picture, Scripts
from reglab.pages.states import State

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def picture():
    return two_studies_picture()


def shown(box):
    """Return what the widgets show: words chosen, text, and the data of each chart."""
    *controls, facts, output = box.children
    specs = [one["data"][live.VEGA_LITE] for one in output.outputs]
    return [one.value for one in controls], facts.value, [one["datasets"] for one in specs]


def by_hand(*paths, first=()):
    return [State(tuple(path), {}, (), first=path in first) for path in paths]


def test_a_control_offers_what_goes_with_the_words_before_it():
    states = by_hand("ax", "ay", "bz")
    assert live.words(states, "ax", 0) == ["a", "b"]
    assert live.words(states, "ax", 1) == ["x", "y"]
    assert live.words(states, "bz", 1) == ["z"]


@pytest.mark.parametrize(
    ("at", "word", "wanted"),
    [
        (2, "2", "ax2"),  # there is such a state
        (0, "b", "bx1"),  # the words behind stay
        (0, "c", "cy2"),  # none of them: what is shown first
        (1, "y", "ay3"),  # the last one is not there: what is shown first of those
    ],
)
def test_a_changed_word_leads_to_the_nearest_state(at, word, wanted):
    names = ["ax1", "ax2", "ay2", "ay3", "bx2", "bx1", "cz1", "cy2"]
    states = by_hand(*names, first=("ay3", "cy2"))
    assert "".join(live.choose(states, "ax1", at, word).path) == wanted


def test_each_choice_shows_its_own_text_and_data(picture):
    box = live.controls(picture)
    assert shown(box)[0] == [*picture.start.path]
    drawn = {tuple(state["path"]): state for state in payload(picture)["states"]}
    for state in (picture.states[0], picture.states[len(picture.states) // 2], picture.states[-1]):
        for control, word in zip(box.children, state.path, strict=False):
            control.value = word
        path, text, data = shown(box)
        assert tuple(path) == state.path
        assert text == live.facts(state)
        for rows in data:
            for name, now in rows.items():
                columns = drawn[state.path]["rows"][name]
                assert now == [
                    dict(zip(columns, v, strict=True)) for v in zip(*columns.values(), strict=True)
                ]


@pytest.mark.parametrize(
    "make", [sliders.shrinkage_picture, sliders.dropout_picture, sliders.scale_picture]
)
def test_a_slider_moves_text_and_chart(make):
    box = live.controls(make())
    before = shown(box)
    slider = box.children[0]
    slider.value = slider.options[0]
    now = shown(box)
    assert all(one != other for one, other in zip(now, before, strict=True))


def test_charts_are_valid_vega_lite(picture):
    for spec in live.charts(picture, picture.start):
        plain = {name: value for name, value in spec.items() if name != "$schema"}
        alt.Chart.from_dict(plain)  # against the schema
        assert spec["title"] and spec["description"]
        json.dumps(spec, allow_nan=False)


def test_what_is_shown_depends_on_who_looks_on(picture, monkeypatch):
    monkeypatch.delenv(FOR_BOOK, raising=False)
    there = picture._repr_mimebundle_()
    assert set(there) == {WIDGET, "text/html", "text/plain"}
    assert "<script" not in there["text/html"] and live.AGAIN in there["text/html"]
    assert Scripts()._repr_mimebundle_()["text/html"] == ""
    monkeypatch.setenv(FOR_BOOK, "1")
    assert picture._repr_mimebundle_()["text/html"] == picture._repr_html_()
    assert Scripts()._repr_mimebundle_()["text/html"] == Scripts()._repr_html_()


def test_without_ipywidgets_the_first_choice_is_a_chart(picture, monkeypatch):
    monkeypatch.delenv(FOR_BOOK, raising=False)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    spec = picture._repr_mimebundle_()[live.VEGA_LITE]
    assert len(spec["vconcat"]) == len(picture.charts)
    alt.VConcatChart.from_dict({**spec, "$schema": alt.SCHEMA_URL})


def test_the_books_notebooks_are_executed_for_the_book():
    code = "import os, run_notebooks as r; r._rerun = r._pairs = lambda _: print(os.environ['{}'])"
    code = (
        f"import sys; sys.path.insert(0, 'tools'); {code.format(FOR_BOOK)}; r.main(['pairs', '.'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_a_picture_needs_a_state():
    with pytest.raises(ReglabError, match="at least one state"):
        Picture("none", (("word", "select"),), {}, ())
