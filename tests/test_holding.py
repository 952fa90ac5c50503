"""The page *What holds*: gains beside the printed ones, and sentences in either direction."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from reglab.cells import CELLS
from reglab.pages import advice, clauses, forest, holding
from reglab.pages.in_short import in_short, of_technique
from reglab.results import gains
from reglab.verdicts.judging import Row

LEVEL = {"none": 80.0, "l2": 83.0, "dropout": 79.0, "bn": 80.0, "l2+dropout": 84.0,
         "l2+bn": 84.0, "dropout+bn": 84.0, "all": 86.0}  # fmt: skip


def study(means=LEVEL, printed_l2=60.0, unstopped=81.0, noise=0.1):
    """Made-up runs of CIFAR-10: five seeds of every cell, of λ = 0.1, and one arm not stopped."""
    arms = [("factorial", name, means[name], parts) for name, *parts in CELLS]
    arms += [("literal", "l2=0.1", printed_l2, (True, False, False)),
             ("literal", "dropout=0.5", means["dropout"], (False, True, False)),
             ("no_early_stop", "none", unstopped, (False, False, False))]  # fmt: skip
    rng = np.random.default_rng(0)
    rows = []
    for kind, arm, mean, (l2, dropout, norm) in arms:
        for seed in range(5):
            accuracy = (mean + rng.normal(0, noise)) / 100
            rows.append(
                {"study": kind, "arm": arm, "cell": arm, "seed": seed, "epochs": 10 + 5 * l2,
                 "lam": 0.01 * l2, "dropout": 0.3 * dropout, "batch_norm": norm,
                 "test_acc": accuracy, "last_test_acc": accuracy, "learned": True,
                 "history": {"val_acc": [0.5 + 0.1 * norm] * 5}}
            )  # fmt: skip
    about = {"dataset": "cifar10", "profile": "full", "device": "cpu", "precision": "bf16"}
    return pd.DataFrame(rows).assign(n_train=50_000, width=32, diverged=False, **about)


@pytest.fixture(scope="module")
def studies():
    return {"cifar10": study()}


def row(name, by_runs, by_arithmetic="not checkable"):
    nothing = dict.fromkeys(
        ("paper_value", "estimate", "low", "high", "unit", "n_seeds", "profile")
    )
    return Row(name, f"words of {name}", "there", **nothing, by_arithmetic=by_arithmetic,
               by_runs=by_runs, reason="", runs_say=(), evidence="notebooks/l2",
               compared=f"what {name} compares: +1.00 ± 0.50 points of test accuracy")  # fmt: skip


def test_gains_stand_beside_those_that_the_paper_prints(studies):
    frame = studies["cifar10"]
    l2, whole, over = gains.gain(frame, "l2"), gains.gain(frame, "all"), gains.over_each(frame)[1]
    assert l2.estimate.mean == pytest.approx(3.0, abs=0.2)
    # L2's own table has another baseline than the two others
    assert (l2.paper, whole.paper, over.paper) == ("+1.9", "+4.9 / +5.0", "+2.2")
    assert (l2.setting, whole.setting) == ("λ = 0.01", "λ = 0.01, drop rate 0.3")
    assert gains.gain(frame, "bn").setting == ""


def test_effects_are_sorted_by_what_is_shown(studies):
    holds, fails, left = (part(studies, []).text for part in
                          (holding.holds, holding.fails, holding.stays_open))  # fmt: skip
    assert "**CIFAR-10**: the runs show higher test accuracy for L2 (λ = 0.01) +3" in holds
    assert "[paper +1.9]" in holds
    assert "dropout (drop rate 0.3) -" in fails and "lower test accuracy" in fails
    assert "no difference that matters is left for BN" in left


def test_claims_are_sorted_by_their_verdict(studies):
    rows = [row("N1", "confirmed"), row("N2", "refuted"), row("N3", "undecided"),
            row("N4", "negligible"), row("N5", "direction confirmed"),
            row("M2", "not testable", "consistent")]  # fmt: skip
    holds, fails, left = (part(studies, rows).text for part in
                          (holding.holds, holding.fails, holding.stays_open))  # fmt: skip
    assert "“words of N1”" in holds and "#claim-n5" in holds and "in direction" in holds
    assert "right as printed: “words of M2”" in holds
    assert "what N2 compares: +1.00 ± 0.50 points" in fails and "N1" not in fails
    assert 'left open (1): <a href="verdict.html#claim-n3">N3</a>.' in left
    assert "#claim-n4" in left
    broken = row("N7", "not testable", "inconsistent")
    alone = holding.fails({}, [dataclasses.replace(broken, reason="Two and two is five.")]).text
    assert "words of N7" in alone and alone.endswith("</a>). Two and two is five.")


OTHERWISE = LEVEL | {"l2": 77.0, "dropout": 83.0, "bn": 83.0, "all": 80.0}


def test_advice_turns_with_the_runs():
    worse = advice.practice({"cifar10": study()}).text
    better = advice.practice(
        {"cifar10": study(OTHERWISE, printed_l2=82.0, unstopped=78.0)}
    ).text  # fmt: skip
    assert "Do not copy λ = 0.1" in worse and "Do not copy" not in better
    assert "λ = 0.1** as a penalty on the mean loss raises test accuracy on CIFAR-10" in better
    assert "rate of 0.5 lowers test accuracy on CIFAR-10. Validation chose a rate of 0.3" in worse
    assert "rate of 0.5 raises test accuracy on CIFAR-10. Validation chose a rate of 0.3" in better
    assert "Try all three together**: on CIFAR-10" in worse
    assert "All three together** are not shown" in better
    assert "in the case of L2, dropout and BN on CIFAR-10" in worse
    assert "one of them out costs accuracy is not shown" in better
    assert "costs accuracy** on CIFAR-10" in worse and "Stopping early pays" in better
    assert "Batch normalization learns sooner" in worse
    assert advice.practice({}).text.startswith("No runs")


def test_what_holds_in_short_turns_with_the_runs():
    rows = [row("N1", "refuted"), row("N2", "undecided", "inconsistent"), row("N3", "undecided")]
    ours = in_short({"cifar10": study()}, rows, "there/").text
    assert "**All three techniques together** raise test accuracy on CIFAR-10 (+6." in ours
    assert "better than each single technique on CIFAR-10" in ours
    assert "chosen on validation images, lowers test accuracy on CIFAR-10 (-" in ours
    assert (
        "  - L2 at λ = 0.1, added to the mean loss, lowers test accuracy on CIFAR-10 (-20." in ours
    )
    assert "  - Batch normalization makes no difference that matters on CIFAR-10" in ours
    assert 'refute** “words of N1” (<a href="there/verdict.html#claim-n1">N1</a>).' in ours
    assert "contradict 1 of 3 claims" in ours and ">N2</a>." in ours
    assert "**Still open:** 2 of 3 claims" in ours and "confirm**" not in ours
    theirs = in_short({"cifar10": study(OTHERWISE)}, []).text
    assert "validation images, raises test accuracy on CIFAR-10 (+" in theirs
    assert "better than each" not in theirs and "refute** no claim" in theirs
    assert in_short({}, rows).text.startswith("- No runs are recorded")
    shown = [row("N1", "confirmed"), row("N2", "direction confirmed")]
    both = in_short({"cifar10": study()}, shown).text
    assert "**The runs confirm** “words of N1” (<a href" in both
    assert "“words of N2” (<a" in both and "N2</a>) in direction only." in both


def test_a_chapter_begins_with_its_technique_as_printed_and_as_chosen():
    said = of_technique({"cifar10": study()}, "l2").text.splitlines()
    assert said[0].startswith("- L2 at λ = 0.1, added to the mean loss, lowers test accuracy on CI")
    assert said[1].startswith("- L2, at a strength chosen on validation images, raises test accura")
    assert of_technique({}, "dropout").text.startswith("No runs are recorded")


def test_an_effect_names_each_data_set_once_under_what_is_shown():
    one = gains.gain(study(), "l2").estimate
    said = clauses.effect({"mnist": one, "cifar10": one, "fashion_mnist": None})
    assert said == (
        "raises test accuracy on MNIST and CIFAR-10, and is not shown to help or to harm on "
        "Fashion-MNIST"
    )


def test_nothing_recorded_says_so():
    assert "no gain" in holding.holds({}, []).text.lower()
    assert "refute nothing" in holding.fails({}, []).text
    assert holding.behind({}).text.startswith("No runs")


def test_how_large_the_runs_are(studies):
    assert "CIFAR-10, all 50,000 training images, 5 seeds, width 32" in holding.behind(studies).text


def test_the_figure_has_a_mark_for_each_gain(studies):
    (axes,) = forest.forest(studies).axes
    crosses = [line for line in axes.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert len(crosses) == 3 + 2 * 4  # two baselines are printed for the four combinations
    assert axes.get_yticklabels()[0].get_text() == "L2"


def test_two_seeds_are_apart_by_what_five_runs_let_one_expect(studies):
    accuracy = 100 * studies["cifar10"].query("study == 'factorial' and arm == 'none'")["test_acc"]
    apart = 2.776 * 2**0.5 * accuracy.std()  # Student's t with 4 degrees of freedom, 97.5 %
    assert f"apart by up to about {apart:.1f} points on CIFAR-10" in advice.practice(studies).text
