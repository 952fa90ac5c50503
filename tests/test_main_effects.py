"""Main effects and other measures of a technique, on a made-up study: arithmetic on its cells."""

import math
from itertools import product

import pytest
from conftest import fake_record, study_frame

from reglab.cells import CELL_NAMES, PAIRS, TECHNIQUES, WITHOUT, cell_name
from reglab.results import factorial


def test_a_main_effect_is_the_mean_of_four_differences(study):
    cells, effects = factorial.scores(study), factorial.main_effects(study)
    for technique in TECHNIQUES:
        others = [name for name in TECHNIQUES if name != technique]
        for seed, row in cells.iterrows():
            differences = []
            for switches in product((False, True), repeat=2):
                setting = [name for name, there in zip(others, switches, strict=True) if there]
                added = row[cell_name([*setting, technique])]
                differences.append(added - row[cell_name(setting)])
            assert effects.loc[seed, technique] == pytest.approx(sum(differences) / 4)


def test_main_effect_and_share_differ_by_a_twelfth_of_the_last_contrast(study):
    contrasts = factorial.interactions(study)["all"].mean()
    for row in factorial.measures_table(study).itertuples(index=False):
        effect, share = row[2].mean, row[3].mean
        assert share - effect == pytest.approx(contrasts / 12)


def test_the_table_of_measures_has_the_cells_differences(study):
    cells = factorial.scores(study)
    table = factorial.measures_table(study).set_index("technique")
    effects = factorial.main_effects(study)
    for technique in TECHNIQUES:
        row = table.loc[CELL_NAMES[technique]]
        gain = (cells[technique] - cells["none"]).mean()
        drop = (cells["all"] - cells[WITHOUT[technique]]).mean()
        assert row["gain alone"].mean == pytest.approx(gain)
        assert row["main effect"].mean == pytest.approx(effects[technique].mean())
        assert row["drop when left out"].mean == pytest.approx(drop)
        assert row["n"] == row["main effect"].n == 2


def test_a_contrast_counts_the_pairs_that_are_there(plan):
    def record(config):
        lost = config.batch_norm and config.seed == 0
        return fake_record(config, diverged=lost)

    study = study_frame(plan, record)
    cells = factorial.scores(study)
    estimate = factorial.contrast(study, "bn", "none")
    assert estimate.n == 1
    assert estimate.mean == pytest.approx((cells["bn"] - cells["none"]).dropna().item())
    assert len(factorial.main_effects(study)) == 1
    gone = study_frame(plan, lambda config: fake_record(config, diverged=config.batch_norm))
    assert factorial.contrast(gone, "bn", "none") is None


def test_early_accuracy_is_the_mean_of_the_first_epochs(study):
    long = study.copy()
    values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.9]
    long["history"] = [{"val_acc": values[:5] if i % 2 else values} for i in range(len(long))]
    assert factorial.scores(long, "early_val_acc").to_numpy() == pytest.approx(30.0)
    # fewer epochs than that have no such mean
    assert all(map(math.isnan, factorial.scores(study, "early_val_acc").to_numpy().ravel()))
    assert factorial.contrast(study, "bn", "none", "early_val_acc") is None


def test_an_averaged_interaction_is_the_mean_over_the_third_technique(study):
    cells, effects = factorial.scores(study), factorial.averaged_effects(study)
    for pair, (one, other) in PAIRS.items():
        (third,) = set(TECHNIQUES) - {one, other}
        for seed, row in cells.iterrows():
            values = []
            for rest in ([], [third]):
                both, first, second, none = (
                    row[cell_name([*names, *rest])] for names in ([one, other], [one], [other], [])
                )
                values.append(both - first - second + none)
            assert effects.loc[seed, pair] == pytest.approx(sum(values) / 2)
    three = factorial.interactions(study)["all"]
    assert effects["all"].tolist() == pytest.approx(three.tolist())
