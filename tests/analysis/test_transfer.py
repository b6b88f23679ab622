"""Transfer of failing poses: simulated models of known dependence, counts by brute force."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from scipy.stats import beta
from simulated_run import simulate

from posetest.analysis.outcomes import outcomes
from posetest.analysis.transfer import POOLED, transfer, transfer_matrix
from posetest.engine.run import RunFolder
from posetest.errors import RunError


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("transfer") / "run"
    return simulate(folder, scenes=["jeep", "ant"], models=["z", "a", "m"], poses=3000, failed=4, gallery=0)


def test_intervals_hold_the_shares_that_the_simulation_implies(run: RunFolder) -> None:
    table = transfer(run)
    # misread with chance 0.1 from the front and 0.9 from behind, independently given the side
    misread = (0.1**2 + 0.9**2) / (0.1 + 0.9)
    same = misread * (4**2 + 2**2 + 1) / 7**2  # three wrong labels in proportions 4, 2, 1
    confident = misread * beta.sf(0.7, 3, 2)
    for name, truth in (("misread", misread), ("same_label", same), ("confident", confident), ("to", 0.5)):
        covered = (table[f"{name}_low"] <= truth) & (truth <= table[f"{name}_high"])
        assert covered.mean() >= 0.75, name
        assert table[f"{name}_rate"].mean() == pytest.approx(truth, abs=0.012), name


def test_counts_are_those_of_going_through_the_poses(run: RunFolder) -> None:
    frame = outcomes(run, ["index"])
    rows = frame[(frame["scene"] == "ant") & frame["ok"]]
    first, second = (rows[rows["model"] == name].set_index("index") for name in ("z", "m"))
    failing = [i for i in first.index if first.at[i, "misread"] and first.at[i, "top1_p"] >= 0.7]
    told = [i for i in failing if second.at[i, "misread"]]
    same = [i for i in told if first.at[i, "top1_label"] == second.at[i, "top1_label"]]
    sure = [i for i in told if second.at[i, "top1_p"] >= 0.7]
    row = transfer(run, given="confident").query("scene == 'ant' and from_model == 'z' and to_model == 'm'").iloc[0]
    expected = [2996, len(failing), len(told), len(same), len(sure)]
    assert row[["poses", "n", "misread", "same_label", "confident"]].tolist() == expected
    assert 0 < len(same) < len(told) < len(failing)


def test_a_pooled_row_adds_its_objects_and_names_them(run: RunFolder) -> None:
    table = transfer(run)
    for _, rows in table.groupby(["from_model", "to_model"]):
        pooled = rows[rows["is_pooled"]].iloc[0]
        single = rows[~rows["is_pooled"]]
        assert pooled["objects"] == "jeep, ant"
        assert single["objects"].tolist() == single["scene"].tolist() == ["jeep", "ant"]
        for count in ("poses", "n", "misread", "same_label", "confident"):
            assert pooled[count] == single[count].sum()
        assert pooled["misread_rate"] == pooled["misread"] / pooled["n"]


def test_the_matrix_reads_from_row_to_column_in_the_order_of_the_run(run: RunFolder) -> None:
    table = transfer(run)
    matrix = transfer_matrix(table)
    assert list(matrix.index) == list(matrix.columns) == ["z", "a", "m"]
    assert np.isnan(np.diag(matrix)).all()
    row = table.query("is_pooled and from_model == 'z' and to_model == 'a'").iloc[0]
    assert matrix.loc["z", "a"] == row["misread_rate"]
    assert transfer_matrix(table, "n", "ant").loc["a", "z"] == transfer_matrix(table, "n", "ant").loc["a", "m"]


def test_every_failure_transfers_to_a_model_that_fails_everywhere(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", models=["some", "none"], poses=300, gallery=0)
    frame = outcomes(run, ["index"])
    none = frame["model"] == "none"
    frame.loc[none, "misread"], frame.loc[none, "recognised"] = True, False
    table = transfer(run, frame).query("is_pooled").set_index("from_model")
    assert table.loc["some", ["misread_rate", "misread_high", "to_rate"]].tolist() == [1, 1, 1]
    assert table.loc["none", "misread_rate"] == table.loc["none", "to_rate"]  # all poses are asked for
    assert table.loc["none", "n"] == 300


def test_a_model_that_never_fails_has_no_share_to_transfer(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", models=["x", "y"], poses=50, gallery=0, rule=lambda d: np.ones(len(d)))
    table = transfer(run)
    assert set(table["n"]) == {0}
    assert table[["misread_rate", "misread_low", "confident_high"]].isna().all(axis=None)
    assert set(table["to_rate"]) == {0}


def test_visible_poses_are_a_part_of_all(run: RunFolder) -> None:
    everything, visible = transfer(run), transfer(run, stratum="visible")
    assert (visible["poses"] < everything["poses"]).all()
    seen = outcomes(run).query("scene == 'jeep' and model == 'z' and visible and ok")
    assert seen["misread"].sum() >= visible["n"].iloc[0] > 0.7 * everything["n"].iloc[0]


def test_words_that_mean_nothing_here_are_refused(run: RunFolder) -> None:
    with pytest.raises(RunError, match='given = "confidently"; did you mean "confident"'):
        transfer(run, given="confidently")
    with pytest.raises(RunError, match='no column "misread_rat"; did you mean "misread_rate"'):
        transfer_matrix(transfer(run), "misread_rat")
    with pytest.raises(RunError, match='no scene "jep"; did you mean "jeep"'):
        transfer_matrix(transfer(run), scene="jep")
    with pytest.raises(RunError, match="needs 2 or more in one run"):
        transfer(run, models=["a"])
    with pytest.raises(RunError, match="chooses its poses"):
        transfer(RunFolder(run.path, msgspec.structs.replace(run.info, kind="search")))
    assert POOLED not in [s.name for s in run.info.scenes]
