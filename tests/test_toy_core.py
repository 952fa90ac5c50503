"""The toy network's arithmetic is that of torch and of the book's formulas, and a fault shows."""

from itertools import pairwise

import pytest
import torch
from torch.nn.functional import relu
from toynode import core, needs_node, run

from reglab import formulas

pytestmark = needs_node

SIZES, N, DROP, LAM = [2, 7, 5, 3], 6, 0.4, 0.03
CASES = [(bn, drop) for bn in (False, True) for drop in (0.0, DROP)]
FLOATS = {"dtype": torch.float64}

# The network is given, not drawn: its parameters, the batch and the masks come from Python.
SET_UP = """
const floats = (rows) => rows && Float64Array.from(rows);
const layers = toy.network.create(asked.sizes, asked.bn, new toy.Stream(1, "weights"));
const parameters = toy.network.parameters(layers);
parameters.forEach(({ values }, at) => values.set(asked.parameters[at]));
const [x, n, drop] = [floats(asked.x), asked.labels.length, asked.drop];
const masks = drop ? asked.masks.map(floats) : null;
"""
GRADIENTS = (
    SET_UP
    + """
const { logits, kept } = toy.network.forward(layers, x, n, drop, masks);
const { loss, slope } = toy.network.crossEntropy(logits, asked.labels, n);
const gradients = toy.network.backward(layers, kept, slope, n, drop);
layers.forEach(({ norm }, at) => norm && toy.network.remember(norm, kept[at].batch, n));
const norms = layers.flatMap(({ norm }) => (norm ? [norm.mean, norm.variance] : []));
const evaluated = toy.network.scores(layers, x, n);
// one step at rate 1 without momentum: the gradient with the penalty's
const before = parameters.map(({ values }) => values.slice());
new toy.Optimizer({ optimizer: "sgd", l2: "coupled", lr: 1, lam: asked.lam })
  .step(parameters, gradients);
const penalized = parameters.map(({ values }, at) => before[at].map((v, i) => v - values[i]));
return { loss, gradients, penalized, norms, evaluated };
"""
)


def rand(*shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, **FLOATS)


class Reference:
    """The same network in torch, from the functions of reglab.formulas."""

    def __init__(self, bn, drop):
        self.bn, self.drop = bn, drop
        self.layers, hidden = [], len(SIZES) - 2
        for at, (inputs, outputs) in enumerate(pairwise(SIZES)):
            shapes = [(outputs, inputs), (outputs,)] + [(outputs,)] * (bn and at < hidden)
            made = [rand(*shape, seed=10 * at + i) for i, shape in enumerate(shapes)]
            self.layers.append([one.requires_grad_() for one in made])
        self.x, self.labels = rand(N, 2, seed=91), torch.arange(N) % SIZES[-1]
        self.masks = [(rand(N, units, seed=units) > -0.3).double() for units in SIZES[1:-1]]

    @property
    def parameters(self):
        return [one for layer in self.layers for one in layer]

    def logits(self, running=None):
        """In training mode, or in evaluation mode with running statistics; those of the batch."""
        h, inputs_of_norms = self.x, []
        for at, (weight, first, *second) in enumerate(self.layers):
            h = h @ weight.T
            if second:
                inputs_of_norms.append(h.detach())
                h = self.normalized(h, first, *second, running and running[at])
            else:
                h = h + first
            if at < len(self.masks):
                h = relu(h)
                h = h if running else formulas.dropout(h, self.masks[at], self.drop)
        return h, inputs_of_norms

    @staticmethod
    def normalized(h, gamma, beta, running):
        if running is None:
            return formulas.batch_norm(h, gamma, beta)
        return formulas.batch_norm_eval(h, *running, gamma, beta)

    def wanted(self):
        """Everything that the script answers, from autograd and the formulas."""
        if not self.drop:
            self.masks = [torch.ones_like(mask) for mask in self.masks]
        logits, inputs = self.logits()
        loss = formulas.cross_entropy(logits, self.labels)
        gradients = torch.autograd.grad(loss, self.parameters, retain_graph=True)
        weights = [layer[0] for layer in self.layers]
        penalized = torch.autograd.grad(loss + formulas.l2_penalty(weights, LAM), self.parameters)
        running = [self.remembered(h) for h in inputs]
        evaluated, _ = self.logits(running + [None] * len(self.layers))
        norms = [one for pair in running for one in pair]
        return {"loss": [loss], "gradients": gradients, "penalized": penalized, "norms": norms,
                "evaluated": [evaluated]}  # fmt: skip

    @staticmethod
    def remembered(h):
        units = h.shape[1]
        start = torch.zeros(units, **FLOATS), torch.ones(units, **FLOATS)
        return formulas.running_statistics(*start, h)

    def asked(self):
        flat = [one.detach().flatten().tolist() for one in self.parameters]
        return {
            "sizes": SIZES, "bn": self.bn, "drop": self.drop, "lam": LAM, "parameters": flat,
            "x": self.x.flatten().tolist(), "labels": self.labels.tolist(),
            "masks": [mask.flatten().tolist() for mask in self.masks],
        }  # fmt: skip


def differences(bn, drop, scripts=None):
    """Return the names of what the script computes otherwise than Python, by more than 1e-9."""
    reference = Reference(bn, drop)
    found = run(GRADIENTS, reference.asked(), scripts)
    found["loss"], found["evaluated"] = [[found["loss"]]], [found["evaluated"]]
    different = set()
    for name, tensors in reference.wanted().items():
        assert len(found[name]) == len(tensors)
        for ours, theirs in zip(found[name], tensors, strict=True):
            ours, theirs = torch.tensor(ours, **FLOATS).flatten(), theirs.detach().flatten()
            assert ours.shape == theirs.shape
            if not torch.allclose(ours, theirs, rtol=1e-9, atol=1e-9):
                different.add(name)
    return different


@pytest.mark.parametrize(("bn", "drop"), CASES)
def test_loss_gradients_statistics_and_evaluation_agree_with_python(bn, drop):
    assert differences(bn, drop) == set()


FAULTS = [
    # (in network.js or training.js, with the fault, what then differs)
    ("slope[row + c] /= total * n", "slope[row + c] /= 1.01 * total * n", {"gradients"}),
    ("loss += (Math.log(total)", "loss += 1.01 * (Math.log(total)", {"loss"}),
    ("const keep = 1 - drop;\n    return z", "const keep = 1.01 - drop;\n    return z", {"loss"}),
    ("const keep = 1 - drop;\n    return g", "const keep = 1.01 - drop;\n    return g",
     {"gradients"}),
    ("- (hat[at] * gamma[j]) / n", "- 1.01 * (hat[at] * gamma[j]) / n", {"gradients"}),
    ("value - beta[j] / n", "value - 1.01 * beta[j] / n", {"gradients"}),
    ("(norm.gamma[j] / deviation[j]) * centred", "(1.01 * norm.gamma[j] / deviation[j]) * centred",
     {"gradients"}),
    ("value * hat[at]), units)", "1.01 * value * hat[at]), units)", {"gradients"}),
    ("** 2 / n; });", "** 2 / n * 1.01; });", {"loss", "norms"}),
    ("ALPHA * (mean[j]", "1.01 * ALPHA * (mean[j]", {"norms", "evaluated"}),
    ("(variance[j] * n) / (n - 1)", "variance[j]", {"norms", "evaluated"}),
    ("beta - norm.mean[j]", "beta - 1.01 * norm.mean[j]", {"evaluated"}),
    ("slope[j * inputs + k] += value", "slope[j * inputs + k] += 1.01 * value", {"gradients"}),
    ("slope[i * inputs + k] += value", "slope[i * inputs + k] += 1.01 * value", {"gradients"}),
    ("slope + coupled * values[i]", "slope + 1.01 * coupled * values[i]", {"penalized"}),
    ('decayed && this.l2 === "coupled"', 'this.l2 === "coupled"', {"penalized"}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "fault", "shows"), FAULTS, ids=[line for line, _, _ in FAULTS])
def test_a_fault_of_one_percent_shows(line, fault, shows):
    sound = core()
    assert sound.count(line) == 1
    assert shows <= differences(True, DROP, sound.replace(line, fault))
