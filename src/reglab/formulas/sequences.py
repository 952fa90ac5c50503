"""What changes where inputs are sequences: padding in batch statistics, dropped words, decay."""

from __future__ import annotations

from torch import Tensor

from reglab.errors import ReglabError

__all__ = [
    "drop_element_variance",
    "drop_word_variance",
    "masked_moments",
    "padded_moments",
    "resting_value",
]


def masked_moments(x: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
    r"""Return mean and variance per channel over the steps that are there.

    :math:`\mu_c = \sum_{it} m_{it} x_{ict} / M` and :math:`\sigma_c^2 = \sum_{it} m_{it} (x_{ict} -
    \mu_c)^2 / M`, with :math:`M = \sum_{it} m_{it}`.

    Args:
        x: activations, (N, C, T).
        there: m, (N, T), 1 for a step of the sequence and 0 for padding; at least one 1.
    """
    count = there.sum()
    if count == 0:
        raise ReglabError("all steps are padding: there is nothing to take a mean of")
    mask = there[:, None]  # (N, 1, T)
    mean = (x * mask).sum((0, 2)) / count
    return mean, ((x - mean[:, None]).square() * mask).sum((0, 2)) / count


def padded_moments(mean: Tensor, var: Tensor, share: float) -> tuple[Tensor, Tensor]:
    r"""Return mean and variance where a share q of zeros stands among the values.

    :math:`(1-q)\mu` and :math:`(1-q)\sigma^2 + q(1-q)\mu^2`.

    Args:
        mean, var: of the values alone, (C,).
        share: q in [0, 1), of zeros among all.
    """
    if not 0 <= share < 1:
        raise ReglabError(f"the share of padding must be in [0, 1), got {share}")
    return (1 - share) * mean, (1 - share) * var + share * (1 - share) * mean.square()


def drop_element_variance(products: Tensor, drop: float) -> Tensor:
    r"""Return the variance of a pre-activation under dropout of single features.

    :math:`\frac{p}{1-p} \sum_{tj} a_{tj}^2`, p the drop rate: each feature of each word has a mask
    of its own.

    Args:
        products: :math:`a_{tj} = w_{tj} e_{tj}`, weight times feature j of word t, (T, D).
        drop: p in [0, 1).
    """
    return _odds(drop) * products.square().sum()


def drop_word_variance(products: Tensor, drop: float) -> Tensor:
    r"""Return the variance of a pre-activation under dropout of whole words.

    :math:`\frac{p}{1-p} \sum_t (\sum_j a_{tj})^2`: all features of a word share a mask. Args as
    `drop_element_variance`.
    """
    return _odds(drop) * products.sum(1).square().sum()


def resting_value(gradient: float, share: float, lam: float) -> float:
    r"""Return where an embedding's entry comes to rest under a penalty, :math:`-qg/\lambda`.

    Its word is in a share q of the batches and has there the gradient g of the loss; the penalty
    pulls at each step.

    Args:
        gradient: g, taken as constant.
        share: q in [0, 1].
        lam: > 0.
    """
    if not (0 <= share <= 1 and lam > 0):
        raise ReglabError(f"resting needs a share in [0, 1] and lambda > 0; got {share} and {lam}")
    return -share * gradient / lam


def _odds(drop: float) -> float:
    if not 0 <= drop < 1:
        raise ReglabError(f"drop must be a drop rate in [0, 1), got {drop}")
    return drop / (1 - drop)
