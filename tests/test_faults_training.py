"""A device that is too small, and a loss that is no number."""

import pytest
import torch
from faults import runs_in

from reglab.runs import executors
from reglab.runs.store import RunStore
from reglab.study import sweep
from reglab.study.plan import make_plan
from reglab.training.together import train_many


@pytest.fixture
def configs(tiny):
    plan = make_plan(tiny, "smoke", device="cpu")
    return [plan.baseline(seed, 0.01) for seed in range(5)]


@pytest.mark.parametrize("most", [2, 1])
def test_out_of_device_memory(most, configs, store, tally, tmp_path, monkeypatch, caplog):
    """A device with memory for ``most`` runs at once; where it is 1, the plain loop is left."""
    tried = []

    def limited(configs, size, **settings):
        tried.append(size)
        for number, record in enumerate(train_many(configs, size=size, **settings)):
            if size > most and number == 1:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            yield record

    monkeypatch.setattr(executors, "train_many", limited)
    few = sweep.run(configs, RunStore(store), together=4)
    assert tried == [4, 2]
    assert any("out of device memory" in message for message in caplog.messages)
    plain = sweep.run(configs, RunStore(tmp_path / "plain"), workers=1)
    equal = [r.reproducible() for r in few] == [r.reproducible() for r in plain]
    twice = len(configs) - len(runs_in(store))
    tally.add("out of device memory (simulated)", 1, 0, twice, equal)


def test_not_even_one_run_fits(configs, store, monkeypatch):
    def never(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(executors, "train", never)
    with pytest.raises(executors.ReglabError, match="with a single run of width 8") as caught:
        sweep.run(configs, RunStore(store), workers=1)
    assert "\n" not in str(caught.value)


def test_loss_becomes_nan(configs, store, tally):
    """A run that diverges is a finished run: counted, shown, and not tried again."""
    configs[2] = configs[2].replace(lr=1e6)
    first = sweep.run(configs, RunStore(store), workers=1)
    kept = runs_in(store)
    assert [record.diverged for record in first] == [False, False, True, False, False]
    again = sweep.run(configs, RunStore(store), workers=1)
    lost = sum(runs_in(store).get(name) != run for name, run in kept.items())
    tally.add("loss becomes NaN", 1, lost, len(kept) - len(configs), again == first)
