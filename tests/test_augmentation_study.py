"""The study of augmentation as numbers and sentences, from made-up records of known effects."""

import dataclasses

import pytest
from conftest import further_frame
from test_further_pages import record_of

from reglab.errors import ReglabError
from reglab.pages import augmentation as pages
from reglab.pages import further
from reglab.record import History, Trace
from reglab.results import augmentation as numbers

WORTH = {"flip": 0.02, "alternating_flip": 0.03, "rotation": 0.01, "scale": -0.01, "shift": 0.04}


def worth(config):
    """What is added to accuracy: each part its own, two points less of L2's four with all."""
    parts = [part.split(":")[0] for part in config.augment.split("+")]
    added = sum(WORTH.get(part, 0.0) for part in parts)
    return added - 0.02 * (len(parts) > 2 and config.lam > 0)


def made_up(config):
    """Augmented runs take eight epochs and are best in the sixth; others take six (see there)."""
    record = record_of(config)
    best = record.best.accuracy + worth(config)
    if not config.augment:
        short = History(*(values[:6] for values in record.history.written().values()))
        return dataclasses.replace(record, history=short, trace=None)
    losses = [0.9, 0.8, 0.55, 0.7, 0.6, 0.65, 0.4, 0.5]
    wave = [best - 0.3, best - 0.2, best - 0.05, *[best - 0.1] * 3, best, best]
    return dataclasses.replace(
        record,
        history=History(losses, wave, losses, wave),
        best_epoch=7,
        best=dataclasses.replace(record.best, accuracy=best),
        trace=Trace(losses, wave, {}),
    )


@pytest.fixture(scope="module")
def cifar():
    return further_frame("augmentation", made_up, "cifar10")


@pytest.fixture(scope="module")
def mnist():
    return further_frame("augmentation", made_up, "mnist")


def test_gains_are_paired_and_known(cifar):
    assert numbers.gain(cifar, "shift:2").mean == pytest.approx(4)
    assert numbers.gain(cifar, "scale:0.1").mean == pytest.approx(-1)
    assert numbers.gain(cifar, numbers.whole(cifar)).mean == pytest.approx(6)
    assert numbers.gain(cifar, numbers.whole(cifar), "l2").mean == pytest.approx(4)
    assert numbers.gain(cifar, numbers.whole(cifar), "bn").sd == pytest.approx(0, abs=1e-9)


def test_within_the_same_epochs_later_weights_do_not_count(cifar):
    """Of the first six epochs the third has the lowest validation loss, five points below."""
    assert numbers.gain(cifar, "shift:2", within=True).mean == pytest.approx(4 - 5)
    bare = cifar.assign(trace=None)
    assert numbers.gain(bare, "shift:2", within=True) is None


def test_what_a_technique_still_brings(cifar):
    assert numbers.cell_gain(cifar, "l2", augmented=False).mean == pytest.approx(4)
    assert numbers.cell_gain(cifar, "l2", augmented=True).mean == pytest.approx(2)
    assert numbers.cell_change(cifar, "l2").mean == pytest.approx(-2)
    assert numbers.cell_change(cifar, "bn").mean == pytest.approx(0, abs=1e-9)


def test_costs(cifar):
    assert numbers.more(cifar, "epochs").mean == 2
    equal = numbers.reach(cifar, "none")
    assert equal["seeds"] == "4 of 4"
    assert equal["without"].mean == pytest.approx(2, abs=0.01)
    assert 2 < equal["with"].mean < 4  # in the third epoch it is one point above that
    never = cifar.copy()
    treated = never["augment"] != ""
    never.loc[treated, "history"] = never.loc[treated, "history"].map(
        lambda it: it | {"val_acc": [0.1] * 8}
    )
    assert numbers.reach(never, "none") == {"without": None, "with": None, "seeds": "0 of 4"}


def test_tables_have_a_row_each(cifar, mnist):
    assert len(numbers.kinds_table(cifar)) == 7 and len(numbers.kinds_table(mnist)) == 5
    assert len(numbers.cells_table(cifar)) == len(numbers.costs_table(cifar)) == 8


def test_sentences_follow_the_records(cifar, mnist):
    shown = further.study("augmentation", {"mnist": mnist, "cifar10": cifar})
    assert "has stopped. MNIST: raises test accuracy by 4.00 ± 0.00 points" in shown.remark
    assert "CIFAR-10: raises test accuracy by 6.00 ± 0.00 points" in shown.remark
    assert "against without. MNIST: more, by 2.00 ± 0.00 epochs" in shown.remark
    told = "Gain of L2 over no technique, with augmentation beside that without. MNIST: smaller by"
    assert told in shown.remark
    assert "flips at random. CIFAR-10: higher by 1.00 ± 0.00 points" in shown.remark
    turned = cifar.assign(test_acc=-cifar["test_acc"])
    other = " ".join(pages.sentences({"cifar10": turned}))
    assert "CIFAR-10: lowers test accuracy by 6.00" in other
    assert "beside that without. CIFAR-10: larger by 2.00" in other
    assert not any("flips" in text for text in pages.sentences({"mnist": mnist}))
    assert pages.still({"cifar10": cifar})[0] == (
        "a gain of L2 alone is shown on CIFAR-10 without augmentation, and on CIFAR-10 with it; "
        "augmentation is shown to make it smaller on CIFAR-10"
    )
    both = pages.still({"cifar10": turned, "mnist": mnist})
    assert both[0].endswith("smaller on MNIST and larger on CIFAR-10")
    assert both[2].startswith("a gain of BN alone is shown on MNIST without")
    none = pages.still({"cifar10": turned})[2]
    assert "is shown on no data set without augmentation, and on no data set with it; " in none
    assert none.endswith("augmentation is not shown to change it")


def test_pictures_have_a_panel_each(cifar, mnist):
    for draw, rows in ((pages.kinds, 6), (pages.cells, 7)):
        figure = draw({"mnist": mnist, "cifar10": cifar})
        left, right = figure.axes
        assert len(left.get_yticks()) == len(right.get_yticks()) == rows
        assert left.get_title().startswith("MNIST")
        with pytest.raises(ReglabError, match="nothing is recorded of the study 'augmentation'"):
            draw({})
    (alone,) = pages.kinds({"mnist": mnist}).axes
    assert len(alone.get_yticks()) == 4  # no row of flips


def test_what_is_said_in_short(cifar, mnist):
    said = pages.brief({"mnist": mnist, "cifar10": cifar})
    assert said[0] == (
        "all transformations together raise test accuracy on MNIST (+4.0 ± 0.0) and CIFAR-10 "
        "(+6.0 ± 0.0)"
    )
    assert said[1].endswith(
        "together raise test accuracy on CIFAR-10 (+1.0 ± 0.0), and lower test accuracy on MNIST "
        "(-1.0 ± 0.0)"
    )
    assert said[2].startswith("L2 alone raises test accuracy on MNIST (+4.0 ± 0.0) and CIFAR-10")
    assert "; with augmentation it raises test accuracy on MNIST (+2.0 ± 0.0)" in said[2]
