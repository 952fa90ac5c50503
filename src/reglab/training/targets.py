"""What a run is to reproduce: labels, smoothed labels, a teacher's view of them, or numbers."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax, mse_loss

from reglab.config import RunConfig
from reglab.data.tasks import CLASSIFICATION, REGRESSION
from reglab.errors import ReglabError

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]  # of logits (B, K), labels (B,), index (B,)


def check(config: RunConfig, task: str) -> None:
    """Refuse what only labels have.

    Raises:
        ReglabError: a teacher or smoothed labels where numbers are to be predicted.
    """
    if task == CLASSIFICATION:
        return
    for name, none in (("teacher", None), ("label_smoothing", 0)):
        if getattr(config, name) != none:
            raise ReglabError(f"{name} needs labels; {config.dataset} has numbers to predict")


def loss_of(config: RunConfig, taught: Tensor | None = None, task: str = CLASSIFICATION) -> Loss:
    """Return the loss that a run's steps descend, a mean over a batch, the penalty left out.

    Args:
        taught: logits of the teacher on all training images, (N, K); None without a teacher.
        task: of a regression the loss is the mean squared error.
    """
    if task == REGRESSION:
        return lambda outputs, numbers, _: mse_loss(outputs, numbers)
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
