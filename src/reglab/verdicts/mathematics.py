"""The paper's formulas tried on small numbers: is each what it is said to be?

Every check returns whether the statement holds, and a sentence with the numbers it saw. They are
the short form of what the chapters derive.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from reglab import formulas
from reglab.training.optimizer import Optimizer, adam_optimizer, sgd_optimizer

Verdict = tuple[bool, str]


def decay_is_not_l2_for_adam() -> Verdict:
    """One step with the penalty's gradient against one with decay: SGD, then Adam."""
    apart = {}
    adam, adamw = (partial(adam_optimizer, decoupled=it) for it in (False, True))
    sgd = partial(sgd_optimizer, momentum=0.0)
    for name, coupled, decoupled in (("SGD", sgd, sgd), ("Adam", adam, adamw)):
        steps = [_step(coupled, penalty=0.1), _step(decoupled, weight_decay=0.1)]
        apart[name] = (steps[0] - steps[1]).abs().max().item()
    reason = (
        f"One step with the penalty and one with weight decay differ by {apart['SGD']:.1g} under "
        f"plain SGD and by {apart['Adam']:.1g} under Adam: the same for the one only."
    )
    return max(apart.values()) < 1e-9, reason


def _step(
    optimizer: Callable[..., Optimizer], *, penalty: float = 0.0, weight_decay: float = 0.0
) -> Tensor:
    weight = torch.tensor([3.0, -0.2], dtype=torch.float64, requires_grad=True)
    loss = (weight * torch.tensor([1.0, 4.0], dtype=torch.float64)).sum()
    if penalty:
        loss = loss + formulas.l2_penalty([weight], penalty)
    loss.backward()
    optimizer([{"params": [weight], "weight_decay": weight_decay}], lr=0.01).step()
    return weight.detach()


def l2_gradient() -> Verdict:
    """The gradient of the penalty, by autograd and by the formula."""
    weight = torch.tensor([1.5, -2.0, 0.25], dtype=torch.float64, requires_grad=True)
    formulas.l2_penalty([weight], 0.3).backward()
    error = (weight.grad - formulas.l2_gradient(weight.detach(), 0.3)).abs().max().item()
    return error < 1e-12, f"Autograd and the formula agree to {error:.1g}."


def _masks(units: int) -> Tensor:
    """Return all masks of ``units`` units, shape (2**units, units)."""
    grids = torch.meshgrid(*[torch.tensor([0.0, 1.0])] * units, indexing="ij")
    return torch.stack(grids, dim=-1).reshape(-1, units).double()


def dropout_is_no_penalty() -> Verdict:
    """E|r*theta|^2 over all masks: how it moves with the drop rate."""
    theta, masks = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64), _masks(3)
    expected = []
    for drop in (0.2, 0.7):
        chance = (drop ** (1 - masks) * (1 - drop) ** masks).prod(dim=1)
        expected.append((chance * (masks * theta).square().sum(dim=1)).sum().item())
    reason = (
        f"For ‖θ‖² = {theta.square().sum():.2f}, E‖r⊙θ‖² is {expected[0]:.2f} at drop rate 0.2 and "
        f"{expected[1]:.2f} at 0.7: the more is dropped, the weaker this penalty; and with λ = 0 "
        "it would vanish, while dropout acts."
    )
    return expected[1] > expected[0], reason


def dropout_mean() -> Verdict:
    """The mean of r*h over both values of r."""
    mean, _ = formulas.dropout_moments(torch.tensor(2.0), 0.3, inverted=False)
    by_hand = 0.7 * 2.0 + 0.3 * 0.0
    reason = (
        f"At keep probability 0.7, h = 2 has mean {by_hand:.1f}. Right; but the text never says "
        "what to do about it at test time (scale the weights, or divide while training)."
    )
    return abs(mean.item() - by_hand) < 1e-6, reason


def dropout_is_no_average() -> Verdict:
    """A small net's output with scaled activations against both means over all masks."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.rand(6, generator=generator, dtype=torch.float64)
    first = torch.randn(4, 6, generator=generator, dtype=torch.float64)
    second = torch.randn(3, 4, generator=generator, dtype=torch.float64)

    def net(h: Tensor) -> Tensor:
        return (torch.relu(h @ first.T) @ second.T).softmax(dim=-1)

    members, full = net(2 * _masks(6) * hidden), net(hidden)
    ordinary = (members.mean(dim=0) - full).abs().max().item()
    geometric = (members.log().mean(dim=0).softmax(dim=-1) - full).abs().max().item()
    reason = (
        "Right before a softmax layer the net used at test time predicts the geometric mean over "
        "masks. With a layer between, a class probability differs from that mean by up to "
        f"{geometric:.1g} and from the ordinary one by {ordinary:.2f}, over all 64 masks: an "
        "approximation. Nor are members trained one by one: they share weights."
    )
    return max(ordinary, geometric) < 1e-6, reason


def batch_norm_needs_epsilon() -> Verdict:
    """The formula as printed, on a feature that is the same in the whole batch."""
    one, zero = torch.ones(1), torch.zeros(1)
    printed = formulas.batch_norm(torch.full((4, 1), 3.0), one, zero, eps=0.0)
    reason = (
        f"A feature that is 3 throughout the batch gives {printed[0, 0].item():g} "
        "(0/0). With ε in the root it gives 0."
    )
    return bool(printed.isfinite().all()), reason


def batch_norm_needs_running_statistics() -> Verdict:
    """One image at test time, normalized by its own batch of one."""
    one, zero = torch.ones(2), torch.zeros(2)
    outputs = [
        formulas.batch_norm(torch.tensor([image]), one, zero) for image in ([1.0, 9.0], [5.0, -2.0])
    ]
    same = torch.equal(outputs[0], outputs[1])
    reason = (
        "By the formula two different images, each tested alone, both come out as zeros; the "
        "running statistics that testing needs are not mentioned."
    )
    return not same, reason


def batch_norm_is_no_summand() -> Verdict:
    """Is the loss with BN the loss without it plus something that depends on the weights alone?"""
    x = torch.tensor([[1.0, 2.0], [0.5, -1.0], [2.0, 0.3]])
    labels = torch.tensor([0, 1, 0])
    one, zero = torch.ones(2), torch.zeros(2)
    added = [
        (
            formulas.cross_entropy(formulas.batch_norm(data, one, zero), labels)
            - formulas.cross_entropy(data, labels)
        ).item()
        for data in (x, 10 * x)
    ]
    reason = (
        f"With the same parameters, normalizing changes the loss by {added[0]:.2f} on one batch "
        f"and by {added[1]:.2f} on ten times that batch: not a term to be added. Dropout is an "
        "expectation over masks, batch normalization a change of the network."
    )
    return abs(added[0] - added[1]) < 1e-6, reason


CHECKS: dict[str, Callable[[], Verdict]] = {
    check.__name__: check
    for check in (
        decay_is_not_l2_for_adam,
        l2_gradient,
        dropout_is_no_penalty,
        dropout_mean,
        dropout_is_no_average,
        batch_norm_needs_epsilon,
        batch_norm_needs_running_statistics,
        batch_norm_is_no_summand,
    )
}
