"""Augmentation: what may be asked for, what becomes of a batch, and what stays as it was."""

import math

import pytest
import torch
from cuda_standin import pretend
from test_training import mnist
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as theirs

from reglab.augmentations import Augmentation, parsed
from reglab.data.dataset import dataset_version
from reglab.errors import ReglabError
from reglab.training import lanes
from reglab.training.augmenting import Augmenter, flipped, warped
from reglab.training.run import Run, load_for, train

CPU = torch.device("cpu")
EVERYTHING = "flip+rotation:15+scale:0.1+shift:2"


def cifar(**changes):
    version = dataset_version("cifar10", "sample")
    return mnist(**{"dataset": "cifar10", "data_version": version, "max_epochs": 1} | changes)


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (6, 3, 12, 16), generator=generator, dtype=torch.uint8)


def still(n):
    return torch.zeros(n), torch.ones(n), torch.zeros(n, 2)


@pytest.mark.parametrize(
    "text", ["", "flip", "alternating_flip", "rotation:15", "scale:0.1+shift:2", EVERYTHING]
)
def test_what_is_asked_for_is_read_and_written_alike(text):
    assert str(parsed(text)) == text
    assert cifar(augment=text).augment == text


def test_each_part_is_read():
    assert parsed(EVERYTHING) == Augmentation("flip", 15.0, 0.1, 2.0)
    assert not parsed("flip").moves and parsed("shift:1").moves


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("blur:2", "must be made of flip or alternating_flip, rotation:DEGREES"),
        ("flip:0.5", "must be made of"),
        ("rotation", "must be made of"),
        ("rotation:a few", "must be made of"),
        ("rotation:5+rotation:5", "must be made of"),
        ("flip+", "must be made of"),
        ("flip+flip", "must have one flip at most"),
        ("flip+alternating_flip", "must have one flip at most"),
        ("rotation:45.1", "must have a rotation of above 0 and at most 45 degrees"),
        ("rotation:nan", "must have a rotation of above 0"),
        ("rotation:0", "must have a rotation of above 0"),
        ("scale:0.5", "must have a scale of a share above 0 and below 0.5"),
        ("shift:1.5", "must have a shift of whole pixels, >= 1"),
        ("shift:inf", "must have a shift of whole pixels"),
        ("shift:2+flip", r"must be written as 'flip\+shift:2'"),
        ("rotation:15.0", "must be written as 'rotation:15'"),
        ("ROTATION:15\n", "must be made of"),
    ],
)
def test_what_cannot_be_asked_for_is_one_line(text, said):
    with pytest.raises(ReglabError, match=f"^augment {said}") as why:
        cifar(augment=text)
    assert "\n" not in str(why.value) and repr(text) in str(why.value)


def test_digits_are_not_flipped_and_other_sets_are():
    for flip in ("flip", "alternating_flip+shift:2"):
        with pytest.raises(ReglabError, match="no flip for mnist, since a mirrored digit"):
            mnist(augment=flip)
        assert cifar(augment=flip).augment == flip
    assert mnist(augment="rotation:15").augment == "rotation:15"


def test_a_shift_beyond_a_quarter_is_refused_before_training(monkeypatch):
    steps = []
    monkeypatch.setattr(Run, "step", lambda *_: steps.append(1))
    with pytest.raises(ReglabError, match=r"by more than a quarter .* at most shift:8 is allowed"):
        train(cifar(augment="shift:9"))
    assert steps == []
    train(cifar(augment="shift:8"))


def test_no_strength_changes_nothing(images):
    assert torch.equal(warped(images, *still(6)), images)
    assert torch.equal(flipped(images, torch.zeros(6, dtype=torch.bool)), images)
    nothing = Augmenter(Augmentation(), 0, 6, CPU)
    assert torch.equal(nothing(images, torch.arange(6), 0), images)


def test_a_quarter_turn_is_counter_clockwise(images):
    square = images[..., :12]
    turned = warped(square, torch.full((6,), 90.0), *still(6)[1:])
    assert torch.equal(turned, square.rot90(dims=(2, 3)))


def test_a_shift_moves_right_and_down_by_whole_pixels_and_leaves_black(images):
    moved = warped(images, *still(6)[:2], torch.tensor([[3.0, 2.0]] * 6))
    assert torch.equal(moved[:, :, 2:, 3:], images[:, :, :-2, :-3])
    assert moved[:, :, :2].max() == moved[..., :3].max() == 0


def test_a_factor_above_one_makes_larger():
    dot = torch.zeros(1, 1, 16, 16, dtype=torch.uint8)
    dot[..., 6:10, 6:10] = 200
    sizes = [warped(dot, still(1)[0], torch.tensor([f]), still(1)[2]).sum() for f in (0.5, 1, 2)]
    assert sizes[0] == sizes[1] / 4
    assert sizes[2] > 3 * sizes[1]


def test_motions_are_torchvisions(images):
    generator = torch.Generator().manual_seed(1)
    degrees = 45 * (2 * torch.rand(6, generator=generator) - 1)
    factor = 1 + 0.4 * (2 * torch.rand(6, generator=generator) - 1)
    shift = torch.randint(-3, 4, (6, 2), generator=generator).float()
    ours = warped(images, degrees, factor, shift).int()
    for i, image in enumerate(images):
        reference = theirs.affine(
            image, angle=-degrees[i].item(), translate=shift[i].tolist(), scale=factor[i].item(),
            shear=[0.0], interpolation=InterpolationMode.BILINEAR,
        )  # fmt: skip
        apart = (ours[i] - reference.int()).abs()
        assert apart.max() <= 1 and (apart > 0).double().mean() < 0.01  # a half, rounded otherwise
    assert (ours - warped(images, -degrees, factor, shift).int()).abs().double().mean() > 10


def test_flips_are_torchvisions(images):
    mask = torch.tensor([True, False] * 3)
    mirrored = flipped(images, mask)
    assert torch.equal(mirrored[mask], theirs.horizontal_flip(images[mask]))
    assert torch.equal(mirrored[~mask], images[~mask])


def test_draws_fill_their_ranges_evenly_and_each_image_has_its_own():
    asked = Augmenter(parsed(EVERYTHING), 0, 1, CPU)
    draws = torch.rand(20_000, 4, generator=torch.Generator().manual_seed(0))
    degrees, factor, shift = asked._motions(draws)
    for values, middle, reach in ((degrees, 0, 15), (factor, 1, 0.1)):
        assert (values - middle).abs().max() <= reach * (1 + 1e-6)
        assert abs(values.mean() - middle) < 5 * reach / math.sqrt(3 * 20_000)
        assert values.std().item() == pytest.approx(reach / math.sqrt(3), rel=0.03)
    places, counts = shift.unique(return_counts=True)
    assert places.tolist() == [-2, -1, 0, 1, 2]
    assert counts.double().std() / counts.double().mean() < 0.02
    assert shift[:, 0].unique(return_counts=True)[1].min() > 3600  # both axes, evenly


def sides_of(asked, epochs, n=400):
    """Which of n images are mirrored in each epoch: their left half is dark, their right bright."""
    halves = torch.zeros(n, 1, 4, 4, dtype=torch.uint8)
    halves[..., 2:] = 255
    augment = Augmenter(parsed(asked), 3, n, CPU)
    return [augment(halves, torch.arange(n), epoch)[:, 0, 0, 0] == 255 for epoch in range(epochs)]


def test_flips_are_coins_and_alternating_ones_alternate():
    first, second, third = sides_of("alternating_flip", 3)
    assert torch.equal(second, ~first) and torch.equal(third, first)
    assert 160 < first.sum() < 240
    coins = sides_of("flip", 3)
    assert all(160 < it.sum() < 240 for it in coins)
    agree = (coins[0] == coins[1]).double().mean()
    assert 0.4 < agree < 0.6


def test_an_alternating_side_is_the_images_own_in_any_order():
    halves = torch.zeros(40, 1, 4, 4, dtype=torch.uint8)
    halves[..., 2:] = 255
    index = torch.arange(39, 9, -1)
    augment = Augmenter(parsed("alternating_flip"), 3, 40, CPU)
    in_order = augment(halves, torch.arange(40), 0)
    assert torch.equal(augment(halves[index], index, 0), in_order[index])


def test_asking_for_more_changes_no_other_draw(images):
    index = torch.arange(6)
    only, more = (Augmenter(parsed(text), 1, 6, CPU) for text in ("flip", "flip+shift:2"))
    mirrored, both = only(images, index, 0), more(images, index, 0)
    shift = Augmenter(parsed("shift:2"), 1, 6, CPU)
    assert torch.equal(both, shift(mirrored, index, 0))


def seen_by(config):
    """What the network is shown in the first epoch, and its weights before."""
    run, batches = Run(config, load_for(config), CPU), []
    weights = {name: value.clone() for name, value in run.model.state_dict().items()}
    run.model.register_forward_pre_hook(lambda _, inputs: batches.append(inputs[0].clone()))
    run.epoch()
    return run, weights, batches


def test_two_runs_of_a_seed_differ_in_nothing_else():
    plain, weights, clean = seen_by(cifar())
    before = torch.get_rng_state()
    flips, same, mirrored = seen_by(cifar(augment="flip"))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(weights[name], same[name]) for name in weights)
    shares = []
    for one, other in zip(clean, mirrored, strict=True):  # the same images, some of them mirrored
        kept = (one == other).flatten(1).all(1)
        turned = (one.flip(3) == other).flatten(1).all(1)
        assert (kept | turned).all()
        shares.append(turned.double().mean())
    assert 0.3 < sum(shares) / len(shares) < 0.7
    assert torch.equal(plain.data.mean, flips.data.mean)
    for part in ("fit", "val", "test"):
        assert torch.equal(getattr(plain, part)[0], getattr(flips, part)[0])


def test_augmented_runs_give_the_same_bits_and_their_own_record():
    config = cifar(augment=EVERYTHING)
    first, second = train(config), train(config)
    assert first.reproducible() == second.reproducible()
    assert first.history != train(config.replace(augment="")).history
    assert first.config.to_dict()["augment"] == EVERYTHING


def test_alternating_flips_follow_the_epochs_of_a_run(monkeypatch):
    epochs = []
    monkeypatch.setattr(Augmenter, "__call__", lambda _, x, i, e: (epochs.append(e), x)[1])
    config = cifar(augment="alternating_flip")
    run = Run(config, load_for(config), CPU)
    for _ in range(3):
        run.epoch_seconds.append(run.epoch())  # as `Run.end_epoch` does
    assert sorted(set(epochs)) == [0, 1, 2] and epochs == sorted(epochs)


def test_augmented_runs_take_plain_steps_where_there_are_graphs(monkeypatch, caplog):
    pretend(monkeypatch)
    found, data = lanes.Lanes(), load_for(cifar())
    for augment, kind in (("alternating_flip", lanes.Lane), ("", lanes.GraphLane)):
        config = cifar(augment=augment)
        lane = found.lane(lambda config=config: Run(config, data, CPU))
        assert type(lane) is kind
    assert not found.refused and caplog.messages == []
