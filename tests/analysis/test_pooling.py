"""Means over objects against closed forms, and their intervals against populations of objects of known mean."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from simulated_run import simulate

from posetest.analysis.audits import audit_rows
from posetest.analysis.outcomes import outcomes
from posetest.analysis.pooling import mean_interval, object_rates, pooled, pooled_difference
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError, RunError


def rows_of(counts: dict[str, dict[str, tuple[int, int]]]) -> pd.DataFrame:
    """Rows of models and scenes with so many of so many poses recognised."""
    parts = [
        pd.DataFrame({"scene": scene, "model": model, "recognised": np.arange(n) < k})
        for model, scenes in counts.items()
        for scene, (k, n) in scenes.items()
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(ok=True, misread=~frame["recognised"], confident=False, top5=True)


def test_each_object_counts_once_whatever_its_number_of_poses() -> None:
    row = pooled(rows_of({"net": {"cab": (900, 1000), "mug": (1, 10), "bus": (50, 100)}}), ["recognised"]).iloc[0]
    assert row["mean"] == pytest.approx((0.9 + 0.1 + 0.5) / 3)
    assert row["sd"] == pytest.approx(0.4)
    assert (row["objects"], row["n"]) == (3, 1110)
    assert (row["least_object"], row["most_object"]) == ("mug", "cab")
    assert (row["least"], row["most"]) == (0.1, 0.9)
    assert "from 8 on" in row["warning"]


def test_scenes_of_one_object_are_one_object() -> None:
    frame = rows_of({"net": {"cab_day": (80, 100), "cab_night": (10, 50), "mug": (5, 10)}})
    names = {"cab_day": "cab", "cab_night": "cab", "mug": "mug"}
    rates, counts = object_rates(audit_rows(frame), "recognised", names)
    assert rates["net"].to_dict() == {"cab": 0.6, "mug": 0.5}
    assert counts["net"].to_dict() == {"cab": 150, "mug": 10}
    with pytest.raises(ConfigError, match='no object for the scene "mug"'):
        pooled(frame, objects={"cab_day": "cab", "cab_night": "cab"})


def test_rates_are_those_of_the_rows_of_a_run(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", scenes=["zebra", "ant"], models=["b", "a"], poses=200, failed=5)
    frame = outcomes(run)
    table = pooled(run)
    assert table[["model", "outcome"]].to_numpy().tolist() == [
        [m, o] for m in ("b", "a") for o in ("recognised", "misread", "confident", "top5")
    ]
    for row in table.itertuples():
        of_model = frame[(frame["model"] == row.model) & frame["ok"]]
        by_scene = [of_model.loc[of_model["scene"] == scene, row.outcome].mean() for scene in ("zebra", "ant")]
        assert row.mean == pytest.approx(np.mean(by_scene))
        assert row.n == 390


@pytest.mark.parametrize(("a", "b", "objects"), [(8, 2, 8), (0.5, 0.5, 20), (20, 1.5, 12)])
def test_intervals_of_rates_cover_the_mean_of_the_population(a: float, b: float, objects: int) -> None:
    rng = np.random.default_rng([objects, int(10 * a)])
    rates = rng.binomial(200, rng.beta(a, b, (300, objects))) / 200
    bounds = np.array([mean_interval(values, seed=i) for i, values in enumerate(rates)])
    covered = np.mean((bounds[:, 0] <= a / (a + b)) & (a / (a + b) <= bounds[:, 1]))
    # 4 standard errors of 300 draws around the range of measured coverages, 0.94 to 0.975
    assert 0.89 <= covered <= 0.997


def test_an_interval_from_poses_alone_would_be_far_too_short() -> None:
    rng = np.random.default_rng(4)
    counts = {f"object{i}": (int(rng.binomial(2000, p)), 2000) for i, p in enumerate(rng.beta(4, 2, 12))}
    row = pooled(rows_of({"net": counts}), ["recognised"]).iloc[0]
    of_poses = stats.binomtest(sum(k for k, _ in counts.values()), 24_000).proportion_ci()
    assert row["high"] - row["low"] > 10 * (of_poses.high - of_poses.low)


def test_many_alike_objects_give_the_interval_of_normal_theory() -> None:
    values = stats.norm.ppf((np.arange(225) + 0.5) / 225) * 0.05 + 0.5
    reach = 1.96 * values.std(ddof=1) / 15
    assert mean_interval(values) == pytest.approx((0.5 - reach, 0.5 + reach), abs=0.0005)
    assert mean_interval(values - 0.4, is_difference=True) == pytest.approx((0.1 - reach, 0.1 + reach), abs=0.0005)


def test_the_interval_of_misreads_mirrors_the_one_of_recognitions() -> None:
    values = np.random.default_rng(2).beta(9, 1, 11)
    low, high = mean_interval(values)
    assert mean_interval(1 - values) == pytest.approx((1 - high, 1 - low), abs=1e-9)
    assert 0 < low < values.mean() < high < 1


def test_equal_objects_leave_room_for_others_that_were_not_drawn() -> None:
    low, high = mean_interval(np.ones(8))
    assert (low, high) == (pytest.approx(0.05 ** (1 / 8)), 1)
    low, high = mean_interval(np.zeros(8), is_difference=True)
    assert high == -low == pytest.approx(1 - 0.05 ** (1 / 8))


def test_one_object_apart_from_equal_ones_gives_a_finite_interval_inside_the_bounds() -> None:
    low, high = mean_interval(np.array([1.0] * 9 + [0.7]))
    assert 0.5 < low < 0.95
    assert 0.97 < high < 1


def test_the_difference_of_two_models_is_paired_by_object() -> None:
    rng = np.random.default_rng(6)
    easy = rng.uniform(0.1, 0.9, 15)  # objects differ much, models little
    counts = {
        "new": {f"o{i}": (round(1000 * (p + 0.02 + 0.01 * (i % 2))), 1000) for i, p in enumerate(easy)},
        "old": {f"o{i}": (round(1000 * p), 1000) for i, p in enumerate(easy)},
    }
    counts["old"]["only_old"] = (0, 1000)
    frame = rows_of(counts)
    row = pooled_difference(frame, "new", "old", ["recognised", "misread"]).set_index("outcome")
    assert row.loc["recognised", "objects"] == 15
    assert row.loc["recognised", "mean"] == pytest.approx(0.02 + 0.01 * 7 / 15, abs=0.001)
    assert 0.02 < row.loc["recognised", "low"] < row.loc["recognised", "high"] < 0.03
    assert (row.loc["recognised", "higher"], row.loc["recognised", "lower"]) == (15, 0)
    assert row.loc["misread", "mean"] == pytest.approx(-row.loc["recognised", "mean"])
    apart = pooled(frame, ["recognised"]).set_index("model")
    assert apart.loc["new", "low"] < apart.loc["old", "high"]  # unpaired, nothing could be said
    turned = pooled_difference(frame, "old", "new", ["recognised"]).iloc[0]
    assert turned["low"] == pytest.approx(-row.loc["recognised", "high"])


def test_few_objects_are_warned_of_more_of_them_where_models_are_compared() -> None:
    for count, warned in ((7, (True, True)), (8, (False, True)), (12, (False, False))):
        frame = rows_of({model: {f"o{i}": (i + m, 20) for i in range(count)} for m, model in enumerate(("a", "b"))})
        frame.loc[frame.index[0], "recognised"] = True  # the differences are not all alike
        texts = (
            pooled(frame, ["recognised"])["warning"][0],
            pooled_difference(frame, "a", "b", ["recognised"])["warning"][0],
        )
        assert tuple("too short" in text for text in texts) == warned
    assert "all 8 objects alike" in pooled(rows_of({"a": {f"o{i}": (3, 4) for i in range(8)}}))["warning"][0]


def test_the_same_seed_gives_the_same_interval_and_another_seed_a_close_one() -> None:
    values = np.random.default_rng(1).random(10)
    assert mean_interval(values, seed=3) == mean_interval(values, seed=3) != mean_interval(values, seed=4)
    assert mean_interval(values, seed=3) == pytest.approx(mean_interval(values, seed=4), abs=0.03)


def test_one_object_has_a_mean_and_no_interval() -> None:
    row = pooled(rows_of({"net": {"cab": (3, 4)}}), ["recognised"]).iloc[0]
    assert row["mean"] == 0.75
    assert np.isnan([row["low"], row["high"], row["sd"]]).all()
    assert row["warning"] == "1 object: how objects differ is not known"


def test_what_cannot_be_is_refused_with_its_reason(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=5)
    with pytest.raises(RunError, match='no rows of the model "other"; there are net'):
        pooled_difference(run, "other", "net")
    with pytest.raises(ConfigError, match='outcome "seen" is unknown'):
        pooled(run, ["seen"])
    with pytest.raises(ConfigError, match="level = 95"):
        pooled(run, level=95)
    with pytest.raises(RunError, match="chooses its poses"):
        pooled(RunFolder(run.path, msgspec.structs.replace(run.info, kind="search")))
