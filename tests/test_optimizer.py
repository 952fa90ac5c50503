"""Optimizers without torch's classes: the same bits, and no compiler in a process that trains."""

import copy
import subprocess
import sys

import pytest
import torch
from torch import nn

from reglab.training.optimizer import adam_optimizer, sgd_optimizer

KINDS = {
    "sgd": (sgd_optimizer, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    "sgd without momentum": (sgd_optimizer, torch.optim.SGD, {"lr": 0.1, "momentum": 0.0}),
    "adam": (adam_optimizer, torch.optim.Adam, {"lr": 0.01}),
    "adamw": (adam_optimizer, torch.optim.AdamW, {"lr": 0.01}),
}


def groups_of(model):
    weights = [it for it in model.parameters() if it.dim() > 1]
    rest = [it for it in model.parameters() if it.dim() == 1]
    return [{"params": weights, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0.0}]


@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_torchs_bit_for_bit(kind):
    ours, theirs, settings = KINDS[kind]
    torch.manual_seed(0)
    mine = nn.Sequential(nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3))
    other = copy.deepcopy(mine)
    own = {"decoupled": kind == "adamw"} if kind.startswith("adam") else {}
    pairs = [(mine, ours(groups_of(mine), **settings, **own)),
             (other, theirs(groups_of(other), **settings))]  # fmt: skip
    before = copy.deepcopy(mine.state_dict())
    for step in range(20):
        x, y = torch.randn(8, 7), torch.randint(3, (8,))
        for model, optimizer in pairs:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            if step != 3:  # a step on which one parameter has no gradient
                loss.backward()
            else:
                torch.autograd.backward(loss, inputs=list(model.parameters())[:3])
            optimizer.step()
    for name, value in mine.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
        assert not torch.equal(value, before[name]), name


def test_a_process_that_trains_leaves_torchs_compiler_alone(tmp_path):
    code = """
import sys
from reglab.config import RunConfig
from reglab.data.dataset import load_dataset
from reglab.training.run import train
version = load_dataset("mnist", source="sample", seed=0, n_train=100).version
same = {"dataset": "mnist", "data_version": version, "n_train": 100, "width": 2}
for own in ({}, {"optimizer": "adamw", "l2": "decoupled", "lam": 0.1, "batch_norm": True}):
    train(RunConfig(**same, seed=0, lr=0.01, max_epochs=1, **own))
assert "torch._dynamo" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
