"""CUDA graphs without CUDA: torch's interface of them, played by a processor.

A graph is what torch says it is: the operations of a step with the addresses of their tensors. They
are noted below autograd while the step runs, and replayed on the same tensors, so that what Python
alone knows (a counter, a new batch, a learning rate) does not reach a replay, as on a GPU.
"""

import contextlib
from types import SimpleNamespace

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from reglab.training import lanes


class Graph(TorchDispatchMode):
    """Stands in for torch.cuda.CUDAGraph."""

    def __init__(self):
        super().__init__()
        self.calls, self.generators = [], []

    def register_generator_state(self, generator):
        self.generators.append(generator)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        args, kwargs, kept = tree_map(_plain, (args, kwargs or {}, result))
        self.calls.append((function, args, kwargs, kept))
        return result

    @torch.no_grad()
    def replay(self):
        for function, args, kwargs, kept in self.calls:
            again = function(*args, **kwargs)
            for old, new in zip(_tensors(kept), _tensors(again), strict=True):
                if old.data_ptr() != new.data_ptr():  # not a view, nor changed in place
                    old.copy_(new)


def _plain(value):
    return value.detach() if isinstance(value, torch.Tensor) else value


def _tensors(tree):
    return [value for value in tree_leaves(tree) if isinstance(value, torch.Tensor)]


class Stream:
    def __init__(self, device=None):
        pass

    def wait_stream(self, other):
        pass


def pretend(monkeypatch, graph=Graph):
    """Let lanes find graphs on this processor."""
    stand_in = SimpleNamespace(
        CUDAGraph=graph,
        graph=lambda graph, stream: graph,
        Stream=Stream,
        stream=lambda stream: contextlib.nullcontext(),
        current_stream=lambda device: Stream(),
        synchronize=lambda device: None,
    )
    for name, value in vars(stand_in).items():
        monkeypatch.setattr(torch.cuda, name, value)
    monkeypatch.setattr(lanes, "has_graphs", lambda device: True)
