"""Seven techniques side by side: numbers by a second way, and sentences that follow the records."""

import math

import pandas as pd
import pytest
from conftest import fake_record, further_frame, study_frame
from scipy import stats

from reglab import formulas
from reglab.errors import ReglabError
from reglab.pages import side_by_side as pages
from reglab.results import side_by_side as numbers
from reglab.study.plan import Plan
from reglab.study.profiles import PROFILES
from reglab.training.model import StandardCNN
from reglab.training.networks import multiplications


@pytest.fixture(scope="module")
def studies():
    plan = Plan("cifar10", "full:0123456789ab", 10_000, PROFILES["reduced"], "cpu", seeds=4)
    further = ("augmentation", "pruning", "distillation")
    return {"protocol": study_frame(plan)} | {
        name: further_frame(name, fake_record) for name in further
    }


def test_all_seven_are_there_in_the_order_of_the_book(studies):
    assert tuple(one.name for one in numbers.techniques(studies)) == pages.NAMES


def test_what_is_not_recorded_is_left_out_and_named(studies):
    some = {"protocol": studies["protocol"], "pruning": studies["pruning"]}
    names = [one.name for one in numbers.techniques(some)]
    assert names == ["L2", "dropout", "BN", "early stopping", "pruning"]
    said = pages.lacking({"cifar10": some})
    assert "; pruning on MNIST and Fashion-MNIST." in said
    assert "augmentation, distillation and robustness on MNIST, Fashion-MNIST and CIFAR-10" in said
    assert pages.lacking({}).count("MNIST, Fashion-MNIST and CIFAR-10") == 1


def scores(frame, arm, study=None):
    rows = frame[(frame["arm"] == arm) & (frame["study"] == (study or frame["study"].iloc[0]))]
    return {row["seed"]: row for _, row in rows.iterrows()}


def test_gains_are_paired_and_work_counts_what_was_trained_before(studies):
    found = {one.name: one for one in numbers.techniques(studies)}

    stopped = scores(studies["protocol"], "none", "factorial")
    on = scores(studies["protocol"], "none", "no_early_stop")
    for seed, gain in found["early stopping"].gains.items():
        by_hand = 100 * (stopped[seed]["test_acc"] - on[seed]["last_test_acc"])
        assert math.isclose(gain, by_hand, abs_tol=1e-9)

    dense, pruned = (scores(studies["pruning"], f"none {it}") for it in ("dense", "magnitude 0.8"))
    epochs = [(dense[it]["epochs"] + pruned[it]["epochs"], dense[it]["epochs"]) for it in dense]
    ratio = sum(it[0] for it in epochs) / sum(it[1] for it in epochs)
    assert math.isclose(found["pruning"].work[0], ratio)
    width = int(dense[0]["width"])
    biases = 6 * width + 16 * width + 10  # of four convolutions, the hidden layer and the output
    weights = sum(it.numel() for it in StandardCNN((3, 32, 32), 10, width).parameters()) - biases
    left = round(0.2 * weights) + biases
    assert found["pruning"].parameters == pytest.approx(left / (weights + biases), rel=1e-9)

    frame = studies["distillation"]
    arms = {it: scores(frame, it) for it in ("teacher", "half alone", "half taught 4")}
    wide, narrow = (
        multiplications((3, 32, 32), int(arms[it][0]["width"])) for it in ("teacher", "half alone")
    )
    images = 180 // arms["teacher"][0]["batch_size"] * arms["teacher"][0]["batch_size"]
    spent = 0
    for seed in arms["teacher"]:
        spent += 3 * images * wide * arms["teacher"][seed]["epochs"] + images * wide
        spent += 3 * images * narrow * arms["half taught 4"][seed]["epochs"]
    alone = sum(3 * images * narrow * it["epochs"] for it in arms["half alone"].values())
    assert math.isclose(found["distillation"].work[0], spent / alone)


def technique(name, gains, work=1.0):
    def rows(values, each):
        return pd.DataFrame({"accuracy": values, "ece": values, "epochs": 9.0, "learned": True,
                             "work": [each + it / 100 for it in range(len(values))]})  # fmt: skip

    return numbers.Technique(name, "", rows(gains, work), rows([0.0] * len(gains), 1.0), 1.0)


def test_pairs_are_one_family():
    gains = {"L2": [1.0, 1.1, 0.9, 1.0], "BN": [3.0, 3.2, 2.9, 3.1], "pruning": [0.9, 1.2, 1, 1.1]}
    found = [technique(name, values) for name, values in gains.items()]
    p = {frozenset((a, b)): stats.ttest_rel(gains[a], gains[b]).pvalue
         for a, b in (("L2", "BN"), ("L2", "pruning"), ("BN", "pruning"))}  # fmt: skip
    ordered = sorted(p, key=p.get)
    adjusted = numbers.apart(found)
    assert math.isclose(adjusted[ordered[0]], min(1, 3 * p[ordered[0]]))
    assert adjusted[ordered[2]] == max(2 * p[ordered[1]], p[ordered[2]])
    assert numbers.apart(found[:1]) == {}


@pytest.mark.parametrize(
    ("gains", "said"),
    [
        ({"L2": [1, 1.1, 0.9], "BN": [9, 9.1, 9.2]}, "told apart from that of L2"),
        ({"L2": [8.6, 9.4, 9.3], "BN": [9, 9.1, 9.2]}, "told apart from none of the others"),
        (
            {"L2": [8.6, 9.1, 9.3], "BN": [9, 9.1, 9.2]},
            "the cheapest that is not told apart from it is that of L2",
        ),
        ({"L2": [-1, -1.1, -0.9], "BN": [-1, 1, 0]}, "None of them is shown to raise"),
        ({"L2": [-1, -1.1, -0.9], "BN": [-1, 1, 0]}, "Shown to lower it: L2, -1.0 ± 0.2 points"),
        ({"L2": [-1, -1.1, -0.9], "BN": [-1, 1, 0]}, "Undecided: BN."),
    ],
)
def test_sentences_follow_the_gains(monkeypatch, gains, said):
    work = {"L2": 1.0, "BN": 2.0}
    found = [technique(name, values, work[name]) for name, values in gains.items()]
    monkeypatch.setattr(numbers, "techniques", lambda _: found)
    assert said in pages.answer({"mnist": {}}).text


def test_calibration_is_told_in_both_directions(monkeypatch):
    found = [technique("L2", [1, 1.1, 0.9]), technique("BN", [-1, -1.1, -0.9])]
    monkeypatch.setattr(numbers, "techniques", lambda _: found)
    text = pages.calibration({"mnist": {}}).text
    assert "lower with BN (by 1.0 ± 0.2); higher with L2 (by 1.0 ± 0.2)" in text
    monkeypatch.setattr(numbers, "techniques", lambda _: [technique("L2", [1, -1, 0.1])])
    assert "no change is shown" in pages.calibration({"mnist": {}}).text


def test_picture_and_table_have_a_mark_and_a_row_a_technique(studies):
    figure = pages.picture({"cifar10": studies})
    assert figure.axes[0].get_title() == "CIFAR-10\nreduced, 4 seeds"
    fewer = studies["pruning"][studies["pruning"]["seed"] < 3]
    drawn = pages.picture({"cifar10": studies | {"pruning": fewer}})
    assert drawn.axes[0].get_title() == "CIFAR-10\nreduced, 3 to 4 seeds"
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == list(pages.NAMES)
    table = pages.table({"cifar10": studies}).shown[0].table
    assert [it.split(", ")[0] for it in table["technique"]] == list(pages.NAMES)
    settings = ["patience 5 of 50 epochs", "all together", "80 % zeros", "T = 4"]
    assert [it.split(", ", 1)[1] for it in table["technique"][3:]] == settings
    with pytest.raises(ReglabError, match="no runs are recorded"):
        pages.picture({})


def test_without_records_it_says_so():
    assert "No runs are recorded" in pages.answer({}).text
    assert pages.luck({}).text == ""


def test_the_luck_of_the_best(studies):
    assert formulas.expected_maximum(1) == pytest.approx(0, abs=1e-9)
    assert formulas.luck_of_the_best(2, 3.0, 0.75) == pytest.approx(1.5 / math.sqrt(math.pi))
    assert formulas.luck_of_the_best(5, 3.0, 1.0) == 0
    for wrong in ((0, 1.0, 0.0), (2, -1.0, 0.0), (2, 1.0, 1.5)):
        with pytest.raises(ReglabError):
            formulas.luck_of_the_best(*wrong)
    own = ("early stopping", "distillation")  # have controls of their own
    errors = [it.gain.sd / 2 for it in numbers.techniques(studies) if it.name not in own]
    size = formulas.luck_of_the_best(5, sum(errors) / 5, 0.5)
    assert (
        f"{size:.1f} points for 5 techniques on CIFAR-10" in pages.luck({"cifar10": studies}).text
    )


def test_recorded_studies_of_one_profile_stand_together(tmp_path):
    assert numbers.frames(tmp_path) == {}
