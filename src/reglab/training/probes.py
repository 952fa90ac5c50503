"""Extra scoring of a finished run, where its config asks for it (``RunConfig.probes``).

A probe measures the network with its best weights and changes nothing else that a record holds.
It returns figures by name, of each condition by name (`reglab.record.RunRecord.probed`).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import kl_div
from torch.optim.swa_utils import update_bn

from reglab import corruptions
from reglab.config import RunConfig
from reglab.data.dataset import Dataset
from reglab.data.tasks import REGRESSION
from reglab.errors import ReglabError
from reglab.training import corrupting, machine
from reglab.training.evaluate import Labelled, predict, ready, score
from reglab.training.model import Dropout, seed_dropout

Probed = dict[str, dict[str, float | None]]


class Order(Protocol):
    """Where batches come from; see `reglab.training.run.BatchOrder`."""

    def epoch(self) -> Iterator[Tensor]: ...


class Trained(Protocol):
    """What a probe needs of a run; see `reglab.training.run.Run`."""

    config: RunConfig
    data: Dataset
    device: torch.device
    model: nn.Module
    fit: Labelled
    test: Labelled
    order: Order
    teacher: nn.Module | None


def probe(run: Trained) -> Probed | None:
    """Return what the config's probe measures of a run whose network has its best weights."""
    return _PROBES[run.config.probes](run) if run.config.probes else None


def check(config: RunConfig, data: Dataset) -> None:
    """Refuse before training what the config's probe could not measure after it.

    Raises:
        ReglabError: one line; numbers are to be predicted, or see
            `reglab.training.corrupting.check`.
    """
    if config.probes and data.task == REGRESSION:
        raise ReglabError(
            f"probes {config.probes!r} need labels; {data.name} has numbers to predict"
        )
    if config.probes == "robustness":
        corrupting.check(config, data)


def robustness(run: Trained) -> Probed:
    """Score the network on corrupted test images: at most `reglab.corruptions.IMAGES`, the first.

    Conditions are those of `reglab.corruptions.conditions`, and ``"clean"``, the same images as
    they are. Each has ``loss`` (nats), ``accuracy`` and ``ece``.
    """
    images, labels = (part[: corruptions.IMAGES] for part in run.test)
    clean, probed = images.cpu(), {corruptions.CLEAN: _figures(run, (images, labels))}
    for name, (kind, strength) in corruptions.conditions().items():
        spoilt = corrupting.corrupted(clean, kind, strength).to(run.device)
        probed[name] = _figures(run, (spoilt, labels))
    return probed


def _figures(run: Trained, part: Labelled) -> dict[str, float | None]:
    scores = score(run.model, part, run.data, run.config)
    return {"loss": scores.loss, "accuracy": scores.accuracy, "ece": scores.ece}


def statistics(run: Trained) -> Probed:
    """Score the network again with BN statistics re-estimated over the training images.

    Li et al. (2019) hold that dropout gives a later BN layer another variance in training than at
    test. Statistics are re-estimated twice, ``"with dropout"`` as in training and ``"without
    dropout"`` as at test, on the same batches: their difference is the shift alone, without the lag
    of a moving average. Each condition has ``loss`` (nats), ``accuracy`` and ``ece``; the condition
    ``"variance ratio"`` has for each BN layer, by name, the mean over its channels of the variance
    with dropout over that without, BN's epsilon added to both.
    """
    before = copy.deepcopy(run.model.state_dict())
    batches = list(run.order.epoch())
    probed: Probed = {}
    variances = {}
    for condition, masked in (("with dropout", True), ("without dropout", False)):
        _reestimate(run, batches, masked)
        probed[condition] = _figures(run, run.test)
        variances[condition] = _variances(run.model)
    run.model.load_state_dict(before)
    ratios = {
        layer: (masked / variances["without dropout"][layer]).mean().item()
        for layer, masked in variances["with dropout"].items()
    }
    return probed | {"variance ratio": ratios}


def _reestimate(run: Trained, batches: list[Tensor], masked: bool) -> None:
    """Replace BN's running statistics by means over batches, dropout on or off."""
    layers = [module for module in run.model.modules() if isinstance(module, Dropout)]
    rates = [layer.drop for layer in layers]
    seed_dropout(run.model, run.config.seed, run.device)
    for layer, rate in zip(layers, rates, strict=True):
        layer.drop = rate if masked else 0.0
    images = (ready(run.fit[0][index.to(run.device)], run.data) for index in batches)
    with machine.autocast(run.config):
        update_bn(images, run.model)
    for layer, rate in zip(layers, rates, strict=True):
        layer.drop = rate


def _variances(model: nn.Module) -> dict[str, Tensor]:
    """Return each BN layer's running variance plus its epsilon, (C,), by the layer's name."""
    return {
        name: module.running_var + module.eps
        for name, module in model.named_modules()
        if isinstance(module, nn.BatchNorm2d)
    }


def agreement(run: Trained) -> Probed:
    """Compare the network with its teacher on the test images (Stanton et al. 2021).

    The condition ``"teacher"`` has ``agreement``, the share of images that both put into one class,
    ``divergence``, the mean KL divergence of the network's probabilities from the teacher's in
    nats, and the teacher's own ``accuracy``.
    """
    images, labels = run.test
    teacher = predict(run.teacher, images, run.data, run.config).log_softmax(1)  # (N, K)
    student = predict(run.model, images, run.data, run.config).log_softmax(1)
    chosen = teacher.argmax(1)
    divergence = kl_div(student, teacher, reduction="batchmean", log_target=True).item()
    return {
        "teacher": {
            "agreement": (chosen == student.argmax(1)).double().mean().item(),
            "divergence": divergence if math.isfinite(divergence) else None,
            "accuracy": (chosen == labels).double().mean().item(),
        }
    }


_PROBES = {"statistics": statistics, "robustness": robustness, "agreement": agreement}
