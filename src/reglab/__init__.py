"""L2, dropout and batch normalization: a paper's claims, derived, rerun and checked.

The names here are what most users need; they are imported when first used, since torch takes a
while to load. The packages, in the order in which they may know each other, are listed in
DEVELOPMENT.md.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

# name -> the module it lives in
_HOMES = {
    "ReglabError": "reglab.errors",
    "RunConfig": "reglab.config",
    "RunRecord": "reglab.record",
    "RunStore": "reglab.runs.store",
    "load_dataset": "reglab.data.dataset",
    "load_frame": "reglab.study.frame",
    "make_plan": "reglab.study.plan",
    "open_store": "reglab.runs.store",
    "reproduce": "reglab.study.sweep",
    "show": "reglab.pages.display",
    "train": "reglab.training.run",
}

__all__ = sorted([*_HOMES, "__version__"])


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'reglab' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
