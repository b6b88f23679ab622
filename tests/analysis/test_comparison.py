"""Comparison of models on shared poses: simulated runs of known truth, counts by brute force."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from simulated_run import simulate

from posetest.analysis.comparison import compare_models
from posetest.analysis.outcomes import outcomes
from posetest.analysis.rates import rates
from posetest.engine.run import RunFolder
from posetest.errors import RunError


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("comparison") / "run"
    return simulate(folder, scenes=["jeep", "ant"], models=["net_b", "net_a", "net_c"], poses=800, failed=5, gallery=0)


def test_a_row_for_each_scene_and_pair_in_the_order_of_the_run(run: RunFolder) -> None:
    table = compare_models(run)
    pairs = [("net_b", "net_a"), ("net_b", "net_c"), ("net_a", "net_c")]
    found = list(table[["scene", "model_a", "model_b"]].itertuples(index=False, name=None))
    assert found == [(scene, *pair) for scene in ("jeep", "ant") for pair in pairs]
    assert set(table["measure"]) == {run.info.scenes[0].measure}


def test_the_table_counts_poses_by_who_recognised_them(run: RunFolder) -> None:
    row = compare_models(run).iloc[0]
    frame = outcomes(run, ["index"])
    answers = {
        model: {i: bool(r) for i, r, ok in zip(rows["index"], rows["recognised"], rows["ok"], strict=True) if ok}
        for model, rows in frame[frame["scene"] == "jeep"].groupby("model", observed=True)
    }
    told = [(answers["net_b"][i], answers["net_a"][i]) for i in answers["net_b"]]
    expected = [told.count(pair) for pair in ((True, True), (True, False), (False, True), (False, False))]
    assert row[["both", "only_a", "only_b", "neither"]].tolist() == expected
    assert row["n"] == sum(expected) == 795


def test_rates_and_difference_are_those_of_the_rate_table(run: RunFolder) -> None:
    known = rates(run).query("stratum == 'all'").set_index(["scene", "model"])["rate"]
    for row in compare_models(run).itertuples():
        assert row.rate_a == pytest.approx(known[row.scene, row.model_a])
        assert row.difference == pytest.approx(known[row.scene, row.model_a] - known[row.scene, row.model_b])
        assert row.low < row.difference < row.high


def test_models_that_differ_by_chance_alone_are_told_apart_in_one_of_twenty(tmp_path: Path) -> None:
    models = [f"m{i}" for i in range(30)]
    table = compare_models(simulate(tmp_path / "run", models=models, poses=400, gallery=0))
    # each model's answers are drawn apart with the same chances at a pose: the true difference is 0
    covered = ((table["low"] <= 0) & (table["high"] >= 0)).mean()
    assert 0.91 <= covered <= 0.99
    assert table["p_holm"].tolist() == table["p"].tolist()  # a family is one pair's scenes, here one


def test_shared_hard_poses_do_not_widen_the_interval(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", models=["a", "b"], poses=1000, gallery=0)
    row = compare_models(run).iloc[0]
    unpaired = 2 * 1.96 * np.sqrt(2 * 0.25 / 1000)  # of two rates of one half on separate poses
    # poses of the front are easy for both, of the back hard: a disagreement has chance 0.18 instead of 0.5
    assert row["high"] - row["low"] == pytest.approx(unpaired * np.sqrt(0.18 / 0.5), rel=0.1)


def test_poses_that_one_model_could_not_evaluate_are_counted_apart(run: RunFolder) -> None:
    frame = outcomes(run, ["index"])
    gone = (frame["model"] == "net_a") & (frame["scene"] == "jeep") & (frame["index"] >= 700)
    frame.loc[gone, ["ok", "recognised", "misread"]] = False
    row = compare_models(run, frame).iloc[0]
    assert (row["n"], row["n_unmatched"]) == (695, 100)
    again = compare_models(run, frame[~gone]).iloc[0]  # no row says the same as a row without answer
    assert again.equals(row)


def test_a_scene_without_records_is_no_test_of_the_family(run: RunFolder) -> None:
    frame = outcomes(run, ["index"])
    table = compare_models(run, frame[frame["scene"] == "ant"], models=["net_a", "net_b"]).set_index("scene")
    assert table.loc["jeep", "n"] == 0
    assert np.isnan(table.loc["jeep", ["rate_a", "difference", "low", "p", "p_holm"]].astype(float)).all()
    assert table.loc["ant", "p_holm"] == table.loc["ant", "p"]


def test_holm_counts_the_scenes_of_a_pair(run: RunFolder) -> None:
    table = compare_models(run, models=["net_a", "net_b"])
    least = table["p"].idxmin()
    assert table.loc[least, "p_holm"] == pytest.approx(min(2 * table.loc[least, "p"], 1))


def test_what_cannot_be_compared_is_refused_with_the_fix(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(RunError, match='no model "net_d"; did you mean'):
        compare_models(run, models=["net_a", "net_d"])
    with pytest.raises(RunError, match="stands there twice"):
        compare_models(run, models=["net_a", "net_a"])
    with pytest.raises(RunError, match="--model given several times"):
        compare_models(run, models=["net_a"])
    with pytest.raises(RunError, match='stratum = "seen"'):
        compare_models(run, stratum="seen")
    with pytest.raises(RunError, match='outcomes\\(run, \\["index"\\]\\)'):
        compare_models(run, outcomes(run))
    twice = outcomes(run, ["index"])
    twice.loc[0, "index"] = twice.loc[1, "index"]
    with pytest.raises(RunError, match='pose 1 of scene "jeep" has 2 rows of model "net_b"'):
        compare_models(run, twice)
    with pytest.raises(RunError, match="chooses its poses"):
        compare_models(RunFolder(run.path, msgspec.structs.replace(run.info, kind="search")))
