"""Pruned runs: which weights stay at zero, from when on, and what they begin with."""

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from reglab.config import RunConfig
from reglab.errors import ReglabError
from reglab.formulas import keep_largest, share_kept, smallest_rounds
from reglab.study.further.pruning import narrow_width, pruned
from reglab.training import machine
from reglab.training.kept import Kept
from reglab.training.model import is_decayed
from reglab.training.networks import build_model
from reglab.training.run import Run, train


@pytest.fixture(scope="module")
def dense(digits_run):
    return digits_run.replace(width=4, max_epochs=4, patience=2)


def started(config, digits, kept=None):
    """Return a run that has taken no step yet."""
    with machine.settings(config, threads=1) as device:
        return Run(config, digits, device, kept=kept or Kept())


def zeros(weights) -> float:
    weights = [value for value in weights.values() if is_decayed(value)]
    return sum((w == 0).sum().item() for w in weights) / sum(w.numel() for w in weights)


def all_of(tensors, names):
    """Return the weights that may be pruned as one vector."""
    return torch.cat([tensors[name].flatten() for name in names])


@pytest.mark.parametrize("amount", [0.0, 0.3, 0.8])
def test_smallest_weights_are_torchs(amount):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(7, 5), nn.Linear(5, 3))
    weights = {name: w for name, w in model.named_parameters() if w.ndim > 1}
    total = sum(w.numel() for w in weights.values())
    masks = keep_largest({name: w.detach().abs() for name, w in weights.items()},
                         total - round(amount * total))  # fmt: skip
    layers = [(layer, "weight") for layer in model]
    prune.global_unstructured(layers, prune.L1Unstructured, amount=amount)
    for (layer, _), mask in zip(layers, masks.values(), strict=True):
        assert torch.equal(layer.weight_mask.bool(), mask)
    assert sum(mask.sum().item() for mask in masks.values()) == total - round(amount * total)


def test_rounds_take_one_share_each_and_end_at_the_sparsity():
    shares = [share_kept(0.9, 11, done) for done in range(13)]
    assert shares[0] == 1
    assert shares[-2] == shares[-1] == pytest.approx(0.1)
    ratios = [after / before for before, after in pairwise(shares[:12])]
    assert ratios == pytest.approx([ratios[0]] * 11)
    assert ratios[0] > 0.8
    assert [smallest_rounds(s) for s in (0.0, 0.2, 0.5, 0.9)] == [1, 1, 4, 11]
    assert all(share_kept(s, smallest_rounds(s), 1) >= 0.8 - 1e-9 for s in (0.3, 0.5, 0.95, 0.99))


@pytest.mark.parametrize(
    "call",
    [
        lambda: keep_largest({"a": torch.ones(3)}, 4),
        lambda: share_kept(1.0, 2, 1),
        lambda: share_kept(0.5, 0, 1),
        lambda: smallest_rounds(1.0),
        lambda: smallest_rounds(0.5, 0.0),
    ],
)
def test_bad_numbers_are_one_line(call):
    with pytest.raises(ReglabError) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("by", ["magnitude", "random"])
def test_a_pruned_run_has_its_zeros_at_the_end_and_in_the_best_epoch(digits, dense, by):
    config = pruned(dense.replace(lam=0.01), 0.9, by)
    assert config.rounds == 2
    run = started(config, digits)
    run.finish()
    assert zeros(run.model.state_dict()) == pytest.approx(0.9, abs=1e-3)
    assert zeros(run.best_weights) == pytest.approx(0.9, abs=1e-3)
    assert run.stopper.best_epoch >= config.rounds
    biases = [v for v in run.model.state_dict().values() if not is_decayed(v)]
    assert any(bias.abs().max() > 0 for bias in biases)


@pytest.mark.parametrize("by", ["magnitude", "random"])
def test_what_is_left_goes_on_from_the_dense_runs_best_weights(digits, dense, by):
    kept = Kept()
    run = started(pruned(dense, 0.75, by), digits, kept)
    run.begin_epoch()
    held, start = run.model.state_dict(), kept.get(dense)
    names = [name for name, value in start.items() if is_decayed(value)]
    before, after = all_of(start, names), all_of(held, names)
    alive = after != 0
    assert torch.equal(after[alive], before[alive])
    assert alive.float().mean() == pytest.approx(0.5, abs=1e-3)  # the first of two rounds
    smallest_went = before[~alive].abs().max() <= before[alive].abs().min()
    assert smallest_went == (by == "magnitude")
    run.begin_epoch()
    again = all_of(run.model.state_dict(), names) != 0
    assert again.float().mean() == pytest.approx(0.25, abs=1e-3)
    assert not (again & ~alive).any()  # what is gone stays gone


def test_a_rewound_run_has_initial_values_and_the_pruned_runs_zeros(digits, dense):
    kept = Kept()
    smallest = pruned(dense, 0.8)
    run = started(dense.replace(start=smallest, sparsity=0.8, rewind=True), digits, kept)
    mask, initial = kept.get(smallest), build_model(dense, digits).state_dict()
    for name, value in run.model.state_dict().items():
        expected = initial[name] * (mask[name] != 0) if is_decayed(value) else initial[name]
        assert torch.equal(value, expected), name
    run.finish()
    assert zeros(run.model.state_dict()) == pytest.approx(0.8, abs=1e-3)


def test_a_sparsity_of_nothing_only_goes_on(digits, dense):
    """Nothing is set to zero where nothing is asked to be: the run goes on plainly."""
    kept = Kept()
    run = started(pruned(dense, 0.0), digits, kept)
    run.begin_epoch()
    before = kept.get(dense)
    for name, value in run.model.state_dict().items():
        assert torch.equal(value, before[name])
    run.finish()
    assert zeros(run.model.state_dict()) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"sparsity": 0.5},
        {"rounds": 2},
        {"rewind": True},
        {"pruned_by": "random"},
        {"pruned_by": "size"},
    ],
)
def test_what_needs_a_start_is_refused_without_one(dense, changes):
    with pytest.raises(ReglabError, match=r"run to start from|one of"):
        dense.replace(**changes)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"sparsity": 1.0}, "no weight is left"),
        ({"sparsity": -0.1}, "sparsity"),
        ({"rounds": 0}, "rounds"),
        ({"rounds": 5}, "rounds"),
        ({"rewind": True}, "rounds"),
    ],
)
def test_impossible_pruning_is_refused_in_one_line(dense, changes, word):
    with pytest.raises(ReglabError, match=word) as caught:
        pruned(dense, 0.5).replace(**changes)
    assert "\n" not in str(caught.value)


def test_a_start_of_another_seed_or_width_is_refused(dense):
    for other in (dense.replace(seed=1), dense.replace(width=8), dense.replace(batch_norm=True)):
        with pytest.raises(ReglabError, match="start must have the run's"):
            dense.replace(start=other, sparsity=0.5, rounds=1)


def test_changing_the_seed_changes_the_start_with_it(dense):
    config = pruned(dense, 0.5).replace(seed=3)
    assert config.start.seed == 3
    assert config == pruned(dense.replace(seed=3), 0.5)


def test_the_key_holds_the_whole_chain_and_survives_json(dense):
    smallest = pruned(dense, 0.8)
    rewound = dense.replace(start=smallest, sparsity=0.8, rewind=True)
    again = RunConfig.from_dict(rewound.to_dict())
    assert again == rewound
    assert again.start.start == dense
    other = dense.replace(start=pruned(dense.replace(lam=0.1), 0.8), sparsity=0.8, rewind=True)
    assert other.key != rewound.key


def test_narrow_networks_have_about_as_many_parameters(digits, dense):
    def size(width):
        return sum(p.numel() for p in build_model(dense.replace(width=width), digits).parameters())

    for sparsity in (0.5, 0.8, 0.9):
        left = (1 - sparsity) * size(32)
        assert size(narrow_width(32, sparsity)) == pytest.approx(left, rel=0.12)


def test_a_pruned_run_is_the_same_whether_its_start_was_kept_or_not(digits, dense, tmp_path):
    config = pruned(dense, 0.5)
    kept = Kept(tmp_path, needed={dense.key})
    train(dense, digits, kept=kept)
    assert kept.get(dense) is not None
    with_it = train(config, digits, kept=kept)
    assert train(config, digits, kept=Kept()).reproducible() == with_it.reproducible()
    assert with_it.best_epoch >= config.rounds
