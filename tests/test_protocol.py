"""The protocol: grids, stages, selection on validation only."""

import dataclasses
import itertools

import pytest
from conftest import fake_record

from reglab import cells
from reglab.errors import ReglabError
from reglab.study import profiles, protocol
from reglab.study.plan import Plan
from reglab.study.profiles import DROP_RATES, PAPER_LAMBDAS, PROFILES, SGD_RATES
from reglab.study.protocol import choose, next_configs, stages
from reglab.study.selection import Choices, Validation, select, validation_of


def finish(plan, **by_label):
    """Run the whole study with made-up records; return its arms and records."""
    records = {}
    for _ in range(10):
        configs = next_configs(plan, records)
        records |= {config.key: fake_record(config, **by_label) for config in configs}
    assert not configs, "the study does not end"
    return stages(plan, lambda _: records)[0], records


def test_grids_are_the_papers_under_both_readings():
    assert profiles.PAPER_LAMBDAS == (0.01, 0.1, 1.0, 10.0)
    assert profiles.DROP_RATES == (0.2, 0.3, 0.5, 0.7, 0.8)
    assert {0.2, 0.5, 0.7} <= set(profiles.DROP_RATES)
    assert {round(1 - p, 10) for p in (0.2, 0.5, 0.7)} <= set(profiles.DROP_RATES)


def test_factorial_is_every_combination_once():
    assert {tuple(parts) for _, *parts in cells.CELLS} == set(
        itertools.product([False, True], repeat=3)
    )


def test_stages_follow_each_other_and_end(plan):
    arms, records = finish(plan)
    assert {arm.study for arm in arms} == {
        "lr",
        "lambda",
        "dropout",
        "factorial",
        "literal",
    }
    assert next_configs(plan, records) == []
    assert {arm.config.key for arm in arms} == set(records)


def test_fair_arm_tunes_each_cell(plan):
    fair = dataclasses.replace(plan, profile=dataclasses.replace(plan.profile, fair=True))
    arms, _ = finish(fair)
    assert "no_early_stop" not in {a.study for a in arms}
    assert {a.label for a in arms if a.study == "fair"} == {name for name, *_ in cells.CELLS}
    tuned = {(a.cell, a.config.lr) for a in arms if a.study == "rate"}
    assert len(tuned) == 8 * len(profiles.SGD_RATES)


def test_rate_study_crosses_learning_rates_with_some_cells(plan):
    crossed = dataclasses.replace(plan.profile, rate_cells=("none", "bn"))
    arms, _ = finish(dataclasses.replace(plan, profile=crossed))
    rates = [a for a in arms if a.study == "rate"]
    assert {a.config.seed for a in rates} == set(plan.selection_seeds)
    assert {(a.config.batch_norm, a.config.lr) for a in rates} == set(
        itertools.product([False, True], profiles.SGD_RATES)
    )
    swept = {a.config.key for a in arms if a.study == "lr"}
    assert all(a.config.key in swept for a in rates if not a.config.batch_norm)  # not run twice


def test_size_study_takes_fewer_images_and_nothing_else(plan):
    sized = dataclasses.replace(plan.profile, sizes=(50, 100, plan.n_train, 10**9))
    arms, _ = finish(dataclasses.replace(plan, profile=sized))
    cells = {(a.label, a.config.seed): a.config for a in arms if a.study == "factorial"}
    sizes = [a for a in arms if a.study == "size"]
    assert len(sizes) == 2 * 4 * plan.seeds
    for arm in sizes:
        assert arm.config.n_train < plan.n_train
        assert arm.label == f"{arm.cell} {arm.config.n_train}"
        assert arm.config.replace(n_train=plan.n_train) == cells[arm.cell, arm.config.seed]


def test_baseline_also_runs_without_early_stopping_where_it_matters(plan):
    long = dataclasses.replace(plan, profile=dataclasses.replace(plan.profile, max_epochs=20))
    arms, _ = finish(long)
    unstopped = [a.config for a in arms if a.study == "no_early_stop"]
    assert [c.patience for c in unstopped] == [0] * plan.seeds
    cells = {a.config for a in arms if a.study == "factorial" and a.label == "none"}
    assert {c.replace(patience=5) for c in unstopped} == cells


def test_no_stage_selects_before_the_one_before_is_complete(plan):
    first = next_configs(plan, {})
    assert all(config.lam == 0 and config.dropout == 0 for config in first)
    records = {config.key: fake_record(config) for config in first[1:]}
    assert next_configs(plan, records) == first[:1]


def test_next_configs_is_pure(plan):
    records = {}
    assert next_configs(plan, records) == next_configs(plan, records)
    assert records == {}


def test_seeds_of_selection_and_evaluation_are_disjoint(plan):
    arms, _ = finish(plan)
    selection = {a.config.seed for a in arms if a.study in ("lr", "lambda", "dropout")}
    evaluation = {a.config.seed for a in arms if a.study in ("factorial", "literal")}
    assert selection == set(plan.selection_seeds)
    assert evaluation == set(plan.evaluation_seeds)
    assert not selection & evaluation


def test_cells_are_paired_and_differ_only_in_their_techniques(plan):
    arms, _ = finish(plan)
    cells = {(a.label, a.config.seed): a.config for a in arms if a.study == "factorial"}
    assert len(cells) == 8 * plan.seeds
    for (name, seed), config in cells.items():
        plain = cells["none", seed]
        assert config.replace(lam=0.0, dropout=0.0, batch_norm=False) == plain
        assert (config.lam > 0) == ("l2" in name or name == "all")
        assert (config.dropout > 0) == ("dropout" in name or name == "all")
        assert config.batch_norm == ("bn" in name or name == "all")


def test_selection_sees_validation_figures_only(plan):
    """Changing every test score changes no choice; and the view has no field for one."""
    assert {f.name for f in dataclasses.fields(Validation)} == {"config", "loss", "score"}
    arms, records = finish(plan)
    chosen = choose(arms, records)
    liar = dataclasses.replace
    altered = {
        key: liar(r, best=liar(r.best, accuracy=1 - r.best.accuracy, loss=9.0), last=None)
        for key, r in records.items()
    }
    assert choose(arms, altered) == chosen


def test_selection_follows_validation(plan):
    """The wanted strength wins when, and only when, its validation figures are best."""
    records = {}
    while configs := next_configs(plan, records):
        for config in configs:
            plain = config.lam == 0 and config.dropout == 0
            wanted = config.lam == 1.0 or config.dropout == 0.7 or (plain and config.lr == 0.1)
            better = {"val_acc": 0.99, "val_loss": 0.01} if wanted else {}
            records[config.key] = fake_record(config, **better)
    arms, _ = stages(plan, lambda _: records)
    chosen = choose(arms, records)
    assert (chosen.lr, chosen.lam, chosen.dropout) == (0.1, 1.0, 0.7)


def test_select_rules(config):
    def view(lam, loss, accuracy, seed=0):
        return Validation(config.replace(lam=lam, seed=seed), loss, accuracy)

    views = [view(0.1, 0.5, 0.8), view(1.0, 0.4, 0.7), view(10.0, 0.3, 0.8)]
    assert select(views, "lam", criterion="loss") == 10.0
    assert select(views, "lam", criterion="score") == 10.0  # the tie goes to the lower loss
    assert select([view(1.0, 0.5, 0.8), view(0.1, 0.5, 0.8)], "lam", criterion="score") == 0.1
    averaged = [view(0.1, 0.1, 0.9), view(0.1, 0.9, 0.5, seed=1), view(1.0, 0.4, 0.8)]
    assert select(averaged, "lam", criterion="loss") == 1.0


def test_diverged_run_is_never_chosen(config):
    diverged = validation_of(fake_record(config.replace(lr=0.1), diverged=True))
    fine = validation_of(fake_record(config.replace(lr=0.001)))
    assert select([diverged, fine], "lr", criterion="loss") == 0.001
    assert select([diverged, fine], "lr", criterion="score") == 0.001


@pytest.mark.parametrize("name", PROFILES)
def test_expected_runs_are_the_most_there_can_be(plan, name):
    plan = dataclasses.replace(plan, profile=PROFILES[name])
    counts = []
    for lam, drop in itertools.product((*plan.profile.small_lambdas, *PAPER_LAMBDAS), DROP_RATES):
        chosen = Choices(SGD_RATES[0], plan.profile.adamw_rates[0], lam, drop)
        arms = protocol.lr_arms(plan) + protocol.sweep_arms(plan, chosen)
        arms += protocol.evaluation_arms(plan, chosen)
        if plan.profile.fair:
            rates = {name: SGD_RATES[1] for name, *_ in cells.CELLS}
            arms += protocol.fair_arms(plan, chosen, rates)
        counts.append(len({arm.config.key for arm in arms}))
    assert protocol.expected_runs(plan) == max(counts)
    assert min(counts) < max(counts)


def test_the_full_profile_is_what_was_recorded_first():
    """The key of a run that was recorded before the profile had its name."""
    plans = {
        name: Plan.from_profile(PROFILES["full"], name, "cpu")
        for name in ("mnist", "fashion_mnist", "cifar10")
    }
    assert {name: (p.profile.width, p.seeds, p.precision) for name, p in plans.items()} == {
        "mnist": (16, 10, "fp32"),
        "fashion_mnist": (16, 10, "fp32"),
        "cifar10": (32, 5, "bf16"),
    }
    lr = plans["cifar10"].baseline(1000, 0.01)
    assert lr.key == "e5066ad9fabc13bcbe0fcb505e4953f4"


def test_evaluation_runs_come_seed_by_seed(plan):
    """So that every finished seed is a whole block of paired cells."""
    plan = dataclasses.replace(plan, profile=PROFILES["full"].for_dataset("cifar10"), seeds=3)
    records = {}
    missing = next_configs(plan, records)
    while missing[0].seed not in plan.evaluation_seeds:
        records |= {config.key: fake_record(config) for config in missing}
        missing = next_configs(plan, records)
    seeds = [config.seed for config in missing]
    assert seeds == sorted(seeds)
    assert set(seeds) == {0, 1, 2}
    assert seeds.count(0) == seeds.count(1) >= 10


def test_unknown_profile_names_the_known_ones():
    with pytest.raises(ReglabError, match="smoke, pilot, reduced, full, paper"):
        profiles.profile_named("huge")
    assert list(PROFILES) == ["smoke", "pilot", "reduced", "full", "paper"]
