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

from reglab import runtime
from reglab.config import RunConfig
from reglab.data import Dataset, load_dataset
from reglab.errors import ReglabError
from reglab.formulas import calibration_error, effective_lambda
from reglab.models import StandardCNN, decayed_parameters, initialize, seed_dropout
from reglab.records import Costs, History, RunRecord, Scores, pack_bits
from reglab.seeds import stream_seed

# Large enough to lose no time on a GPU; small enough for a processor's cache.
EVAL_BATCH = {"cpu": 100, "cuda": 2000}

Labelled = tuple[Tensor, Tensor]  # uint8 images (N, C, H, W) and labels (N,), on one device


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


def train(config: RunConfig, data: Dataset | None = None, *, threads: int = 1) -> RunRecord:
    """Train one network as ``config`` says and return what there is to know about the run.

    Early stopping watches validation cross-entropy (eval mode, no penalty); the best epoch's
    weights are restored for `RunRecord.best`, the last epoch's give `RunRecord.last`. A loss that
    is not finite ends the run with ``diverged=True``; nothing is raised.

    Args:
        config: the run. On a CPU the record is bit-identical for equal configs and threads.
        data: the data set split with the config's seed; None loads it (`load_for`).
        threads: CPU threads inside one run; parallelism is over runs (`reglab.sweep`).

    Raises:
        ReglabError: ``data`` is not what ``config`` names, or CUDA is asked for and missing.
    """
    data = load_for(config) if data is None else data
    _check_match(config, data)
    with runtime.settings(config, threads) as device:
        started = time.perf_counter()
        model = build_model(config, data).to(device, memory_format=torch.channels_last)
        seed_dropout(model, config.seed, device)
        fit, val, test = _on_device(data, device)
        course = _fit(model, fit, val, data, config)
        last = None if course.diverged else score(model, test, data, config)
        best = last
        if course.diverged or course.best_epoch != len(course.history.val_loss):
            best = _restored_score(model, course.best_weights, test, data, config)
        inference_ms = _inference_ms(model, test, data, config)
        seconds = time.perf_counter() - started
        costs = Costs(seconds, course.seconds, inference_ms, runtime.peak_memory(device))
    return RunRecord(
        config=config,
        history=course.history,
        best_epoch=course.best_epoch,
        best=best,
        last=last,
        diverged=course.diverged,
        n_params=sum(p.numel() for p in model.parameters()),
        n_fit=len(data.y_train),
        costs=costs,
        environment=runtime.environment(device, threads),
    )


@dataclass
class _Course:
    """How training went: what the epochs measured, and the best epoch's weights."""

    history: History
    seconds: list[float]
    best_epoch: int | None = None
    best_weights: dict | None = None
    diverged: bool = False


def _fit(
    model: nn.Module, fit: Labelled, val: Labelled, data: Dataset, config: RunConfig
) -> _Course:
    """Train until the last epoch, early stopping or a loss that is not finite."""
    optimizer = build_optimizer(model, config, len(fit[1]))
    order, stopper = BatchOrder(config, len(fit[1])), EarlyStopping(config.patience)
    course = _Course(History(), [])
    for _ in range(config.max_epochs):
        course.seconds.append(train_epoch(model, optimizer, fit, order, data, config))
        train_loss, train_acc = evaluate(model, fit, data, config)
        val_loss, val_acc = evaluate(model, val, data, config)
        course.diverged = not (math.isfinite(train_loss) and math.isfinite(val_loss))
        if course.diverged:
            break
        _append(course.history, train_loss, train_acc, val_loss, val_acc)
        if stopper.improved(val_loss):
            course.best_epoch = stopper.best_epoch
            course.best_weights = copy.deepcopy(model.state_dict())
        if stopper.should_stop:
            break
    return course


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
        )
    initialize(model, config.seed)
    return model


def build_optimizer(model: nn.Module, config: RunConfig, n_fit: int) -> torch.optim.Optimizer:
    """Return the optimizer, lambda in its ``weight_decay`` for weights, 0 for biases and BN.

    torch's SGD and Adam add weight_decay * w to the gradient, which is the coupled penalty;
    AdamW shrinks w by lr * weight_decay, which is the decoupled one.
    """
    decoupled = config.l2 == "decoupled"
    decay = config.lam if decoupled else effective_lambda(config.lam, config.l2, n_fit)
    weights, rest = decayed_parameters(model)
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


def train_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    fit: Labelled,
    order: BatchOrder,
    data: Dataset,
    config: RunConfig,
) -> float:
    """Take one pass of optimizer steps over ``fit``; return its seconds."""
    images, labels = fit
    model.train()
    started = time.perf_counter()
    for index in order.epoch():
        index = index.to(images.device)
        with runtime.autocast(config):
            logits = model(_ready(images[index], data))
        loss = cross_entropy(logits.float(), labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    runtime.synchronize(images.device)
    return time.perf_counter() - started


@torch.inference_mode()
def predict(model: nn.Module, images: Tensor, data: Dataset, config: RunConfig) -> Tensor:
    """Return eval-mode logits, float32, shape (N, K), of uint8 images in large batches."""
    model.eval()
    with runtime.autocast(config):
        parts = [
            model(_ready(batch, data)).float() for batch in images.split(EVAL_BATCH[config.device])
        ]
    return torch.cat(parts)


def evaluate(
    model: nn.Module, part: Labelled, data: Dataset, config: RunConfig
) -> tuple[float, float]:
    """Return mean cross-entropy in nats (no penalty) and accuracy in [0, 1], eval mode."""
    images, labels = part
    logits = predict(model, images, data, config)
    accuracy = (logits.argmax(1) == labels).double().mean()
    return cross_entropy(logits, labels).item(), accuracy.item()


def score(model: nn.Module, test: Labelled, data: Dataset, config: RunConfig) -> Scores:
    """Return everything a record keeps about one set of weights on the test images."""
    images, labels = test
    logits = predict(model, images, data, config)
    correct = logits.argmax(1) == labels
    return Scores(
        loss=_finite(cross_entropy(logits, labels).item()),
        accuracy=correct.double().mean().item(),
        ece=_finite(calibration_error(logits.softmax(1), labels).item()),
        correct=pack_bits(correct.cpu().numpy()),
    )


def _restored_score(
    model: nn.Module, weights: dict | None, test: Labelled, data: Dataset, config: RunConfig
) -> Scores | None:
    if weights is None:
        return None
    model.load_state_dict(weights)
    return score(model, test, data, config)


def _inference_ms(model: nn.Module, test: Labelled, data: Dataset, config: RunConfig) -> float:
    """Median milliseconds of five eval-mode passes over one batch of training's size."""
    images, times = test[0][: config.batch_size], []
    for _ in range(5):
        started = time.perf_counter()
        predict(model, images, data, config)
        runtime.synchronize(images.device)
        times.append(time.perf_counter() - started)
    return sorted(times)[2] * 1000


def _ready(images: Tensor, data: Dataset) -> Tensor:
    """Standardize a uint8 batch, in the memory layout that convolutions are fastest with."""
    return data.standardize(images).contiguous(memory_format=torch.channels_last)


def _on_device(data: Dataset, device: torch.device) -> tuple[Labelled, Labelled, Labelled]:
    parts = ((data.x_train, data.y_train), (data.x_val, data.y_val), (data.x_test, data.y_test))
    return tuple((images.to(device), labels.to(device)) for images, labels in parts)


def _append(history: History, *values: float) -> None:
    names = ("train_loss", "train_acc", "val_loss", "val_acc")
    for name, value in zip(names, values, strict=True):
        getattr(history, name).append(value)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _check_match(config: RunConfig, data: Dataset) -> None:
    asked = (config.dataset, config.data_version, config.seed, config.n_train)
    given = (data.name, data.version, data.seed, data.n_train)
    names = ("dataset", "data_version", "seed", "n_train")
    for name, want, have in zip(names, asked, given, strict=True):
        if want != have:
            raise ReglabError(f"the config asks for {name}={want!r}, the data given has {have!r}")
