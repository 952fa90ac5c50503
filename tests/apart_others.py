"""What arms that a claim's words do not name compare, written out (see `test_ledger_apart.py`).

Nothing of reglab is imported here either. Names of readings are those of `apart_claims.py`.
"""

from apart_claims import (
    BN,
    CIFAR,
    DROPOUT,
    FASHION,
    FEW_IMAGES,
    HIGH_RATE,
    L2,
    MNIST,
    NONE,
    NOT_MNIST,
    PRINTED_DROPOUT,
    PRINTED_L2,
    THREE,
    UNSTOPPED,
    Claims,
    dropped,
    swept,
)

LAST = "after the last epoch"
CHOSEN_ONE = "the strength that validation chose"
ALONE = {"on MNIST", "with 5,000 images in place of 1,000"}  # in place of all readings


def beside(runs):
    """Return by alternative and claim the readings, under one profile, of what it changes."""
    best, last = Claims(runs), Claims(runs, last=True)
    found = {
        LAST: {name: ours for name, ours in last.all().items() if name != "N12"},
        CHOSEN_ONE: _chosen(best),
        CHOSEN_ONE + ", " + LAST: _chosen(last),
        "with the best weights": {"N12": {
            "chosen rate": best.at_most(20, NONE, "train"),
            "rate 0.1": best.at_most(20, HIGH_RATE, "train"),
        }},
        "the unregularized network not stopped": _unstopped(last),
        "each network at its own learning rate": {"N13": {"": _own_rates(best)}},
        "dropout after the pools as well": _pools(best),
        "on MNIST": {"N27": {"": best.minus(FEW_IMAGES, NONE, [MNIST], "gap")}},
        "with 5,000 images in place of 1,000": {
            "N27": {"": best.minus({"n_train": 5000}, NONE, NOT_MNIST, "gap")}
        },
    }  # fmt: skip
    printed = {"coupled": (PRINTED_L2, NONE)}
    for name in ("per_sample", "decoupled"):
        printed[name.replace("_", " ")] = swept(name, 0.1), swept(name, 0.0)
    for name, arms in printed.items():
        gains = best.minus(*arms, THREE) + best.minus(PRINTED_DROPOUT, NONE, THREE)
        gains += best.minus(BN, NONE, THREE)
        found[f"the printed strengths, λ {name}"] = {"N30": {"": gains}}
    return found


def _chosen(claims):
    return {
        "N4": {"coupled": claims.minus(L2, NONE, [CIFAR], size=1.9)},
        "N5": {"coupled": claims.more_on_cifar(L2, NONE)},
        "N10": {"": claims.minus(NONE, DROPOUT, NOT_MNIST, "gap")},
        "N11": {"": claims.minus(DROPOUT, NONE, THREE)},
    }


def _unstopped(last):
    """The plain network trained to the end; only it was."""
    return {
        "N1": last.level(CIFAR, 81.3, 81.2, arm=UNSTOPPED),
        "N2": last.level(FASHION, 90.2, 90.0, arm=UNSTOPPED),
        "N3": last.level(MNIST, 98.4, arm=UNSTOPPED),
        "N4": {"coupled": last.minus(PRINTED_L2, UNSTOPPED, [CIFAR], size=1.9)},
        "N5": {"coupled": last.more_on_cifar(PRINTED_L2, UNSTOPPED)},
        "N10": {"": last.minus(UNSTOPPED, PRINTED_DROPOUT, NOT_MNIST, "gap")},
        "N11": {"": last.minus(PRINTED_DROPOUT, UNSTOPPED, THREE)},
        "N12": {"chosen rate": last.at_most(20, UNSTOPPED, "last train")},
        "N13": {"": last.minus(BN, UNSTOPPED, THREE) + last.sooner(BN)},
        "N30": {"": [c for arm in (L2, DROPOUT, BN) for c in last.minus(arm, UNSTOPPED, THREE)]},
    }


def _own_rates(claims):
    """Batch normalization and none, each at the rate that validates best for it."""
    found = []
    for name in THREE:
        runs = claims.runs.get(name)
        rates = [runs.own_rate(arm) if runs else None for arm in (BN, NONE)]
        # rates that were not studied: arms that no run has
        norm, none = ({"lr": rate, "sweep": True} for rate in rates)
        alone, norm = Claims({name: runs} if runs else {}), BN | norm
        found += alone.minus(norm, none, [name])
        found += alone.minus(norm, none, [name], "early") + alone.minus(none, norm, [name], "time")
    return found


def _pools(claims):
    """Dropout after the pools as well, on the seeds that choose settings."""
    at = {p: dropped("all", p) for p in (0.2, 0.3, 0.5, 0.7, 0.8)}
    without = {"sweep": True}

    def gain(name):
        """Dropout at the rate that was chosen for a data set, against none."""
        rate = claims.runs[name].chosen["dropout"] if name in claims.runs else None
        return claims.minus(dropped("all", rate), without, [name])[0]

    return {
        "N8": {
            "p dropped": claims.best(at[0.5], at[0.2], at[0.7]),
            "p kept": claims.best(at[0.5], at[0.8], at[0.3]),
        },
        "N10": {"": claims.minus(without, at[0.5], NOT_MNIST, "gap")},
        "N11": {"": claims.minus(at[0.5], without, THREE)},
        "N30": {
            "": [
                *claims.minus(L2, NONE, THREE),
                *map(gain, THREE),
                *claims.minus(BN, NONE, THREE),
            ]
        },
    }
