"""The ledger without runs: verdicts by arithmetic, and that they follow the paper's numbers."""

import copy
import re
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from reglab import paper, verdicts
from reglab.errors import ReglabError
from reglab.pages import ledger
from reglab.results import arms
from reglab.verdicts import by_arithmetic, by_runs, mathematics
from reglab.verdicts.words import BY_ARITHMETIC, BY_RUNS, FAMILIES

# What the audit says of each claim by arithmetic alone.
EXPECTED = {
    "inconsistent": "N2 N12 N15 N19 N20 N21 N22 M3 M8",
    "consistent": "N1 N3 N4 N5 N11 N13 N16 N17 M2 M4",
    "right by reading": "N28 N29 M1 C3",
    "wrong by reading": "C1 C2 C4 C5 C7",
    "editorial": "N9 N23 N31 N32",
}


@pytest.fixture(scope="module")
def bare():
    """The ledger without any run."""
    return {row.id: row for row in verdicts.ledger({})}


def test_every_claim_has_both_verdicts_from_the_vocabulary(bare):
    assert sum(name.startswith("N") for name in bare) == 33
    assert len(bare) == len(paper.contents()["claims"])
    for row in bare.values():
        assert row.by_arithmetic in BY_ARITHMETIC
        assert row.by_runs in BY_RUNS
        assert row.reason and row.quote and row.place and "#" in row.evidence + "#"


@pytest.mark.parametrize("verdict", EXPECTED)
def test_arithmetic_is_decided_without_any_run(bare, verdict):
    ids = {name for name, row in bare.items() if row.by_arithmetic == verdict}
    assert ids == set(EXPECTED[verdict].split())


def test_not_testable_names_what_is_missing(bare):
    for row in bare.values():
        assert row.by_runs == "not testable"
        assert re.search(r"missing: \w|^Nothing to \w", row.runs_say[0])
        assert (row.estimate, row.n_seeds, row.profile) == (None, None, None)
        assert row.others == ()
    assert bare["N19"].runs_say == (
        "Not testable; missing: recorded runs of the eight combinations (CIFAR-10).",
    )
    assert "(MNIST, Fashion-MNIST, CIFAR-10)" in bare["N30"].runs_say[0]
    assert bare["M2"].runs_say == ("Nothing to train: decided by mathematics.",)


def test_every_rule_and_family_is_used_and_known():
    claims = paper.contents()["claims"]
    assert {claim["by_arithmetic"]["rule"] for claim in claims} == set(by_arithmetic.RULES)
    assert {claim["by_runs"]["rule"] for claim in claims} == {"none", *by_runs.RULES}
    families = {claim["by_runs"].get("family") for claim in claims} - {None}
    assert families == set(FAMILIES)
    checks = {claim["by_arithmetic"].get("check") for claim in claims} - {None}
    assert checks == set(mathematics.CHECKS)


CHANGES = [
    ("N1", "tables.l2.cifar10.none", "81.4", "inconsistent"),
    ("N3", "tables.bn.mnist.none", "98.2", "inconsistent"),
    ("N4", "tables.l2.cifar10.l2", "83.4", "inconsistent"),
    ("N5", "tables.l2.mnist.l2", "100.4", "inconsistent"),
    ("N11", "tables.dropout.mnist.dropout", "98.4", "inconsistent"),
    ("N12", "tables.bn.cifar10.bn", "90.0", "consistent"),
    ("N16", "tables.combined.cifar10.all", "86.7", "inconsistent"),
    ("N17", "tables.combined.fashion_mnist.all", "93.2", "inconsistent"),
    ("N19", "tables.ablation.cifar10.l2", "1.2", "consistent"),
    ("N22", "tables.ablation.cifar10.l2", "0.1", "inconsistent"),
    ("N24", "tables.l2.mnist.l2", "90.0", "not checkable"),
]


@pytest.mark.parametrize(("claim", "where", "value", "verdict"), CHANGES)
def test_a_changed_number_of_the_paper_changes_the_verdict(
    monkeypatch, bare, claim, where, value, verdict
):
    changed = copy.deepcopy(paper.contents())
    *path, last = where.split(".")
    table = changed
    for key in path:
        table = table[key]
    table[last] = Decimal(value)
    monkeypatch.setattr("reglab.paper.numbers._file", lambda: changed)
    row = next(row for row in verdicts.ledger({}) if row.id == claim)
    assert row.by_arithmetic == verdict
    assert row.reason != bare[claim].reason


def test_page_has_a_badge_and_a_link_for_every_claim(bare):
    page = ledger.LedgerPage(list(bare.values()))._repr_html_()
    assert page.count('class="verdict ') == 2 * len(bare)
    assert '<tr id="claim-n19">' in page
    assert 'href="../notebooks/ablation.html#leaving-one-out"' in page
    assert "<script" not in page


def test_evidence_names_sections_that_exist(bare):
    root = Path(__file__).parents[1]
    for row in bare.values():
        page, _, section = row.evidence.partition("#")
        # the data sets' pages are one notebook, executed for each
        page = re.sub(r"^book/reruns/.*", "notebooks/rerun", page)
        text = (root / f"{page}.md").read_text("utf-8")
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        slugs = {re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") for heading in headings}
        assert not section or section in slugs, f"{row.id}: {row.evidence}"


def test_every_chapter_lists_the_claims_it_is_evidence_for(bare):
    rows = list(bare.values())
    chapters = {page for row in rows if (page := row.evidence.partition("#")[0]).startswith("note")}
    assert len(chapters) == 6
    shown = []
    for page in sorted(chapters):
        text = Path(__file__).parents[1].joinpath(f"{page}.md").read_text("utf-8")
        assert f'ledger.about(verdicts.ledger(recorded.all_profiles()), "{page}")' in text
        shown += [row.id for row in ledger.about(rows, page).rows]
    assert len(shown) == len(set(shown)) == sum(row.evidence.startswith("note") for row in rows)
    assert [row.id for row in ledger.about(rows, "notebooks/overfitting").rows] == ["N27"]
    with pytest.raises(ReglabError, match="'notebooks/l1'"):
        ledger.about(rows, "notebooks/l1")


def test_an_arm_is_named_in_words():
    first_runs = [
        {"study": "lambda", "reading": "coupled", "strength": 0.1},
        {"study": "lambda", "reading": "per_sample", "strength": 0.0},
        {"study": "dropout", "place": "all", "strength": 0.5},
        {"study": "literal", "cell": "l2", "strength": 0.1},
        {"study": "literal", "cell": "dropout", "strength": 0.5},
        {"study": "rate", "cell": "bn", "lr": 0.03},
        {"study": "size", "cell": "none", "n_train": 5000},
        {"study": "no_early_stop", "cell": "none"},
        {"study": "fair", "cell": "bn"},
        {"study": "factorial", "cell": "l2+bn"},
    ]
    assert [arms.in_words(pd.DataFrame([arm])) for arm in first_runs] == [
        "λ = 0.1 coupled",
        "no penalty",
        "dropout after the pools as well at a rate of 0.5",
        "L2 at λ = 0.1",
        "dropout at a rate of 0.5",
        "BN at a learning rate of 0.03",
        "no regularization on 5,000 images",
        "no regularization, not stopped",
        "BN at its own rate",
        "L2 + BN",
    ]


def test_counts_add_up(bare):
    tally = verdicts.counts(list(bare.values()))
    assert tally.groupby("verdict")["claims"].sum().tolist() == [len(bare), len(bare)]
    assert "inconsistent: 9" in ledger.render(list(bare.values()), "markdown")
