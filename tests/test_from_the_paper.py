"""The map from the paper, the one-page summary and its metadata: nothing missing, nothing stale."""

import dataclasses
import re
from pathlib import Path

import make_front
import make_map
import make_reproduced
import pandas as pd
import pytest
import yaml

from reglab import paper, verdicts
from reglab.data.sources import KNOWN
from reglab.errors import ReglabError
from reglab.study.standing import Standing

ROOT = Path(__file__).resolve().parents[1]
METADATA = yaml.safe_load((ROOT / "metadata.yaml").read_text("utf-8"))
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))


@pytest.fixture(scope="module")
def rows():
    """The ledger without any run."""
    return verdicts.ledger({})


def test_every_claim_is_in_one_section_with_its_page(rows):
    lines = make_map.sections(rows).splitlines()
    for row in rows:
        (line,) = (line for line in lines if f'#claim-{row.id.lower()}"' in line)
        assert line.startswith(f"| {make_map.section(row.place)} |")
        assert f"../{row.evidence.partition('#')[0]}.html" in line
    assert all("#claim-" in line for line in lines if line.startswith("| ") and "---" not in line
               and "in the paper" not in line)  # fmt: skip


@pytest.mark.parametrize("place", ["Appendix", ""])
def test_a_place_without_a_section_is_refused_in_one_line(place):
    with pytest.raises(ReglabError, match="belongs to no section"):
        make_map.section(place)


def test_every_table_of_the_paper_leads_to_ours(rows):
    text = make_map.tables(rows)
    assert set(make_map.TABLES) == set(paper.contents()["tables"])
    for table in paper.contents()["tables"].values():
        assert text.count(f"| {table['place']} |") == 1
    evidence = {row.id: row.evidence for row in rows}
    for claim in make_map.TABLES.values():
        page, anchor = evidence[claim].split("#")
        assert f"../{page}.html#{anchor}" in text


def test_every_formula_leads_to_a_numbered_equation_and_every_judged_one_is_there(rows):
    chapters = "".join(file.read_text("utf-8") for file in ROOT.glob("notebooks/*.md"))
    labels = set(re.findall(r"^:label: (\S+)", chapters, re.MULTILINE))
    named = {label for _, _, ours in make_map.EQUATIONS for label in ours}
    assert named <= labels
    judged = {claim for _, claim, _ in make_map.EQUATIONS if claim}
    # the other claims of mathematics are sentences: a name, an ensemble, a hypothesis
    assert {row.id for row in rows if row.id.startswith("M")} - judged == {"M1", "M5", "M9"}
    (changed,) = (dataclasses.replace(row, by_arithmetic="consistent") for row in rows
                  if row.id == "M3")  # fmt: skip
    before, after = (make_map.equations(those) for those in
                     (rows, [changed if row.id == "M3" else row for row in rows]))  # fmt: skip
    assert "M3</a>: inconsistent" in before and "M3</a>: consistent" in after


def test_the_effort_is_that_of_the_records(study):
    twice = {"mnist": study, "cifar10": study.assign(dataset="cifar10", seconds=3600.0)}
    runs = study["key"].nunique()
    said = make_reproduced.effort(twice)
    assert f"{2 * runs:,} trained networks: {runs} on MNIST (profile *smoke*, 200 images)" in said
    hours = study.drop_duplicates("key")["seconds"].sum() / 3600 + runs
    assert f"{hours:,.0f} hours of a core" in said
    assert make_reproduced.effort({}).startswith("No runs are recorded")


def test_runs_of_further_studies_are_counted_once(study):
    new = study.assign(key="new " + study["key"], seconds=3600.0)
    again = pd.concat([study, new])
    further = {"order": {"mnist": again}, "early_stopping": {"mnist": again}, "batch_size": {}}
    said, runs = make_reproduced.effort({"mnist": study}, further), study["key"].nunique()
    assert f"**Runs:** {runs} trained networks" in said
    assert f"In further studies: {runs} in *order* and {runs} in *early_stopping*." in said
    hours = study.drop_duplicates("key")["seconds"].sum() / 3600 + runs
    assert f"{hours:,.0f} hours of a core" in said


def test_how_far_the_runs_reach_is_said(study):
    begun = Standing("cifar10", "full", 25, 80, False, (0, 5), 1.0, 1.0, 1, "protocol")
    said = make_reproduced.scale({"mnist": study}, [begun])
    assert "200 of 60,000 on MNIST." in said and "directions, not sizes" in said
    assert (
        "the *full* profile, and used once it is complete: CIFAR-10, 25 of up to 80 runs, 0 of 5"
        in said
    )
    whole = {"mnist": study.assign(profile="full")}
    assert make_reproduced.scale(whole, []) == "All training images were used.\n"
    assert make_reproduced.scale({}, []) == "\n"


def test_what_could_not_be_tested_is_listed_until_it_is(rows):
    said = make_reproduced.beyond(rows)
    assert "#claim-n14" in said and "which time is meant" in said
    assert "#claim-n9" not in said and "#claim-m3" not in said  # a slip; mathematics
    tested = [dataclasses.replace(row, by_runs="undecided") for row in rows]
    assert make_reproduced.beyond(tested).startswith("Nothing:")


def test_what_runs_on_part_of_the_images_decide_is_said(study):
    part = make_front.behind({"mnist": study})
    assert "200 of 60,000 training images" in part and "not whether it has the printed size" in part
    assert re.search(r"it reaches \d+\.\d % on MNIST \(the paper: 98\.4\)\.", part)
    assert "printed size" not in make_front.behind({"mnist": study.assign(profile="full")})


def test_the_metadata_agree_with_what_they_are_about():
    assert [author["name"] for author in METADATA["authors"]] == [
        author["name"] for author in CITATION["authors"]
    ]
    assert METADATA["keywords"] == CITATION["keywords"]
    assert METADATA["code"]["version"] == CITATION["version"]
    assert METADATA["code"]["license"] == CITATION["license"]
    assert [data["name"] for data in METADATA["data"]] == list(KNOWN)
    assert [data["title"] for data in METADATA["data"]] == [paper.title(name) for name in KNOWN]
    works = (ROOT / METADATA["bibliography"]).read_text("utf-8")
    assert all(f"{{{data['bib']}," in works for data in METADATA["data"])
    # as the front page names it, and as articles of ReScience C are called
    assert METADATA["title"].startswith("[Re] ") and METADATA["type"] == "Replication"


def test_the_metadata_have_the_fields_of_rescience():
    asked = {"title", "authors", "keywords", "code", "data", "replication", "abstract",
             "bibliography", "type", "domain", "language"}  # fmt: skip
    assert set(METADATA) == asked
    assert {"name", "orcid", "email", "affiliations"} <= set(METADATA["authors"][0])
    assert {"url", "doi", "swh"} <= set(METADATA["code"])
    assert {"cite", "bib", "url", "doi"} == set(METADATA["replication"])
