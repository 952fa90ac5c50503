"""Many runs at once are the plain runs: bit for bit on a CPU, in law on a GPU."""

import pytest
import torch

from reglab.config import RunConfig
from reglab.data.dataset import dataset_version
from reglab.errors import ReglabError
from reglab.runs.store import RunStore
from reglab.study import sweep
from reglab.training import together
from reglab.training.run import train

PLAIN = RunConfig(
    dataset="mnist", data_version=dataset_version("mnist", "sample"), n_train=200, seed=0,
    width=4, lr=0.03, max_epochs=4, patience=1, batch_size=32,
)  # fmt: skip
CONFIGS = [
    PLAIN,
    PLAIN.replace(seed=1, dropout=0.5, placement="all", batch_norm=True),
    PLAIN.replace(lam=0.1, lr=0.01),
    PLAIN.replace(optimizer="adamw", l2="decoupled", lam=0.1, lr=0.003, n_train=120),
    PLAIN.replace(dropout=0.8, patience=0, max_epochs=2),
    PLAIN.replace(lr=1e6),
]


def without_costs(record):
    return (record.config, record.history, record.best_epoch, record.best, record.last,
            record.diverged, record.n_fit)  # fmt: skip


@pytest.fixture(scope="module")
def plain():
    """The plain loop's records, by key."""
    return {config.key: without_costs(train(config)) for config in CONFIGS}


@pytest.mark.parametrize("size", [2, 6])  # places that are filled again, and one for each
def test_together_they_are_the_plain_runs(plain, size):
    records = {record.config.key: record for record in together.train_many(CONFIGS, size=size)}
    assert {key: without_costs(record) for key, record in records.items()} == plain


def test_a_run_that_stops_leaves_its_place(monkeypatch):
    sizes = []
    real = together._epoch
    monkeypatch.setattr(together, "_epoch", lambda lanes: (sizes.append(len(lanes)), real(lanes)))
    configs = [PLAIN.replace(max_epochs=n, patience=0) for n in (1, 3, 2)]
    order = [r.config.max_epochs for r in together.train_many(configs, size=2)]
    assert sizes == [2, 2, 2]
    assert order == [1, 3, 2]


def test_equal_splits_are_loaded_once(monkeypatch):
    loaded = []
    real = together.load_for
    monkeypatch.setattr(together, "load_for", lambda c: (loaded.append(c.seed), real(c))[1])
    short = PLAIN.replace(max_epochs=1)
    list(together.train_many([short, short.replace(lam=0.1), short.replace(seed=5)]))
    assert loaded == [0, 5]


def test_a_drift_of_the_plain_path_is_noticed(plain, monkeypatch):
    """The comparison above can fail: it does when a lane's step is not training's own."""
    real = together.Lane.step

    def halved(lane):
        for group in lane.run.optimizer.param_groups:
            group["lr"] = 0.5 * PLAIN.lr
        real(lane)

    monkeypatch.setattr(together.Lane, "step", halved)
    (record,) = together.train_many([PLAIN])
    assert without_costs(record) != plain[PLAIN.key]


def test_mixtures_are_refused_in_one_line():
    with pytest.raises(ReglabError, match="share device and precision"):
        next(together.train_many([PLAIN, PLAIN.replace(precision="bf16")]))
    with pytest.raises(ReglabError, match="size"):
        next(together.train_many([PLAIN], size=0))


def test_nothing_to_do():
    assert list(together.train_many([])) == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_graphs_follow_the_plain_path_on_a_gpu(tmp_path):
    """The first epochs' losses agree to float tolerance; dropout's masks may differ."""
    configs = [c.replace(device="cuda", patience=0, max_epochs=2) for c in CONFIGS[:4]]
    records = {record.config.key: record for record in together.train_many(configs, size=4)}
    for config in configs:
        ours, plain = records[config.key].history, train(config).history
        close = 0.3 if config.dropout else 1e-2
        assert ours.train_loss == pytest.approx(plain.train_loss, abs=close)


def test_sweep_takes_them_together(plain, tmp_path):
    configs = CONFIGS[:3]
    together = sweep.run(configs, RunStore(tmp_path), together=2, progress=False)
    assert list(map(without_costs, together)) == [plain[config.key] for config in configs]
