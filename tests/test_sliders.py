"""The sliders of the explorer: their numbers are those of the book's formulas."""

import torch
from pictures import SLIDERS, near, payload, rows

from reglab import formulas
from reglab.pages import charts, sliders


def test_shrinkage_is_the_books_formula():
    picture = sliders.shrinkage_picture()
    for chosen, lam in zip(payload(picture)["states"], sliders.LAMBDAS, strict=True):
        h = torch.tensor(sliders.CURVATURES, dtype=torch.float64)
        assert chosen["rows"]["kept"]["kept"] == near(formulas.shrinkage(h, lam).tolist())
        half = rows(chosen["rows"]["half"])
        assert half == ([{"h": near(lam), "kept": 0.5}] if lam else [])
    assert picture.start.path == ("0.01",)
    assert picture.start.facts[0][1] == (
        "λ = 0.01 keeps 0.99 % where h = 0.0001, 50 % where h = 0.01, 99 % where h = 1."
    )
    assert {0.01, 0.1, 1.0, 10.0} <= {float(f"{lam:.6g}") for lam in sliders.LAMBDAS}


def test_dropouts_noise_is_the_books_formula():
    picture = sliders.dropout_picture()
    data = payload(picture)
    for chosen, drop in zip(data["states"], sliders.DROPS, strict=True):
        inverted, plain = rows(chosen["rows"]["point"])
        assert (inverted["form"], plain["form"]) == charts.FORMS
        assert inverted["variance"] == near(drop / (1 - drop))
        assert plain["variance"] == near(drop * (1 - drop))
        assert inverted in rows(data["shared"]["curve"])
    assert (
        "mean 1 and variance 1; as the paper writes it, mean 0.5 and variance 0.25"
        in (picture.start.facts[0][1])
    )


def test_scaling_weights_moves_nothing_behind_batch_norm_but_the_gradient():
    picture = sliders.scale_picture()
    states = payload(picture)["states"]
    x, w = torch.tensor(sliders.INPUTS).double(), torch.tensor(sliders.WEIGHTS).double()
    target = torch.tensor(sliders.TARGETS).double()
    first = [r["value"] for r in rows(states[0]["rows"]["outputs"]) if r["what"] == "after BN"]
    for chosen, a in zip(states, sliders.SCALES, strict=True):
        scaled = (a * w).requires_grad_()
        before = x @ scaled
        after = (before - before.mean()) / before.var(correction=0).sqrt()
        loss = (after - target).square().mean() / 2
        (gradient,) = torch.autograd.grad(loss, scaled)
        drawn = rows(chosen["rows"]["outputs"])
        assert [r["value"] for r in drawn if r["what"] == "before BN"] == near(before.tolist())
        assert [r["value"] for r in drawn if r["what"] == "after BN"] == near(after.tolist())
        assert [r["value"] for r in drawn if r["what"] == "after BN"] == near(first)
        norm, rate = (row["value"] for row in rows(chosen["rows"]["now"]))
        assert norm == near(gradient.norm().item())
        assert rate == near(sliders.RATE / (a * w).square().sum().item())
    limits = picture.charts["The unit's values"]["encoding"]["y"]["scale"]["domain"]
    values = [v for s in states for v in s["rows"]["outputs"]["value"]]
    assert limits[0] < min(values)
    assert max(values) < limits[1]


def test_the_sliders_use_the_library_and_no_formula_of_their_own(monkeypatch):
    before = [make()._repr_html_() for make in SLIDERS]
    changed = {
        "shrinkage": lambda h, lam: 0 * h,
        "dropout_moments": lambda h, drop, inverted: (h, 0 * h),
        "gradient_at_scale": lambda gradient, a: gradient,
    }
    for name, function in changed.items():
        monkeypatch.setattr(formulas, name, function)
    assert all(make()._repr_html_() != old for make, old in zip(SLIDERS, before, strict=True))
