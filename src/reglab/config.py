"""RunConfig: one training run, frozen, validated, with a stable key."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_type_hints

from reglab import augmentations
from reglab.errors import ReglabError

# Part of every key: raise it whenever a change makes `train` compute something else.
TRAIN_VERSION = 1

L2_READINGS = ("coupled", "per_sample", "decoupled")
PLACEMENTS = ("fc", "all")
OPTIMIZERS = ("sgd", "adamw")
PRECISIONS = ("fp32", "bf16")
DECAYED = ("all", "conv", "dense")
NORM_ORDERS = ("before_relu", "after_relu")
PROBES = ("", "statistics", "robustness", "agreement")  # what each does: `reglab.training.probes`
PRUNED_BY = ("magnitude", "random")

# Fields that came after runs had been recorded. A config's JSON, and so its key, leaves them out
# where they have their default: older runs keep their keys. A new field is added here as well, with
# the default that trains as before.
LATER = ("decay_on", "norm_order", "probes", "augment", "label_smoothing", "teacher")
LATER += ("temperature", "soft", "start", "sparsity", "rounds", "pruned_by", "rewind")
DEVICES = ("cpu", "cuda")


def shown(value: object) -> str:
    """Return ``repr(value)``, on one line, for a message about bad input."""
    try:
        return repr(value).replace("\n", " ")
    except (ValueError, RecursionError):  # Python prints no integer of more than 4,300 digits
        return f"a {type(value).__name__} too large to print"


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that decides what one training run computes.

    Two runs with equal configs on one machine give bit-identical records (costs aside).

    Args:
        dataset: name of the data set, e.g. ``"mnist"``: a-z, 0-9, _ and - only, since runs are
            kept in a folder of that name.
        data_version: which pixels, ``"SOURCE:DIGEST"`` as `reglab.data.dataset.dataset_version`
            gives it.
        n_train: images taken from the training half, the validation part included; >= 2.
        val_fraction: share of ``n_train`` held out for validation, in (0, 1).
        seed: seed of the split, the initial weights, the batch order and the dropout masks; >= 0.
        width: channels w of the first convolution (w-w-pool, 2w-2w-pool, FC 16w); >= 1.
        batch_norm: batch normalization after each convolution, before or after its ReLU
            (``norm_order``).
        dropout: probability that a unit is *dropped* (set to zero) in training, in [0, 1).
        placement: ``"fc"`` drops after the hidden fully connected layer; ``"all"`` after
            both pools as well.
        l2: how ``lam`` is read. ``"coupled"`` adds lam/2 ||w||^2 to the mean loss (the paper's
            text); ``"per_sample"`` adds lam/(2n) ||w||^2, n the images trained on (Nielsen 2015);
            ``"decoupled"`` shrinks weights by lr * lam a step outside the gradient
            (Loshchilov & Hutter 2019). Convolution and FC weights only, never biases or BN.
        lam: strength, >= 0.
        decay_on: which weights ``lam`` acts on: ``"all"``, ``"conv"`` (convolutions) or
            ``"dense"`` (the hidden and the output layer).
        norm_order: where BN is: ``"before_relu"`` (conv-BN-ReLU) or ``"after_relu"``
            (conv-ReLU-BN, where the convolution keeps its bias).
        optimizer: ``"sgd"`` (momentum) or ``"adamw"``; ``"decoupled"`` needs ``"adamw"``.
        lr: fixed learning rate, > 0.
        momentum: SGD's momentum, in [0, 1); AdamW ignores it.
        batch_size: images a step, >= 2; the last partial batch is dropped.
        max_epochs: upper bound on passes over the training part, >= 1.
        patience: stop after this many epochs without a lower validation cross-entropy;
            0 = never stop early.
        device: ``"cpu"`` or ``"cuda"``; part of the key, so that no table mixes the two.
        precision: ``"fp32"`` or ``"bf16"`` (autocast).
        probes: extra scoring of the finished run, by name; ``""`` = none. It changes nothing of
            the training.
        augment: what is done to training images, e.g. ``"flip+rotation:15+shift:2"`` (degrees,
            pixels), in the order flip, rotation, scale (``scale:0.1``, a share), shift;
            ``"alternating_flip"`` in place of ``"flip"``; ``""`` = nothing. See
            `reglab.augmentations.Augmentation`.
        label_smoothing: share of each target that is spread evenly over all classes, in [0, 1).
        teacher: a run whose best weights this one learns from; None = labels alone. Of the same
            images and seed, so that no validation image teaches anything.
        temperature: T, by which the logits of both are divided, > 0 (Hinton et al. 2015).
        soft: share of the teacher's part in the loss, soft T^2 KL + (1 - soft) CE, in (0, 1].
        start: a run of the same network, whose best weights are pruned; None = no pruning.
        sparsity: share of the weights of convolutions and linear layers that are held at zero,
            counted over all layers, in [0, 1); at 0 the run only goes on.
        rounds: epochs over which pruning reaches ``sparsity``, the same share of what is left at
            the beginning of each; the best epoch is sought from then on.
        pruned_by: ``"magnitude"`` takes the smallest weights, ``"random"`` any.
        rewind: keep only which weights of ``start`` are not zero, and go back to the seed's
            initial values (Frankle and Carbin 2019).
        train_version: version of the training code.

    Raises:
        ReglabError: one line naming the field, what was given and what is allowed.
    """

    dataset: str
    data_version: str
    n_train: int
    seed: int
    width: int
    lr: float
    max_epochs: int
    val_fraction: float = 0.1
    batch_norm: bool = False
    dropout: float = 0.0
    placement: str = "fc"
    l2: str = "coupled"
    lam: float = 0.0
    optimizer: str = "sgd"
    momentum: float = 0.9
    batch_size: int = 64
    patience: int = 5
    device: str = "cpu"
    precision: str = "fp32"
    train_version: int = TRAIN_VERSION
    decay_on: str = "all"
    norm_order: str = "before_relu"
    probes: str = ""
    augment: str = ""
    label_smoothing: float = 0.0
    teacher: RunConfig | None = None
    temperature: float = 1.0
    soft: float = 0.0
    start: RunConfig | None = None
    sparsity: float = 0.0
    rounds: int = 0
    pruned_by: str = "magnitude"
    rewind: bool = False

    def __post_init__(self) -> None:
        _coerce_types(self)
        _one_of(self, "placement", PLACEMENTS)
        _one_of(self, "l2", L2_READINGS)
        _one_of(self, "optimizer", OPTIMIZERS)
        _one_of(self, "device", DEVICES)
        _one_of(self, "precision", PRECISIONS)
        _one_of(self, "decay_on", DECAYED)
        _one_of(self, "norm_order", NORM_ORDERS)
        _one_of(self, "probes", PROBES)
        augmentations.check(self.augment, self.dataset)
        is_name = re.fullmatch("[a-z0-9_-]+", self.dataset) is not None
        _require(self, "dataset", is_name, "a name of a-z, 0-9, _ and -")
        _require(self, "data_version", self.data_version != "", "a non-empty string")
        _require(self, "n_train", self.n_train >= 2, "an integer >= 2")
        _require(self, "seed", 0 <= self.seed < 2**63, "an integer from 0 to 2**63 - 1")
        _require(self, "width", self.width >= 1, "an integer >= 1")
        _require(self, "batch_size", self.batch_size >= 2, "an integer >= 2")
        _require(self, "max_epochs", self.max_epochs >= 1, "an integer >= 1")
        _require(self, "patience", self.patience >= 0, "an integer >= 0 (0 = no early stopping)")
        _require(self, "val_fraction", 0 < self.val_fraction < 1, "between 0 and 1, both excluded")
        _require(self, "dropout", 0 <= self.dropout < 1, "a drop rate in [0, 1)")
        _require(self, "momentum", 0 <= self.momentum < 1, "in [0, 1)")
        _require(self, "lr", math.isfinite(self.lr) and self.lr > 0, "finite and > 0")
        _require(self, "lam", math.isfinite(self.lam) and self.lam >= 0, "finite and >= 0")
        if self.l2 == "decoupled" and self.optimizer != "adamw":
            raise ReglabError(
                f"l2='decoupled' needs optimizer='adamw', got optimizer={self.optimizer!r}"
            )
        _check_taught(self)
        _check_pruned(self)

    @cached_property
    def key(self) -> str:
        """Stable identifier, 32 hex digits of the SHA-256 of the config's canonical JSON."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def before(self) -> tuple[RunConfig, ...]:
        """The runs that this one begins with or learns from."""
        return tuple(run for run in (self.start, self.teacher) if run is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON values, `LATER` ones only where they are not default."""
        values = {name: getattr(self, name) for name in _DEFAULTS}
        return {
            name: value.to_dict() if isinstance(value, RunConfig) else value
            for name, value in values.items()
            if name not in LATER or value != _DEFAULTS[name]
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunConfig:
        """Build a config from `to_dict`'s output; unknown or missing fields are refused."""
        if not isinstance(values, Mapping):
            raise ReglabError(f"a config must be a mapping of fields, got {shown(values)}")
        known = {field.name: field.default for field in dataclasses.fields(cls)}
        if unknown := sorted(map(shown, set(values) - set(known))):
            raise ReglabError(f"unknown config field {unknown[0]}; known: {sorted(known)}")
        for name, default in known.items():
            if default is dataclasses.MISSING and name not in values:
                raise ReglabError(f"incomplete config: the field {name!r} is missing")
        nested = {name: values[name] for name in _NESTED if values.get(name) is not None}
        return cls(**(values | {name: cls.from_dict(given) for name, given in nested.items()}))

    def replace(self, **changes: Any) -> RunConfig:
        """Return a copy with some fields changed (and validated again).

        Runs that come before this one change with it in what they must share, the seed for one.
        """
        for name, shared in (("teacher", _SHARED), ("start", (*_SHARED, *_NETWORK))):
            run = changes.get(name, getattr(self, name))
            along = {field: value for field, value in changes.items() if field in shared}
            if run is not None and along:
                changes[name] = run.replace(**along)
        return dataclasses.replace(self, **changes)


_TYPES = get_type_hints(RunConfig)
_DEFAULTS = {field.name: field.default for field in dataclasses.fields(RunConfig)}
_NESTED = ("teacher", "start")  # runs that must be finished before this one
_SHARED = ("dataset", "data_version", "n_train", "val_fraction", "seed", "device", "precision")
_NETWORK = ("width", "batch_norm", "norm_order")


def _check_taught(config: RunConfig) -> None:
    smoothing, soft = config.label_smoothing, config.soft
    _require(config, "label_smoothing", 0 <= smoothing < 1, "in [0, 1)")
    hot = math.isfinite(config.temperature) and config.temperature > 0
    _require(config, "temperature", hot, "finite and > 0")
    if config.teacher is None:
        _require(config, "soft", soft == 0, "0 without a teacher")
        _require(config, "temperature", config.temperature == 1, "1 without a teacher")
        _require(config, "probes", config.probes != "agreement", "another without a teacher")
        return
    _require(config, "soft", 0 < soft <= 1, "in (0, 1] with a teacher")
    _require(config, "label_smoothing", smoothing == 0, "0 with a teacher")
    clean = config.augment == ""  # a teacher looks at each training image once
    _require(config, "augment", clean, "'' with a teacher")
    _same(config, "teacher", _SHARED)


def _check_pruned(config: RunConfig) -> None:
    _one_of(config, "pruned_by", PRUNED_BY)
    if config.start is None:
        _require(config, "sparsity", config.sparsity == 0, "0 without a run to start from")
        _require(config, "rounds", config.rounds == 0, "0 without a run to start from")
        _require(config, "rewind", not config.rewind, "False without a run to start from")
        any_way = config.pruned_by == "magnitude"
        _require(config, "pruned_by", any_way, "'magnitude' without a run to start from")
        return
    _require(config, "sparsity", 0 <= config.sparsity < 1, "in [0, 1): at 1 no weight is left")
    most = 0 if config.rewind else config.max_epochs
    least = min(1, most)
    fits = least <= config.rounds <= most
    _require(config, "rounds", fits, f"from {least} to {most}: epochs, none of them after a rewind")
    zeros = ("sparsity", "pruned_by") if config.rewind else ()  # those of the run that was pruned
    _same(config, "start", (*_SHARED, *_NETWORK, *zeros))


def _same(config: RunConfig, name: str, fields: tuple[str, ...]) -> None:
    """Refuse a nested run that differs in what has to be the same."""
    for field in fields:
        want, have = getattr(config, field), getattr(getattr(config, name), field)
        if want != have:
            raise ReglabError(f"{name} must have the run's {field}, {want!r}, got {have!r}")


def _coerce_types(config: RunConfig) -> None:
    """Check each field's type; an int where a float belongs becomes one, so keys agree."""
    for name, wanted in _TYPES.items():
        value = getattr(config, name)
        if wanted in (int, float) and isinstance(value, int) and not isinstance(value, bool):
            _require(config, name, -(2**63) <= value < 2**63, "a number of 64 bits")
            value = float(value) if wanted is float else value
            object.__setattr__(config, name, value)
        if name in _NESTED:
            fine = value is None or isinstance(value, RunConfig)
            _require(config, name, fine, "a RunConfig or None")
            continue
        if type(value) is not wanted:
            raise ReglabError(f"{name} must be of type {wanted.__name__}, got {shown(value)}")
        if wanted is float and value == 0:
            object.__setattr__(config, name, 0.0)  # -0.0 would give another key


def _require(config: RunConfig, field: str, ok: bool, allowed: str) -> None:
    if not ok:
        raise ReglabError(f"{field} must be {allowed}, got {shown(getattr(config, field))}")


def _one_of(config: RunConfig, field: str, allowed: tuple[str, ...]) -> None:
    if getattr(config, field) not in allowed:
        _require(config, field, False, "one of " + ", ".join(map(repr, allowed)))
