"""The raw records, and the scores of arms in them (see `test_ledger_apart.py`).

Nothing of reglab is imported here.
"""

import gzip
import json
import math

import numpy as np

EARLY = 5
MARGIN = {"mnist": 0.15, "fashion_mnist": 0.5, "cifar10": 0.5}
ALL_IMAGES = {"mnist": 60_000, "fashion_mnist": 60_000, "cifar10": 50_000}
SEEDS = {"paper": 10, "full": 10, "reduced": 5}  # of the factorial, best profile first
FIRST_SWEEP_SEED = 1000  # settings are chosen on these seeds, judged on those below
CHOSEN = "chosen"
PLAIN = {"lam": 0.0, "dropout": 0.0, "batch_norm": False, "l2": "coupled", "optimizer": "sgd",
         "patience": 5, "placement": "fc"}  # fmt: skip


def read(folder):
    """Return the raw records by profile and data set, best first, where all seeds are there."""
    found = {profile: {name: _table(folder, name, profile) for name in MARGIN} for profile in SEEDS}
    whole = {key: {name: ours for name, ours in tables.items() if ours}
             for key, tables in found.items()}  # fmt: skip
    return {profile: tables for profile, tables in whole.items() if tables}


def _table(folder, name, profile):
    """Return a table's records; None if it is not there, or a seed of the factorial is not."""
    path = folder / profile / f"{name}.jsonl.gz"
    if not path.exists():
        return None
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        records = [json.loads(line)["record"] for line in lines]
    judged = [record["config"] for record in records if record["config"]["seed"] < FIRST_SWEEP_SEED]
    whole = {c["seed"] for c in judged if c["lam"] and c["dropout"] and c["batch_norm"]}
    wanted = 5 if (profile, name) == ("full", "cifar10") else SEEDS[profile]
    return records if len(whole) == wanted else None


class Runs:
    """The runs of one data set, and which settings were chosen: those that the cells were run with.

    ``whole``: whether all training images were used, so that printed sizes are judged.
    """

    def __init__(self, name, records, whole=None):
        self.records, self.margin = records, MARGIN[name]
        configs = [record["config"] for record in records]
        self.images = max(config["n_train"] for config in configs)
        self.whole = self.images == ALL_IMAGES[name] if whole is None else whole
        judged = [config for config in configs if config["seed"] < FIRST_SWEEP_SEED]
        triple = [c for c in judged if c["lam"] and c["dropout"] and c["batch_norm"]]
        (self.rate,) = {config["lr"] for config in configs if config["patience"] == 0}
        (lam,) = {config["lam"] for config in triple}
        (dropout,) = {config["dropout"] for config in triple}
        self.chosen = {"lam": lam, "dropout": dropout}
        (self.adamw,) = {c["lr"] for c in configs if c["l2"] == "decoupled" and c["lam"]}

    def scores(self, arm, metric):
        """Return an arm's scores by seed; an arm is what differs from the plain network."""
        sweep = arm.get("sweep", False)
        found = {}
        for record in self.records_of({key: value for key, value in arm.items() if key != "sweep"}):
            seed = record["config"]["seed"]
            if (seed >= FIRST_SWEEP_SEED) == sweep:
                assert seed not in found, f"{arm}: seed {seed} twice"
                found[seed] = score(record, metric)
        return {seed: value for seed, value in found.items() if value is not None}

    def records_of(self, arm):
        """Return the records of an arm, on all seeds."""
        arm = {key: self.chosen[key] if value == CHOSEN else value for key, value in arm.items()}
        decoupled = arm.get("l2") == "decoupled"
        rate, optimizer = (self.adamw, "adamw") if decoupled else (self.rate, "sgd")
        wanted = PLAIN | {"n_train": self.images, "lr": rate, "optimizer": optimizer} | arm
        return [
            record
            for record in self.records
            if all(record["config"][key] == value for key, value in wanted.items())
        ]

    def own_rate(self, arm):
        """Return the rate at which an arm validates best on the choosing seeds; None = unknown."""
        losses = {}
        for record in self.records:
            config = record["config"]
            plain = PLAIN | {"n_train": self.images} | arm
            if config["seed"] >= FIRST_SWEEP_SEED and all(config[k] == v for k, v in plain.items()):
                best = record["best_epoch"]
                loss = record["history"]["val_loss"][best - 1] if best else math.inf
                losses.setdefault(config["lr"], []).append(loss)
        return min(losses, key=lambda rate: np.mean(losses[rate])) if len(losses) > 1 else None

    def run(self, arm, seed):
        (found,) = (record for record in self.records_of(arm) if record["config"]["seed"] == seed)
        return found


def score(record, metric):
    """Return one run's score: percent, points or epochs; None where the run has no such weights."""
    history = record["history"]
    curve = history["val_acc"]
    if metric == "epochs":
        return len(curve)
    if metric == "early":
        return 100 * float(np.mean(curve[:EARLY])) if len(curve) >= EARLY else None
    last = metric.startswith("last ")
    tested = record["last" if last else "best"]
    if tested is None:
        return None
    test = 100 * tested["accuracy"]
    train = 100 * history["train_acc"][-1 if last else record["best_epoch"] - 1]
    return {"test": test, "train": train, "gap": train - test}[metric.removeprefix("last ")]
