"""Tuning tables of curves whose peak, width and invariance are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from posetest.analysis.tuning import Responses, ranked, tuning_table

AZIMUTHS = np.arange(-180.0, 180.0, 5.0)


def responses(
    curves: list[np.ndarray], blank: list[float], values: tuple[np.ndarray, ...] = (AZIMUTHS,), wraps=(True,)
):
    names = ("azimuth", "elevation")[: len(values)]
    return Responses(names, values, np.stack(curves, axis=-1), np.array(blank), np.arange(len(curves)), wraps)


def around(centre: float) -> np.ndarray:
    return np.mod(AZIMUTHS - centre + 180, 360) - 180


def test_the_half_width_of_a_gaussian_is_its_deviation_times_the_root_of_two_log_two() -> None:
    widths = (10.0, 25.0, 50.0)
    found = tuning_table(responses([3 + 2 * np.exp(-(around(40) ** 2) / (2 * w * w)) for w in widths], [3.0] * 3))
    assert found["azimuth"].tolist() == [40, 40, 40]
    assert found["half_width_azimuth"].to_numpy() == pytest.approx(np.sqrt(2 * np.log(2)) * np.array(widths), rel=0.02)
    # the mean of the curve above blank over the circle, as a share of its peak
    assert found["invariance"].to_numpy()[:2] == pytest.approx(
        np.sqrt(2 * np.pi) * np.array(widths[:2]) / 360, rel=0.01
    )
    assert (found["rise"] == 2).all()


def test_a_peak_at_the_seam_is_as_wide_as_any_other() -> None:
    curves = [np.exp(-(around(c) ** 2) / (2 * 30**2)) for c in (0, -180, 175)]
    found = tuning_table(responses(curves, [0.0] * 3))["half_width_azimuth"]
    assert found.to_numpy() == pytest.approx(np.full(3, found[0]))
    cut = tuning_table(responses(curves, [0.0] * 3, wraps=(False,)))["half_width_azimuth"]
    assert cut[0] == pytest.approx(found[0])
    assert cut[1] == pytest.approx(found[1])  # from the end of the grid the one side that there is


def test_a_unit_that_answers_to_everything_alike_is_invariant_and_one_pose_is_sparse() -> None:
    flat, needle, never = np.full(72, 5.0), np.where(AZIMUTHS == 20, 5.0, 1.0), np.full(72, -1.0)
    found = tuning_table(responses([flat, needle, never], [1.0, 1.0, 1.0]))
    assert found["invariance"].tolist()[:2] == pytest.approx([1, 1 / 72])
    assert found["sparseness"].tolist()[:2] == pytest.approx([0, 1])
    assert found["half_width_azimuth"][0] == 180
    assert found["half_width_azimuth"][1] == pytest.approx(2.5)
    assert np.isnan(found["invariance"][2])  # it never rises over its answer to the background
    assert found["is_driven"].tolist() == [True, True, False]
    tuned, invariant = ranked(found)
    assert tuned["channel"].tolist() == [1, 0]
    assert invariant["channel"].tolist() == [0, 1]


def test_two_parameters_have_a_half_width_each() -> None:
    elevations = np.arange(-60.0, 61.0, 5.0)
    grid = np.exp(-(around(-90)[:, None] ** 2) / (2 * 20**2) - ((elevations - 10) ** 2) / (2 * 15**2))
    found = tuning_table(responses([grid], [0.0], (AZIMUTHS, elevations), (True, False)))
    assert (found["azimuth"][0], found["elevation"][0]) == (-90, 10)
    assert found["half_width_azimuth"][0] == pytest.approx(1.1774 * 20, rel=0.02)
    assert found["half_width_elevation"][0] == pytest.approx(1.1774 * 15, rel=0.02)


def test_responses_below_the_answer_to_the_background_count_as_none() -> None:
    curve = np.where(np.abs(around(0)) < 90, 4.0, -6.0)
    found = tuning_table(responses([curve], [0.0]))
    assert found["invariance"][0] == pytest.approx(np.mean(np.abs(around(0)) < 90))
