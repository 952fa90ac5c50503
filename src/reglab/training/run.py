"""train(config, data) -> RunRecord: one run, the plain loop."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from reglab.config import TRAIN_VERSION, RunConfig
from reglab.data.dataset import Dataset, load_dataset
from reglab.errors import ReglabError
from reglab.formulas import effective_lambda
from reglab.record import Costs, History, RunRecord, Scores, Trace
from reglab.seeds import stream_seed
from reglab.training import augmenting, machine, probes
from reglab.training.callbacks import OnEpoch, silent
from reglab.training.evaluate import Labelled, evaluate, inference_ms, ready, score
from reglab.training.model import (
    StandardCNN,
    decayed_parameters,
    initialize,
    is_decayed,
    seed_dropout,
)


def load_for(config: RunConfig) -> Dataset:
    """Load the data a config names, split with its seed.

    Raises:
        ReglabError: the data on this machine are not the version the config was made for.
    """
    source = config.data_version.partition(":")[0]
    data = load_dataset(
        config.dataset,
        source=source,
        seed=config.seed,
        n_train=config.n_train,
        val_fraction=config.val_fraction,
    )
    _check_match(config, data)
    return data


def train(
    config: RunConfig, data: Dataset | None = None, *, threads: int = 1, on_epoch: OnEpoch = silent
) -> RunRecord:
    """Train one network as ``config`` says and return what there is to know about the run.

    Early stopping watches validation cross-entropy (eval mode, no penalty); the best epoch's
    weights are restored for `RunRecord.best`, the last epoch's give `RunRecord.last`. A loss that
    is not finite ends the run with ``diverged=True``; nothing is raised.

    Args:
        config: the run. On a CPU the record is bit-identical for equal configs and threads.
        data: the data set split with the config's seed; None loads it (`load_for`).
        threads: CPU threads inside one run; parallelism is over runs (`reglab.study.sweep`).
        on_epoch: called after each epoch with the run's key and its number of epochs.

    Raises:
        ReglabError: ``data`` is not what ``config`` names, or CUDA is asked for and missing.
    """
    data = load_for(config) if data is None else data
    _check_match(config, data)
    with machine.settings(config, threads) as device:
        run = Run(config, data, device)
        while not run.finished:
            run.end_epoch(run.epoch())
            on_epoch(config.key, len(run.epoch_seconds))
        return run.record(threads)


class Run:
    """One run under way: its network, and what its epochs measured so far.

    `train` drives one to its end, `reglab.training.together` many at once; the benchmark times it.

    Args:
        config, data: as for `train`, matching each other.
        device: where to train.
        parts: training, validation and test part on the device; None puts the data's there.
    """

    def __init__(
        self,
        config: RunConfig,
        data: Dataset,
        device: torch.device,
        parts: tuple[Labelled, Labelled, Labelled] | None = None,
    ) -> None:
        probes.check(config, data)
        self.config, self.data, self.device = config, data, device
        self.started, self.began = time.perf_counter(), machine.utc()
        model = build_model(config, data)
        self.model = model.to(device, memory_format=torch.channels_last)
        seed_dropout(self.model, config.seed, device)
        self.fit, self.val, self.test = on_device(data, device) if parts is None else parts
        self.optimizer = build_optimizer(self.model, config, len(self.fit[1]))
        self.order = BatchOrder(config, len(self.fit[1]))
        self.augment = augmenting.augmenter(config, data, device)
        self.stopper = EarlyStopping(config.patience)
        self.history, self.trace, self.epoch_seconds = History(), Trace(), []
        self.best_weights: dict | None = None
        self.diverged = False

    @property
    def finished(self) -> bool:
        """Whether the last epoch is done, early stopping ended the run, or it diverged."""
        at_end = len(self.epoch_seconds) >= self.config.max_epochs
        return at_end or self.diverged or self.stopper.should_stop

    def step(self, index: Tensor) -> None:
        """Take one optimizer step on the training images of ``index``, (B,), on their device."""
        images, labels = self.fit
        batch = self.augment(images[index], index, len(self.epoch_seconds))
        with machine.autocast(self.config):
            logits = self.model(ready(batch, self.data))  # (B, K)
        loss = cross_entropy(logits.float(), labels[index])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def epoch(self) -> float:
        """Take one pass of steps over the training images; return its seconds."""
        self.model.train()
        started = time.perf_counter()
        for index in self.order.epoch():
            self.step(index.to(self.device))
        machine.synchronize(self.device)
        return time.perf_counter() - started

    def end_epoch(self, seconds: float) -> None:
        """Measure after an epoch of steps that took ``seconds``; keep the weights if best."""
        self.epoch_seconds.append(seconds)
        train_loss, train_acc = evaluate(self.model, self.fit, self.data, self.config)
        val_loss, val_acc = evaluate(self.model, self.val, self.data, self.config)
        self.diverged = not (math.isfinite(train_loss) and math.isfinite(val_loss))
        if self.diverged:
            return
        _append(self.history, train_loss, train_acc, val_loss, val_acc)
        self._append_trace()
        if self.stopper.improved(val_loss):
            self.best_weights = copy.deepcopy(self.model.state_dict())

    def record(self, threads: int = 1) -> RunRecord:
        """Score the last and the best weights on the test images; return the finished run."""
        last = None if self.diverged else self._score()
        best, best_epoch = last, self.stopper.best_epoch
        if self.diverged or best_epoch != len(self.history.val_loss):
            best = None
            if self.best_weights is not None:
                self.model.load_state_dict(self.best_weights)
                best = self._score()
        probed = None if best is None else probes.probe(self)
        inference = inference_ms(self.model, self.test, self.data, self.config)
        seconds = time.perf_counter() - self.started
        memory = machine.peak_memory(self.device)
        return RunRecord(
            config=self.config,
            history=self.history,
            best_epoch=best_epoch,
            best=best,
            last=last,
            diverged=self.diverged,
            n_params=sum(p.numel() for p in self.model.parameters()),
            n_fit=len(self.fit[1]),
            costs=Costs(seconds, self.epoch_seconds, inference, memory),
            environment=machine.environment(self.device, threads)
            | {"started": self.began, "ended": machine.utc()},
            trace=self.trace,
            learned=self.learned,
            probed=probed,
        )

    @property
    def learned(self) -> bool:
        """Whether training accuracy ever was above twice that of guessing among K classes."""
        return max(self.history.train_acc, default=0.0) > 2 / self.data.n_classes

    def _append_trace(self) -> None:
        """Note what an epoch leaves beside its history; six digits are enough for a curve."""
        loss, accuracy = evaluate(self.model, self.test, self.data, self.config)
        self.trace.test_loss.append(rounded(loss))
        self.trace.test_acc.append(accuracy)
        for name, weight in self.model.named_parameters():
            if is_decayed(weight):
                norm = rounded(torch.linalg.vector_norm(weight.detach()).item())
                self.trace.weight_norms.setdefault(name, []).append(norm)

    def _score(self) -> Scores:
        return score(self.model, self.test, self.data, self.config)


def build_model(config: RunConfig, data: Dataset) -> StandardCNN:
    """Return the config's network with its initial weights, on the CPU."""
    with torch.random.fork_rng(devices=[]):  # torch's own initialization, overwritten below
        model = StandardCNN(
            data.in_shape,
            data.n_classes,
            config.width,
            config.batch_norm,
            config.dropout,
            config.placement,
            config.norm_order,
        )
    initialize(model, config.seed)
    return model


def build_optimizer(model: nn.Module, config: RunConfig, n_fit: int) -> torch.optim.Optimizer:
    """Return the optimizer, lambda in its ``weight_decay`` for weights, 0 for biases and BN.

    Which weights: ``config.decay_on``.

    torch's SGD and Adam add weight_decay * w to the gradient, which is the coupled penalty;
    AdamW shrinks w by lr * weight_decay, which is the decoupled one.
    """
    decoupled = config.l2 == "decoupled"
    decay = config.lam if decoupled else effective_lambda(config.lam, config.l2, n_fit)
    weights, rest = decayed_parameters(model, config.decay_on)
    groups = [{"params": weights, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum)
    adam = torch.optim.AdamW if decoupled else torch.optim.Adam
    return adam(groups, lr=config.lr)


class BatchOrder:
    """The order of training images, epoch by epoch, from a stream of its own (seed, "order")."""

    def __init__(self, config: RunConfig, n_fit: int) -> None:
        self.n_fit = n_fit
        self.batch_size = min(config.batch_size, n_fit)
        self.generator = torch.Generator().manual_seed(stream_seed(config.seed, "order"))

    def epoch(self) -> Iterator[Tensor]:
        """Yield index tensors of shape (batch_size,); the last partial batch is dropped."""
        permutation = torch.randperm(self.n_fit, generator=self.generator)
        full = self.n_fit - self.n_fit % self.batch_size
        yield from permutation[:full].split(self.batch_size)


@dataclass
class EarlyStopping:
    """Stop after ``patience`` epochs without a lower validation loss; 0 = never."""

    patience: int
    epoch: int = 0
    best_epoch: int | None = None
    best_loss: float = math.inf

    def improved(self, val_loss: float) -> bool:
        """Count an epoch; say whether its loss is the lowest so far."""
        self.epoch += 1
        if val_loss < self.best_loss:
            self.best_loss, self.best_epoch = val_loss, self.epoch
            return True
        return False

    @property
    def should_stop(self) -> bool:
        """Whether the last ``patience`` epochs brought nothing better."""
        return 0 < self.patience <= self.epoch - (self.best_epoch or 0)


def on_device(data: Dataset, device: torch.device) -> tuple[Labelled, Labelled, Labelled]:
    """Return training, validation and test part, uint8 images and labels, on the device."""
    parts = ((data.x_train, data.y_train), (data.x_val, data.y_val), (data.x_test, data.y_test))
    return tuple((images.to(device), labels.to(device)) for images, labels in parts)


def _append(history: History, *values: float) -> None:
    names = ("train_loss", "train_acc", "val_loss", "val_acc")
    for name, value in zip(names, values, strict=True):
        getattr(history, name).append(value)


def rounded(value: float) -> float | None:
    """Return six significant digits of a finite number, None of any other."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _check_match(config: RunConfig, data: Dataset) -> None:
    if config.train_version != TRAIN_VERSION:
        raise ReglabError(
            f"the config asks for train_version={config.train_version}, this reglab trains as "
            f"version {TRAIN_VERSION}; use the reglab that made the config"
        )
    asked = (config.dataset, config.data_version, config.seed, config.n_train)
    given = (data.name, data.version, data.seed, data.n_train)
    names = ("dataset", "data_version", "seed", "n_train")
    for name, want, have in zip(names, asked, given, strict=True):
        if want != have:
            raise ReglabError(f"the config asks for {name}={want!r}, the data given has {have!r}")
