"""What a record holds beside its history: test curves, weight norms, when it was made, and by
which rules it will be judged."""

import dataclasses
import json
from datetime import datetime, timedelta
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest
import torch
from conftest import fake_record, finish

from reglab.config import RunConfig
from reglab.data.dataset import dataset_version
from reglab.errors import ReglabError
from reglab.record import RunRecord, Trace
from reglab.study.protocol import choose, stages
from reglab.training.run import Run, load_for, train


@pytest.fixture
def small():
    return RunConfig(
        dataset="mnist",
        data_version=dataset_version("mnist", "sample"),
        n_train=150,
        seed=2,
        width=4,
        lr=0.1,
        max_epochs=8,
        batch_size=16,
        patience=0,
        dropout=0.3,
        lam=0.01,
    )


def test_a_stopped_run_is_the_beginning_of_the_unstopped_one(small):
    whole, stopped = train(small), train(small.replace(patience=1))
    assert stopped.epochs < whole.epochs == 8
    for part in ("history", "trace"):
        long, short = vars(getattr(whole, part)), vars(getattr(stopped, part))
        for name in getattr(whole, part).written().keys() - {"weight_norms"}:
            assert short[name] == long[name][: stopped.epochs]
    for name, norms in whole.trace.weight_norms.items():
        assert stopped.trace.weight_norms[name] == norms[: stopped.epochs]


def test_a_patience_of_all_epochs_never_stops(small):
    """As patience 0; the study of unstopped cells has it, as a key of its own."""
    never, patient = (train(small.replace(patience=it)).reproducible() for it in (0, 8))
    assert never.pop("config") != patient.pop("config")
    assert never == patient


def test_the_trace_ends_where_the_last_weights_are(small):
    record = train(small)
    assert record.trace.test_acc[-1] == record.last.accuracy
    assert record.trace.test_loss[-1] == pytest.approx(record.last.loss, rel=1e-5)
    assert record.trace.test_acc[record.best_epoch - 1] == record.best.accuracy
    assert len(set(record.trace.test_loss)) == 8


def test_weight_norms_are_those_of_what_is_decayed(small):
    config = small.replace(max_epochs=1, batch_norm=True)
    data = load_for(config)
    run = Run(config, data, torch.device("cpu"))
    run.end_epoch(run.epoch())
    norms = {name: values[-1] for name, values in run.trace.weight_norms.items()}
    weights = dict(run.model.named_parameters())
    decayed, _ = (group["params"] for group in run.optimizer.param_groups)
    assert {id(weights[name]) for name in norms} == {id(weight) for weight in decayed}
    for name, norm in norms.items():
        assert norm == pytest.approx(float((weights[name].detach() ** 2).sum()) ** 0.5, rel=1e-5)


def test_whether_a_run_learned(small):
    """Ten classes: guessing is right once in ten, and a run that learned twice as often."""
    data = load_for(small)
    run = Run(small, data, torch.device("cpu"))
    assert not run.learned
    run.history.train_acc.extend([0.1, 0.2])
    assert not run.learned
    run.history.train_acc.append(0.21)
    assert run.learned


def test_a_record_says_when_it_was_made_and_under_which_rules(small):
    known = train(small.replace(max_epochs=1)).environment
    started, ended = (datetime.fromisoformat(known[name]) for name in ("started", "ended"))
    assert started.utcoffset() == ended.utcoffset() == timedelta(0)
    assert started <= ended
    rules = (files("reglab") / "rules.md").read_bytes()
    assert known["rules"] == sha256(rules).hexdigest()[:16]


def test_the_method_page_prints_the_rules_that_records_name():
    page = Path(__file__).resolve().parents[1] / "book/method.md"
    assert "```{include} _generated/rules.md" in page.read_text("utf-8")
    assert "Second version, fixed on 25 November 2026" in (files("reglab") / "rules.md").read_text()


def test_records_come_back_with_their_trace(small):
    record = train(small.replace(max_epochs=2))
    assert RunRecord.from_json(record.to_json()) == record


def test_an_older_record_is_read_and_written_as_it_was(config):
    text = fake_record(config).to_json()
    assert not {"trace", "learned"} & set(json.loads(text)["record"])
    older = RunRecord.from_json(text)
    assert older.trace is None
    assert older.learned is None
    assert older.to_json() == text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trace": Trace([1.0], [0.5, 0.5], {})}, "trace.test_loss is"),
        ({"trace": Trace([1.0, 1.0], [0.5, 1.5], {})}, "trace.test_acc is"),
        ({"trace": Trace([1.0, 1.0], [0.5, 0.5], {"fc": [1.0]})}, "trace.fc is"),
        ({"trace": Trace([1.0, 1.0], [0.5, 0.5], [])}, "trace.weight_norms is"),
        ({"learned": 1}, "learned is 1"),
    ],
)
def test_a_trace_that_no_run_leaves_is_refused(config, changes, words):
    record = dataclasses.replace(fake_record(config), **changes)
    with pytest.raises(ReglabError, match=words):
        RunRecord.from_json(record.to_json())


def test_no_choice_depends_on_a_test_curve(plan):
    """The best test curve for what was not chosen, the worst for what was: nothing changes."""
    records = finish(plan)
    arms, _ = stages(plan, lambda _: records)
    chosen = choose(arms, records)

    def lying(record):
        config, good = record.config, Trace([0.0, 0.0], [1.0, 1.0], {})
        mine = (config.lr, config.lam, config.dropout) == (chosen.lr, chosen.lam, chosen.dropout)
        return dataclasses.replace(
            record, trace=Trace([9.0, 9.0], [0.0, 0.0], {}) if mine else good
        )

    altered = {key: lying(record) for key, record in records.items()}
    assert choose(arms, altered) == chosen
    assert stages(plan, lambda _: altered) == stages(plan, lambda _: records)
