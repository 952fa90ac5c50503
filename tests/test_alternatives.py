"""Which arms stand in for which, and what a row says of a comparison."""

import pandas as pd
import pytest

from reglab.pages import ledger
from reglab.verdicts import alternatives, by_runs, wording
from reglab.verdicts.contrasts import Contrast
from reglab.verdicts.deciding import Reading
from reglab.verdicts.lookup import Missing, Side

FRAME = pd.DataFrame(
    [
        {"study": "factorial", "arm": "dropout", "cell": "dropout", "dropout": 0.3},
        *({"study": "rate", "arm": f"{cell} {lr:g}", "cell": cell, "lr": lr, "val_loss": loss}
          for cell, lr, loss in (("none", 0.01, 0.5), ("none", 0.1, None), ("bn", 0.01, 0.4),
                                 ("bn", 0.1, 0.2))),
    ]
).assign(dataset="mnist", profile="reduced", device="cpu", precision="fp32", seed=0)  # fmt: skip
FAIR = pd.concat([FRAME, FRAME[:1].assign(study="fair")])
NOT_STOPPED = "the unregularized network not stopped"
CHOSEN_LAST = "the strength that validation chose, after the last epoch"
OWN, POOLS = "each network at its own learning rate", "dropout after the pools as well"
L2, DROPOUT = "literal:l2=0.1", "literal:dropout=0.5"

SWAPS = [
    # alternative, arms and metric that are asked for, and those in their place
    ("the strength that validation chose", (L2, "none"), "gap", ("l2", "none"), "gap"),
    (CHOSEN_LAST, (DROPOUT, "none"), "gap", ("dropout", "none"), "last_gap"),
    (CHOSEN_LAST, ("bn", "none"), "gap", ("bn", "none"), "gap"),
    ("the printed strengths, λ coupled", ("l2", "none"), "test_acc", (L2, "none"), "test_acc"),
    ("the printed strengths, λ per sample", ("l2", "none"), "test_acc",
     ("lambda:per_sample 0.1", "lambda:coupled 0"), "test_acc"),
    ("the printed strengths, λ decoupled", ("dropout", "none"), "test_acc", (DROPOUT, "none"),
     "test_acc"),
    ("the printed strengths, λ coupled", ("l2+bn", "l2"), "test_acc", ("l2+bn", "l2"), "test_acc"),
    ("after the last epoch", ("all", "l2"), "test_acc", ("all", "l2"), "last_test_acc"),
    ("after the last epoch", ("all", "l2"), "epochs", ("all", "l2"), "epochs"),
    ("with the best weights", ("none",), "last_train_acc", ("none",), "train_acc"),
    (NOT_STOPPED, ("bn", "none"), "test_acc", ("bn", "no_early_stop:none"), "last_test_acc"),
    (NOT_STOPPED, ("none",), "last_train_acc", ("no_early_stop:none",), "last_train_acc"),
    (NOT_STOPPED, ("bn", "none"), "epochs", ("bn", "none"), "epochs"),
    (NOT_STOPPED, ("size:none 1000", "none"), "gap", ("size:none 1000", "none"), "gap"),
    (NOT_STOPPED, ("l2+bn", "l2", "bn", "none"), "test_acc", ("l2+bn", "l2", "bn", "none"),
     "test_acc"),
    (OWN, ("bn", "none"), "test_acc", ("rate:bn 0.1", "rate:none 0.01"), "test_acc"),
    (OWN, ("none",), "test_acc", ("none",), "test_acc"),
    (OWN, (DROPOUT, "none"), "test_acc", (DROPOUT, "none"), "test_acc"),
    (POOLS, ("dropout", "none"), "gap", ("dropout:all 0.3", "dropout:all 0"), "gap"),
    (POOLS, (DROPOUT, "none"), "gap", ("dropout:all 0.5", "dropout:all 0"), "gap"),
    (POOLS, ("dropout:fc 0.5", "dropout:fc 0.2"), "test_acc",
     ("dropout:all 0.5", "dropout:all 0.2"), "test_acc"),
    (POOLS, ("bn", "none"), "test_acc", ("bn", "none"), "test_acc"),
]  # fmt: skip


def swap(name, frame, names, metric="test_acc"):
    (found,) = (one for one in alternatives.ALTERNATIVES if one.name == name)
    return found.swap(frame, names, metric)


@pytest.mark.parametrize(("name", "names", "metric", "arms", "measure"), SWAPS)
def test_arms_that_stand_in_for_others(name, names, metric, arms, measure):
    assert swap(name, FRAME, names, metric) == (arms, measure)


def test_own_rates_are_judged_anew_where_that_is_recorded():
    found = swap(OWN, FAIR, ("all", "none"))
    assert found == (("fair:all", "fair:none"), "test_acc")


@pytest.mark.parametrize(("name", "arms"), [(OWN, ("l2", "none")), (POOLS, ("all", "bn"))])
def test_what_is_not_recorded_is_missing(name, arms):
    with pytest.raises(Missing):
        swap(name, FRAME, arms)


def test_each_alternative_is_listed_for_readers():
    lines = ledger.alternatives().text.splitlines()
    for one, line in zip(alternatives.ALTERNATIVES, lines, strict=False):
        assert line == f"- *{one.name}*: {one.about}."
    assert "another recorded profile" in lines[-1]


def contrast(*values, **about):
    return Contrast("BN minus L2, MNIST", "mnist", values or (1.0, 2.0, 3.0), **about)


FIGURES = [
    # fields of the contrast, its figure, what is claimed, and the whole
    ({}, "+2.00 ± 2.48 points", "above 0", "+2.00 ± 2.48 points of test accuracy"),
    ({"size": 1.5}, "+2.00 ± 2.48 points", "+1.5", "+2.00 ± 2.48 points of test accuracy"),
    ({"unit": "epochs", "below": 0.0, "measure": "epochs until the stop"},
     "-2.00 ± 2.48 epochs", "below 0", "-2.00 ± 2.48 epochs until the stop"),
    ({"unit": "%", "below": 20.0, "measure": "training accuracy"},
     "18.00 ± 2.48 %", "below 20", "training accuracy 18.00 ± 2.48 %"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "figure", "claimed", "measured"), FIGURES)
def test_a_comparison_in_words(fields, figure, claimed, measured):
    one = contrast(**fields)
    assert wording.figure(one) == figure
    assert wording.claimed(one) == f"claimed: {claimed}"
    assert wording.compared(one) == f"BN minus L2, MNIST: {measured}"


def test_a_level_in_words():
    one = contrast(98.0, 98.2, unit="%", level=(98.4, 98.5))
    assert wording.claimed(one) == "printed: 98.4 / 98.5"
    assert wording.compared(one).endswith("test accuracy 98.10 ± 1.27 %")


def test_missing_runs_are_named_with_their_data_sets():
    runs = [Missing("sweeps", "MNIST"), Missing("sizes", "MNIST"), Missing("sweeps", "CIFAR-10")]
    assert wording.missing([*runs, runs[0]]) == "sweeps (MNIST, CIFAR-10); sizes (MNIST)"


class Half:
    """Recorded studies in which some runs of one arm did not learn."""

    @staticmethod
    def sides(dataset, names, metric):
        scores = pd.Series([80.0, 10.0, 81.0])
        learned = {"dropout": [True, False, True], "none": [False, False, False]}
        rows = {name: pd.DataFrame({"learned": learned[name]}) for name in names}
        return [Side(name, scores, rows[name]) for name in names], metric

    @staticmethod
    def profile(dataset):
        return "reduced"


def test_runs_of_two_kinds_are_named():
    """Some of an arm's runs: its mean is of two kinds. All of them: it is of one."""
    (contrast,) = by_runs.direction(Half, ["mnist"], "dropout", "none")
    assert contrast.kinds == "1 of 3 runs with dropout did not learn"
    said = wording.otherwise(contrast, "undecided", usual="full")
    assert said.endswith(
        "3 seeds, profile reduced, of two kinds: 1 of 3 runs with dropout did not learn)"
    )


def sentence(*contrasts, verdict="undecided", readings=1):
    return wording.reading(Reading("", contrasts), verdict, readings, best={})


WORSE, BETTER = (-3.0, -2.0, -2.5, -2.2), (1.0, 1.2, 0.9, 1.1)
AMONG = "Of the 40 comparisons that must hold, this one speaks least for the claim."


def test_an_interval_without_zero_that_decides_nothing_says_why():
    """Against a claim the comparisons are corrected for their number, for it a family's claims."""
    alone = sentence(contrast(*WORSE))
    assert alone.endswith("(claimed: above 0; 4 seeds, profile reduced): the opposite is shown.")
    of_many = sentence(contrast(*WORSE), *[contrast(*BETTER)] * 39)
    why = "undecided; by itself it would show the opposite, but not as one of 40 comparisons (Holm)"
    assert of_many.endswith(f"{why}. {AMONG}")
    assert sentence(contrast(-1.0, 1.0)).endswith("profile reduced): undecided.")
    assert sentence(contrast(*BETTER)).endswith("not after correction for its family (Holm).")
    several = sentence(contrast(*BETTER), readings=3)
    assert several.endswith("not after correction for its 3 readings and for its family (Holm).")
    assert sentence(contrast(*BETTER), verdict="confirmed").endswith(": as claimed.")


def test_equal_runs_that_decide_nothing_say_why():
    said = sentence(contrast(2.0, 2.0, 2.0))
    assert said.endswith("undecided, since 3 equal runs are too few for a sign test.")


def test_a_rows_figure_names_its_reading():
    one = Reading("λ decoupled", (contrast(*BETTER), contrast(*WORSE)))
    assert wording.of_reading(one).endswith("points; claimed: above 0; read as “λ decoupled”")
    assert wording.of_reading(one).startswith("-2.4")
