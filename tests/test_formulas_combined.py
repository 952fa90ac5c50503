"""Interactions and shares, by hand and by their properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reglab import formulas
from reglab.errors import ReglabError
from reglab.protocol import CELLS

NAMES = [name for name, *_ in CELLS]
# The paper's CIFAR-10 tables, in points above the baseline's 81.2.
PAPERS = {"none": 0.0, "l2": 2.0, "dropout": 2.8, "bn": 3.1, "l2+dropout": 2.4, "l2+bn": 3.1,
          "dropout+bn": 3.8, "all": 5.0}  # fmt: skip
factorials = st.fixed_dictionaries({name: st.floats(-100, 100) for name in NAMES})


def test_interactions_by_hand():
    found = formulas.interaction_contrasts(PAPERS)
    assert found == pytest.approx(
        {"l2+dropout": -2.4, "l2+bn": -2.0, "dropout+bn": -2.1, "all": 5.0 - 7.9 + 6.5}
    )


def test_shares_by_hand():
    shares = formulas.shapley_shares(PAPERS)
    l2 = 2.0 / 3 + (2.4 - 2.8) / 6 + (3.1 - 3.1) / 6 + (5.0 - 3.8) / 3
    assert shares["l2"] == pytest.approx(l2)


@given(factorials)
def test_shares_sum_to_the_joint_gain(cells):
    assert sum(formulas.shapley_shares(cells).values()) == pytest.approx(
        cells["all"] - cells["none"], abs=1e-9
    )


@given(st.lists(st.floats(-10, 10), min_size=4, max_size=4))
def test_gains_that_add_up_have_no_interaction(values):
    base, *gains = values
    gain = dict(zip(("l2", "dropout", "bn"), gains, strict=True))
    cells = {
        name: base + sum(gain[part] for part, on in zip(gain, on_off, strict=True) if on)
        for name, *on_off in CELLS
    }
    contrasts = formulas.interaction_contrasts(cells)
    assert list(contrasts.values()) == pytest.approx([0, 0, 0, 0], abs=1e-9)
    assert formulas.shapley_shares(cells) == pytest.approx(gain, abs=1e-9)


@given(factorials)
def test_gains_and_contrasts_rebuild_the_cell_of_all_three(cells):
    singles = sum(cells[name] - cells["none"] for name in ("l2", "dropout", "bn"))
    contrasts = sum(formulas.interaction_contrasts(cells).values())
    assert cells["none"] + singles + contrasts == pytest.approx(cells["all"], abs=1e-9)


@pytest.mark.parametrize("formula", [formulas.interaction_contrasts, formulas.shapley_shares])
def test_a_missing_cell_is_one_line(formula):
    with pytest.raises(ReglabError, match="missing: all, l2\\+bn"):
        formula({name: 1.0 for name in NAMES if name not in ("all", "l2+bn")})
