"""The explorer: each choice it offers has data, and its numbers are the runs'."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import fake_record, further_frame, study_frame
from pictures import near, payload, rows, state, two_studies, two_studies_picture

from reglab import paper
from reglab.errors import ReglabError
from reglab.pages import chapters, explorer
from reglab.results import costs, tables


@pytest.fixture
def studies():
    return two_studies()


@pytest.fixture
def picture():
    return two_studies_picture()


def test_every_choice_offered_has_curves_an_accuracy_and_facts(picture, studies):
    states = payload(picture)["states"]
    paths = [tuple(s["path"]) for s in states]
    assert len(set(paths)) == len(paths)
    settings = sum(len(costs.settings(study)) for study in studies.values())
    assert len(paths) == settings + len(studies)  # and the baseline that is not stopped early
    for chosen in states:
        facts = dict(chosen["facts"])
        for measure in ("score", "loss"):
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


@pytest.mark.parametrize("measure", ["score", "loss"])
def test_curves_are_means_over_seeds_until_the_first_one_stops(picture, studies, measure):
    study, scale = studies["cifar10"], {"score": 100, "loss": 1}[measure]
    curve = rows(state(picture, "CIFAR-10", "batch normalization", "on")["rows"][measure])
    for network, arm in (("this choice", "bn"), ("no regularization", "none")):
        histories = tables.arm(study, "factorial", arm)["history"]
        lengths = [len(history["val_acc"]) for history in histories]
        assert len(set(lengths)) > 1
        for part, name in (("training", "train"), ("validation", "val")):
            drawn = [r for r in curve if (r["network"], r["part"]) == (network, part)]
            assert [r["epoch"] for r in drawn] == list(range(1, min(lengths) + 1))
            for r in drawn:
                column = f"{name}_{'acc' if measure == 'score' else 'loss'}"
                values = [h[column][r["epoch"] - 1] * scale for h in histories]
                assert r["mean"] == near(np.mean(values))
                half = 2.776 * np.std(values, ddof=1) / np.sqrt(5)  # t, 4 degrees of freedom
                assert r["high"] - r["low"] == pytest.approx(2 * half, rel=1e-3)


def test_accuracies_and_facts_are_those_of_the_chapters(picture, studies):
    study = studies["mnist"]
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


def test_a_sweep_is_shown_among_its_own_strengths_only(picture, studies):
    sweep = tables.lambda_table(studies["cifar10"]).set_index(["reading", "λ"])
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
    curve = rows(chosen["rows"]["score"])
    assert [r["low"] for r in curve if r["network"] == "this choice"] == [None] * 4  # one seed left
    lost = study_frame(plan, lambda c: fake_record(c, diverged=c.batch_norm))
    chosen = state(explorer.recorded_picture({"mnist": lost}), "MNIST", "batch normalization", "on")
    assert "test accuracy" not in dict(chosen["facts"])
    assert "this choice" not in chosen["rows"]["score"]["network"]


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


def test_the_table_says_the_same_without_a_script(picture, studies):
    stack = explorer.table(studies)
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


@pytest.fixture(scope="module")
def further():
    names = "augmentation", "pruning", "distillation"
    return {name: {"cifar10": further_frame(name, fake_record)} for name in names}


def test_further_studies_are_choices_beside_the_network_they_were_made_of(studies, further):
    picture = explorer.recorded_picture(studies, further)
    paths = [tuple(it["path"]) for it in payload(picture)["states"]]
    assert len(set(paths)) == len(paths)
    assert {path[0] for path in paths if path[1] in ("augmentation", "pruning")} == {"CIFAR-10"}
    offered = {"pruning": 6, "augmentation": 7}
    offered |= {
        f"distillation, {width}": 8 for width in ("half the width", "a quarter of the width")
    }
    assert {name: sum(path[1] == name for path in paths) for name in offered} == offered

    frame = further["pruning"]["cifar10"]
    pruned, dense = (
        tables.arm(frame, "pruning", f"none {it}") for it in ("magnitude 0.9", "dense")
    )
    chosen = state(picture, "CIFAR-10", "pruning", "90 % of the weights zero")
    facts = dict(chosen["facts"])
    gain = tables.difference(pruned, dense)
    assert facts["gain"] == f"{gain.mean:+.2f} ± {gain.half_width:.2f} points"
    assert facts["trained before"] == "the dense network, not counted here"
    assert "the paper prints" not in facts
    scores = rows(chosen["rows"]["scores"])
    assert [row["label"] for row in scores] == [path[2] for path in paths if path[1] == "pruning"]
    assert "trained before" not in dict(state(picture, "CIFAR-10", "pruning", "dense")["facts"])
    smoothed = state(picture, "CIFAR-10", "distillation, half the width", "smoothed labels")
    assert "trained before" not in dict(smoothed["facts"])
