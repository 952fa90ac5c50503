"""Clauses follow the records: shown in either direction, shown to be small, or open."""

import pytest

from reglab.pages.clauses import (
    beside,
    by_dataset,
    clause,
    effect,
    grouped,
    listed,
    points,
    say,
    shown_on,
)
from reglab.stats import equivalence, mean_interval

ABOVE = mean_interval([3.0, 3.2, 2.9, 3.1, 3.3])
BELOW = mean_interval([-3.0, -3.2, -2.9, -3.1, -3.3])
SMALL = mean_interval([0.1, -0.1, 0.05, -0.05, 0.0])
OPEN = mean_interval([3.0, -2.0, 1.0, -1.5, 0.5])


def test_each_kind_of_evidence_has_its_clause():
    assert clause(ABOVE) == "raises test accuracy by 3.10 ± 0.20 points"
    assert clause(BELOW, down="costs") == "costs 3.10 ± 0.20 points"
    assert (
        clause(SMALL, margin=0.5)
        == "no difference larger than 0.5 points is left (0.00 ± 0.10 points)"
    )
    assert clause(SMALL) == "undecided (0.00 ± 0.10 points)"
    assert clause(OPEN, margin=0.5, unit="epochs") == "undecided (0.20 ± 2.51 epochs)"
    assert clause(mean_interval([2.0])) == "undecided, with one run: 2.00 points"
    assert clause(None) == "not measured"


def test_nothing_is_said_to_be_minus_zero():
    near = mean_interval([0.02, -0.021, 0.0])
    assert near.mean < 0
    assert clause(near) == "undecided (0.00 ± 0.05 points)"
    assert effect({"mnist": near}, figures=True).endswith("MNIST (+0.0 ± 0.1)")


def test_what_is_shown_can_be_seen_in_its_digits():
    """Rounded to two decimals such an interval would seem to reach zero."""
    near = mean_interval([0.0005, 0.04, 0.0195])
    scaled = mean_interval([value + 0.0297 for value in (0.0005, 0.04, 0.0195)])
    assert near.low < 0 < scaled.low and f"{scaled.mean:.2f}" == f"{scaled.half_width:.2f}"
    assert clause(near, unit="nats") == "undecided (0.02 ± 0.05 nats)"
    said = clause(scaled, unit="nats", up="widened by")
    assert said == f"widened by {scaled.mean:.3f} ± {scaled.half_width:.3f} nats"


@pytest.mark.parametrize("margin", [0.05, 0.08, 0.1, 0.2, 1.0])
def test_small_is_what_two_one_sided_tests_say(margin):
    values = [0.1, -0.1, 0.05, -0.05, 0.03]
    small = "is left" in clause(mean_interval(values), margin=margin)
    assert small == (equivalence(values, margin) < 0.05)


def test_data_sets_have_margins_of_their_own():
    wide = mean_interval([0.3, 0.2, 0.25, -0.3, -0.35])
    text = by_dataset({"mnist": wide, "cifar10": wide})
    assert text.startswith("MNIST: undecided")
    assert "CIFAR-10: no difference larger than 0.5 points is left" in text


def test_lists_in_sentences():
    estimates = {"mnist": ABOVE, "fashion_mnist": OPEN, "cifar10": ABOVE}
    assert shown_on(estimates) == "MNIST and CIFAR-10"
    assert shown_on(estimates, above=False) == "none of them"
    assert listed("abc") == "a, b and c"
    assert listed([]) == ""


def test_an_effect_has_as_many_decimals_as_show_it():
    tiny, open_ = mean_interval([0.05, 0.04, 0.06]), mean_interval([0.05, -0.04, 0.01])
    assert effect({"mnist": tiny}, figures=True).endswith("MNIST (+0.05 ± 0.02)")
    assert effect({"cifar10": open_}, figures=True).endswith("CIFAR-10 (+0.0 ± 0.1)")
    assert effect({"cifar10": ABOVE}, figures=True).endswith(
        f"({ABOVE.mean:+.1f} ± {ABOVE.half_width:.1f})"
    )
    equal = mean_interval([2.0, 2.0, 2.0])
    assert effect({"cifar10": equal}, figures=True).endswith("(+2.0 ± 0.0)")


def test_one_thing_beside_another():
    below = mean_interval([-1.0, -1.1, -0.9])
    found = {"mnist": ABOVE, "fashion_mnist": None, "cifar10": below}
    said = beside(found)
    assert said == "better on MNIST, worse on CIFAR-10, not shown to differ on Fashion-MNIST"
    alike = mean_interval([0.01, -0.01, 0.0, 0.0])
    assert beside({"cifar10": alike}) == "as good within the margin on CIFAR-10"


def test_sentences_make_a_paragraph():
    said = say("dropout helps", "", "so it is.")
    assert said._repr_markdown_() == repr(said) == "Dropout helps. So it is."


def test_sentences_as_a_list():
    assert points("one thing", "", "why?").text == "- One thing.\n- Why?"
    parts = {"MNIST": ["one thing", "", "why?"], "CIFAR-10": iter([])}
    assert grouped(parts).text == "- **MNIST**\n  - One thing.\n  - Why?"
