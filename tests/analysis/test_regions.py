"""Regions of planted failures: found where they are, bounded as they are, measured as they are; none where none is."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from planted_failures import Place, haar_poses, planted
from simulated_run import simulate

from posetest.analysis.features import pose_features
from posetest.analysis.intervals import wilson
from posetest.analysis.regions import Bound, Region, failure_regions, regions_table
from posetest.engine.run import RunFolder
from posetest.errors import RunError

NOWHERE: Place = lambda x: np.zeros(len(x), dtype=bool)  # noqa: E731


def band(x: pd.DataFrame) -> pd.Series:
    return (x["elevation"] > 20) & (x["elevation"] < 50)


def back(x: pd.DataFrame) -> pd.Series:
    return x["azimuth"].abs() > 90


def upside_down(x: pd.DataFrame) -> pd.Series:
    return x["roll"].abs() > 120


def wrap(x: pd.DataFrame) -> pd.Series:
    return (np.mod(x["azimuth"] - 140, 360) < 70) & (x["elevation"].abs() < 30)


def near(x: pd.DataFrame) -> pd.Series:
    return x["distance"] < 5.3


def sides(x: pd.DataFrame) -> pd.Series:
    return (x["azimuth"].abs() > 60) & (x["azimuth"].abs() < 110)


def two(x: pd.DataFrame) -> pd.Series:
    right = (x["azimuth"] > 30) & (x["azimuth"] < 90) & (x["elevation"] < 0)
    return right | ((x["azimuth"] > -150) & (x["azimuth"] < -100) & (x["elevation"] > 20))


BAND, WRAP = "elevation 20 to 50 degrees, any azimuth", "azimuth 140 to -150 degrees (through 180)"
WORDS = [
    (band, [BAND]),
    (back, ["azimuth beyond ±90 degrees, any elevation"]),
    (upside_down, ["roll beyond ±120 degrees"]),
    (wrap, [f"{WRAP}, elevation -30 to 30 degrees"]),
    (near, ["distance under 5.3"]),
    (sides, ["azimuth 60 to 110 degrees to either side, any elevation"]),
    (
        two,
        [
            "azimuth 30 to 90 degrees, elevation under 0 degrees",
            "azimuth -150 to -100 degrees, elevation over 20 degrees",
        ],
    ),
]


@pytest.mark.parametrize(("place", "words"), WORDS, ids=lambda v: getattr(v, "__name__", ""))
def test_a_planted_place_is_told_in_its_own_bounds(place: Place, words: list[str]) -> None:
    found = failure_regions(planted(5000, 11, place))
    assert [region.region.words() for region in found] == words
    for region in found:
        low, high = wilson(region.misread, region.inside, level=0.999)
        assert low < 0.9 < high
        assert region.outside_rate == pytest.approx(0.1, abs=0.03)


def test_a_hundred_thousand_rows_give_the_same_words_and_narrower_intervals() -> None:
    large, small = (failure_regions(planted(n, 5, two)) for n in (100_000, 3000))
    assert [r.region for r in large] == [r.region for r in small]
    assert large[0].rate_high - large[0].rate_low < (small[0].rate_high - small[0].rate_low) / 3


@pytest.mark.parametrize("place", [band, back, upside_down, near], ids=lambda p: p.__name__)
def test_two_hundred_rows_point_at_the_right_place(place: Place) -> None:
    found = failure_regions(planted(200, 3, place))
    assert len(found) == 1
    poses = haar_poses(20_000, 9)
    truth, told = np.asarray(place(pose_features(poses))), found[0].contains(poses)
    assert (truth & told).sum() / (truth | told).sum() > 0.7


def test_failures_that_are_everywhere_alike_have_no_region() -> None:
    told = 0
    for seed in range(24):
        told += len(failure_regions(planted(250, seed, NOWHERE, outside=(0.05, 0.3, 0.7)[seed % 3])))
    assert told <= 2  # each of the 24 tells one by chance with probability 0.01 at most
    assert failure_regions(planted(4000, 1, NOWHERE, outside=0.4)) == ()


def test_a_slope_is_one_region_and_not_a_nest_of_them() -> None:
    poses = haar_poses(5000, 3)
    chance = 1 / (1 + np.exp(-(pose_features(poses)["elevation"] - 30) / 15))
    rows = planted(5000, 3, lambda x: np.random.default_rng(1).random(5000) < chance, inside=1, outside=0)
    (found,) = failure_regions(rows)
    assert found.rate > 0.5
    (bound,) = found.region.bounds
    assert bound.feature == "elevation"
    assert 5 <= bound.low <= 40
    assert bound.high == math.inf


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_failures_always_or_never_have_no_region(rate: float) -> None:
    assert failure_regions(planted(500, 1, NOWHERE, outside=rate)) == ()


def test_a_rare_failure_is_found_by_its_odds() -> None:
    found = failure_regions(planted(8000, 2, band, inside=0.08, outside=0.005))
    assert [region.region.words() for region in found] == [BAND]


def test_a_narrow_place_is_bounded_finer_than_five_degrees() -> None:
    found = failure_regions(planted(12_000, 2, lambda x: (x["azimuth"] > 22) & (x["azimuth"] < 28)))
    (bound,) = found[0].region.bounds
    assert (bound.low, bound.high) == pytest.approx((22, 28), abs=1)


def test_the_same_seed_and_rows_give_the_same_regions_and_fewer_are_the_first_of_them() -> None:
    rows = planted(2000, 8, two)
    assert failure_regions(rows, seed=4) == failure_regions(rows.copy(), seed=4)
    first = failure_regions(rows, seed=4, most=1)
    assert len(first) == 1
    assert first[0].region == failure_regions(rows, seed=4)[0].region


def test_what_is_told_is_counted_on_rows_that_the_bounds_were_not_chosen_by() -> None:
    rows = planted(5000, 6, sides)
    (found,) = failure_regions(rows, seed=2)
    held = rows.iloc[np.random.default_rng(2).permutation(5000)[2500:]]
    inside = held[found.contains(held)]
    wrong = inside[inside["misread"]]
    assert (found.n, found.inside, found.misread) == (2500, len(inside), len(wrong))
    assert (found.share_low, found.share_high) == tuple(float(b) for b in wilson(len(inside), 2500))
    assert (found.rate_low, found.rate_high) == tuple(float(b) for b in wilson(len(wrong), len(inside)))
    shares = wrong["top1_label"].value_counts(normalize=True)
    assert found.labels == tuple((name, pytest.approx(share)) for name, share in shares.items())
    assert found.labels[0][0] == "snowplow"
    assert found.mean_confidence == pytest.approx(wrong["top1_p"].mean(), rel=1e-5)
    assert found.worst == wrong.loc[wrong["top1_p"].idxmax(), "index"]


def test_the_nearest_recognised_pose_is_the_nearest_by_brute_force() -> None:
    rows = planted(3000, 6, back)
    (found,) = failure_regions(rows)
    by_index = rows.set_index("index")
    typical = by_index.loc[found.typical]
    assert typical["misread"]
    assert typical["top1_label"] == "snowplow"
    held = rows.iloc[np.random.default_rng(0).permutation(3000)[1500:]]
    known = held[held["recognised"]]
    from scipy.spatial.transform import Rotation

    quaternion = ["qw", "qx", "qy", "qz"]
    here = Rotation.from_quat(typical[quaternion].to_numpy(dtype=float), scalar_first=True)
    apart = (Rotation.from_quat(known[quaternion].to_numpy(), scalar_first=True) * here.inv()).magnitude()
    assert found.nearest == known["index"].iloc[int(apart.argmin())]
    assert found.nearest_deg == pytest.approx(math.degrees(apart.min()))


def test_bounds_hold_what_their_words_say() -> None:
    values = np.array([-180.0, -150, -90, -10, 0, 10, 90, 150, 179])
    arc, mirror, plain = (
        Bound("azimuth", 140, -120, "arc"),
        Bound("roll", 90, math.inf, "mirror"),
        Bound("elevation", -math.inf, 0),
    )
    assert values[arc.holds(values)].tolist() == [-180, -150, 150, 179]
    assert values[mirror.holds(values)].tolist() == [-180, -150, -90, 90, 150, 179]
    assert values[plain.holds(values)].tolist() == [-180, -150, -90, -10]
    assert Region((arc, mirror, plain)).words() == (
        "azimuth 140 to -120 degrees (through 180), roll beyond ±90 degrees, elevation under 0 degrees"
    )
    assert Bound("azimuth", -math.inf, 30, "mirror").words() == "azimuth within ±30 degrees"
    assert Bound("light_strength", 1, 2).words() == "light strength 1 to 2"
    assert Region(()).words() == "all poses"
    assert Region(()).contains(haar_poses(3, 0)).all()


def test_a_region_says_its_share_rate_label_and_confidence_in_a_sentence() -> None:
    (found,) = failure_regions(planted(6000, 3, back))
    assert found.words() == (
        f"azimuth beyond ±90 degrees, any elevation: {found.share:.0%} of the poses, misread in {found.rate:.0%} of "
        f"them ({found.rate_low:.0%} to {found.rate_high:.0%}), mostly as snowplow, "
        f"mean confidence {found.mean_confidence:.2f}"
    )


def test_a_run_gives_a_row_for_each_region_of_each_scene_and_model(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", scenes=["jeep", "van"], models=["a", "b"], poses=500, failed=5)
    table = regions_table(run)
    # the simulated classifier knows the front half
    assert list(zip(table["scene"], table["model"], strict=True)) == [(s, m) for s in ("jeep", "van") for m in "ab"]
    assert table["words"].str.startswith("azimuth beyond ±").all()
    assert table["label"].tolist() == ["minibus"] * 4
    assert set(table["measure"]) == {run.info.scenes[0].measure}
    empty = regions_table(simulate(tmp_path / "all", poses=200, rule=lambda d: np.ones(len(d))))
    assert (len(empty), list(empty)) == (0, list(table))


def test_a_search_has_no_regions(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=5)
    with pytest.raises(RunError, match="chooses its poses"):
        regions_table(RunFolder(run.path, msgspec.structs.replace(run.info, kind="search")))


def test_few_rows_have_no_regions_and_bad_input_is_named() -> None:
    rows = planted(39, 1, back, inside=1, outside=0)
    assert failure_regions(rows) == ()
    with pytest.raises(RunError, match="needs the column index"):
        failure_regions(rows.drop(columns="index"))
    with pytest.raises(ValueError, match="most >= 1"):
        failure_regions(rows, most=0)
