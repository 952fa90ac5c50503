"""The reference pages say what the library does: their table, their examples, their terms."""

import re
from pathlib import Path

import pytest
from conftest import example

from reglab.data.dataset import load_dataset
from reglab.study.further import STUDIES
from reglab.study.plan import Plan
from reglab.study.profiles import PROFILES
from reglab.study.protocol import expected_runs

ROOT = Path(__file__).resolve().parents[1]
YOURSELF = (ROOT / "book/do_it_yourself.md").read_text("utf-8")
TERMS = re.compile(r"\{term\}`(?:[^`<]*<)?([^`>]+)>?`")


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
def test_the_table_of_profiles_is_theirs(profile):
    line = re.search(rf"^\| {profile.name} \|(.*)\|$", YOURSELF, re.MULTILINE)[1]
    images, width, epochs, seeds, networks, _ = (cell.strip() for cell in line.split("|"))
    size = "all" if profile.n_train is None else f"{profile.n_train:,}"
    source = "the sample" if profile.source == "sample" else "the full set"
    assert images == f"{size} of {source}"
    assert (int(width), int(epochs)) == (profile.width, profile.max_epochs)
    assert seeds == f"{profile.sweep_seeds}, {profile.factorial_seeds}"
    plan = Plan("mnist", "full:0", 60_000, profile, "cpu", profile.factorial_seeds)
    assert abs(int(networks.removeprefix("about ")) - expected_runs(plan)) < 10


def test_the_exception_of_the_full_profile_and_every_further_study_are_named():
    full = PROFILES["full"].for_dataset("cifar10")
    plan = Plan("cifar10", "full:0", 50_000, full, "cpu", full.factorial_seeds)
    said = re.search(
        r"\*Full\* takes width (\d+) and (\w+) judging seeds on CIFAR-10, about (\d+)", YOURSELF
    )
    assert (int(said[1]), said[2]) == (full.width, {5: "five", 10: "ten"}[full.factorial_seeds])
    assert abs(int(said[3]) - expected_runs(plan)) < 10
    assert [name for name in STUDIES if f"*{name}*" not in YOURSELF] == []


def test_the_example_of_own_images_makes_a_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(example("corners"), {})
    data = load_dataset("corners", data_dir=tmp_path)
    assert data.in_shape == (1, 16, 16)
    assert data.classes[3] == "bottom right"


def test_the_example_of_one_network_trains(capsys):
    exec(example("RunConfig"), {})
    assert capsys.readouterr().out.startswith(("1 [", "2 [", "3 ["))


def test_the_checklist_answers_for_both():
    table = (ROOT / "book/method.md").read_text("utf-8").split("(method-checklist)=")[1]
    rows = re.findall(r"^\* - (.+?)(?=^\* - |^```)", table, re.MULTILINE | re.DOTALL)
    answered = [row.split("\n  - ")[1:] for row in rows if "**" not in row][1:]
    assert len(answered) == 21
    assert all(len(row) == 2 and all(map(str.strip, row)) for row in answered)


def test_linked_terms_are_in_the_glossary():
    glossary = (ROOT / "book/symbols.md").read_text("utf-8").split("```{glossary}")[1]
    defined = re.findall(r"^(\S.*)\n  \S", glossary, re.MULTILINE)
    assert len(defined) == len(set(defined)) > 25
    pages = [*ROOT.glob("book/*.md"), *ROOT.glob("notebooks/*.md")]
    linked = {term for page in pages for term in TERMS.findall(page.read_text("utf-8"))}
    assert linked <= set(defined)
