"""The network in one dimension: padding changes nothing, and where there is none it is torch's."""

import pytest
import torch
from torch import nn

from reglab.data.kinds import PAD
from reglab.errors import ReglabError
from reglab.study.plan import make_plan
from reglab.training.model import decayed_parameters, initialize, is_decayed
from reglab.training.networks import multiplications
from reglab.training.run import train
from reglab.training.sequences import MaskedBatchNorm, SequenceCNN


def twins():
    """Return a `MaskedBatchNorm` and torch's module with the same scale and shift."""
    ours, theirs = MaskedBatchNorm(5), nn.BatchNorm1d(5)
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.copy_(torch.randn(5))
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def assert_same_statistics(ours, theirs):
    for name, value in theirs.state_dict().items():
        assert torch.allclose(ours.state_dict()[name].float(), value.float(), atol=1e-5), name


def test_without_padding_it_is_torchs_batch_norm():
    ours, theirs = twins()
    x = torch.randn(6, 5, 9) * 3 + 1
    there = torch.ones(6, 1, 9)
    assert torch.allclose(ours(x, there), theirs(x), atol=1e-5)
    assert_same_statistics(ours, theirs)
    assert torch.equal(ours.eval()(x, there), ours(x))
    assert torch.allclose(ours(x), theirs.eval()(x), atol=1e-5)


def test_statistics_are_those_of_the_steps_that_are_there():
    """As torch's of a batch that holds these steps and nothing else."""
    ours, theirs = twins()
    x = torch.randn(4, 5, 8)
    there = (torch.arange(8) < torch.tensor([8, 3, 1, 5])[:, None]).float()[:, None]
    kept = there.squeeze(1).bool()
    x[~kept.unsqueeze(1).expand_as(x)] = 1e4  # would show in any statistic
    steps = x.transpose(1, 2)[kept].T[None]  # (1, 5, 17)
    expected = theirs(steps)[0].T
    assert torch.allclose(ours(x, there).transpose(1, 2)[kept], expected, atol=1e-5)
    assert_same_statistics(ours, theirs)


def tokens(lengths=(12, 5, 8, 1), steps=12):
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(1, 30, (len(lengths), steps), generator=generator, dtype=torch.int32)
    return x * (torch.arange(steps) < torch.tensor(lengths)[:, None])


@pytest.mark.parametrize("norm_order", ["before_relu", "after_relu"])
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("steps", [9, 12])
def test_more_padding_changes_no_logit_gradient_or_statistic(steps, batch_norm, norm_order):
    short, seen = tokens((steps, 5, 8, 1), steps), []
    for x in (short, nn.functional.pad(short, (0, 9), value=PAD)):
        model = SequenceCNN((12,), 3, 4, batch_norm, norm_order=norm_order, vocabulary=30)
        initialize(model, 0)
        if batch_norm:
            nn.init.constant_(model.bn2.bias, -1.0)  # below padding's zero
        logits = model(x)
        logits.square().sum().backward()
        slopes = {name: p.grad for name, p in model.named_parameters()}
        seen.append([logits, *slopes.values(), *model.buffers(), model.eval()(x)])
    for one, other in zip(*seen, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_what_stands_in_a_padded_place_has_no_say():
    """The embedding's row for padding is never read."""
    model = SequenceCNN((12,), 3, 4, True, vocabulary=30)
    before = model(tokens())
    with torch.no_grad():
        model.embed.weight[PAD] += 100
    assert torch.equal(model(tokens()), before)


def test_the_last_of_an_odd_number_of_tokens_counts():
    x = torch.zeros(1, 9, dtype=torch.int32)
    x[0, 8] = 5
    network = SequenceCNN((9,), 3, 4, vocabulary=30)
    assert network(x).isfinite().all()
    assert not torch.equal(network(x), network(x + (x > 0)))


def test_vectors_take_the_same_plan_as_images():
    """The network of torch's own layers, with the same weights."""
    ours = SequenceCNN((3, 20), 4, 2, batch_norm=True)
    layers = []
    for block in ((1, 2), (3, 4)):
        for i in block:
            layers += [getattr(ours, f"conv{i}"), nn.BatchNorm1d(2 * block[1] // 2), nn.ReLU()]
            layers[-2].load_state_dict(getattr(ours, f"bn{i}").state_dict())
        layers.append(nn.MaxPool1d(2))
    theirs = nn.Sequential(*layers, nn.Flatten(), ours.fc, nn.ReLU(), ours.out)
    x = torch.randn(7, 3, 20)
    assert torch.allclose(ours(x), theirs(x), atol=1e-5)


def test_embedding_starts_small_and_decays_as_a_linear_layer():
    model = SequenceCNN((12,), 3, 16, vocabulary=500)
    initialize(model, 1)
    assert model.embed.weight.std().item() == pytest.approx(0.1, rel=0.05)
    decayed, rest = decayed_parameters(model)
    assert len(decayed) == 7  # embedding, four convolutions, two linear layers
    assert {p.ndim for p in rest} == {1}
    assert is_decayed(model.embed.weight, "dense")
    assert not is_decayed(model.embed.weight, "conv")
    assert is_decayed(model.conv1.weight, "conv")


def test_multiplications_are_those_counted_by_hand():
    w, steps = 4, 20
    convolutions = steps * 3 * (6 * w + w * w) + steps // 2 * 3 * (w * 2 * w + 4 * w * w)
    dense = 2 * w * (steps // 4) * 16 * w + 16 * w * 7
    assert multiplications((6, steps), w, 7) == convolutions + dense
    embedded = convolutions - steps * 3 * 6 * w + steps * 3 * 2 * w * w
    pooled = 2 * w * 16 * w + 16 * w * 7
    assert multiplications((steps,), w, 7, vocabulary=50) == embedded + pooled


@pytest.mark.parametrize("dataset", ["watch", "sotu"])
def test_a_run_on_sequences_gives_the_same_bits_twice(dataset):
    config = make_plan(dataset, "smoke", device="cpu").baseline(
        0, 0.03, batch_norm=True, dropout=0.5, placement="all", lam=1e-3, max_epochs=1
    )
    one, other = train(config), train(config)
    assert one.best == other.best
    assert one.history == other.history
    assert "conv1.weight" in one.trace.weight_norms


@pytest.mark.parametrize("change", [{"augment": "shift:1"}, {"probes": "robustness"}])
def test_what_is_done_to_images_is_refused(change):
    config = make_plan("watch", "smoke", device="cpu").baseline(0, 0.03, **change)
    with pytest.raises(ReglabError, match="needs images") as caught:
        train(config)
    assert "\n" not in str(caught.value)
