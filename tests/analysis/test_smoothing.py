"""Smoothed recognition against slow sums, closed forms, scipy's rotations and truths that are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.transform import Rotation

from posetest.analysis.bandwidth import KAPPAS, cross_validated
from posetest.analysis.density import QUATERNION
from posetest.analysis.kernel import bandwidth_to_kappa, kappa_to_bandwidth
from posetest.analysis.smoothing import Smoother, direction_smoother, rotation_smoother, smoothed
from posetest.errors import RunError
from posetest.geometry.grids import super_fibonacci
from posetest.geometry.so3 import direction, quaternion_to_matrix, viewing_direction


def rotations(count: int, seed: int) -> np.ndarray:
    return Rotation.random(count, rng=np.random.default_rng(seed)).as_quat(scalar_first=True)


def from_the_front(quaternions: np.ndarray) -> np.ndarray:
    """A smooth rate [n], 0.05 from behind to 0.95 from the front, whatever the roll."""
    return 0.5 + 0.45 * np.sin(np.pi / 2 * quaternion_to_matrix(quaternions)[:, 2, 2])


def near_identity(quaternions: np.ndarray) -> np.ndarray:
    """A smooth rate [n], 0.9 at the identity and 0.1 half a turn away."""
    return 0.1 + 0.8 * quaternions[:, 0] ** 2


def rows_of(quaternions: np.ndarray, rate: np.ndarray, seed: int) -> pd.DataFrame:
    frame = pd.DataFrame(quaternions, columns=list(QUATERNION))
    return frame.assign(recognised=np.random.default_rng(seed).random(len(frame)) < rate)


def directions(quaternions: np.ndarray) -> np.ndarray:
    return viewing_direction(quaternion_to_matrix(quaternions))


@pytest.mark.parametrize("bandwidth", [0.5, 5.0, 60.0, 170.0])
def test_at_the_bandwidth_the_kernel_has_fallen_to_half(bandwidth: float) -> None:
    kappa = bandwidth_to_kappa(bandwidth)
    assert np.cos(np.radians(bandwidth) / 2) ** (2 * kappa) == pytest.approx(0.5)
    assert kappa_to_bandwidth(kappa) == pytest.approx(bandwidth)


def test_rotations_are_weighted_by_the_angle_of_the_turn_between_them() -> None:
    quaternions, queries = rotations(400, 0), rotations(5, 1)
    rows = rows_of(quaternions, near_identity(quaternions), 2)
    table = smoothed(rotation_smoother(rows, bandwidth_deg=40), queries)
    kappa = bandwidth_to_kappa(40)
    for query, found in zip(queries, table.itertuples(), strict=True):
        turn = Rotation.from_quat(query, scalar_first=True).inv() * Rotation.from_quat(quaternions, scalar_first=True)
        weight = np.cos(turn.magnitude() / 2) ** (2 * kappa)
        assert found.rate == pytest.approx(np.average(rows["recognised"], weights=weight), abs=1e-4)
        assert found.n_effective == pytest.approx(weight.sum() ** 2 / (weight**2).sum(), rel=1e-4)
        combined = 2 * weight**2 / (weight**2).sum() - weight / weight.sum()
        estimate, n = np.clip(combined @ rows["recognised"], 0, 1), 1 / (combined**2).sum()
        more = n + 1.959964**2  # Agresti and Coull
        centre = (estimate * n + 1.959964**2 / 2) / more
        reach = 1.959964 * np.sqrt(centre * (1 - centre) / more)
        assert [found.low, found.high] == pytest.approx(np.clip([centre - reach, centre + reach], 0, 1), abs=1e-3)


def test_directions_are_weighted_by_the_angle_between_them() -> None:
    quaternions = rotations(300, 3)
    rows = rows_of(quaternions, from_the_front(quaternions), 4)
    query = direction(0.4, -0.2)
    found = smoothed(direction_smoother(rows, bandwidth_deg=25), query[None]).iloc[0]
    angle = np.arccos(np.clip(directions(quaternions) @ query, -1, 1))
    weight = np.cos(angle / 2) ** (2 * bandwidth_to_kappa(25))
    assert found["rate"] == pytest.approx(np.average(rows["recognised"], weights=weight), abs=1e-4)


def test_a_quaternion_and_its_negative_are_one_query() -> None:
    quaternions = rotations(200, 5)
    smoother = rotation_smoother(rows_of(quaternions, near_identity(quaternions), 6), bandwidth_deg=30)
    pd.testing.assert_frame_equal(smoothed(smoother, quaternions[:9]), smoothed(smoother, -quaternions[:9]))


def test_turning_poses_and_queries_together_changes_nothing() -> None:
    quaternions, queries = rotations(300, 7), rotations(20, 8)
    rows = rows_of(quaternions, near_identity(quaternions), 9)
    turn = Rotation.from_euler("zyx", [40, 100, -70], degrees=True)

    def turned(q: np.ndarray) -> np.ndarray:
        return (turn * Rotation.from_quat(q, scalar_first=True)).as_quat(scalar_first=True)

    other = pd.DataFrame(turned(quaternions), columns=list(QUATERNION)).assign(recognised=rows["recognised"])
    one, two = rotation_smoother(rows, 30), rotation_smoother(other, 30)
    pd.testing.assert_frame_equal(smoothed(one, queries), smoothed(two, turned(queries)), atol=1e-3)


def test_the_rate_of_many_poses_is_the_kernel_average_of_the_true_rate() -> None:
    # the kernel is a density of the first moment kappa / (kappa + 2) over the sphere: a rate that is linear in the
    # height over the front keeps its form and loses that factor
    quaternions = super_fibonacci(60_000)
    points = directions(quaternions)
    outcome = np.random.default_rng(0).random(60_000) < 0.5 + 0.4 * points[:, 2]
    smoother = Smoother(points.astype(np.float32), outcome.astype(np.float32), 4.0, pd.DataFrame())
    rate = smoothed(smoother, np.array([[0, 0, 1.0], [0, 0, -1.0], [1.0, 0, 0]]))["rate"]
    assert rate.to_numpy() == pytest.approx(0.5 + 0.4 * 4 / 6 * np.array([1, -1, 0]), abs=0.01)


def test_intervals_cover_a_smooth_truth_as_often_as_they_say() -> None:
    covered = []
    for seed in range(12):
        quaternions, queries = rotations(1500, seed), rotations(40, 100 + seed)
        rows = rows_of(quaternions, from_the_front(quaternions), 200 + seed)
        table, true = smoothed(direction_smoother(rows), directions(queries)), from_the_front(queries)
        covered.append(((table["low"] <= true) & (true <= table["high"])).mean())
    assert 0.91 <= np.mean(covered) <= 0.985


def test_smoothed_rates_are_closer_to_the_truth_than_rates_of_cells() -> None:
    from posetest.analysis.density import direction_rates, viewing_cells

    quaternions, queries = rotations(3000, 20), rotations(500, 21)
    rows, true = rows_of(quaternions, from_the_front(quaternions), 22), from_the_front(queries)
    cells = direction_rates(rows.assign(misread=~rows["recognised"], confident=False), nside=5)["rate"].to_numpy()
    of_cells = cells[viewing_cells(pd.DataFrame(queries, columns=list(QUATERNION)), 5)]
    of_kernel = smoothed(direction_smoother(rows), directions(queries))["rate"]
    assert np.mean((of_kernel - true) ** 2) < 0.5 * np.nanmean((of_cells - true) ** 2)


def test_sharper_truths_and_more_poses_get_narrower_bandwidths() -> None:
    def chosen(count: int, steep: float) -> float:
        quaternions = rotations(count, 30)
        height = quaternion_to_matrix(quaternions)[:, 2, 2]
        return direction_smoother(rows_of(quaternions, 1 / (1 + np.exp(-steep * height)), 31)).bandwidth_deg

    assert chosen(4000, 20.0) < chosen(4000, 2.0) < chosen(4000, 0.0)
    assert chosen(4000, 4.0) < chosen(300, 4.0)


def test_the_likelihood_left_out_is_that_of_a_slow_loop() -> None:
    quaternions = rotations(150, 40)
    outcome = np.random.default_rng(41).random(150) < near_identity(quaternions)
    kappa, tried = cross_validated(quaternions, outcome)
    for at, likelihood in tried[["kappa", "log_likelihood"]].dropna().itertuples(index=False):
        weight = ((quaternions @ quaternions.T) ** 2) ** at
        np.fill_diagonal(weight, 0)
        chance = (weight @ outcome + outcome.mean()) / (weight.sum(axis=1) + 1)
        assert likelihood == pytest.approx(np.log(np.where(outcome, chance, 1 - chance)).mean(), abs=1e-4)
    assert kappa == tried["kappa"][tried["log_likelihood"].idxmax()]
    # the kernel's mean over SO(3) is C(2 kappa, kappa) / ((kappa + 1) 4^kappa): 150 poses weigh 8.2 at 4 and 3.3 at 8,
    # where many weigh less than 3
    assert tried["log_likelihood"].isna().tolist() == [k >= 8 for k in KAPPAS]


def test_the_bandwidth_of_more_rows_than_are_tried_is_narrowed() -> None:
    quaternions = rotations(40_000, 50)
    rows = rows_of(quaternions, near_identity(quaternions), 51)
    smoother = rotation_smoother(rows, seed=3)
    best = smoother.tried["kappa"][smoother.tried["log_likelihood"].idxmax()]
    assert smoother.kappa == pytest.approx(best * 2 ** (2 / 7))
    assert rotation_smoother(rows, seed=3).kappa == smoother.kappa


def test_the_result_does_not_depend_on_how_pairs_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    quaternions, queries = rotations(2000, 60), rotations(30, 61)
    rows = rows_of(quaternions, near_identity(quaternions), 62)
    whole, kappa = smoothed(rotation_smoother(rows, 30), queries), rotation_smoother(rows).kappa
    monkeypatch.setattr("posetest.analysis.kernel._CHUNK", 7000)
    monkeypatch.setattr("posetest.analysis.kernel._COLUMNS", 300)
    pd.testing.assert_frame_equal(smoothed(rotation_smoother(rows, 30), queries), whole, atol=1e-4)
    assert rotation_smoother(rows).kappa == kappa


def test_a_query_without_poses_near_it_has_no_rate() -> None:
    quaternions = rotations(500, 70)
    quaternions = quaternions[directions(quaternions)[:, 2] > 0]
    rows = rows_of(quaternions, np.full(len(quaternions), 0.5), 71)
    table = smoothed(direction_smoother(rows, 8), np.array([[0, 0, 1.0], [0, 0, -1.0]]))
    assert table.iloc[0].notna().all()
    assert table.iloc[1].isna().all()


def test_poses_all_recognised_have_rate_one_and_a_lower_bound_below() -> None:
    quaternions = rotations(400, 80)
    table = smoothed(rotation_smoother(rows_of(quaternions, np.ones(400), 81)), quaternions[:20])
    assert table["rate"].to_numpy() == pytest.approx(1)
    assert table["high"].to_numpy() == pytest.approx(1)
    assert table["low"].between(0.5, 1, inclusive="left").all()


def test_what_cannot_be_smoothed_is_refused() -> None:
    quaternions = rotations(10, 90)
    rows = rows_of(quaternions, np.ones(10), 91)
    with pytest.raises(RunError, match="nothing to smooth"):
        direction_smoother(rows.head(0))
    with pytest.raises(RunError, match="needs the column recognised"):
        rotation_smoother(rows.drop(columns="recognised"))
    with pytest.raises(ValueError, match="from 0.5 to 170 degrees, got 0"):
        rotation_smoother(rows, bandwidth_deg=0)
    with pytest.raises(ValueError, match=r"queries \[m, 4\], got \[10, 3\]"):
        smoothed(rotation_smoother(rows, 20), directions(quaternions))
    with pytest.raises(ValueError, match="level between 0 and 1"):
        smoothed(rotation_smoother(rows, 20), quaternions, level=95)
    with pytest.raises(ValueError, match="length 1"):
        smoothed(rotation_smoother(rows, 20), 2 * quaternions)
