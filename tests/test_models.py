"""The network: shapes, initialization by name, dropout's own stream, what decays."""

import pytest
import torch

from reglab import formulas
from reglab.errors import ReglabError
from reglab.training.model import Dropout, StandardCNN, decayed_parameters, initialize, seed_dropout


def network(**changes):
    return StandardCNN((3, 32, 32), 10, **changes)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 12, 20), (1, 8, 9)])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_shapes(shape, batch_norm):
    model = StandardCNN(shape, 4, 4, batch_norm, 0.5, "all")
    assert model(torch.randn(2, *shape)).shape == (2, 4)


def test_width_32_is_the_well_known_small_cnn():
    """Same-padding Keras example, counted layer by layer: 2,168,362 parameters on CIFAR-10."""
    assert sum(p.numel() for p in network().parameters()) == 2_168_362


def test_initial_weights_are_he_normal_and_biases_zero():
    model = network(width=32)
    initialize(model, 3)
    for weight, fan_in in ((model.conv2.weight, 32 * 9), (model.fc.weight, 64 * 64)):
        assert weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.03)
        assert abs(weight.mean().item()) < 5 * (2 / fan_in / weight.numel()) ** 0.5
    assert all((p == 0).all() for name, p in model.named_parameters() if name.endswith("bias"))


def test_adding_batch_norm_or_dropout_leaves_initial_weights_alone():
    plain, other = network(), network(batch_norm=True, dropout=0.5, placement="all")
    for model in (plain, other):
        initialize(model, 5)
    for name in ("conv1", "conv4", "fc", "out"):
        assert torch.equal(getattr(plain, name).weight, getattr(other, name).weight)
    assert (other.bn1.weight == 1).all()
    assert (other.bn1.bias == 0).all()


def test_seeds_and_layers_have_different_weights():
    one, two = network(), network()
    initialize(one, 1)
    initialize(two, 2)
    assert not torch.equal(one.conv1.weight, two.conv1.weight)
    assert not torch.equal(one.conv3.weight.flatten()[:99], one.conv4.weight.flatten()[:99])


def test_batch_norm_sits_between_convolution_and_relu():
    model = network(batch_norm=True)
    assert model.conv1.bias is None
    seen = {}
    model.bn2.register_forward_hook(lambda _, inputs, output: seen.update(out=output.clone()))
    model(torch.randn(16, 3, 32, 32))
    assert (seen["out"] < 0).any()
    assert seen["out"].mean((0, 2, 3)).abs().max() < 1e-4


def test_dropout_is_the_formula_and_idle_in_evaluation():
    layer, h = Dropout(0.4), torch.rand(1000) + 0.5
    layer.generator = torch.Generator().manual_seed(1)
    out = layer(h)
    mask = (out != 0).float()
    torch.testing.assert_close(out, formulas.dropout(h, mask, 0.4))
    assert 0.5 < mask.mean() < 0.7
    assert torch.equal(layer.eval()(h), h)


def test_dropout_draws_from_its_own_stream():
    """The global generator is neither read nor moved, and layers differ from each other."""
    model = network(dropout=0.5, placement="all")
    seed_dropout(model, 0, torch.device("cpu"))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    h = torch.ones(4, 50)
    first, second = model.drop1(h), model.drop2(h)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(first, second)
    seed_dropout(model, 0, torch.device("cpu"))
    assert torch.equal(model.drop1(h), first)


@pytest.mark.parametrize(("placement", "rates"), [("fc", (0, 0, 0.3)), ("all", (0.3, 0.3, 0.3))])
def test_placements(placement, rates):
    model = network(dropout=0.3, placement=placement)
    assert (model.drop1.drop, model.drop2.drop, model.drop3.drop) == rates


def test_only_weights_decay():
    model = network(batch_norm=True)
    weights, rest = decayed_parameters(model)
    names = {id(p): name for name, p in model.named_parameters()}
    expected = {f"conv{i}.weight" for i in range(1, 5)} | {"fc.weight", "out.weight"}
    assert {names[id(p)] for p in weights} == expected
    assert len(weights) + len(rest) == len(names)


def test_bad_drop_rate_is_refused():
    with pytest.raises(ReglabError, match=r"\[0, 1\)"):
        Dropout(1.0)
