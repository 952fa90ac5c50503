"""Numbers to predict: squared errors and R² in runs, records and studies."""

import dataclasses
import hashlib
import io
import json
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import fake_record, finish
from owndata import own_arrays, write_numbers
from sklearn.metrics import mean_squared_error, r2_score

from reglab import formulas
from reglab.data.dataset import load_dataset
from reglab.data.tasks import REGRESSION
from reglab.errors import ReglabError
from reglab.pages.further import rerun
from reglab.pages.text import render
from reglab.record import History, RunRecord, Scores
from reglab.results import further
from reglab.study import measures
from reglab.study.frame import frame, has_learned
from reglab.study.outlook import outlook
from reglab.study.plan import make_plan
from reglab.study.protocol import stages
from reglab.study.selection import select, validation_of
from reglab.training.evaluate import explained
from reglab.training.fitting import fit
from reglab.training.run import Run, train
from reglab.training.together import train_many
from reglab.verify import GOLDEN_TOLERANCE, compare


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("REGLAB_DATA_DIR", str(tmp_path))
    return partial(write_numbers, tmp_path)


@pytest.fixture
def config(own):
    own()
    plan = make_plan("mine", "smoke", device="cpu")
    return plan.baseline(0, 0.01).replace(max_epochs=6)


def test_r2_is_scikit_learns():
    rng = np.random.default_rng(0)
    y, guess = rng.normal(size=(50, 1)), rng.normal(size=(50, 1))
    pair = torch.tensor(guess), torch.tensor(y)
    assert explained(*pair) == pytest.approx(r2_score(y, guess))
    assert explained(*pair) == pytest.approx(formulas.r_squared(*pair).item())
    assert explained(torch.tensor(y), torch.tensor(y)) == 1
    assert explained(torch.full((50, 1), y.mean()), torch.tensor(y)) == pytest.approx(0)
    assert explained(torch.ones(3, 1), torch.ones(3, 1)) is None
    with pytest.raises(ReglabError, match="all alike"):
        formulas.r_squared(torch.ones(3, 1), torch.full((3, 1), 0.1))
    assert explained(torch.full((50, 1), torch.inf), torch.tensor(y)) is None
    # several at once: shares weighted by their variance
    y, guess = rng.normal(size=(50, 3)) * [1, 2, 5], rng.normal(size=(50, 3))
    whole = r2_score(y, guess, multioutput="variance_weighted")
    assert explained(torch.tensor(guess), torch.tensor(y)) == pytest.approx(whole)


def test_a_step_descends_the_squared_error(config):
    """Plain torch, on the same batch from the same weights, has the same gradient."""
    data = load_dataset("mine", seed=0, n_train=config.n_train)
    run = Run(config, data, torch.device("cpu"))
    index = torch.arange(16)
    x, y = data.standardize(data.x_train[index]), data.y_train[index]
    standardized = (y - data.y_train.mean(0)) / data.y_train.std(0, correction=0)
    loss = ((run.model(x) - standardized) ** 2).mean()
    expected = torch.autograd.grad(loss, list(run.model.parameters()))
    run.step(index)
    for parameter, gradient in zip(run.model.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-5)


def test_a_run_is_scored_in_the_units_that_it_names(config):
    """The loss times the variance is the squared error in the data's own units; R² is sklearn's."""
    data = load_dataset("mine", seed=0, n_train=config.n_train)
    run = Run(config, data, torch.device("cpu"))
    run.finish()
    record = run.record()
    run.model.eval()
    with torch.no_grad():
        guess = run.model(data.standardize(data.x_test)) * data.target_std + data.target_mean
    errors = mean_squared_error(data.y_test, guess, multioutput="raw_values")
    own_units = (errors / data.target_std.numpy() ** 2).mean()
    assert record.best.loss == pytest.approx(own_units, rel=1e-4)
    scaled = [data.targets(one).numpy() for one in (data.y_test, guess)]
    whole = r2_score(*scaled, multioutput="variance_weighted")
    assert record.best.r2 == pytest.approx(whole, rel=1e-4)
    assert record.best.accuracy is record.best.ece is record.best.correct is None


def test_a_record_is_read_back_and_says_nothing_of_accuracy(config):
    record = train(config)
    assert RunRecord.from_json(record.to_json()) == record
    assert record.task == REGRESSION
    assert "acc" not in str(sorted(record.reproducible()["history"]))
    assert train(config).reproducible() == record.reproducible()
    assert record.learned
    assert has_learned(record)
    assert max(record.history.train_r2) > 0.5
    for name in ("history", "trace"):
        columns = getattr(record, name).written().values()
        assert {len(it) for it in columns if isinstance(it, list)} == {record.epochs}


@pytest.mark.parametrize(
    ("part", "changes", "words"),
    [
        ("best", {"r2": 1.5}, "best.r2 is 1.5"),
        ("best", {"r2": None, "accuracy": 0.5}, "best's task is 'classification'"),
        ("history", {"val_r2": [0.1]}, "history.val_r2 is"),
        ("history", {"train_r2": None, "val_r2": None}, "task is 'regression'"),
        ("trace", {"test_r2": None}, "trace's task is 'classification'"),
    ],
)
def test_a_record_of_mixed_tasks_is_refused(config, part, changes, words):
    record = train(config)
    bad = dataclasses.replace(getattr(record, part), **changes)
    if part == "history" and "train_r2" in changes:
        bad = History(bad.train_loss, [0.5] * record.epochs, bad.val_loss, [0.5] * record.epochs)
    with pytest.raises(ReglabError) as caught:
        RunRecord.from_json(dataclasses.replace(record, **{part: bad}).to_json())
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_images_can_have_numbers_to_predict(own):
    """The brightness of an image, which is easily learned."""
    arrays = own_arrays(n=200)
    for part in ("train", "test"):
        bright = np.linspace(0.2, 1, len(arrays[f"x_{part}"]), dtype=np.float32)
        arrays[f"x_{part}"] = (arrays[f"x_{part}"] * bright[:, None, None, None]).astype(np.uint8)
        arrays[f"y_{part}"] = bright
    own(**arrays)
    plan = make_plan("mine", "smoke", device="cpu")
    config = plan.baseline(0, 0.001).replace(max_epochs=15, batch_size=16, patience=0)
    assert max(train(config).history.train_r2) > 0.5


def test_every_way_of_training_is_the_plain_one(config):
    """Many in turn, and measured once; pruned and in bf16 it trains, with R² at its end."""
    record = train(config)
    (together,) = train_many([config])
    assert together.reproducible() == record.reproducible()
    whole = config.replace(patience=0)
    assert fit(whole).last == train(whole).last
    pruned = train(config.replace(start=config, sparsity=0.5, rounds=1))
    half = train(config.replace(precision="bf16"))
    for one in (pruned, half):
        assert one.task == REGRESSION
        assert one.best.r2 < 1
        assert one.best.loss > 0


def test_a_run_made_again_is_held_against_the_record(config):
    record = train(config)
    assert compare(record, record, GOLDEN_TOLERANCE) == []
    other = replace_loss(record, 1.01 * record.best.loss)
    assert any("best.loss is" in one for one in compare(other, record, GOLDEN_TOLERANCE))
    classes = dataclasses.replace(record, history=History([1.0], [0.5], [1.0], [0.5]))
    assert any("task classification" in one for one in compare(classes, record, GOLDEN_TOLERANCE))


def replace_loss(record, loss):
    return dataclasses.replace(record, best=dataclasses.replace(record.best, loss=loss))


@pytest.mark.parametrize(
    ("place", "field", "value"),
    [
        ("history", "train_acc", [7]),
        ("history", "val_acc", "abc"),
        ("best", "ece", "junk"),
        ("best", "correct", 5),
        ("trace", "test_acc", [0.5]),
    ],
)
def test_a_field_of_the_other_task_is_refused(config, place, field, value):
    body = json.loads(train(config).to_json())["record"]
    body[place][field] = value
    text = json.dumps(body, sort_keys=True)
    outer = {"format": 1, "sha256": hashlib.sha256(text.encode()).hexdigest(), "record": body}
    with pytest.raises(ReglabError) as caught:
        RunRecord.from_json(json.dumps(outer))
    assert f"{place}.{field} is" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_text_says_what_is_measured(config, own):
    """Of a regression, and of both tasks at once, in every format."""
    plans = [make_plan(name, "smoke", device="cpu", seeds=2) for name in ("weather", "mnist")]
    frames = {}
    for plan in plans:
        records = finish(plan)
        frames[plan.dataset] = frame(plan, stages(plan, lambda _, made=records: made)[0], records)
    one = {"weather": frames["weather"]}
    assert "Test R² in percent" in render(one, "table")
    assert "Test R² in percent" in render(one, "markdown")
    assert "accuracy" not in render(one, "table")
    both = render(frames, "table")
    assert "Test R² or accuracy in percent" in both
    row = next(line for line in both.splitlines() if line.startswith("  mnist"))
    assert row.split()[-1] == "accuracy"
    table = pd.read_csv(io.StringIO(render(frames, "csv")))
    assert table.groupby("dataset")["measure"].unique().map(list).to_dict() == {
        "mnist": ["accuracy"], "weather": ["R²"]
    }  # fmt: skip
    plain = render({"mnist": frames["mnist"]}, "table")
    assert "measure" not in plain
    assert "Test accuracy in percent" in plain


def test_strengths_are_chosen_by_the_loss(config):
    records = []
    for lam, loss in ((0.1, 0.4), (0.2, 0.3), (0.3, 0.5)):
        history = History([1.0], [], [loss], [], [0.1], [None])  # R² may be missing
        record = dataclasses.replace(train(config), best_epoch=1, history=history)
        records.append(dataclasses.replace(record, config=config.replace(lam=lam)))
    nothing = dataclasses.replace(
        records[0], best_epoch=None, history=History.of(REGRESSION), config=config.replace(lam=0.4)
    )
    views = [validation_of(one) for one in (*records, nothing)]
    assert select(views, "lam", criterion="score") == 0.2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"label_smoothing": 0.1}, "label_smoothing needs labels"),
        ({"probes": "statistics"}, "probes .* need labels"),
    ],
)
def test_what_needs_labels_is_refused(config, changes, words):
    with pytest.raises(ReglabError, match=words):
        train(config.replace(**changes))


def test_a_teacher_is_refused(config):
    with pytest.raises(ReglabError, match="teacher needs labels"):
        train(config.replace(teacher=config, soft=0.5, temperature=2.0))


def test_a_study_is_measured_by_its_task(config):
    record = train(config)
    assert record.best == Scores(record.best.loss, r2=record.best.r2)
    rows = pd.DataFrame({"task": [REGRESSION], "seed": [0]})
    assert measures.of(rows) is measures.R2
    assert measures.of(rows.assign(task="classification")) is measures.ACCURACY
    assert measures.of(rows[["seed"]]) is measures.ACCURACY
    both = measures.in_words([rows, rows.assign(task="classification")])
    assert both == "R² or accuracy"


@pytest.mark.parametrize("study", ["dropout_bn", "early_stopping", "distillation", "pruning"])
def test_a_study_of_classes_is_refused(own, study):
    own()
    plan = make_plan("mine", "smoke", device="cpu", study=study)
    with pytest.raises(ReglabError) as caught:
        outlook(plan, lambda configs: {})
    assert "needs classes, and these are numbers to predict; take one of order" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("study", ["order", "batch_size", "decay_on"])
def test_a_further_study_is_measured_by_r2(study):
    """Made up: contrasts are those of R², and no table or sentence speaks of accuracy."""
    plan = make_plan("weather", "reduced", device="cpu", seeds=4)
    records = finish(plan)
    lookup = lambda configs: records | {one.key: fake_record(one) for one in configs}  # noqa: E731
    asked = dataclasses.replace(plan, study=study)
    arms = outlook(asked, lookup).arms
    runs = frame(asked, arms, {arm.config.key: fake_record(arm.config) for arm in arms})
    shown = repr(rerun(runs))
    assert "accuracy" not in shown
    assert "test R²" in shown
    label = {"order": "bn after_relu", "batch_size": "bn 256", "decay_on": "bn"}[study]
    base = {"order": "none", "batch_size": "none 256", "decay_on": "none"}[study]
    pair = [
        runs[runs["arm"] == one].set_index("seed")["test_r2"].astype(float) for one in (label, base)
    ]
    expected = 100 * (pair[0] - pair[1]).mean()
    assert further.contrasts(runs, {label: 1, base: -1}).mean == pytest.approx(expected)
