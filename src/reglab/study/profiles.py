"""Grids and profiles: which strengths are tried, and how much is run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from reglab.data import bundled
from reglab.errors import ReglabError

# The paper's grids. Its p is a keep probability in the mathematics and unspecified in the
# experiments, so each of its three numbers is run as a drop rate and as a keep probability.
PAPER_LAMBDAS = (0.01, 0.1, 1.0, 10.0)
PAPER_P = (0.2, 0.5, 0.7)
DROP_RATES = tuple(sorted({*PAPER_P, *(round(1 - p, 10) for p in PAPER_P)}))
PRINTED_LAMBDA, PRINTED_P = 0.1, 0.5

# The strengths in common use, added for the coupled reading.
SMALL_LAMBDAS = (1e-5, 1e-4, 5e-4, 1e-3, 5e-3)
SGD_RATES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
ADAMW_RATES = (3e-4, 1e-3, 3e-3)
SIZES = (1000, 5000, 10_000, 25_000)
RATE_CELLS = ("none", "bn")  # the study of learning rate and BN, where there is no fair arm
# The pilot has minutes on two cores: it leaves these out, and the fair arm.
THIN_SMALL_LAMBDAS = (1e-4, 1e-3)
THIN_ADAMW_RATES = (1e-3, 3e-3)


@dataclass(frozen=True)
class Profile:
    """How much is run: data, network, epochs, seeds.

    Attributes:
        source: "sample" (the bundled images) or "full"; an own data set has only its file.
        n_train: images of the training half, validation included; None = all.
        placements: dropout placements swept.
        small_lambdas: coupled strengths beside the paper's.
        adamw_rates: learning rates tried for AdamW.
        rate_cells: cells of the factorial that are run under each learning rate.
        fair: also tune the learning rate of each factorial cell on its own.
        sizes: training-set sizes, smaller than ``n_train``, of the study of size.
        precision: fp32 or bf16, where nobody asks for another.
        exceptions: fields that are others for some data sets, by name of data set.
    """

    name: str
    source: str
    n_train: int | None
    width: int
    max_epochs: int
    sweep_seeds: int
    factorial_seeds: int
    placements: tuple[str, ...] = ("fc", "all")
    small_lambdas: tuple[float, ...] = SMALL_LAMBDAS
    adamw_rates: tuple[float, ...] = ADAMW_RATES
    rate_cells: tuple[str, ...] = ()
    fair: bool = False
    sizes: tuple[int, ...] = ()
    precision: str = "fp32"
    exceptions: Mapping[str, Mapping[str, int | str]] = field(default_factory=dict, hash=False)

    def for_dataset(self, dataset: str) -> Profile:
        """Return the profile as it is for one data set."""
        return dataclasses.replace(self, **self.exceptions.get(dataset, {}), exceptions={})


_THIN = {"small_lambdas": THIN_SMALL_LAMBDAS, "adamw_rates": THIN_ADAMW_RATES}

PROFILES = {
    profile.name: profile
    for profile in (
        Profile("smoke", "sample", 200, 8, 2, 1, 2, **_THIN),
        Profile("pilot", "sample", 2000, 16, 6, 1, 3, placements=("fc",), **_THIN),
        Profile(
            "reduced",
            "full",
            10_000,
            16,
            50,
            3,
            5,
            sizes=SIZES[:2],
            rate_cells=RATE_CELLS,
            exceptions={name: {"factorial_seeds": 10} for name in bundled.NAMES},  # small networks
        ),
        # All images on processors, patiently: few strengths, one selection seed, half the width
        # where images are small. CIFAR-10 was begun in bf16 and keeps it; a processor without such
        # instructions imitates them at a twelfth of its speed in fp32, so the others are in fp32.
        Profile(
            "full",
            "full",
            None,
            16,
            50,
            1,
            10,
            placements=("fc",),
            small_lambdas=SMALL_LAMBDAS[1:],
            adamw_rates=ADAMW_RATES[1:2],
            exceptions={"cifar10": {"width": 32, "factorial_seeds": 5, "precision": "bf16"}},
        ),
        Profile("paper", "full", None, 32, 50, 3, 10, sizes=SIZES, fair=True),
    )
}

# Seconds of a run on one core of an AMD EPYC, the mean over all of the profile's. Smoke and pilot:
# whole studies on two cores, 25 and 380 to 450 s for the three data sets. Reduced: the 344 runs
# first recorded in book/results. Full: the 18 runs of CIFAR-10 that were made first. Nobody has run
# the paper's profile on a processor: it is 17 epochs, the mean of those 344, of 54,000 images at
# half the 1,840 images/s that `reglab bench` measured for its network on two cores.
RUN_SECONDS = {"smoke": 0.3, "pilot": 5, "reduced": 90, "full": 720, "paper": 1000}

# Where a data set is unlike those. Full, in fp32: a minute an epoch, on Fashion-MNIST in two
# processes on two cores, and fifteen epochs, a guess until more runs are made. Reduced: the mean of
# the recorded runs on the smartwatch, and of the first hundred on the addresses.
_OTHERS = {
    ("full", "mnist"): 900,
    ("full", "fashion_mnist"): 900,
    ("reduced", "watch"): 9,
    ("reduced", "sotu"): 30,
}


def run_seconds(profile: str, dataset: str) -> float | None:
    """Return about how many seconds of one core a run takes; None for a profile not measured."""
    return _OTHERS.get((profile, dataset), RUN_SECONDS.get(profile))


def profile_named(name: str) -> Profile:
    """Return a profile, or refuse an unknown name with the list of the known ones."""
    if name not in PROFILES:
        raise ReglabError(f"unknown profile {name!r}; the profiles are {', '.join(PROFILES)}")
    return PROFILES[name]
