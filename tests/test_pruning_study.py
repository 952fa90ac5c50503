"""Pruning and distillation as numbers and sentences, from made-up records of known effects."""

import dataclasses

import numpy as np
import pytest
from conftest import further_frame
from test_further_pages import record_of

from reglab.errors import ReglabError
from reglab.pages import distillation as taught_pages
from reglab.pages import further
from reglab.pages import pruning as pages
from reglab.record import pack_bits
from reglab.results import distillation as taught
from reglab.results import provenance
from reglab.results import pruning as numbers
from reglab.study.further.distillation import TEMPERATURES
from reglab.study.further.pruning import SPARSITIES
from reglab.training.networks import multiplications


def worth(config):
    """What is added to accuracy: ways of pruning and of teaching, each its own."""
    added = 0.002 * config.width
    if config.start is not None:
        added += 0.03 - 0.1 * config.sparsity - 0.05 * (config.pruned_by == "random")
        added -= 0.01 * config.rewind
        added -= 0.02 * (config.lam > 0 and config.sparsity > 0)
    if config.teacher is not None:
        added += 0.01 * config.temperature + 0.001 * (config.teacher.width - config.width)
        added -= 0.02 * (config.teacher.patience == 0)
    return added + 0.005 * (config.label_smoothing > 0)


def made_up(config):
    record = record_of(config)
    best = record.best.accuracy + worth(config)
    right = np.arange(10) < (9 if config.teacher is None else 5)
    scores = dataclasses.replace(record.best, accuracy=best, correct=pack_bits(right))
    history = dataclasses.replace(record.history, train_acc=[best + 0.1 - config.sparsity / 20] * 8)
    probed = {"teacher": {"agreement": 0.8}} if config.probes == "agreement" else record.probed
    return dataclasses.replace(record, best=scores, history=history, probed=probed)


@pytest.fixture(scope="module")
def sparse():
    return further_frame("pruning", made_up)


@pytest.fixture(scope="module")
def small():
    return further_frame("distillation", made_up)


def test_pruned_networks_are_compared_with_one_that_went_on(sparse):
    assert numbers.going_on(sparse).mean == pytest.approx(3)
    for sparsity in SPARSITIES:
        assert numbers.against_dense(sparse, sparsity).mean == pytest.approx(-10 * sparsity)
        lower = numbers.against_dense(sparse, sparsity, "l2").mean
        assert lower == pytest.approx(-10 * sparsity - 2)


def test_controls_are_compared_with_magnitude_at_the_same_sparsity(sparse):
    assert numbers.beside(sparse, "random", 0.9).mean == pytest.approx(-5)
    assert numbers.beside(sparse, "rewound", 0.9).mean == pytest.approx(-1)
    assert numbers.beside(sparse, "rewound", 0.5) is None
    # of width 5 instead of 16, and never continued
    assert numbers.beside(sparse, "narrow", 0.9).mean == pytest.approx(-2.2 - 3 + 9)


def test_the_gap_is_training_minus_test_accuracy(sparse):
    assert numbers.gap(sparse, "continued").tolist() == pytest.approx([10] * 4)
    assert numbers.gap_change(sparse, 0.8).mean == pytest.approx(-4)


def test_what_l2_brings_with_and_without_zeros(sparse):
    dense, pruned = (numbers.l2_gain(sparse, at).mean for at in (None, 0.9))
    assert dense - pruned == pytest.approx(2)


def test_pruning_on_a_page(sparse):
    shown = further.study("pruning", {"cifar10": sparse})
    assert shown.remark.count("CIFAR-10") >= 9
    assert "50 % of the weights left, against dense. CIFAR-10: lowers test accuracy by 5.00" in (
        shown.remark
    )
    assert "10 % of the weights left" in shown.remark
    assert shown._repr_html_().count("<table") == 2
    table = numbers.beside_table(sparse)
    assert len(table) == len(SPARSITIES)
    assert table["from initial values, against magnitude"].notna().sum() == 3
    assert len(numbers.gap_table(sparse)) == len(SPARSITIES) + 1
    for draw in (pages.against_dense, pages.controls):
        figure = draw({"cifar10": sparse})
        assert len(figure.axes) == 1
        labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
        assert labels[0] == "50 % of the weights left"
        with pytest.raises(ReglabError, match="nothing is recorded of the study 'pruning'"):
            draw({})


def test_a_student_is_compared_with_itself_alone(small):
    for at in TEMPERATURES:
        assert taught.gain(small, "half", temperature=at).mean == pytest.approx(at + 2.4)
    assert taught.gain(small, "half", "smoothed").mean == pytest.approx(0.5)
    assert taught.gain(small, "quarter", "self-taught").mean == pytest.approx(4)
    assert taught.lacking(small, "quarter").mean == pytest.approx(0.2 * (4 - 32))


def test_teaching_is_compared_with_what_else_could_explain_it(small):
    assert taught.beside(small, "half", "self-taught").mean == pytest.approx(2.4)
    assert taught.beside(small, "half", "taught hastily").mean == pytest.approx(2)
    assert taught.beside(small, "half", "smoothed").mean == pytest.approx(4 + 2.4 - 0.5)


def test_agreement_and_right_or_wrong_alike(small):
    assert taught.agreement(small, "half taught", 4.0).tolist() == pytest.approx([80] * 4)
    assert taught.agreement(small, "half alone").empty
    assert taught.alike(small, "half alone").tolist() == [100] * 4
    assert taught.alike(small, "half taught", 4.0).tolist() == pytest.approx([60] * 4)


def test_what_accuracies_allow_bounds_agreement(small):
    low, high = taught.possible(small, "half")
    teacher, student = (
        taught.accuracy(small, *arm).mean() for arm in (("teacher",), ("half taught", 4.0))
    )
    assert high == pytest.approx(100 - abs(teacher - student))
    assert low == pytest.approx(max(0, teacher + student - 100))


def test_a_teachers_training_is_part_of_the_price(small):
    """All runs take eight epochs here, so that multiplications alone decide."""
    passes = {width: multiplications((3, 32, 32), width) for width in (32, 8)}
    expected = passes[32] / passes[8] * (1 + 1 / (3 * 8)) + 1
    assert taught.price(small, "half") == pytest.approx(expected)
    assert taught.price(small.assign(dataset="own"), "half") is None


def test_distillation_in_sentences_of_its_chapter(small):
    frames = {"cifar10": small}
    assert taught_pages.in_short(frames).text.startswith(
        "- Teaching a network of half the width at T = 4 raises test accuracy on CIFAR-10 (+6.4"
    )
    assert taught_pages.in_short({}).text == "- Runs of this study are not recorded yet."
    assert "it is shown to bring more than each control on CIFAR-10." in (
        taught_pages.in_short(frames).text
    )
    half, _ = taught_pages.compared(frames)
    assert "smoothed labels, better on CIFAR-10; beside one taught by its own like, better" in half
    assert "80.0 % on CIFAR-10 (" in taught_pages.agreeing(frames)[0]
    turned = {"cifar10": small.assign(test_acc=-small["test_acc"].astype(float))}
    assert "smoothed labels, worse on CIFAR-10; beside" in taught_pages.compared(turned)[0]
    short = taught_pages.in_short(turned).text
    assert "lowers test accuracy on CIFAR-10 (-6.4" in short
    assert "on no data set is it shown to bring more than each control" in short
    price = taught.price(small, "half")
    assert f"alone, in all {price:.1f} times as many" in taught_pages.prices(frames)[0]
    own = taught_pages.prices({"own": small.assign(dataset="own")})[0]
    assert own.endswith("alone") and "multiplications" not in own


def test_one_control_that_is_as_good_is_enough_to_take_more_than_each_away(small):
    """Half the width learns as much from its own like, but for a twentieth of a point."""
    frame = small.assign(test_acc=small["test_acc"].astype(float))
    is_alike = frame["variant"] == "half self-taught"
    frame.loc[is_alike, "test_acc"] += 0.024 + 0.001 * (frame["seed"] % 2 - 0.5)
    half, quarter = taught_pages.in_short({"cifar10": frame}).text.splitlines()
    assert "on no data set" in half
    assert "on CIFAR-10." in quarter
    said, _ = taught_pages.compared({"cifar10": frame})
    assert "its own like, as good within the margin on CIFAR-10" in said


def test_pruning_in_sentences_of_its_conclusion(sparse):
    half, most, _, controls = pages.conclusions({"cifar10": sparse})
    assert half.endswith("by magnitude lowers test accuracy on CIFAR-10 (-5.0 ± 0.0)")
    assert "lowers test accuracy on CIFAR-10 (-9.0" in most
    assert most.endswith("is then narrower on CIFAR-10")
    assert "pruned by chance is worse on CIFAR-10; a narrow network" in controls
    assert controls.endswith("is better on CIFAR-10")
    turned = sparse.assign(test_acc=-sparse["test_acc"].astype(float))
    half, _, _, controls = pages.conclusions({"cifar10": turned})
    assert "raises test accuracy on CIFAR-10 (+5.0" in half
    assert "pruned by chance is better on CIFAR-10; a narrow network" in controls
    one = sparse[sparse["seed"] == sparse["seed"].min()]
    _, most, _, controls = pages.conclusions({"cifar10": one})
    assert most.startswith("Pruning nine tenths of them is not shown to help or to harm on")
    assert controls.count("not shown to differ on CIFAR-10") == 2


def test_provenance_has_every_width(small, sparse):
    assert "4 seeds an arm, width 4, 8, 32, at most 50 epochs" in provenance.line(small)
    assert "width 2, 4, 5, 7, 11, 16, at most 50 epochs" in provenance.line(sparse)


def test_distillation_on_a_page(small):
    shown = further.study("distillation", {"cifar10": small})
    assert (
        "A network of half the width, taught at T = 8. CIFAR-10: raises test accuracy by 10.40"
        in (shown.remark)
    )
    assert shown._repr_html_().count("<table") == 1
    table = taught.table(small)
    assert len(table) == 2 + 2 * (1 + len(TEMPERATURES) + 3)
    assert table["gain"].notna().sum() == 2 * (len(TEMPERATURES) + 3)
    figure = taught_pages.gains({"cifar10": small})
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels[:2] == ["taught, T = 1", "taught, T = 2"]
    assert len(labels) == len(TEMPERATURES) + 3
    with pytest.raises(ReglabError, match="nothing is recorded of the study 'distillation'"):
        taught_pages.gains({})
