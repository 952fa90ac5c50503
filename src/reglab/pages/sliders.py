"""The page Explorer: formulas as pictures with a slider.

Every number is made here, by the functions of the chapters; `reglab.pages.charts` only shows them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from reglab import formulas
from reglab.pages import charts
from reglab.pages.picture import Picture
from reglab.pages.states import State, columns

# The mathematics: strengths from none to the largest of the paper's grid, four a decade.
LAMBDAS = (0.0, *(10 ** (k / 4) for k in range(-20, 5)))
CURVATURES = tuple(10 ** (k / 10) for k in range(-50, 21))
EXAMPLES = (0.0001, 0.01, 1.0)  # curvatures that the text names
DROPS = tuple(k / 20 for k in range(17))
SCALES = tuple(2 ** (k / 4) for k in range(-8, 9))
# A made-up unit in front of batch normalization: six inputs, its weights, its targets, a rate.
INPUTS = ((0.9, -0.3), (-1.2, 0.4), (0.2, 1.1), (0.5, -0.9), (-0.6, -0.2), (1.4, 0.8))
WEIGHTS, TARGETS, RATE = (0.8, -0.5), (0.5, -1.0, 0.0, 1.0, -0.5, 1.0), 0.1


def shrinkage_picture() -> Picture:
    """What L2 leaves of a minimum along eigenvectors of the Hessian: `formulas.shrinkage`."""
    states = []
    for lam in LAMBDAS:
        half = [lam] if lam else []  # where h = λ, half is kept
        rows = {"kept": _kept(CURVATURES, lam), "half": _kept(half, lam)}
        parts = [f"{100 * share:.3g} % where h = {h:g}" for h, share in zip(*_kept(EXAMPLES, lam)
                 .values(), strict=True)]  # fmt: skip
        text = f"λ = {lam:.2g} keeps {', '.join(parts)}."
        states.append(State((f"{lam:.2g}",), rows, (("", text),), math.isclose(lam, 0.01)))
    specs = {"What L2 keeps along each direction": charts.shrinkage_chart(CURVATURES[::10])}
    return Picture("shrinkage", (("Strength λ", "range"),), specs, tuple(states))


def _kept(curvatures: Sequence[float], lam: float) -> dict[str, list[float]]:
    h = _vector(curvatures)
    return {"h": h.tolist(), "kept": formulas.shrinkage(h, lam).tolist()}


def dropout_picture() -> Picture:
    """Variance of a dropped-out activation over the drop rate: `formulas.dropout_moments`."""
    names = ("drop", "form", "variance")
    states = []
    for drop in DROPS:
        rows = _moments(drop)
        parts = [
            f"{r['form']}, mean {r['mean']:.3g} and variance {r['variance']:.3g}" for r in rows
        ]
        text = f"At drop rate {drop:g} an activation of 1 has, {'; '.join(parts)}."
        states.append(
            State((f"{drop:g}",), {"point": columns(rows, names)}, (("", text),), drop == 0.5)
        )
    curve = {"curve": columns([row for drop in DROPS for row in _moments(drop)], names)}
    specs = {"The noise of dropout": charts.variance_chart()}
    return Picture("dropout", (("Drop rate δ", "range"),), specs, tuple(states), curve)


def _moments(drop: float) -> list[dict[str, Any]]:
    rows = []
    for inverted, form in zip((True, False), charts.FORMS, strict=True):
        mean, variance = formulas.dropout_moments(_vector([1.0]), drop, inverted=inverted)
        rows.append({"drop": drop, "form": form, "mean": mean.item(), "variance": variance.item()})
    return rows


def scale_picture() -> Picture:
    """Batch normalization under weights scaled by a: the output stays, the gradient is over a."""
    names = ("a", "what", "value")
    states = []
    for a in SCALES:
        rows = {"outputs": _outputs(a), "now": columns(_speeds(a), names)}
        states.append(State((f"{a:.3g}",), rows, (("", _scale_text(a)),), a == 1))
    rates = {"rates": columns([row for a in SCALES for row in _speeds(a)], names)}
    specs = {
        "The unit's values": charts.outputs_chart(8),
        "How fast it learns": charts.speeds_chart(SCALES[::4], (0.001, 0.01, 0.1, 1.0, 10.0)),
    }
    return Picture("scale", (("Scale a of the weights", "range"),), specs, tuple(states), rates)


def unit_values(weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the made-up unit's values before and after batch normalization, shape (6, 1)."""
    before = (_vector(INPUTS) @ weights)[:, None]
    return before, formulas.batch_norm(before, _vector([1.0]), _vector([0.0]), eps=0)


def unit_gradient() -> Tensor:
    """Return the gradient of half the unit's mean squared error in its weights, shape (2,)."""
    before, after = unit_values(_vector(WEIGHTS))
    upstream = (after - _vector(TARGETS)[:, None]) / len(TARGETS)
    slope, _, _ = formulas.batch_norm_backward(before, _vector([1.0]), upstream, eps=0)
    return (_vector(INPUTS).T @ slope)[:, 0]


def _outputs(a: float) -> dict[str, list]:
    before, after = (values[:, 0].tolist() for values in unit_values(a * _vector(WEIGHTS)))
    n = len(INPUTS)
    what = [side for side in charts.SIDES for _ in range(n)]
    return {"example": [*range(1, n + 1)] * 2, "what": what, "value": before + after}


def _speeds(a: float) -> list[dict[str, Any]]:
    norm = formulas.gradient_at_scale(unit_gradient(), a).norm().item()
    rate = formulas.effective_learning_rate(RATE, a * _vector(WEIGHTS))
    pairs = zip(charts.SPEEDS, (norm, rate), strict=True)
    return [{"a": a, "what": what, "value": value} for what, value in pairs]


def _scale_text(a: float) -> str:
    moved = (unit_values(a * _vector(WEIGHTS))[1] - unit_values(_vector(WEIGHTS))[1]).abs().max()
    now, then = ([row["value"] for row in _speeds(scale)] for scale in (a, 1.0))
    ratios = [one / other for one, other in zip(now, then, strict=True)]
    return (
        f"a = {a:.3g}. The values after BN differ from those at a = 1 by at most {moved:.4f}; "
        f"the gradient has norm {now[0]:.3g}, {ratios[0]:.3g} times that at a = 1; the effective "
        f"learning rate is {now[1]:.3g}, {ratios[1]:.3g} times."
    )


def _vector(values: Sequence) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
