"""Made-up runs of the study early_stopping: losses that turn, accuracy that goes on rising."""

import numpy as np
import pandas as pd

from reglab.cells import CELL_ORDER


def run(seed, cell, epochs=50):
    """Return history and trace; validation loss turns at epoch 8 to 15, by the cell."""
    rng = np.random.default_rng([seed, CELL_ORDER.index(cell)])
    epoch, turn = np.arange(1, epochs + 1), 8 + CELL_ORDER.index(cell)
    train = np.exp(-epoch / turn) + 0.01
    val = 0.4 + np.exp(-epoch / 4) + 0.008 * np.maximum(0, epoch - turn)
    val, test = (val + 0.01 * rng.standard_normal(epochs) for _ in range(2))
    accuracy = 0.9 - 0.4 * np.exp(-epoch / 6) + 0.002 * rng.standard_normal(epochs)
    history = {"train_loss": train, "val_loss": val, "val_acc": accuracy - 0.001}
    history["train_acc"] = 1 - 0.5 * np.exp(-epoch / 5)
    trace = {"test_loss": test, "test_acc": accuracy + 0.001 * CELL_ORDER.index(cell)}
    return tuple(
        {name: list(map(float, it)) for name, it in part.items()} for part in (history, trace)
    )


def study(dataset="mnist", seeds=3, cells=CELL_ORDER):
    """Return the study as `reglab.results.recorded.further` gives it, with what replays ask for."""
    rows = []
    for seed in range(seeds):
        for cell in cells:
            history, trace = run(seed, cell)
            rows.append(
                {"study": "early_stopping", "arm": cell, "cell": cell, "seed": seed,
                 "dataset": dataset, "profile": "reduced", "device": "cpu", "precision": "fp32",
                 "n_train": 10_000, "diverged": False, "history": history, "trace": trace,
                 "best_epoch": 1 + int(np.argmin(history["val_loss"]))}
            )  # fmt: skip
    return pd.DataFrame(rows)
