"""The toy network's runs: steps, seeds, early stopping, links, and what the page says of them."""

import re
import statistics

import pytest
import torch
from toynode import FOLDER, needs_node, run

from reglab import formulas

pytestmark = needs_node

STEPS, LR, LAM = 4, 0.05, 0.3
TORCH = {
    ("sgd", "coupled"): lambda w: torch.optim.SGD(w, lr=LR, weight_decay=LAM),
    ("momentum", "coupled"): lambda w: torch.optim.SGD(w, lr=LR, momentum=0.9, weight_decay=LAM),
    ("momentum", "none"): lambda w: torch.optim.SGD(w, lr=LR, momentum=0.9),
    ("adam", "coupled"): lambda w: torch.optim.Adam(w, lr=LR, weight_decay=LAM),
    ("adam", "decoupled"): lambda w: torch.optim.AdamW(w, lr=LR, weight_decay=LAM),
}
WALK = """
const one = { values: Float64Array.from(asked.start), decayed: true };
const optimizer = new toy.Optimizer(asked);
for (const slope of asked.slopes) optimizer.step([one], [Float64Array.from(slope)]);
return one.values;
"""
# Of each run asked for: scores after some epochs, and what the page would show of the weights.
RUNS = """
return asked.map(({ settings, epoch }) => {
  const all = { ...toy.settings.opening(), ...settings };
  const engine = new toy.Engine();
  engine.answer({ kind: "start", turn: 1, settings: toy.settings.forEngine(all) });
  const { curves, ...frame } = engine.answer({ kind: "advance", turn: 1, epochs: epoch });
  return { ...frame, curves, ...curves.at(-1), map: frame.map.slice(0, 50) };
});
"""


def runs(epoch, *settings):
    return run(RUNS, [{"settings": one, "epoch": epoch} for one in settings])


@pytest.mark.parametrize("name", TORCH, ids="-".join)
def test_steps_are_those_of_torch(name):
    generator = torch.Generator().manual_seed(1)
    start, *slopes = torch.randn(STEPS + 1, 9, generator=generator, dtype=torch.float64)
    weight = start.clone().requires_grad_()
    optimizer = TORCH[name]([weight])
    for slope in slopes:
        weight.grad = slope.clone()
        optimizer.step()
    asked = {"optimizer": name[0], "l2": name[1], "lr": LR, "lam": LAM, "start": start.tolist(),
             "slopes": [slope.tolist() for slope in slopes]}  # fmt: skip
    found = torch.tensor(run(WALK, asked), dtype=torch.float64)
    torch.testing.assert_close(found, weight.detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("l2", ["coupled", "decoupled"])
def test_under_plain_sgd_both_kinds_of_l2_are_the_formula(l2):
    w, slope = torch.tensor([0.5, -2.0]).double(), torch.tensor([1.0, 0.1]).double()
    asked = {"optimizer": "sgd", "l2": l2, "lr": LR, "lam": LAM, "start": w.tolist(),
             "slopes": [slope.tolist()]}  # fmt: skip
    found = torch.tensor(run(WALK, asked), dtype=torch.float64)
    torch.testing.assert_close(found, formulas.sgd_step(w, slope, LR, LAM))


def test_a_seed_decides_a_run_and_a_technique_shifts_nothing_else():
    script = """
      const made = (more) => new toy.Run({ ...toy.settings.opening(), patience: 0, ...more });
      const seen = (more) => {
        const { train, layers, order } = made(more);
        return [train.x, layers[0].weight, layers[4].weight, order.permutation(20)];
      };
      return [{}, { drop: 0.5 }, { bn: true }, { l2: "coupled" }, { seed: 2 }].map(seen);
    """
    first, *same, other = run(script, None)
    assert same == [first] * 3
    assert all(ours != theirs for ours, theirs in zip(first, other, strict=True))
    again, changed = runs(3, {"drop": 0.3}, {"drop": 0.3, "seed": 2})
    assert again == runs(3, {"drop": 0.3})[0]
    assert again["train"] != changed["train"]


def test_points_are_balanced_and_noise_is_a_standard_deviation():
    script = """
      const still = toy.data.points("xor", 4000, 0, new toy.Stream(3, "points"));
      const moved = toy.data.points("circles", 4000, 0.25, new toy.Stream(4, "points"));
      const spread = new toy.Stream(5, "normal");
      return { labels: still.labels, x: still.x, circles: moved,
               normal: Array.from({ length: 4000 }, () => spread.normal()),
               kept: toy.network.drawMasks([{ hidden: true, outputs: 4 }], 1000, 0.3, spread)[0] };
    """
    found = run(script, None)
    assert statistics.mean(found["labels"]) == 0.5
    right = [(x > 0) != (y > 0) for x, y in zip(found["x"][::2], found["x"][1::2], strict=True)]
    assert right == [bool(label) for label in found["labels"]]
    # squared distance from the middle: the radius's square, and the noise's variance twice
    circles = found["circles"]
    squares = [x * x + y * y for x, y in zip(circles["x"][::2], circles["x"][1::2], strict=True)]
    assert abs(statistics.mean(squares[1::2]) - (0.5**2 + 2 * 0.25**2)) < 0.03
    assert abs(statistics.mean(squares[::2]) - (1.2**2 + 2 * 0.25**2)) < 0.08
    # five standard errors
    assert abs(statistics.mean(found["normal"])) < 5 / 4000**0.5
    assert abs(statistics.stdev(found["normal"]) - 1) < 5 / 8000**0.5
    assert abs(statistics.mean(found["kept"]) - 0.7) < 5 * (0.3 * 0.7 / 4000) ** 0.5


def test_early_stopping_waits_for_its_patience_and_restores_the_best():
    losses = [3, 2, 1, 1.5, 1, 1.2, 9]
    script = """
      const stopper = new toy.Stopper(3);
      return asked.map((loss) => [stopper.see(loss), stopper.bestEpoch, stopper.done]);
    """
    seen = run(script, losses)
    assert [better for better, _, _ in seen] == [True, True, True, False, False, False, False]
    assert [done for _, _, done in seen] == [False] * 5 + [True] * 2
    (stopped,) = runs(1000, {"stop": True})
    assert stopped["stopped"] == "early"
    assert stopped["epoch"] == stopped["bestEpoch"] + 50
    (best,) = runs(stopped["bestEpoch"], {"stop": False})
    assert stopped["test"] == best["test"]
    assert stopped["validation"] == best["validation"]


def test_a_run_that_diverges_or_is_long_stops():
    diverged, whole = runs(2100, {"optimizer": "sgd", "lr": 3, "l2": "coupled", "lam": 1, "n": 20},
                           {"n": 20})  # fmt: skip
    assert diverged["stopped"] == "diverged"
    assert (whole["stopped"], whole["epoch"]) == ("end", 2000)


def test_a_link_holds_a_state_and_nonsense_is_the_opening():
    script = "return asked.map((text) => toy.settings.parse(text));"
    (opening,) = run(script, ["#toy?"])
    back = """
      const { settings, epoch } = toy.settings.parse(asked);
      return toy.settings.format(settings, epoch);
    """
    link = (
        "#toy?data=spiral&n=200&noise=0.05&seed=77&optimizer=adam&lr=0.01&stop=1&speed=5"
        "&l2=decoupled&lam=0.1&drop=0.2&bn=1&epoch=120"
    )
    assert run(back, link) == link
    bad = ["data=square", "n=41", "n=-20", "noise=NaN", "seed=1e3", "seed=99999", "lr=0", "bn=yes",
           "data=constructor", "epoch=-1", "epoch=1e9", "unknown=1", "%", "n=40&n=60"]  # fmt: skip
    assert run(script, [f"#toy?{text}" for text in bad]) == [opening] * len(bad)
    assert run(script, ["", "#toy", "#three-things-to-try", "#toy-n"]) == [None] * 4


SEEDS = range(1, 5)
NOISY = {"data": "moons", "n": 40, "noise": 0.3, "optimizer": "momentum", "lr": 0.03}
SPIRAL = {"data": "spiral", "n": 200, "noise": 0.05, "optimizer": "sgd", "lr": 1}


def over_seeds(epoch, settings):
    return runs(epoch, *[{**settings, "seed": seed} for seed in SEEDS])


def test_the_three_experiments_are_those_of_the_page_and_show_what_it_says():
    (noise, l2, bn) = run("return toy.settings.TRIES.map(({ set }) => set);", None)
    assert noise == NOISY
    assert l2 == {**NOISY, "l2": "coupled", "lam": 0.01}
    assert bn == {**SPIRAL, "bn": True}

    fitted, penalized = over_seeds(250, noise), over_seeds(250, l2)
    for plain, with_l2 in zip(fitted, penalized, strict=True):
        lowest = min(point["test"]["loss"] for point in plain["curves"])
        assert plain["train"]["loss"] < 0.1 and plain["test"]["loss"] > 1.5 * lowest
        assert with_l2["test"]["loss"] < 0.7 * plain["test"]["loss"]
        assert with_l2["squaredNorm"] < 0.4 * plain["squaredNorm"]
    collapsed = over_seeds(250, {**l2, "lam": 1})
    assert all(abs(one["train"]["loss"] - 0.693) < 0.001 for one in collapsed)


def test_batch_normalization_learns_at_a_rate_at_which_the_plain_network_does_not():
    with_bn, without = over_seeds(100, {**SPIRAL, "bn": True}), over_seeds(100, SPIRAL)
    for normalized, plain in zip(with_bn, without, strict=True):
        assert normalized["test"]["accuracy"] > 0.9 > plain["test"]["accuracy"]
        assert normalized["squaredNorm"] > 200  # about 130 at the start


def test_scripts_are_short_and_light_and_name_no_host():
    scripts = sorted(FOLDER.glob("*.js"))
    page = (FOLDER.parents[1] / "toy_network.md").read_text("utf-8")
    assert re.findall(r'src="../_static/toy/(\w+\.js)"', page)[0] == "parts.js"
    assert sorted(re.findall(r"toy/(\w+\.js)", page)) == [script.name for script in scripts]
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 60_000
    for script in scripts:
        text = script.read_text("utf-8")
        assert len(text.splitlines()) <= 300
        assert "//" not in re.sub(r"^\s*//.*$|\s//\s.*$", "", text, flags=re.M)
