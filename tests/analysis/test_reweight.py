"""Weights against densities integrated by hand, and reweighted rates against audits of the target itself."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from simulated_run import simulate

from posetest.analysis.intervals import wilson
from posetest.analysis.outcomes import outcomes
from posetest.analysis.reweight import LEAST_ESS, reweighted, weighted_share
from posetest.analysis.weights import columns_of_weights, importance_weights
from posetest.config import LightConfig, ObjectConfig, RangeConfig, SceneConfig, SpaceConfig
from posetest.engine.record import POSE_COLUMNS
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError, RunError
from posetest.geometry.so3 import matrix_to_euler
from posetest.space import INDEX, Space, object_to_camera, scene_space

N = 40_000


def space(backgrounds: int = 1, **entries: object) -> Space:
    config = SceneConfig(object=ObjectConfig(mesh="x.obj"), space=SpaceConfig(**entries))  # type: ignore[arg-type]
    return scene_space(config, backgrounds)


def poses(drawn: Space, n: int = N, seed: int = 0) -> pd.DataFrame:
    return pd.DataFrame(drawn.sample(seed, 0, n), columns=list(POSE_COLUMNS))


def answers(rows: pd.DataFrame, chance: np.ndarray, seed: int = 1) -> pd.DataFrame:
    recognised = np.random.default_rng(seed).random(len(rows)) < chance
    fixed = {"scene": "jeep", "model": "net", "ok": True, "confident": False, "top5": True}
    return rows.assign(recognised=recognised, misread=~recognised, **fixed)


HAAR = space()
SIDEWAYS = space(yaw=(60, 120), pitch=(-10, 20), roll=(-8, 8), distance=(5, 6))


def test_a_space_weighs_its_own_poses_alike() -> None:
    for drawn in (HAAR, space(rotation="euler"), space(preset="strike"), space(backgrounds=5)):
        assert (importance_weights(poses(drawn, 500), drawn, drawn) == 1).all()
        assert columns_of_weights(drawn, drawn) == []


def test_the_same_circle_cut_elsewhere_is_the_same_measure() -> None:
    rows = poses(HAAR, 500)
    assert (importance_weights(rows, HAAR, space(yaw=(0, 360), roll=(-300, 60))) == 1).all()


def test_a_target_inside_the_source_counts_its_poses_by_the_share_of_the_source_that_it_is() -> None:
    rows = poses(HAAR)
    weights = importance_weights(rows, HAAR, SIDEWAYS)
    within = rows["yaw_deg"].between(60, 120) & rows["pitch_deg"].between(-10, 20)
    within &= rows["roll_deg"].between(-8, 8) & rows["distance"].between(5, 6)
    part = (60 / 360) * ((math.sin(math.radians(20)) + math.sin(math.radians(10))) / 2) * (16 / 360) * (1 / 3.5)
    assert weights == pytest.approx(np.where(within, 1 / part, 0))


def test_an_interval_across_the_seam_of_the_circle_is_one_interval() -> None:
    rows = poses(HAAR)
    weights = importance_weights(rows, HAAR, space(yaw=(150, 210)))
    assert (weights > 0).tolist() == (rows["yaw_deg"].abs() >= 150).tolist()
    turned = importance_weights(rows, HAAR, space(yaw=(-210, -150)))
    assert turned == pytest.approx(weights)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("distance", RangeConfig(low=2, high=20, prior="log"), RangeConfig(low=2, high=20, prior="uniform")),
        ("distance", (2, 20), RangeConfig(low=3, high=11, prior="log")),
        ("elevation", (-90, 90), RangeConfig(low=-60, high=70, prior="uniform")),
        ("elevation", RangeConfig(low=-90, high=90, prior="uniform"), (-90, 90)),
        ("light_azimuth", (-90, 90), (-30, 45)),
    ],
)
def test_weighted_moments_are_those_of_the_target(name: str, before: object, after: object) -> None:
    def lit(entry: object) -> Space:
        config = SceneConfig(
            object=ObjectConfig(mesh="x.obj"), lights=(LightConfig(),), space=SpaceConfig(**{name: entry})
        )
        return scene_space(config)

    source, target = lit(before), lit(after)
    rows, wanted = poses(source), poses(target, seed=5)
    weights = importance_weights(rows, source, target)
    column = POSE_COLUMNS[INDEX[name]]
    assert weights.mean() == pytest.approx(1, abs=5 * weights.std() / math.sqrt(N))
    for moment in (np.asarray, np.square):
        x = moment(rows[column].to_numpy())
        mean = (weights * x).sum() / weights.sum()
        error = math.sqrt((weights**2 * (x - mean) ** 2).sum()) / weights.sum()
        other = moment(wanted[column].to_numpy())
        assert abs(mean - other.mean()) < 4.5 * math.hypot(error, other.std() / math.sqrt(N))


def test_effective_sample_sizes_have_their_closed_form() -> None:
    # n / integral of target^2 / source; log-uniform to uniform over [2, 20]: log(10) 22 / (2 18)
    log, flat = (space(distance=RangeConfig(low=2, high=20, prior=prior)) for prior in ("log", "uniform"))
    rows = answers(poses(log), np.full(N, 0.5))
    assert reweighted(rows, log, flat)["ess"][0] / N == pytest.approx(36 / (22 * math.log(10)), rel=0.01)
    # Euler-uniform to Haar: the weight pi / 2 cos(pitch) has mean square pi^2 / 8
    euler = space(rotation="euler")
    rows = answers(poses(euler), np.full(N, 0.5))
    assert reweighted(rows, euler, HAAR)["ess"][0] / N == pytest.approx(8 / math.pi**2, rel=0.01)


def test_euler_uniform_poses_become_haar_uniform_rotations() -> None:
    euler = space(rotation="euler")
    rows = poses(euler)
    weights = importance_weights(rows, euler, HAAR)
    assert (weights > 0).mean() > 0.999  # those of pitches beyond the poles serve too
    matrices = object_to_camera(rows.to_numpy())
    # Haar measure: every entry of the matrix has mean 0 and mean square 1/3, the trace has mean square 1
    assert np.abs(np.average(matrices, axis=0, weights=weights)).max() < 0.02
    assert np.average(matrices**2, axis=0, weights=weights) == pytest.approx(np.full((3, 3), 1 / 3), abs=0.015)
    assert np.average(matrices**2, axis=0)[1, 2] > 0.45  # minus the sine of the pitch: 1/2 unweighted
    trace = np.trace(matrices, axis1=1, axis2=2)
    assert np.average(trace**2, weights=weights) == pytest.approx(1, abs=0.04)


def test_a_pitch_beyond_the_pole_is_the_same_rotation_from_the_other_side() -> None:
    euler, narrow = space(rotation="euler"), space(yaw=(-30, 30), pitch=(-20, 40), roll=(-15, 15))
    rows = poses(euler, 80_000)
    weights = importance_weights(rows, euler, narrow)
    yaw, pitch, roll = np.degrees(matrix_to_euler(object_to_camera(rows.to_numpy()))).T
    within = (np.abs(yaw) <= 30) & (pitch >= -20) & (pitch <= 40) & (np.abs(roll) <= 15)
    assert ((weights > 0) == within).all()
    assert (rows["pitch_deg"][within].abs() > 90).mean() == pytest.approx(0.5, abs=0.1)
    assert weights.mean() == pytest.approx(1, abs=5 * weights.std() / math.sqrt(len(rows)))


def test_reweighted_rates_are_those_of_an_audit_of_the_target() -> None:
    def chance(rows: pd.DataFrame) -> np.ndarray:
        tilt = np.cos(np.radians(rows["pitch_deg"])) * np.cos(np.radians(rows["roll_deg"]))
        return np.asarray(0.5 + 0.4 * tilt / rows["distance"] * 4)

    upright = space(pitch=RangeConfig(low=-60, high=60, prior="uniform"), roll=(-90, 90), distance=(4.5, 6))
    rows = answers(poses(HAAR, 100_000), chance(poses(HAAR, 100_000)))
    wanted = chance(poses(upright, 100_000, seed=9)).mean()
    row = reweighted(rows, HAAR, upright).set_index("outcome").loc["recognised"]
    assert row["low"] < wanted < row["high"]
    assert row["high"] - row["low"] < 0.03
    assert abs(rows["recognised"].mean() - wanted) > 0.1  # the audit's own rate is another
    assert row["measure"] == upright.measure
    assert row["audited_measure"] == HAAR.measure


def test_equal_weights_give_wilsons_interval_of_the_poses_inside() -> None:
    rows = answers(poses(HAAR), np.full(N, 0.8))
    inside = rows[importance_weights(rows, HAAR, SIDEWAYS) > 0]
    table = reweighted(rows, HAAR, SIDEWAYS).set_index("outcome")
    for outcome in ("recognised", "misread", "confident", "top5"):
        row = table.loc[outcome]
        assert row["rate"] == pytest.approx(inside[outcome].mean())
        bounds = wilson(inside[outcome].sum(), len(inside))
        assert (row["low"], row["high"]) == pytest.approx([float(b) for b in bounds])
        assert row["ess"] == pytest.approx(len(inside))
        assert (row["n"], row["n_inside"]) == (N, len(inside))
    row = table.loc["recognised"]
    assert row["standard_error"] == pytest.approx(math.sqrt(row["rate"] * (1 - row["rate"]) / len(inside)))


def test_the_standard_error_is_the_spread_of_repeated_estimates() -> None:
    rng = np.random.default_rng(8)
    x = rng.random((2500, 400))
    weights, hits = 1 / (1 + 9 * x), rng.random((2500, 400)) < x
    found = [weighted_share(h, w) for h, w in zip(hits, weights, strict=True)]
    true = (1 - math.log(10) / 9) / math.log(10)  # integral of x / (1 + 9 x) over that of 1 / (1 + 9 x)
    rates = np.array([f.rate for f in found])
    assert rates.mean() == pytest.approx(true, abs=0.003)
    assert np.mean([f.standard_error for f in found]) == pytest.approx(rates.std(), rel=0.06)
    covered = np.mean([f.low <= true <= f.high for f in found])
    assert 0.93 <= covered <= 0.97


def test_a_few_misses_that_all_count_little_do_not_make_the_interval_short() -> None:
    rng = np.random.default_rng(12)
    x = rng.random((2000, 200))
    weights, hits = 1 / (1 + 30 * x), rng.random((2000, 200)) < 0.98
    found = [weighted_share(h, w) for h, w in zip(hits, weights, strict=True)]
    # the draws that the delta method alone gives cover 0.86
    assert 0.93 <= np.mean([f.low <= 0.98 <= f.high for f in found]) <= 0.985


def test_an_outcome_that_was_not_seen_has_the_interval_of_the_effective_sample() -> None:
    weights = np.random.default_rng(0).exponential(size=500)
    found = weighted_share(np.zeros(500, dtype=bool), weights)
    assert found.ess == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert (found.rate, found.low) == (0, 0)
    assert found.high == pytest.approx(float(wilson(0, found.ess)[1]))


def test_few_poses_in_the_target_are_warned_of() -> None:
    rows = answers(poses(HAAR, 2000), np.full(2000, 0.5))
    row = reweighted(rows, HAAR, SIDEWAYS).iloc[0]
    assert row["ess"] < LEAST_ESS
    assert "2000 poses count for" in row["warning"]
    none = reweighted(rows, HAAR, space(yaw=(0, 0.001))).iloc[0]
    assert none["warning"].startswith("none of 2000 poses")
    assert np.isnan([none["rate"], none["low"], none["high"]]).all()
    assert (reweighted(rows, HAAR, space(yaw=(-90, 90)))["warning"] == "").all()


def test_backgrounds_are_counted_and_not_measured() -> None:
    nine, four = space(backgrounds=9), space(backgrounds=9, background=(2, 5))
    rows = poses(nine, 5000)
    weights = importance_weights(rows, nine, four)
    assert weights == pytest.approx(np.where(rows["background"].between(2, 5), 9 / 4, 0))
    only = importance_weights(rows, nine, space(backgrounds=9, background=3))
    assert only == pytest.approx(np.where(rows["background"] == 3, 9, 0))
    with pytest.raises(ConfigError, match="backgrounds 0 to 8 of the target are not all among those of the source"):
        importance_weights(rows, four, nine)


@pytest.mark.parametrize(
    ("drawn", "target", "text"),
    [
        (space(yaw=(-30, 30)), space(yaw=(90, 120)), r"yaw of the target, \[90, 120\], does not overlap"),
        (space(yaw=(-30, 30)), space(yaw=(0, 60)), "reaches beyond the source's"),
        (HAAR, space(distance=(4, 6)), "distance of the target"),
        (HAAR, space(distance=5.0), "the source draws distance and the target fixes it at 5"),
        (space(distance=5.0), HAAR, "the target draws distance and the source fixes it at 5"),
        (space(distance=5.0), space(distance=6.0), "distance is 5 in all poses of the source and 6 in the target"),
        (
            HAAR,
            space(rotation="fixed", azimuth=(-180, 180), elevation=(0, 20)),
            "the source draws yaw, pitch, roll and the target azimuth, elevation: no pose",
        ),
        (
            HAAR,
            space(azimuth=(-30, 30)),
            "the light of the source is fixed in the world: no pose is lit alike in both; keep the light as audited",
        ),
        (HAAR, space(rotation="euler"), r"pitch of the target, \[-180, 180\], reaches beyond"),
        (HAAR, space(pitch=RangeConfig(low=-90, high=90, prior="uniform")), "the weights have no bound"),
        (space(yaw=(-200, 200)), HAAR, "yaw of the source spreads over more than a turn"),
    ],
)
def test_what_the_source_cannot_tell_of_the_target_is_refused(drawn: Space, target: Space, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        importance_weights(poses(drawn, 10), drawn, target)


def test_rows_of_another_space_are_refused() -> None:
    with pytest.raises(RunError, match="give the space of the scene that was audited"):
        importance_weights(poses(HAAR, 100), space(distance=(5, 6)), space(distance=(5, 5.5)))
    with pytest.raises(RunError, match=r'lack the column "yaw_deg"; read them with outcomes\(run, \["yaw_deg"\]\)'):
        importance_weights(poses(HAAR, 100)[["pitch_deg"]], HAAR, space(yaw=(0, 90)))


def test_a_run_is_reweighted_model_by_model(tmp_path: Path) -> None:
    config = SpaceConfig()
    run = simulate(tmp_path / "run", poses=3000, models=["b", "a"], space=config, failed=4)
    back = space(yaw=(150, 210), pitch=(-45, 45))  # simulated classifiers fail from behind
    table = reweighted(run, HAAR, back, ["recognised"])
    assert table["model"].tolist() == ["b", "a"]
    assert (table["n"] == 2996).all()
    frame = outcomes(run, columns_of_weights(HAAR, back))
    pd.testing.assert_frame_equal(reweighted(frame, HAAR, back, ["recognised"]), table)
    assert (table["low"] < 0.1).all()
    assert (table["high"] < 0.25).all()
    with pytest.raises(RunError, match="chooses its poses"):
        reweighted(RunFolder(run.path, msgspec.structs.replace(run.info, kind="search")), HAAR, back)
    two = simulate(tmp_path / "two", poses=20, scenes=["jeep", "van"], space=config)
    with pytest.raises(RunError, match=r"rows of 2 scenes \(jeep, van\)"):
        reweighted(two, HAAR, back)
    with pytest.raises(ConfigError, match='outcome "seen" is unknown'):
        reweighted(run, HAAR, back, ["seen"])


def test_weights_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="of one length"):
        weighted_share(np.ones(3, dtype=bool), np.ones(2))
    with pytest.raises(ValueError, match="not negative"):
        weighted_share(np.ones(2, dtype=bool), np.array([1.0, -1.0]))
