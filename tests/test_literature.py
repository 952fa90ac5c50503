"""What others report: each source is cited, and the columns of the paper and ours are computed."""

from pathlib import Path

import pytest

from reglab.pages import literature
from reglab.results import gains

PAGE = (Path(__file__).resolve().parents[1] / "notebooks/what_holds.md").read_text("utf-8")
KEYS = {"Garbin": "garbin2020dropout", "Li et": "li2019understanding",
        "van Laarhoven": "vanlaarhoven2017l2", "Srivastava": "srivastava2014dropout"}  # fmt: skip


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
    shown = literature.table({"cifar10": frame}).table
    lines = dict(zip(literature.REPORTED, shown.to_dict("records"), strict=True))
    for one, line in lines.items():
        if one.dataset != "cifar10":
            assert (line["ours"], line["paper"]) == ("–", "–")
            continue
        gain = gains.gain(frame, one.treated, one.control)
        assert line["ours"].startswith(f"{gain.estimate.mean:+.2f} ± ")
        assert line["ours"].endswith(f"(CIFAR-10, n = {gain.estimate.n})")
        assert line["paper"] == gain.paper
