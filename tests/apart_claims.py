"""What each claim of the paper compares, written out from its words (see `test_ledger_apart.py`).

Nothing of reglab is imported here either.
"""

import numpy as np
from apart import Contrast
from apart_runs import CHOSEN, FIRST_SWEEP_SEED, MARGIN

MNIST, FASHION, CIFAR = "mnist", "fashion_mnist", "cifar10"
THREE, NOT_MNIST = (MNIST, FASHION, CIFAR), (CIFAR, FASHION)

# The eight networks, with the strengths that validation chose.
NONE, L2, DROPOUT, BN = {}, {"lam": CHOSEN}, {"dropout": CHOSEN}, {"batch_norm": True}
L2_DROPOUT, L2_BN, DROPOUT_BN = L2 | DROPOUT, L2 | BN, DROPOUT | BN
TRIPLE = L2 | DROPOUT | BN
# The paper's strengths, and arms beside the eight.
PRINTED_L2, PRINTED_DROPOUT = {"lam": 0.1}, {"dropout": 0.5}
UNSTOPPED = {"patience": 0}
FEW_IMAGES = {"n_train": 1000}
HIGH_RATE = {"lr": 0.1, "sweep": True}

FAMILIES = ("N1 N2 N3", "N4 N5 N11 N30", "N6 N8", "N15 N16 N17", "N24", "N19 N20 N21 N22",
            "N12 N13 N25 N26", "N10 N27")  # fmt: skip
NOTHING_TO_MEASURE = {
    *(f"N{number}" for number in (7, 9, 14, 18, 23, 28, 29, 31, 32, 33)),
    *(f"M{number}" for number in range(1, 10)),
    *(f"C{number}" for number in range(1, 9)),
}


def swept(reading, lam):
    """Return a strength of L2 as it was swept; per sample, no penalty is the coupled none."""
    return {"l2": reading if lam else reading.replace("per_sample", "coupled"), "lam": lam,
            "sweep": True}  # fmt: skip


def dropped(place, rate):
    return {"dropout": rate, "placement": place, "sweep": True}


def times(runs, arm, base):
    """Epochs until 98 % of the seed's best plain validation accuracy, from one in ten right."""
    sweep = arm.get("sweep", False)
    plain, ours = (
        {
            run["config"]["seed"]: run
            for run in runs.records_of({k: v for k, v in it.items() if k != "sweep"})
        }
        for it in (base, arm)
    )
    found = {}
    for seed, run in ours.items():
        curve = np.array([0.1, *run["history"]["val_acc"]])
        if (seed >= FIRST_SWEEP_SEED) == sweep:
            goal = 0.98 * max(plain[seed]["history"]["val_acc"])
            there = np.flatnonzero(curve >= goal)
            if there.size:  # where the straight line from the epoch before crosses the goal
                end = there[0]
                part = np.interp(goal, curve[end - 1 : end + 1], [end - 1, end])
            found[seed] = float(part) if there.size else run["config"]["max_epochs"] + 1
    return found


class Claims:
    """What each claim compares, under one profile: readings by name, each a list of contrasts.

    ``last``: with the weights of the last epoch in place of the best ones.
    """

    def __init__(self, runs, last=False):
        self.runs, self.last = runs, "last " if last else ""

    def minus(self, treated, control, names, metric="test", size=None):
        """Return treated minus control within the seeds that both have, on each data set."""
        return [self._minus(treated, control, name, metric, size) for name in names]

    def _minus(self, treated, control, name, metric, size):
        if (runs := self.runs.get(name)) is None:
            return Contrast((), name)
        if metric == "time":
            base = next(arm for arm in (treated, control) if not arm.keys() - {"lr", "sweep"})
            ours, theirs = (times(runs, arm, base) for arm in (treated, control))
        else:
            metric = self.last + metric if metric in ("test", "gap") else metric
            ours, theirs = (runs.scores(arm, metric) for arm in (treated, control))
        values = tuple(ours[seed] - theirs[seed] for seed in sorted(set(ours) & set(theirs)))
        margin = None if metric in ("epochs", "time") else runs.margin
        return Contrast(values, name, margin, size=size, whole=runs.whole)

    def summed(self, name, *signed):
        """Return sums of test accuracies with signs, within the seed."""
        if (runs := self.runs.get(name)) is None:
            return Contrast((), name)
        sides = [(sign, runs.scores(arm, self.last + "test")) for sign, arm in signed]
        seeds = sorted(set.intersection(*(set(side) for _, side in sides)))
        values = tuple(sum(sign * side[seed] for sign, side in sides) for seed in seeds)
        return Contrast(values, name, runs.margin, whole=runs.whole)

    def level(self, name, *printed, arm=NONE):
        if (runs := self.runs.get(name)) is None:
            return {"": [Contrast((), name, levels=printed)]}
        values = tuple(runs.scores(arm, self.last + "test").values())
        return {"": [Contrast(values, name, runs.margin, levels=printed, whole=runs.whole)]}

    def at_most(self, bound, arm, metric):
        """How far scores on CIFAR-10 stay below a bound."""
        if (runs := self.runs.get(CIFAR)) is None:
            return [Contrast((), CIFAR)]
        values = tuple(bound - value for value in runs.scores(arm, metric).values())
        return [Contrast(values, CIFAR, runs.margin)]

    def more_on_cifar(self, treated, control):
        gains = {name: self.minus(treated, control, [name])[0].values for name in THREE}
        margin = MARGIN[CIFAR]
        return [
            Contrast(gains[CIFAR] if gains[name] else (), "several", margin, against=gains[name])
            for name in (MNIST, FASHION)
        ]

    def best(self, best, *rivals):
        return [c for rival in rivals for c in self.minus(best, rival, THREE)]

    def synergy(self, first, second):
        """The gain of two together minus the sum of their gains, on each data set."""
        pair = first | second
        return [
            self.summed(name, (1, pair), (-1, first), (-1, second), (1, NONE)) for name in THREE
        ]

    def sooner(self, arm, base=NONE):
        """An arm converges faster than none: by the area under its curve, and by a target."""
        return self.minus(arm, base, THREE, "early") + self.minus(base, arm, THREE, "time")

    def of_printed_l2(self):
        """λ = 0.1 against no penalty in each reading of λ: (treated, control)."""
        return {
            "coupled": (PRINTED_L2, NONE),
            "per sample": (swept("per_sample", 0.1), swept("per_sample", 0.0)),
            "decoupled": (swept("decoupled", 0.1), swept("decoupled", 0.0)),
        }

    def gain_of_three(self, name, size):
        singles = {"dropout": DROPOUT, "L2": L2, "batch normalization": BN}
        return {key: self.minus(TRIPLE, arm, [name], size=size) for key, arm in singles.items()}

    def all(self):
        """Return every claim that runs can speak about."""
        return self.individual() | self.combined()

    def individual(self):
        minus, l2 = self.minus, self.of_printed_l2()
        readings = ("coupled", "per_sample", "decoupled")
        return {
            "N1": self.level(CIFAR, 81.3, 81.2),
            "N2": self.level(FASHION, 90.2, 90.0),
            "N3": self.level(MNIST, 98.4),
            "N4": {key: minus(*arms, [CIFAR], size=1.9) for key, arms in l2.items()},
            "N5": {key: self.more_on_cifar(*arms) for key, arms in l2.items()},
            "N6": {r: self.best(*(swept(r, lam) for lam in (0.1, 0.01, 1, 10))) for r in readings},
            "N8": {
                "p dropped": self.best(*(dropped("fc", p) for p in (0.5, 0.2, 0.7))),
                "p kept": self.best(*(dropped("fc", p) for p in (0.5, 0.8, 0.3))),
            },
            "N10": {"": minus(NONE, PRINTED_DROPOUT, NOT_MNIST, "gap")},
            "N11": {"": minus(PRINTED_DROPOUT, NONE, THREE)},
            "N12": {
                "chosen rate": self.at_most(20, NONE, "last train"),
                "rate 0.1": self.at_most(20, HIGH_RATE, "last train"),
            },
            "N13": {"": minus(BN, NONE, THREE) + self.sooner(BN)},
            "N27": {"": minus(FEW_IMAGES, NONE, NOT_MNIST, "gap")},
            "N30": {"": [c for arm in (L2, DROPOUT, BN) for c in minus(arm, NONE, THREE)]},
        }

    def combined(self):
        minus = self.minus
        parts = [(L2_DROPOUT, L2), (L2_DROPOUT, DROPOUT), (L2_BN, L2), (L2_BN, BN),
                 (DROPOUT_BN, DROPOUT), (DROPOUT_BN, BN),
                 (TRIPLE, L2), (TRIPLE, DROPOUT), (TRIPLE, BN)]  # fmt: skip
        pairs = ((L2, DROPOUT), (L2, BN), (DROPOUT, BN))
        # of two drops the whole cancels: (whole - A) - (whole - B) = B - A
        order = minus(L2_BN, DROPOUT_BN, [CIFAR]) + minus(L2_DROPOUT, L2_BN, [CIFAR])
        return {
            "N15": {"": [c for whole, part in parts for c in minus(whole, part, THREE)]},
            "N16": self.gain_of_three(CIFAR, 2.2),
            "N17": self.gain_of_three(FASHION, 1.1),
            "N19": {"": minus(TRIPLE, DROPOUT_BN, [CIFAR], size=3.5)},
            "N20": {"": minus(TRIPLE, L2_BN, [CIFAR], size=2.8)},
            "N21": {"": minus(TRIPLE, L2_DROPOUT, [CIFAR], size=1.5)},
            "N22": {"": order},
            "N24": {"": [c for pair in pairs for c in self.synergy(*pair)]},
            "N25": {"": self.sooner(TRIPLE)},
            "N26": {"": minus(NONE, TRIPLE, THREE, "epochs")},
        }
