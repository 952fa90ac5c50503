"""The explorer's HTML: it stays local, is labelled, small, and draws what its rows hold."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import altair as alt
import pytest
from check_book import check_html
from conftest import fake_record, further_frame, study_frame
from pictures import SLIDERS, payload, two_studies, two_studies_picture

from reglab.pages import explorer
from reglab.pages.picture import SCRIPTS, Scripts
from reglab.study.profiles import PROFILES

STATIC = Path(__file__).resolve().parents[1] / "book" / "_static" / "vega"


@pytest.fixture
def studies():
    return two_studies()


@pytest.fixture
def picture():
    return two_studies_picture()


class Seen(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def all(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]


def everything(picture):
    return [Scripts(), picture, *(make() for make in SLIDERS)]


def test_nothing_points_to_another_host(picture, tmp_path):
    for shown in everything(picture):
        addresses = set(re.findall(r"(?:https?:)?//[^\s\"'<>]+", shown._repr_html_()))
        # Vega-Lite's name for its own format: vega-embed reads it and never fetches it
        assert addresses <= {alt.SCHEMA_URL}
    (tmp_path / "index.html").write_text("<html></html>")
    page = tmp_path / "notebooks" / "page.html"
    page.parent.mkdir()
    body = "".join(shown._repr_html_() for shown in everything(picture))
    page.write_text(f"<html><body>{body}</body></html>")
    missing = check_html(tmp_path)
    assert len(missing) == len(SCRIPTS)
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "vega").symlink_to(STATIC)
    assert check_html(tmp_path) == []


def test_no_data_or_image_is_named_to_be_fetched(picture):
    for shown in everything(picture)[1:]:
        for spec in shown.charts.values():
            assert not re.search(r'"(url|href|src)"', json.dumps(spec))
    script = (STATIC / "charts.js").read_text("utf-8")
    assert not re.search(r"//[a-z0-9.]+\.[a-z]|fetch\(|XMLHttp|import\(|\.src\b", script)
    assert "actions: false" in script


def test_every_control_has_a_label_and_every_id_is_used_once(picture):
    seen = Seen("".join(shown._repr_html_() for shown in everything(picture)))
    ids = [attributes["id"] for _, attributes in seen.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    controls = [attributes["id"] for attributes in seen.all("select", "input")]
    assert sorted(controls) == sorted(attributes["for"] for attributes in seen.all("label"))
    assert len(controls) == 6


def test_the_range_of_a_slider_is_its_states():
    for make in SLIDERS:
        picture = make()
        (control,) = Seen(picture._repr_html_()).all("input")
        assert (int(control["min"]), int(control["max"])) == (0, len(picture.states) - 1)


def test_without_a_script_a_sentence_and_the_first_numbers_remain(picture):
    text = picture._repr_html_().split('<script type="application/json">')[0]
    assert "in the built book with JavaScript" in text
    assert "MNIST, L2, coupled" in text
    for _, value in picture.start.facts:
        assert value in text
    assert re.match(r"<noscript><p>[^<]*JavaScript[^<]*</p></noscript>", Scripts()._repr_html_())


def test_each_chart_draws_rows_that_every_state_has_and_fields_that_they_have(picture):
    for shown in everything(picture)[1:]:
        data = payload(shown)
        for spec in data["charts"]:
            assert spec["width"] == "container"
            assert spec["description"]
            for layer in spec.get("layer", [spec]):
                name = layer["data"]["name"]
                for chosen in data["states"]:
                    columns = {**data["shared"], **chosen["rows"]}[name]
                    fields = {e["field"] for e in layer["encoding"].values()}
                    assert fields <= set(columns)


def test_words_that_colours_stand_for_are_those_of_the_rows(picture):
    for shown in everything(picture)[1:]:
        data = payload(shown)
        for spec in data["charts"]:
            for layer in spec.get("layer", [spec]):
                color = layer["encoding"].get("color")
                for chosen in data["states"] if color else ():
                    columns = {**data["shared"], **chosen["rows"]}[layer["data"]["name"]]
                    assert set(columns[color["field"]]) <= set(color["scale"]["domain"])


def test_the_html_is_alike_each_time(studies):
    one = {"mnist": studies["mnist"]}
    once, again = (explorer.recorded_picture(one)._repr_html_() for _ in range(2))
    assert once == again


def test_the_page_stays_small_with_all_that_can_be_recorded(picture, plan):
    def longest(config):
        made = fake_record(config)
        history = {name: values * 25 for name, values in made.history.written().items()}
        return replace(made, history=replace(made.history, **history))

    assert (
        PROFILES["paper"].max_epochs
        == 50
        == 25 * len(fake_record(plan.baseline(0, 0.1)).history.val_acc)
    )
    further = {it: {"mnist": further_frame(it, longest, "mnist")} for it in explorer.FURTHER}
    study = study_frame(plan, longest)
    one = explorer.recorded_picture({"mnist": study}, further)
    there = {state.path for state in one.states}
    states = there | {s.path for s in picture.states if s.path[0] == "MNIST"}  # as many as "paper"
    assert {path[1] for path in there} > {"augmentation", "pruning"}
    protocol = {state.path for state in explorer.recorded_picture({"mnist": study}, {}).states}
    all_states = 3 * len(states) + 2 * len(protocol)  # two data sets have no further studies
    assert all_states * len(one._repr_html_().encode()) / len(there) < 3e6
