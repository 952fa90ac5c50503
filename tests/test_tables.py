"""Tables, figures and reports of a made-up study: the numbers are the runs', nothing is lost."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import fake_record, study_frame
from matplotlib.figure import Figure
from PIL import Image

from reglab.cells import CELLS
from reglab.errors import ReglabError
from reglab.pages import chapters, curves, display, figures, text
from reglab.results import factorial, provenance, tables
from reglab.runs.store import RunStore
from reglab.study.frame import load_frame, summarize
from reglab.study.profiles import DROP_RATES

FIGURES = (figures.lambda_figure, figures.dropout_figure, figures.factorial_figure)


@pytest.fixture
def own_study(plan):
    return study_frame(replace(plan, dataset="mine"))


def accuracies(study, cell):
    rows = study[(study["study"] == "factorial") & (study["arm"] == cell)]
    return 100 * rows.set_index("seed")["test_acc"]


def test_factorial_table_is_the_mean_of_the_runs(study):
    table = tables.factorial_table(study)
    assert len(table) == 8
    for row, (cell, *_) in zip(table.itertuples(), CELLS, strict=True):
        values = accuracies(study, cell)
        assert row.accuracy.mean == pytest.approx(values.mean())
        assert row.n == row.accuracy.n == len(values) == 2
        assert row.accuracy.low < values.mean() < row.accuracy.high


def test_differences_are_paired_by_seed(study):
    table = tables.factorial_table(study).set_index("network")
    expected = (accuracies(study, "bn") - accuracies(study, "none")).mean()
    assert table.loc["BN", "to baseline"].mean == pytest.approx(expected)
    assert table.loc["no regularization", "to baseline"] is None


def test_paper_values_stand_beside_ours(study):
    table = tables.factorial_table(study).set_index("network")
    assert table.loc["L2 + dropout + BN", "paper"] == "99.2"
    assert table.loc["BN", "paper"] == "99.1"
    literal = tables.effect_table(study, "l2").set_index("network")
    assert literal.loc["λ = 0.1, as printed", "paper"] == "98.9"
    assert literal["paper"].notna().sum() == 2  # the strength chosen here is not the paper's


def with_studies(plan, **settings):
    return study_frame(replace(plan, profile=replace(plan.profile, **settings)))


def test_size_table_has_every_size_and_all_images(plan):
    study = with_studies(plan, sizes=(50, 100))
    table = factorial.size_table(study)
    assert table["images"].tolist() == ["50", "100", "200"] * 4
    row = table[(table["network"] == "BN") & (table["images"] == "50")].iloc[0]
    runs = study[(study["study"] == "size") & (study["arm"] == "bn 50")]
    gap = 100 * (runs["train_acc"] - runs["test_acc"]).mean()
    assert (row["n"], row["gap"].mean) == (2, pytest.approx(gap))


def test_rate_table_pairs_the_networks_at_each_rate(plan):
    study = with_studies(plan, rate_cells=("none", "bn"), sweep_seeds=3)
    table = factorial.rate_table(study).set_index("learning rate")
    assert table.index.tolist() == ["0.001", "0.003", "0.01", "0.03", "0.1"]
    runs = study[(study["study"] == "rate") & (study["lr"] == 0.03)]
    sides = runs.groupby("batch_norm")["test_acc"].mean() * 100
    assert table.loc["0.03", "BN − no BN"].mean == pytest.approx(sides[True] - sides[False])
    assert table.loc["0.03", "n"] == 3


@pytest.mark.parametrize("technique", ["l2", "dropout", "bn"])
def test_effect_table_rows(study, technique):
    table = tables.effect_table(study, technique)
    assert table["accuracy"].iloc[0].mean == pytest.approx(accuracies(study, "none").mean())
    assert table["accuracy"].iloc[-1].mean == pytest.approx(accuracies(study, technique).mean())


def test_ablation_is_all_minus_the_rest(study):
    table = tables.ablation_table(study).set_index("left out")
    expected = (accuracies(study, "all") - accuracies(study, "dropout+bn")).mean()
    assert table.loc["L2", "drop"].mean == pytest.approx(expected)
    assert table.loc["L2", "paper, its Table 3"] == "0.2"


def test_sweep_tables_mark_one_choice(study):
    lam = tables.lambda_table(study)
    assert (lam["chosen"] != "").sum() == 1
    assert set(lam["reading"]) == set(tables.READINGS.values())
    drop = tables.dropout_sweep_table(study)
    assert set(drop["drop rate"]) == {0.0, *DROP_RATES}
    half = drop[drop["drop rate"] == 0.5]["the paper's p"].iloc[0]
    assert half == "0.5 to drop, 0.5 to keep"
    assert drop[drop["drop rate"] == 0.3]["the paper's p"].iloc[0] == "0.7 to keep"
    rates = tables.lr_table(study)
    assert (rates["chosen"] != "").sum() == 2  # one an optimizer


def test_diverged_runs_are_counted_not_averaged(plan):
    def record(config):
        bad = config.batch_norm and config.lam == 0 and config.seed == 0
        return fake_record(config, diverged=bad and config.dropout == 0)

    study = study_frame(plan, record)
    row = tables.factorial_table(study).set_index("network").loc["BN"]
    assert (row["n"], row["diverged"]) == (1, 1)
    assert row["to baseline"].n == 1
    summary = summarize(study).set_index(["study", "arm"]).loc[("factorial", "bn")]
    assert (summary["n"], summary["n_diverged"]) == (1, 1)
    figures.factorial_figure(study)


def test_provenance_refuses_a_mixture(study):
    assert "smoke" in provenance.line(study)
    assert "2 seeds" in provenance.line(study)
    for column, other in (("profile", "pilot"), ("device", "cuda"), ("precision", "bf16")):
        mixed = pd.concat([study, study.assign(**{column: other})])
        with pytest.raises(ReglabError, match=column):
            provenance.line(mixed)


def test_a_note_is_short_and_leads_to_the_rest(study):
    shown = chapters.shown_for("mnist", study, tables.factorial_table(study), "A caption.")
    note = provenance.note(study)
    assert note == "Profile smoke: 200 images, 2 seeds an arm (1 in sweeps), fp32 on a processor."
    page, anchor = chapters.PROVENANCE.removeprefix("../").split("#")
    written = Path(__file__).parents[1].joinpath(page).with_suffix(".md").read_text("utf-8")
    assert f"({anchor})=" in written and "_generated/provenance.md" in written
    assert f'{note} <a href="{chapters.PROVENANCE}">' in shown._repr_html_()
    assert f"{note} [" in shown._repr_markdown_()
    facts = provenance.table({"mnist": study}).set_index("")["MNIST"]
    assert facts["runs"] == str(study["key"].nunique())
    assert facts["reglab"] in provenance.line(study)


def test_missing_arm_is_named(study):
    with pytest.raises(ReglabError, match="'dropout\\+bn'"):
        tables.factorial_table(study[study["arm"] != "dropout+bn"])


def test_unfinished_study_is_one_line(plan, tmp_path):
    with pytest.raises(ReglabError) as caught:
        load_frame(plan, RunStore(tmp_path))
    assert "reglab reproduce --dataset mnist --profile smoke" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_shown_table_has_every_number_rounded_and_escaped(study):
    shown = display.show(tables.factorial_table(study), "A <caption>")
    mean = accuracies(study, "bn").mean()
    for form in (shown._repr_html_(), shown._repr_markdown_(), repr(shown)):
        assert f"{mean:.2f} ± " in form
    assert "A &lt;caption&gt;" in shown._repr_html_()
    assert shown._repr_html_().count("<tr>") == 9


def test_one_seed_shows_no_interval(plan):
    study = study_frame(replace(plan, seeds=1))
    assert " ± –" in repr(display.show(tables.factorial_table(study), ""))


def test_own_data_sets_have_no_paper_column(own_study):
    for table in (tables.factorial_table(own_study), tables.ablation_table(own_study)):
        assert "paper" not in display.show(table, "")._repr_html_()
    for draw in FIGURES:
        assert isinstance(draw(own_study), Figure)


@pytest.mark.parametrize("draw", [*FIGURES, curves.learning_curves])
def test_figures_are_opaque_and_labelled(study, draw):
    figure = draw(study)
    assert all(axes.get_xlabel() or axes.get_ylabel() for axes in figure.axes)
    png = io.BytesIO()
    figure.savefig(png)
    with Image.open(png) as image:
        assert np.asarray(image.convert("RGBA"))[..., 3].min() == 255


def test_figure_shows_the_tables_numbers(study):
    axes = figures.factorial_figure(study).axes[0]
    drawn = {round(float(x), 6) for line in axes.lines for x in np.atleast_1d(line.get_xdata())}
    for cell, *_ in CELLS:
        assert round(float(accuracies(study, cell).mean()), 6) in drawn
    assert 99.2 in drawn


def test_reports_agree_with_each_other(study):
    frames = {"mnist": study}
    parsed = json.loads(text.render(frames, "json"))
    cells = parsed["datasets"]["mnist"]["studies"]["factorial"]
    assert [row["arm"] for row in cells] == [name for name, *_ in CELLS]
    by_name = {row["arm"]: row for row in cells}
    assert by_name["all"]["mean"] == pytest.approx(accuracies(study, "all").mean())
    assert all(row["low"] < row["mean"] < row["high"] and row["n"] == 2 for row in cells)
    assert {"lambda", "dropout", "lr"} <= set(parsed["datasets"]["mnist"]["studies"])
    csv = pd.read_csv(io.StringIO(text.render(frames, "csv"))).set_index(["study", "arm"])
    assert csv.loc[("factorial", "all"), "mean"] == pytest.approx(by_name["all"]["mean"])
    mean = f"{by_name['all']['mean']:.2f}"
    assert mean in text.render(frames, "table")
    assert f"{mean} ± " in text.render(frames, "markdown")
    assert parsed["provenance"] in text.render(frames, "markdown")


@pytest.mark.parametrize("gone", ["lr", "lambda", "dropout"])
def test_no_table_of_a_sweep_that_is_not_there(study, gone):
    make = {
        "lr": tables.lr_table,
        "lambda": tables.lambda_table,
        "dropout": tables.dropout_sweep_table,
    }
    with pytest.raises(ReglabError, match=f"mnist: no run of {gone}; run `reglab reproduce`"):
        make[gone](study[study["study"] != gone])


@pytest.mark.parametrize("column", ["dataset", "profile", "device", "precision"])
@pytest.mark.parametrize("make", [tables.factorial_table, tables.lambda_table])
def test_no_table_mixes_what_must_stay_apart(study, column, make):
    mixed = pd.concat([study, study.assign(**{column: "another"})])
    with pytest.raises(ReglabError, match=f"must not mix {column}s, got another, "):
        make(mixed)


def test_a_run_counts_once(study):
    with pytest.raises(ReglabError, match="a seed is there twice"):
        tables.factorial_table(pd.concat([study, study]))


def test_a_missing_seed_is_an_error_not_a_smaller_n(study):
    lost = (study["study"] == "factorial") & (study["arm"] == "bn") & (study["seed"] == 1)
    with pytest.raises(ReglabError, match=r"same seeds, got \[0\] and \[0, 1\]"):
        tables.factorial_table(study[~lost])


def test_pairs_are_counted_where_they_are_fewer_than_the_runs(plan):
    assert "pairs" not in repr(display.show(tables.factorial_table(study_frame(plan)), ""))
    study = study_frame(plan)
    lost = (study["study"] == "factorial") & (study["arm"] == "none") & (study["seed"] == 0)
    study.loc[lost, ["test_acc", "diverged"]] = [float("nan"), True]
    row = tables.factorial_table(study).set_index("network").loc["BN"]
    assert (row["n"], row["pairs"], row["to baseline"].n) == (2, 1, 1)
    summary = tables.summary_table({"mnist": study})
    assert summary["MNIST, diverged"].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


def test_factorial_table_says_what_was_chosen(study):
    table = tables.factorial_table(study).set_index("network")
    chosen = tables.lambda_table(study).query("chosen != ''")["λ"].item()
    rate = tables.dropout_sweep_table(study).query("chosen != ''")["drop rate"].item()
    assert table.loc["L2 + dropout + BN", ["λ", "drop rate"]].tolist() == [chosen, rate]
    assert table.loc["BN", ["λ", "drop rate"]].isna().all()
    assert table.loc["L2", "λ"] == chosen and pd.isna(table.loc["L2", "drop rate"])


def test_a_column_of_losses_has_as_many_digits_in_each_row():
    losses = pd.DataFrame({"validation loss": [1.43, 1.3352], "lr": [0.1, 0.0003]})
    text = display.show(losses, "Losses.")._repr_html_()
    assert re.findall(r"<td>([\d.]+)</td>", text) == ["1.430", "0.1", "1.335", "0.0003"]
