"""The front page: the tally shows the ledger's counts, its sentences add up, its mark is ours."""

import dataclasses
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import make_front
import make_summary
import pytest
import yaml

from reglab import verdicts
from reglab.pages import ledger
from reglab.results import recorded
from reglab.verdicts import BY_ARITHMETIC, BY_RUNS

ROOT = Path(__file__).resolve().parents[1]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))


@pytest.fixture(scope="module")
def bare():
    """The ledger without any run."""
    return verdicts.ledger({})


def judged(rows, **verdict_of):
    """The rows, some of them with another verdict by runs at some profile."""
    return [
        dataclasses.replace(row, by_runs=verdict_of[row.id][0], profile=verdict_of[row.id][1])
        if row.id in verdict_of
        else row
        for row in rows
    ]


def pictures(rows):
    """The two pictures of the page, each as a list of (class, title) by square."""
    text = make_front.picture(rows)
    drawn = re.findall(r'<svg class="claims".*?</svg>', text)
    return [re.findall(r'<g class="tally-([\w-]+)".*?<title>(.*?)</title>', part) for part in drawn]


def test_each_picture_has_a_square_a_claim(bare):
    arithmetic, runs = pictures(bare)
    for squares in (arithmetic, runs):
        assert sorted(title.split(":")[0] for _, title in squares) == sorted(r.id for r in bare)
    tones = [tone for tone, _ in arithmetic]
    assert tones.count("no") == sum(row.by_arithmetic == "inconsistent" for row in bare) == 9
    assert tones == sorted(
        tones, key=["yes", "no", "read-yes", "read-no", "none", "editorial"].index
    )
    assert {tone for tone, _ in runs} == {"none"}


def test_a_changed_verdict_changes_the_picture(bare):
    rows = judged(bare, N4=("refuted", "reduced"), N5=("undecided", "reduced"))
    _, runs = pictures(rows)
    assert [title.split(":")[0] for tone, title in runs if tone == "no"] == ["N4"]
    assert [title.split(":")[0] for tone, title in runs if tone == "open"] == ["N5"]


def test_the_picture_says_its_counts_in_words(bare):
    rows = judged(bare, N4=("refuted", "reduced"))
    text = make_front.picture(rows)
    assert 'role="img"' in text
    label = re.search(r'aria-label="([^"]*)"', text)[1]
    tally = verdicts.counts(rows)
    for word, count in zip(tally[""], tally["claims"], strict=True):
        assert re.search(rf"\b{count} {word}\b", label)
        assert f"<b>{count}</b> {word}" in text


def test_quotes_cannot_break_the_page(bare):
    rows = [dataclasses.replace(bare[0], quote='"</title><script>')]
    assert "<script>" not in make_front.picture(rows)


@pytest.mark.parametrize("word", [*BY_ARITHMETIC, *BY_RUNS])
def test_no_two_words_of_a_kind_look_alike_without_colour(word):
    shapes = [
        re.sub(r'class="tally-[\w-]+"', "", make_front._square(other, 0))
        for other in (BY_ARITHMETIC if word in BY_ARITHMETIC else BY_RUNS)
    ]
    assert shapes.count(re.sub(r'class="tally-[\w-]+"', "", make_front._square(word, 0))) == 1


def test_how_sure_adds_up_without_runs(bare):
    text = ledger.standing(bare)
    assert text.startswith(
        "Arithmetic settles 19 of 50 claims without a run, and reading the text or"
    )
    assert "the cited work 9 more." in text
    assert "Recorded runs decide none yet; 0 are measured and left open" in text
    waiting, never = map(int, re.search(r"(\d+) wait .* (\d+) are not for runs", text).groups())
    assert (waiting + never, never) == (50, 27)


def test_how_sure_names_decided_claims_and_their_profile(bare):
    text = ledger.standing(judged(bare, N4=("refuted", "reduced"), N16=("confirmed", "reduced")))
    plain = re.sub("<[^>]*>", "", text)
    assert "Recorded runs confirm N16 and refute N4 at the profile *reduced*, which" in plain
    assert 'href="../notebooks/verdict.html#claim-n16"' in text
    assert "21 wait" in text
    sizes = ledger.standing(judged(bare, N4=("refuted", "paper"), N16=("confirmed", "reduced")))
    assert "at the profile *paper* and *reduced*;" in sizes


def test_the_tool_writes_what_the_page_includes(tmp_path, capsys):
    folder = tmp_path / "book" / "_generated"
    assert make_front.main([str(folder)]) == 0
    written = {file.name for file in folder.iterdir()}
    assert "<b>9</b> inconsistent" in (folder / "front.md").read_text("utf-8")
    pages = [page.read_text("utf-8") for page in (ROOT / "book").glob("*.md")]
    included = {name for page in pages for name in re.findall(r"} _generated/(\S+)", page)}
    assert included == written - {"share.png"} | {"summary.md"}
    assert (folder / "provenance.md").read_text("utf-8") == make_front.sources({})
    assert make_front.main([]) == 2
    assert make_front.main([str(folder / "front.md")]) == 1
    assert capsys.readouterr().err.count("\n") == 2


def test_the_mark_is_one_of_ours_and_asks_no_other_host():
    theme = CONFIG["sphinx"]["config"]["html_theme_options"]["logo"]
    assert theme["alt_text"]
    colors = []
    for name in (theme["image_light"], theme["image_dark"], CONFIG["html"]["favicon"]):
        text = (ROOT / name).read_text("utf-8")
        root = ElementTree.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("viewBox")
        assert not re.search(r"href|url\(|<image|<text", text)
        colors.append(set(re.findall(r"#[0-9a-f]{6}", text)))
    light, dark, icon = colors
    assert not light & dark
    assert "prefers-color-scheme" in text
    assert icon <= light | dark


def test_the_front_page_says_what_its_build_rests_on(study):
    frames = {"mnist": study}
    pilot = make_summary.section("pilot", frames, frames)
    assert "## What this build ran itself" in pilot
    assert "at the *pilot* profile" in pilot
    assert pilot.count("| L2 + dropout + BN |") == 1
    assert "They decide nothing about the paper" in pilot
    same = make_summary.section("reduced", frames, frames)
    assert "nothing had to be trained" in same
    assert "|" not in same
    for committed in ({}, {"mnist": study.assign(key=study["key"] + "0")}, {"cifar10": study}):
        trained = make_summary.section("reduced", frames, committed)
        assert "nothing had to be trained" not in trained
        assert trained.count("| L2 + dropout + BN |") == 1


def test_what_a_build_rests_on_is_refused_where_runs_are_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("REGLAB_STORE", str(tmp_path / "runs"))
    monkeypatch.setenv("REGLAB_RESULTS", str(tmp_path / "results"))
    file = tmp_path / "book" / "summary.md"
    assert make_summary.main(["pilot", str(file)]) == 1
    assert make_summary.main(["huge", str(file)]) == 1
    assert make_summary.main(["pilot"]) == 2
    assert capsys.readouterr().err.count("\n") == 3
    assert not file.exists()


def test_recorded_runs_stand_in_one_table_a_kind_of_run(study):
    assert make_front.runs({}) == "No runs are recorded with this copy of the book.\n"
    one = make_front.runs({"mnist": study})
    assert one.count("| L2 + dropout + BN |") == 1
    assert "Not recorded yet: Fashion-MNIST, CIFAR-10." in one
    other = study.assign(dataset="cifar10", profile="paper")
    assert (
        make_front.runs({"mnist": study, "cifar10": other}).count(
            "```{table} Mean test accuracy in percent. Profile "
        )
        == 2
    )
    other = study.assign(dataset="cifar10")
    assert (
        make_front.runs({"mnist": study, "cifar10": other}).count(
            "```{table} Mean test accuracy in percent. Profile "
        )
        == 1
    )


@pytest.mark.parametrize("file", ["README.md", "book/results/README.md"])
def test_what_is_written_by_hand_of_the_recorded_runs_is_so(file):
    """Those who read it before anything is built get the same number as the book's readers."""
    (said,) = re.findall(r"(\d+)\s+runs (?:each|a data set)", (ROOT / file).read_text("utf-8"))
    every = recorded.all_profiles(ROOT / "book/results").values()
    runs = [
        study for profiles in every for study in profiles if (study["profile"] == "reduced").all()
    ]
    assert len(runs) == 3
    assert {study["key"].nunique() for study in runs} == {int(said)}
    assert {study["n_train"].max() for study in runs} == {10_000}
