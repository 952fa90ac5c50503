"""train(config, data) -> RunRecord: one run, the plain loop."""

from __future__ import annotations

import copy
import math
import time

import torch
from torch import Tensor

from reglab.config import TRAIN_VERSION, RunConfig
from reglab.data.dataset import Dataset, load_dataset
from reglab.data.tasks import REGRESSION
from reglab.errors import ReglabError
from reglab.record import Costs, History, RunRecord, Scores, Trace
from reglab.training import augmenting, machine, probes, targets
from reglab.training.callbacks import OnEpoch, silent
from reglab.training.evaluate import Labelled, evaluate, inference_ms, predict, ready, score
from reglab.training.kept import IN_PROCESS, Kept, Weights
from reglab.training.model import is_decayed, seed_dropout
from reglab.training.networks import Network, build_model
from reglab.training.optimizer import build_optimizer
from reglab.training.order import BatchOrder
from reglab.training.pruning import zeros_of
from reglab.training.stopping import EarlyStopping


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
    config: RunConfig,
    data: Dataset | None = None,
    *,
    threads: int = 1,
    on_epoch: OnEpoch = silent,
    kept: Kept = IN_PROCESS,
) -> RunRecord:
    """Train one network as ``config`` says and return what there is to know about the run.

    Early stopping watches the validation loss (eval mode, no penalty); the best epoch's
    weights are restored for `RunRecord.best`, the last epoch's give `RunRecord.last`. A loss that
    is not finite ends the run with ``diverged=True``; nothing is raised.

    Args:
        config: the run. On a CPU the record is bit-identical for equal configs and threads.
        data: the data set split with the config's seed; None loads it (`load_for`).
        threads: CPU threads inside one run; parallelism is over runs (`reglab.study.sweep`).
        on_epoch: called after each epoch with the run's key and its number of epochs.
        kept: where the weights of other runs are that the config names; what is not there is
            trained first.

    Raises:
        ReglabError: ``data`` is not what ``config`` names, or CUDA is asked for and missing.
    """
    data = load_for(config) if data is None else data
    _check_match(config, data)
    with machine.settings(config, threads) as device:
        run = Run(config, data, device, kept=kept)
        run.finish(on_epoch)
        kept.offer(config, run.best_weights)
        return run.record(threads)


def weights_of(config: RunConfig, data: Dataset, device: torch.device, kept: Kept) -> Weights:
    """Return the best weights of a run that another names, trained now unless they are kept.

    Raises:
        ReglabError: the run diverged before its first epoch ended.
    """
    with kept.lock(config):
        if (weights := kept.get(config)) is None:
            run = Run(config, data, device, kept=kept)
            run.finish()
            if (weights := run.best_weights) is None:
                raise ReglabError(
                    f"a run that another begins with or learns from diverged at once "
                    f"({config.key}); take a smaller learning rate"
                )
            kept.put(config, weights)
    return {name: value.to(device) for name, value in weights.items()}


class Run:
    """One run under way: its network, and what its epochs measured so far.

    `train` drives one to its end, `reglab.training.together` many at once; the benchmark times it.

    Args:
        config, data: as for `train`, matching each other.
        device: where to train.
        parts: training, validation and test part on the device; None puts the data's there.
        kept: see `train`.
    """

    def __init__(
        self,
        config: RunConfig,
        data: Dataset,
        device: torch.device,
        parts: tuple[Labelled, Labelled, Labelled] | None = None,
        kept: Kept = IN_PROCESS,
    ) -> None:
        probes.check(config, data)
        targets.check(config, data.task)
        self.config, self.data, self.device, self.kept = config, data, device, kept
        self.fit, self.val, self.test = on_device(data, device) if parts is None else parts
        start = None if config.start is None else weights_of(config.start, data, device, kept)
        self.teacher = None if config.teacher is None else self._network(config.teacher)
        self.started, self.began = time.perf_counter(), machine.utc()
        model = build_model(config, data)
        self.model = model.to(device, memory_format=torch.channels_last)
        self.zeros = zeros_of(config, self.model, start)
        seed_dropout(self.model, config.seed, device)
        self.loss = targets.loss_of(config, self._taught(), data.task)
        self.optimizer = build_optimizer(self.model, config, len(self.fit[1]))
        self.order = BatchOrder(config, len(self.fit[1]))
        self.augment = augmenting.augmenter(config, data, device)
        self.stopper = EarlyStopping(config.patience, self.zeros.first)
        self.history, self.trace = History.of(data.task), Trace.of(data.task)
        self.epoch_seconds: list[float] = []
        self.best_weights: dict | None = None
        self.best: Scores | None = None
        self.last: Scores | None = None
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
        loss = self.loss(logits.float(), labels[index], index)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.zeros.hold()

    def begin_epoch(self) -> list[Tensor]:
        """Return the epoch's batches, index tensors of shape (batch_size,)."""
        self.model.train()
        self.zeros.begin_epoch()
        return list(self.order.epoch())

    def epoch(self) -> float:
        """Take one pass of steps over the training images; return its seconds."""
        started = time.perf_counter()
        for index in self.begin_epoch():
            self.step(index.to(self.device))
        machine.synchronize(self.device)
        return time.perf_counter() - started

    def end_epoch(self, seconds: float) -> None:
        """Measure after an epoch of steps that took ``seconds``; keep the weights if best."""
        self.epoch_seconds.append(seconds)
        train_loss, train_score = evaluate(self.model, self.fit, self.data, self.config)
        val_loss, val_score = evaluate(self.model, self.val, self.data, self.config)
        self.diverged = not (math.isfinite(train_loss) and math.isfinite(val_loss))
        if self.diverged:
            self.last = None
            return
        self.history.append(train_loss, train_score, val_loss, val_score)
        self.last = score(self.model, self.test, self.data, self.config)
        self._append_trace(self.last)
        if self.stopper.improved(val_loss):
            self.best_weights = copy.deepcopy(self.model.state_dict())
            self.best = self.last

    def finish(self, on_epoch: OnEpoch = silent) -> None:
        """Train to the end."""
        while not self.finished:
            self.end_epoch(self.epoch())
            on_epoch(self.config.key, len(self.epoch_seconds))

    def record(self, threads: int = 1) -> RunRecord:
        """Put the best weights back, probe them as the config asks; return the finished run."""
        if self.best_weights is not None:
            self.model.load_state_dict(self.best_weights)
        probed = None if self.best is None else probes.probe(self)
        inference = inference_ms(self.model, self.test, self.data, self.config)
        seconds = time.perf_counter() - self.started
        memory = machine.peak_memory(self.device)
        return RunRecord(
            config=self.config,
            history=self.history,
            best_epoch=self.stopper.best_epoch,
            best=self.best,
            last=self.last,
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
        """Whether the training score ever was better than a guesser's.

        Accuracy above twice that of guessing among K classes; of a regression, more than a tenth of
        the variance explained.
        """
        least = 0.1 if self.data.task == REGRESSION else 2 / self.data.n_classes
        return max((it for it in self.history.train if it is not None), default=0.0) > least

    def _append_trace(self, scores: Scores) -> None:
        """Note what an epoch leaves beside its history; six digits are enough for a curve."""
        self.trace.test_loss.append(None if scores.loss is None else rounded(scores.loss))
        self.trace.test.append(scores.value)
        for name, weight in self.model.named_parameters():
            if is_decayed(weight):
                norm = rounded(torch.linalg.vector_norm(weight.detach()).item())
                self.trace.weight_norms.setdefault(name, []).append(norm)

    def _network(self, config: RunConfig) -> Network:
        """Return another run's network with its best weights, on the device."""
        weights = weights_of(config, self.data, self.device, self.kept)
        model = build_model(config, self.data)
        model.load_state_dict(weights)
        return model.to(self.device, memory_format=torch.channels_last)

    def _taught(self) -> Tensor | None:
        """Return the teacher's logits on the training images, (N, K); None without a teacher."""
        if self.teacher is None:
            return None
        return predict(self.teacher, self.fit[0], self.data, self.config).clone()


def on_device(data: Dataset, device: torch.device) -> tuple[Labelled, Labelled, Labelled]:
    """Return training, validation and test part, inputs and targets, on the device."""
    parts = ((data.x_train, data.y_train), (data.x_val, data.y_val), (data.x_test, data.y_test))
    return tuple((images.to(device), data.targets(labels).to(device)) for images, labels in parts)


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
