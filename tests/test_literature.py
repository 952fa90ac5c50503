"""What others report: each source is cited, and the columns of the paper and ours are computed."""

from pathlib import Path

import pytest
import trajectories
from conftest import further_frame
from test_augmentation_study import made_up
from test_pruning_study import made_up as sparse_or_taught

from reglab.pages import literature
from reglab.results import augmentation as further
from reglab.results import criteria, distillation, gains, pruning

PAGE = (Path(__file__).resolve().parents[1] / "notebooks/what_holds.md").read_text("utf-8")
KEYS = {"Garbin": "garbin2020dropout", "Li et": "li2019understanding",
        "van Laarhoven": "vanlaarhoven2017l2", "Srivastava": "srivastava2014dropout",
        "Zaremba": "zaremba2014recurrent", "Zhang": "zhang2017sensitivity",
        "Ismail": "ismailfawaz2019deep"}  # fmt: skip


def nothing(study):
    """No further study is recorded."""
    return {}


def beside(study, frames):
    """What the table has of ours where only this further study is recorded."""
    studies = {study: frames}
    shown = literature.table({}, lambda name: studies.get(name, {})).table["ours"]
    (ours,) = shown[shown != "–"]
    return ours


@pytest.mark.parametrize("one", literature.REPORTED, ids=lambda one: f"{one.source}: {one.what}")
def test_each_source_is_cited_and_says_something(one):
    (key,) = (key for name, key in KEYS.items() if one.source.startswith(name))
    assert f"{{cite:t}}`{key}`" in PAGE
    assert one.said and one.runs


def test_a_pair_is_shown_with_its_difference():
    first = literature.REPORTED[0]
    assert first.said == "80.21 → 74.26 (-5.95); same rate"


def test_ours_and_the_papers_are_those_of_the_records(study):
    frame = study.assign(dataset="cifar10")
    shown = literature.table({"cifar10": frame}, nothing).table
    *rows, slow, augmented, pruned, taught = shown.to_dict("records")
    sources = "Prechelt (1998)", "Hernández-García & König (2018)"
    sources += "Han et al. (2015)", "Stanton et al. (2021)"
    for one, source in zip((slow, augmented, pruned, taught), sources, strict=True):
        assert (one["source"], one["ours"], one["paper"]) == (source, "–", "–")
    lines = dict(zip(literature.REPORTED, rows, strict=True))
    for one, line in lines.items():
        if one.dataset != "cifar10":
            assert (line["ours"], line["paper"]) == ("–", "–")
            continue
        gain = gains.gain(frame, one.treated, one.control)
        assert line["ours"].startswith(f"{gain.estimate.mean:+.2f} ± ")
        assert line["ours"].endswith(f"(CIFAR-10, n = {gain.estimate.n})")
        assert line["paper"] == gain.paper


def test_slow_criteria_stand_beside_ours():
    assert "{cite:t}`prechelt1998early`" in PAGE
    frames = {name: trajectories.study(name, 3) for name in ("mnist", "cifar10")}
    ours = beside("early_stopping", frames)
    first, second = ours.split("; ")
    found = criteria.slow_against_fast(frames["cifar10"])
    assert first.startswith("MNIST: loss ") and first.endswith(" times the epochs (n = 3)")
    assert f"loss {found['loss'].mean:+.1f} ± " in second
    assert f"error {found['error'].mean:+.1f} ± " in second
    assert f" %, {found['time'].mean:.1f} ± " in second
    bare = {"mnist": frames["mnist"].assign(trace=None)}
    assert beside("early_stopping", bare) == "MNIST: not measured"


def test_what_others_bring_with_augmentation_stands_beside_ours():
    """Made up: L2 and dropout lose two of the two points they bring where images are augmented."""
    assert "{cite:t}`hernandezgarcia2018data`" in PAGE
    frame = further_frame("augmentation", made_up, "cifar10")
    ours = beside("augmentation", {"cifar10": frame})
    assert ours.startswith("CIFAR-10: ") and ours.endswith(" without augmentation (n = 4)")
    found, change = (
        further.cell_gain(frame, "l2+dropout", augmented=True),
        further.cell_change(frame, "l2+dropout"),
    )
    assert f"CIFAR-10: {found.mean:+.2f} ± " in ours
    assert f", and {found.mean - change.mean:+.2f} ± " in ours
    failed = frame.assign(test_acc=None)
    assert beside("augmentation", {"cifar10": failed}) == "CIFAR-10: not measured"


def test_pruning_stands_beside_ours():
    assert "{cite:t}`han2015learning`" in PAGE
    frame = further_frame("pruning", sparse_or_taught, "cifar10")
    found = pruning.against_dense(frame, 0.9)
    ours = beside("pruning", {"cifar10": frame})
    assert ours.startswith(f"CIFAR-10: {found.mean:+.2f} ± ")
    assert ours.endswith(" with a tenth of the weights (n = 4)")
    failed = frame.assign(test_acc=None)
    assert beside("pruning", {"cifar10": failed}) == "CIFAR-10: not measured"


def test_distillation_stands_beside_ours():
    assert "{cite:t}`stanton2021does`" in PAGE
    frame = further_frame("distillation", sparse_or_taught, "cifar10")
    ours = beside("distillation", {"cifar10": frame})
    assert ours.startswith(f"CIFAR-10: {distillation.gain(frame, 'half').mean:+.2f} ± ")
    assert ours.endswith(", agreeing on 80.0 % of test images (n = 4)")
    failed = frame.assign(test_acc=None)
    assert beside("distillation", {"cifar10": failed}) == "CIFAR-10: not measured"
