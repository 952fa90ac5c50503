"""The explorer: each choice it offers has data, its numbers are the runs', and it stays local."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import altair as alt
import numpy as np
import pytest
from check_book import check_html
from conftest import fake_record, study_frame
from pictures import SLIDERS, near, payload, rows

from reglab import paper
from reglab.errors import ReglabError
from reglab.pages import chapters, explorer
from reglab.pages.picture import SCRIPTS, Scripts
from reglab.results import costs, tables
from reglab.study.plan import Plan
from reglab.study.profiles import PROFILES

STATIC = Path(__file__).resolve().parents[1] / "book" / "_static" / "vega"


def varied(config):
    """A made-up run of two to four epochs."""
    made = fake_record(config)
    longer = int(config.key[:2], 16) % 3
    history = {name: values + values[-1:] * longer for name, values in vars(made.history).items()}
    return replace(made, history=replace(made.history, **history))


@pytest.fixture(scope="module")
def found():
    """MNIST and CIFAR-10 as the reduced profile makes them; Fashion-MNIST is not recorded."""
    return {
        name: study_frame(Plan(name, "full:0", 10_000, PROFILES["reduced"], "cpu", 5), varied)
        for name in ("mnist", "cifar10")
    }


@pytest.fixture(scope="module")
def picture(found):
    return explorer.recorded_picture(found)


def state(picture, *path):
    (chosen,) = (s for s in payload(picture)["states"] if s["path"] == list(path))
    return chosen


def test_every_choice_offered_has_curves_an_accuracy_and_facts(picture, found):
    states = payload(picture)["states"]
    paths = [tuple(s["path"]) for s in states]
    assert len(set(paths)) == len(paths)
    settings = sum(len(costs.settings(study)) for study in found.values())
    assert len(paths) == settings + len(found)  # and the baseline that is not stopped early
    for chosen in states:
        facts = dict(chosen["facts"])
        for measure in ("acc", "loss"):
            curve = chosen["rows"][measure]
            assert set(curve["part"]) == {"training", "validation"}
            assert "this choice" in curve["network"]
            assert None not in curve["mean"]
        assert chosen["rows"]["scores"]["kind"].count("this choice") == 1
        assert {"profile", "seeds", "test accuracy", "seconds a run", "parameters"} <= set(facts)


def test_each_technique_has_one_choice_that_is_shown_first(picture):
    first = [tuple(s["path"][:2]) for s in payload(picture)["states"] if s["first"]]
    every = {tuple(s["path"][:2]) for s in payload(picture)["states"]}
    assert len(first) == len(set(first))
    swept_only = {"L2, per sample", "L2, decoupled (AdamW)", "dropout, pools as well"}
    assert {technique for _, technique in every - set(first)} == swept_only
    assert picture.start.path[:2] == ("MNIST", "L2, coupled")
    assert payload(picture)["states"][payload(picture)["start"]]["path"] == [*picture.start.path]


def test_only_recorded_data_sets_are_offered(picture):
    assert {s["path"][0] for s in payload(picture)["states"]} == {"MNIST", "CIFAR-10"}


@pytest.mark.parametrize("measure", ["acc", "loss"])
def test_curves_are_means_over_seeds_until_the_first_one_stops(picture, found, measure):
    study, scale = found["cifar10"], {"acc": 100, "loss": 1}[measure]
    curve = rows(state(picture, "CIFAR-10", "batch normalization", "on")["rows"][measure])
    for network, arm in (("this choice", "bn"), ("no regularization", "none")):
        histories = tables.arm(study, "factorial", arm)["history"]
        lengths = [len(history["val_acc"]) for history in histories]
        assert len(set(lengths)) > 1
        for part, name in (("training", "train"), ("validation", "val")):
            drawn = [r for r in curve if (r["network"], r["part"]) == (network, part)]
            assert [r["epoch"] for r in drawn] == list(range(1, min(lengths) + 1))
            for r in drawn:
                values = [h[f"{name}_{measure}"][r["epoch"] - 1] * scale for h in histories]
                assert r["mean"] == near(np.mean(values))
                half = 2.776 * np.std(values, ddof=1) / np.sqrt(5)  # t, 4 degrees of freedom
                assert r["high"] - r["low"] == pytest.approx(2 * half, rel=1e-3)


def test_accuracies_and_facts_are_those_of_the_chapters(picture, found):
    study = found["mnist"]
    cells = tables.factorial_table(study).set_index("network")
    chosen = state(picture, "MNIST", "batch normalization", "on")
    for row in rows(chosen["rows"]["scores"]):
        if row["kind"] != "the paper":
            assert row["mean"] == near(cells.loc[row["label"], "accuracy"].mean)
            assert row["low"] == near(cells.loc[row["label"], "accuracy"].low)
        else:
            assert f"{row['mean']:.1f}" in cells.loc[row["label"], "paper"]
    assert [r["label"] for r in rows(chosen["rows"]["scores"]) if r["kind"] == "this choice"] == [
        "BN"
    ]
    facts, ours = dict(chosen["facts"]), cells.loc["BN"]
    assert (
        facts["test accuracy"]
        == f"{ours['accuracy'].mean:.2f} ± {ours['accuracy'].half_width:.2f} %"
    )
    gain = ours["to baseline"]
    assert facts["gain"] == f"{gain.mean:+.2f} ± {gain.half_width:.2f} points"
    assert facts["the paper prints"] == f"{ours['paper']} %"
    assert facts["seeds"] == "5 (evaluation)"
    assert facts["profile"] == "reduced, 10,000 training images"
    assert facts["parameters"] == "1,000"
    assert facts["peak memory"] == "100 MB"


def test_a_sweep_is_shown_among_its_own_strengths_only(picture, found):
    sweep = tables.lambda_table(found["cifar10"]).set_index(["reading", "λ"])
    chosen = state(picture, "CIFAR-10", "L2, decoupled (AdamW)", "λ = 0.1")
    ours = {r["label"]: r for r in rows(chosen["rows"]["scores"]) if r["kind"] != "the paper"}
    assert list(ours) == ["λ = 0", "λ = 0.01", "λ = 0.1", "λ = 1", "λ = 10"]
    for label, row in ours.items():
        lam = float(label.removeprefix("λ = "))
        assert row["mean"] == near(sweep.loc[("decoupled (AdamW)", lam), "test accuracy"].mean)
        assert row["kind"] == ("this choice" if lam == 0.1 else "the others")
    assert dict(chosen["facts"])["seeds"] == "3 (selection)"
    assert "ADAMW at" in dict(chosen["facts"])["setting"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("L2, per sample", "λ = 0.1"), ("l2", "l2")),
        (("L2, coupled", "λ = 0"), ("l2", "none")),
        (("L2, coupled", "λ = 0.1, on evaluation seeds"), ("l2", "l2")),
        (("dropout, pools as well", "drop rate 0.5"), ("dropout", "dropout")),
        (("dropout, hidden layer", "drop rate 0"), ("dropout", "none")),
        (("L2, coupled", "λ = 10"), None),
        (("dropout, hidden layer", "drop rate 0.3"), None),
        (("no regularization", "not stopped early"), None),
    ],
)
def test_the_papers_value_stands_where_the_paper_has_one(picture, path, expected):
    facts = dict(state(picture, "CIFAR-10", *path)["facts"])
    value = expected and f"{paper.printed(expected[0], 'cifar10', expected[1])} %"
    assert facts.get("the paper prints") == value


def test_several_baselines_are_all_given(picture):
    facts = dict(state(picture, "CIFAR-10", "no regularization", "stopped early")["facts"])
    printed = [f"{value} %" for value in paper.printed_baselines("cifar10")]
    assert len(printed) > 1
    assert facts["the paper prints"] == " / ".join(printed)
    assert "gain" not in facts


def test_diverged_runs_are_counted_and_leave_a_gap_in_nothing(plan):
    bad = study_frame(plan, lambda c: fake_record(c, diverged=c.batch_norm and c.seed == 1))
    chosen = state(explorer.recorded_picture({"mnist": bad}), "MNIST", "batch normalization", "on")
    assert dict(chosen["facts"])["diverged"] == "1 of 2"
    curve = rows(chosen["rows"]["acc"])
    assert [r["low"] for r in curve if r["network"] == "this choice"] == [None] * 4  # one seed left
    lost = study_frame(plan, lambda c: fake_record(c, diverged=c.batch_norm))
    chosen = state(explorer.recorded_picture({"mnist": lost}), "MNIST", "batch normalization", "on")
    assert "test accuracy" not in dict(chosen["facts"])
    assert "this choice" not in chosen["rows"]["acc"]["network"]


def test_a_loss_that_was_not_finite_is_a_gap(plan):
    def record(config):
        made = fake_record(config)
        bad = replace(made.history, train_loss=[None, made.history.train_loss[1]])
        return replace(made, history=bad) if config.seed == 0 else made

    picture = explorer.recorded_picture({"mnist": study_frame(plan, record)})
    curve = rows(state(picture, "MNIST", "L2 + BN", _strength(picture, "L2 + BN"))["rows"]["loss"])
    own = [r["mean"] for r in curve if (r["network"], r["part"]) == ("this choice", "training")]
    assert own[0] is None
    assert own[1] is not None


def _strength(picture, technique):
    (word,) = (s.path[2] for s in picture.states if s.path[1] == technique)
    return word


def test_nothing_recorded_is_said_and_not_drawn():
    for shown in (explorer.recorded_picture({}), explorer.table({})):
        assert isinstance(shown, chapters.Stack)
        assert "Not recorded yet at a deciding scale: MNIST, Fashion-MNIST, CIFAR-10." in (
            shown._repr_html_()
        )


def test_the_table_says_the_same_without_a_script(picture, found):
    stack = explorer.table(found)
    assert [table.caption.split(".")[0] for table in stack.shown] == ["MNIST", "CIFAR-10"]
    assert stack.remark == "Not recorded yet at a deciding scale: Fashion-MNIST."
    row = stack.shown[1].table.set_index("network").loc["BN"]
    facts = dict(state(picture, "CIFAR-10", "batch normalization", "on")["facts"])
    assert facts["test accuracy"] == f"{row['accuracy']} %"
    assert facts["seconds a run"] == row["seconds"]
    assert facts["parameters"] == row["parameters"]


def test_a_mixture_is_refused(study):
    for column in ("profile", "device", "precision"):
        half = study.assign(**{column: np.where(study["seed"] == 0, "another", study[column])})
        with pytest.raises(ReglabError, match=column):
            explorer.recorded_picture({"mnist": half})


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
    assert "needs the built book" in text
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


def test_the_html_is_alike_each_time(found):
    one = {"mnist": found["mnist"]}
    once, again = (explorer.recorded_picture(one)._repr_html_() for _ in range(2))
    assert once == again


def test_the_page_stays_small_with_all_that_can_be_recorded(picture, plan):
    def longest(config):
        made = fake_record(config)
        history = {name: values * 25 for name, values in vars(made.history).items()}
        return replace(made, history=replace(made.history, **history))

    assert (
        PROFILES["paper"].max_epochs
        == 50
        == 25 * len(fake_record(plan.baseline(0, 0.1)).history.val_acc)
    )
    one = explorer.recorded_picture({"mnist": study_frame(plan, longest)})
    states = len(
        [s for s in picture.states if s.path[0] == "MNIST"]
    )  # the paper profile has as many
    assert 3 * states * len(one._repr_html_().encode()) / len(one.states) < 3e6
