"""Rates by size, crop and distance, where the true rate of each stratum is known or counted row by row."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from simulated_run import simulate

from posetest.analysis.audits import OUTCOMES
from posetest.analysis.outcomes import outcomes
from posetest.analysis.strata import strata
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError, RunError


def rows_of(distance: object, recognised: object, **columns: object) -> pd.DataFrame:
    frame = pd.DataFrame({"distance": distance, "recognised": recognised})
    defaults = {"scene": "jeep", "model": "net", "ok": True, "top5": frame["recognised"], "confident": False}
    frame = frame.assign(**(defaults | columns))
    return frame.assign(misread=frame["ok"] & ~frame["recognised"])


def test_each_count_is_the_one_of_a_loop_over_the_rows(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", scenes=["zebra", "ant"], models=["b", "a"], poses=400, failed=7)
    frame = outcomes(run, ["distance"])
    edges = [5.0, 6.0, 7.5]
    table = strata(run, "distance", edges)
    keys = table[["scene", "model", "stratum"]].itertuples(index=False, name=None)
    assert list(keys) == [(s, m, k) for s in ("zebra", "ant") for m in ("b", "a") for k in (0, 1)]
    for row in table.itertuples():
        of_pair = frame[(frame["scene"] == row.scene) & (frame["model"] == row.model) & frame["ok"]]
        inside = [row.stratum_low <= d < row.stratum_high for d in of_pair["distance"]]
        assert row.n == sum(inside) > 50
        for outcome in OUTCOMES:
            count = of_pair.loc[inside, outcome].sum()
            assert getattr(row, outcome) == count
            for method, prefix in (("wilson", ""), ("exact", "_exact")):
                oracle = stats.binomtest(int(count), row.n).proportion_ci(method=method)
                found = (getattr(row, f"{outcome}{prefix}_low"), getattr(row, f"{outcome}{prefix}_high"))
                assert found == pytest.approx((oracle.low, oracle.high), abs=1e-9)
    for pair, part in table.groupby(["scene", "model"]):
        assert part["n"].sum() + part["n_outside"].iloc[0] == 393, pair
    assert set(table["measure"]) == {run.info.scenes[0].measure}


def test_quantiles_give_strata_of_equal_numbers_over_all_pairs_together() -> None:
    rng = np.random.default_rng(0)
    frame = rows_of(rng.lognormal(size=1000), rng.random(1000) < 0.5, scene=np.repeat(["near", "far"], 500))
    frame.loc[frame["scene"] == "far", "distance"] *= 3
    table = strata(frame, "distance", quantiles=5)
    assert table.groupby("stratum")["n"].sum().tolist() == pytest.approx([200] * 5, abs=1)
    assert (table["n_outside"] == 0).all()
    near = table[table["scene"] == "near"]
    assert near["n"].is_monotonic_decreasing
    assert near["stratum_low"].tolist()[1:] == near["stratum_high"].tolist()[:-1]


def test_a_rate_that_falls_with_distance_is_found_in_each_stratum() -> None:
    rng = np.random.default_rng(3)
    distance = rng.uniform(2, 10, 40_000)
    frame = rows_of(distance, rng.random(40_000) < 1 - distance / 12)
    table = strata(frame, "distance", [2, 4, 6, 8, 10])
    true = 1 - np.array([3, 5, 7, 9]) / 12  # the mean over a stratum of a straight line
    assert np.all((table["recognised_exact_low"] < true) & (true < table["recognised_exact_high"]))
    assert np.all(np.abs(table["recognised_rate"] - true) < 0.03)


def test_a_crop_at_the_threshold_of_visible_is_in_the_stratum_of_visible_poses() -> None:
    inside = np.array([0.0, 0.49, 0.5, 0.899, 0.9, 1.0], dtype=np.float32)  # 0.9 as float32 is below 0.9
    table = strata(rows_of(range(6), True, inside=inside), "inside")
    assert table["stratum_high"].tolist() == [0.5, 0.9, 1.0]
    assert table["n"].tolist() == [2, 2, 2]


def test_ties_make_fewer_strata_and_one_value_alone_makes_one() -> None:
    tied = strata(rows_of([1.0] * 90 + [2.0] * 5 + [3.0] * 5, True), "distance")
    assert tied["n"].tolist() == [100]
    assert (tied["stratum_low"][0], tied["stratum_high"][0]) == (1, 3)
    apart = strata(rows_of([1.0, 2.0, 3.0, 4.0], True), "distance", quantiles=2)
    assert apart["n"].tolist() == [2, 2]
    alone = strata(rows_of([2.0] * 9, True), "distance")
    assert alone["n"].tolist() == [9]


def test_values_beyond_the_edges_and_unknown_ones_are_counted_outside() -> None:
    table = strata(rows_of([0.5, 1.0, 2.0, 2.5, np.nan], True), "distance", [1, 1.5, 2])
    assert table["n"].tolist() == [1, 1]
    assert table["n_outside"].tolist() == [3, 3]


def test_a_stratum_without_poses_has_no_rate() -> None:
    table = strata(rows_of([1.5], False), "distance", [1, 2, 3])
    assert table.loc[0, ["misread_rate", "recognised_rate"]].tolist() == [1, 0]
    assert table.loc[1, [c for c in table if c.endswith(("_rate", "low", "high")) and "stratum" not in c]].isna().all()


def test_what_cannot_be_is_refused_with_its_reason(tmp_path: Path) -> None:
    frame = rows_of([1.0, 2.0], True)
    with pytest.raises(ConfigError, match="each above the one before"):
        strata(frame, "distance", [3, 2])
    with pytest.raises(ConfigError, match="quantiles = 0"):
        strata(frame, "distance", quantiles=0)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        strata(frame, "distance", level=95)
    with pytest.raises(RunError, match=r'lack the column "long_px"; read them with outcomes\(run, \["long_px"\]\)'):
        strata(frame, "long_px")
    with pytest.raises(RunError, match="holds no numbers"):
        strata(frame, "model")
    with pytest.raises(RunError, match="a search writes it"):
        strata(frame.assign(hit=True), "distance")
    run = simulate(tmp_path / "run", poses=5)
    with pytest.raises(ConfigError, match='no column "distanc"; did you mean "distance"'):
        strata(run, "distanc")
    found = RunFolder(run.path, msgspec.structs.replace(run.info, kind="search"))
    with pytest.raises(RunError, match="chooses its poses"):
        strata(found, "distance")
