"""Rates of simulated runs whose true rates are known."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from simulated_run import front_half, simulate

from posetest.analysis.intervals import upper_bound
from posetest.analysis.outcomes import outcomes
from posetest.analysis.rates import rates
from posetest.engine.run import RunFolder
from posetest.errors import RunError
from posetest.report import words


def test_a_row_for_each_scene_model_and_stratum_in_the_order_of_the_run(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", scenes=["zebra", "ant"], models=["net_b", "net_a"], poses=60)
    table = rates(run)
    keys = list(zip(table["scene"], table["model"], table["stratum"], strict=True))
    expected = [(s, m, t) for s in ("zebra", "ant") for m in ("net_b", "net_a") for t in ("all", "visible")]
    assert keys == expected
    assert set(table["measure"]) == {run.info.scenes[0].measure}


def test_the_true_rate_of_a_front_half_classifier_is_in_the_interval(tmp_path: Path) -> None:
    table = rates(simulate(tmp_path / "run", poses=4000, rule=front_half))
    row = table[table["stratum"] == "all"].iloc[0]
    # 0.9 from the front half of the view sphere, 0.1 from the other
    assert row["low"] < 0.5 < row["high"]
    assert row["rate"] == row["recognised"] / row["n"]


def test_intervals_of_rates_cover_the_truth_of_repeated_runs(tmp_path: Path) -> None:
    run = simulate(
        tmp_path / "run", scenes=[f"s{i}" for i in range(20)], models=[f"m{i}" for i in range(10)], poses=150
    )
    table = rates(run).query("stratum == 'all'")
    # models of a scene share its poses, and their answers are drawn apart
    covered = ((table["low"] <= 0.5) & (table["high"] >= 0.5)).mean()
    assert 0.9 <= covered <= 0.99


def test_counts_add_up_in_each_stratum(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=700, failed=9, visible=0.6)
    frame, table = run.table(), rates(run).set_index("stratum")
    for stratum, rows in (("all", frame), ("visible", frame[frame["visible"]])):
        row = table.loc[stratum]
        assert row["n"] + row["n_failed_status"] == len(rows)
        assert row["recognised"] + row["misread"] == row["n"]
        is_confident = (rows["status"] == "ok") & ~rows["recognised"] & (rows["top1_p"] >= 0.7)
        assert row["confident"] == is_confident.sum()
        assert row["top5"] == rows["top5"].sum()
    assert table.loc["all", "n_failed_status"] == 9


def test_poses_that_failed_do_not_lower_the_rate(tmp_path: Path) -> None:
    table = rates(simulate(tmp_path / "run", poses=50, failed=20, rule=lambda d: np.ones(len(d))))
    assert table["rate"].tolist() == [1.0, 1.0]


def test_no_visible_pose_gives_a_row_of_nan_and_not_an_error(tmp_path: Path) -> None:
    table = rates(simulate(tmp_path / "run", poses=20, visible=0.0)).set_index("stratum")
    assert table.loc["visible", "n"] == 0
    assert np.isnan(table.loc["visible", ["rate", "low", "high", "confident_rate"]].astype(float)).all()
    assert table.loc["all", "n"] == 20


def test_a_scene_whose_records_are_still_missing_has_a_row(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", scenes=["first", "second"], poses=30, finished=False)
    run.part_path(1).unlink()
    table = rates(run).query("stratum == 'all'").set_index("scene")
    assert table.loc["first", "n"] == 30
    assert table.loc["second", "n"] == 0
    assert np.isnan(table.loc["second", "rate"])


def test_the_most_frequent_wrong_label_is_named(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=400, wrong=["minibus", "snowplow"])
    row = rates(run).iloc[0]
    labels = outcomes(run).query("misread")["top1_label"].astype(str).value_counts()
    assert row["wrong_label"] == labels.index[0] == "minibus"
    assert row["wrong_share"] == pytest.approx(labels.iloc[0] / 400)
    assert row["wrong_low"] < row["wrong_share"] < row["wrong_high"]


def test_a_run_without_records_says_so(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=5)
    run.part_path(0).unlink()
    with pytest.raises(RunError, match="no records yet"):
        rates(run)


def test_records_of_another_run_are_refused_by_name(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=5)
    scene = msgspec.structs.replace(run.info.scenes[0], name="lorry")
    other = RunFolder(run.path, msgspec.structs.replace(run.info, scenes=(scene,)))
    with pytest.raises(RunError, match='the scene "jeep", which run.toml does not name'):
        rates(other)


def test_a_search_has_no_rates(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=5)
    found = RunFolder(run.path, msgspec.structs.replace(run.info, kind="search"))
    with pytest.raises(RunError, match="chooses its poses"):
        rates(found)


def test_outcomes_read_only_the_columns_they_need(tmp_path: Path) -> None:
    frame: pd.DataFrame = outcomes(simulate(tmp_path / "run", poses=5), ["yaw_deg"])
    assert "yaw_deg" in frame
    assert "pitch_deg" not in frame
    assert "image_digest" not in frame


def test_claims_have_exact_bounds(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=400, rule=lambda d: np.where(d[:, 2] > 0.96, 0.0, 1.0))
    row = rates(run).iloc[0]
    assert 0 < row["misread"] < 40
    for count, prefix in (("recognised", ""), ("top5", "top5_"), ("confident", "confident_")):
        oracle = binomtest(int(row[count]), 400).proportion_ci(0.95, method="exact")
        assert (row[f"{prefix}exact_low"], row[f"{prefix}exact_high"]) == pytest.approx((oracle.low, oracle.high))
    for count in ("recognised", "misread", "confident"):
        one_sided = binomtest(int(row[count]), 400, alternative="less").proportion_ci(0.95, method="exact")
        assert row[f"{count}_at_most"] == pytest.approx(one_sided.high)


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ((0, 0, 2000), "No failure among 2,000 poses: at most 0.15\u202f% with 95\u202f% confidence."),
        ((1, 1, 300), "1 failure among 300 poses: at most 1.6\u202f% with 95\u202f% confidence."),
        ((50, 0, 300), "No confident failure among 300 poses: at most 1.00\u202f% with 95\u202f% confidence."),
        ((60, 60, 60), "No recognised pose among 60 poses: at most 4.9\u202f% with 95\u202f% confidence."),
        ((30, 20, 60), ""),
        ((0, 0, 0), ""),
    ],
)
def test_what_is_rare_is_bounded_in_words(counts: tuple[int, int, int], text: str) -> None:
    misread, confident, n = counts
    row = {"n": n, "misread": misread, "recognised": n - misread, "confident": confident}
    row |= {f"{name}_at_most": float(upper_bound(row[name], n)) for name in ("recognised", "misread", "confident")}
    assert words.claims(row) == text


def test_a_bound_in_words_is_never_below_the_bound() -> None:
    for n in range(30, 4000, 7):
        bound = float(upper_bound(0, n))
        told = float(words.rare(0, n, bound, "failure").split("at most ")[1].split("\u202f")[0])
        assert bound <= told / 100 < bound + 0.0011
