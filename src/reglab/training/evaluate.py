"""What a network gets right: outputs, losses, accuracies or R², scores on the test images."""

from __future__ import annotations

import math
import time

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from reglab.config import RunConfig
from reglab.data.dataset import Dataset
from reglab.data.tasks import REGRESSION
from reglab.formulas import calibration_error
from reglab.record import Scores, pack_bits
from reglab.training import machine

# Large enough to lose no time on a GPU; small enough for a processor's cache.
EVAL_BATCH = {"cpu": 100, "cuda": 2000}

Labelled = tuple[Tensor, Tensor]  # inputs as in `Dataset`, its targets of them, on one device


@torch.inference_mode()
def predict(model: nn.Module, images: Tensor, data: Dataset, config: RunConfig) -> Tensor:
    """Return eval-mode outputs, float32, shape (N, K), of inputs in large batches."""
    model.eval()
    with machine.autocast(config):
        parts = [
            model(ready(batch, data)).float() for batch in images.split(EVAL_BATCH[config.device])
        ]
    return torch.cat(parts)


def evaluate(
    model: nn.Module, part: Labelled, data: Dataset, config: RunConfig
) -> tuple[float, float | None]:
    """Return mean cross-entropy in nats (no penalty) and accuracy in [0, 1], eval mode.

    Of a regression the mean squared error, in variances of the training part, and R².
    """
    images, labels = part
    logits = predict(model, images, data, config)
    if data.task == REGRESSION:
        return mse_loss(logits, labels).item(), explained(logits, labels)
    accuracy = (logits.argmax(1) == labels).double().mean()
    return cross_entropy(logits, labels).item(), accuracy.item()


def score(model: nn.Module, test: Labelled, data: Dataset, config: RunConfig) -> Scores:
    """Return everything a record keeps about one set of weights on the test images."""
    images, labels = test
    logits = predict(model, images, data, config)
    if data.task == REGRESSION:
        loss = _finite(mse_loss(logits, labels).item())
        return Scores(loss=loss, r2=explained(logits, labels))
    correct = logits.argmax(1) == labels
    return Scores(
        loss=_finite(cross_entropy(logits, labels).item()),
        accuracy=correct.double().mean().item(),
        ece=_finite(calibration_error(logits.softmax(1), labels).item()),
        correct=pack_bits(correct.cpu().numpy()),
    )


def explained(predicted: Tensor, targets: Tensor) -> float | None:
    """Return R² as `reglab.formulas.r_squared` does, shapes (N, H).

    None where targets are all alike or an error is not finite.
    """
    if (targets == targets[:1]).all():
        return None
    errors = (predicted - targets).double().square().sum().item()
    spread = (targets - targets.double().mean(0)).square().sum().item()
    return _finite(1 - errors / spread)


def inference_ms(model: nn.Module, test: Labelled, data: Dataset, config: RunConfig) -> float:
    """Median milliseconds of five eval-mode passes over one batch of training's size."""
    images, times = test[0][: config.batch_size], []
    for _ in range(5):
        started = time.perf_counter()
        predict(model, images, data, config)
        machine.synchronize(images.device)
        times.append(time.perf_counter() - started)
    return sorted(times)[2] * 1000


def ready(images: Tensor, data: Dataset) -> Tensor:
    """Standardize a batch, images in the memory layout that convolutions are fastest with."""
    batch = data.standardize(images)
    return batch.contiguous(memory_format=torch.channels_last) if batch.ndim == 4 else batch


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
