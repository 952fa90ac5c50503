"""A spoilt paper.toml is refused in one line that names the place."""

import copy
from decimal import Decimal
from pathlib import Path

import pytest
from fuzzing import FUZZ, spoil, taken_or_refused
from hypothesis import given
from hypothesis import strategies as st

from reglab import paper, verdicts
from reglab.errors import ReglabError
from reglab.paper import schema
from reglab.verdicts.schema import VARIANTS


def judged(values, monkeypatch):
    """Judge all claims as if ``values`` were what the file holds; errors as they come."""
    with monkeypatch.context() as patched:
        patched.setattr("reglab.paper.numbers._file", lambda: schema.check(values))
        return verdicts.ledger({})


@FUZZ
@given(data=st.data())
def test_a_spoilt_paper_toml_is_taken_or_refused(data, monkeypatch):
    """One leaf or branch is deleted or replaced; whatever passes the check can be judged."""
    values = copy.deepcopy(paper.contents())
    spoil(values, data)
    taken_or_refused(judged, values, monkeypatch)


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("[tables.l2", "[tables.l3", "tables has no l2"),
        (
            "none = 81.3",
            'none = "81.3"',
            "tables.l2.cifar10.none is '81.3'; it must be an accuracy in percent",
        ),
        ("none = 81.3", "none = 181.3", "above 0 and below 100"),
        ('id = "N2"', 'id = "N1"', "the id 'N1' is there twice"),
        ('id = "N2"', 'id = "X2"', "the id of claim number 2 is 'X2'"),
        ("[grids]", "[grids", "is not valid TOML"),
    ],
)
def test_mistakes_in_paper_toml_are_named(tmp_path, old, new, words):
    text = (Path(paper.__file__).parent / "paper.toml").read_text("utf-8")
    assert old in text
    (tmp_path / "paper.toml").write_text(text.replace(old, new), "utf-8")
    with pytest.raises(ReglabError) as caught:
        schema.read(tmp_path / "paper.toml")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


# One claim, one field of it, what it is set to (None: deleted), and what the line must say.
BAD_CLAIMS = [
    ("N1", "id", None, "the id of claim number 1 is None; it must be N, M or C and a number"),
    ("N1", "quote", 3, "claim N1, quote is 3; it must be a text"),
    ("N1", "evidence", "https://host/", "PAGE or PAGE#SECTION"),
    ("N1", "by_arithmetic", "stated", "claim N1, by_arithmetic is 'stated'; it must be a"),
    ("N1", "by_arithmetic.rule", "guess", "claim N1, by_arithmetic.rule is 'guess'; it must be"),
    ("N1", "by_arithmetic.dataset", "imagenet", "claim N1, by_arithmetic.dataset is 'imagenet';"),
    ("N1", "by_arithmetic.dataset", None, "claim N1, by_arithmetic has no dataset; it needs"),
    ("N1", "by_arithmetic.than", "mnist", "claim N1, by_arithmetic has 'than'; it may have"),
    ("N4", "by_arithmetic.value", Decimal("nan"), "by_arithmetic.value is Decimal('NaN');"),
    ("N6", "by_arithmetic.verdict", "maybe", "'maybe'; it must be one of consistent, inconsistent"),
    ("N19", "by_arithmetic.dataset", "mnist", "table 'ablation' has no 'l2' for mnist"),
    ("M1", "by_arithmetic.check", "l3", "claim M1, by_arithmetic.check is 'l3'; it must"),
    ("N1", "by_runs.rule", "guess", "claim N1, by_runs.rule is 'guess'; it must be one of none"),
    ("N1", "by_runs.cell", "l3", "claim N1, by_runs.cell is 'l3'; it must be one of lr:sgd"),
    ("N1", "by_runs.family", None, "claim N1, by_runs has no family"),
    ("N19", "by_runs.datasets", [], "claim N19, by_runs.datasets is []; it must be a list"),
    ("N19", "by_runs.control", "all", "claim N19, by_runs.control is 'all'; it must be another"),
    ("N4", "by_runs.readings", [], "claim N4, by_runs.readings is []; it must be a table of"),
    ("N4", "by_runs/readings/λ = 0.1, coupled", 1, "λ = 0.1, coupled is 1; it must be a table"),
    ("N27", "by_runs.others", {}, "claim N27, by_runs.others is {}; it must be a table of"),
    ("M6", "by_arithmetic.otherwise", "lost", "otherwise is 'lost'; it must be one of cons"),
    ("N10", "by_runs.metric", "speed", "'speed'; it must be one of test_acc"),
    ("N6", "by_runs/readings/λ coupled/best", "lambda:coupled 3", "best is 'lambda:coupled 3'; it"),
    ("N6", "by_runs/readings/λ coupled/rivals", ["lambda:coupled 0.1"], "must be without 'lambda:"),
    ("N13", "by_runs.also.0.treated", "none", "also.control is 'none'; it must be another arm"),
]


@pytest.mark.parametrize(("name", "field", "value", "words"), BAD_CLAIMS)
def test_mistakes_in_a_claim_are_named(name, field, value, words, monkeypatch):
    values = copy.deepcopy(paper.contents())
    inner = next(claim for claim in values["claims"] if claim["id"] == name)
    *path, last = field.split("/" if "/" in field else ".")
    for key in path:
        inner = inner[int(key) if isinstance(inner, list) else key]
    inner[last] = value
    if value is None:
        del inner[last]
    with pytest.raises(ReglabError) as caught:
        judged(values, monkeypatch)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def branches(tree, path=()):
    """Yield the path of every key in nested dicts and lists."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        yield (*path, key)
        if isinstance(tree[key], dict | list):
            yield from branches(tree[key], (*path, key))


def test_nothing_can_be_left_out_of_paper_toml_unseen(monkeypatch):
    """A deleted key is refused, but for a reading, and what a rule has a default for."""
    whole, unseen = paper.contents(), set()
    variants = [claim["by_runs"].get(kind, {}) for claim in whole["claims"] for kind in VARIANTS]
    for *path, last in branches(whole):
        if isinstance(last, int) or "others" in path:  # what others leave out, the claim gives
            continue
        values = copy.deepcopy(whole)
        inner = values
        for key in path:
            inner = inner[key]
        del inner[last]
        try:
            judged(values, monkeypatch)
        except ReglabError as error:
            assert "\n" not in str(error)
        else:
            unseen.add(last)
    assert unseen - {name for names in variants for name in names} == {
        *("metric", "also", "datasets", "others", "otherwise", "remark")
    }
