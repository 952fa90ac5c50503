"""What a run is to reproduce: labels, smoothed labels, or a teacher's view of the images."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from reglab.config import RunConfig

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]  # of logits (B, K), labels (B,), index (B,)


def loss_of(config: RunConfig, taught: Tensor | None = None) -> Loss:
    """Return the loss that a run's steps descend, a mean over a batch, the penalty left out.

    Args:
        taught: logits of the teacher on all training images, (N, K); None without a teacher.
    """
    if taught is not None:
        return _Distillation(taught, config.temperature, config.soft)
    if config.label_smoothing:
        smoothing = config.label_smoothing
        return lambda logits, labels, _: cross_entropy(logits, labels, label_smoothing=smoothing)
    return lambda logits, labels, _: cross_entropy(logits, labels)


class _Distillation:
    """soft T^2 KL(teacher || student) + (1 - soft) CE; see `reglab.formulas.distillation_loss`."""

    def __init__(self, taught: Tensor, temperature: float, soft: float) -> None:
        self.log_targets = log_softmax(taught / temperature, 1)  # (N, K)
        self.temperature, self.soft = temperature, soft

    def __call__(self, logits: Tensor, labels: Tensor, index: Tensor) -> Tensor:
        student = log_softmax(logits / self.temperature, 1)  # (B, K)
        targets = self.log_targets[index]
        divergence = kl_div(student, targets, reduction="batchmean", log_target=True)
        taught = self.soft * self.temperature**2 * divergence
        return taught + (1 - self.soft) * cross_entropy(logits, labels)
