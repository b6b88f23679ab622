"""Projection by similar triangles."""

from __future__ import annotations

import math

import numpy as np
import pytest

from posetest.geometry.camera import Views, focal_px, half_frame, project

DEG = math.pi / 180


def at(*point: float) -> np.ndarray:
    return np.array([[point]], dtype=float)


def test_a_point_on_the_axis_is_at_the_centre() -> None:
    assert project(at(0, 0, -3), np.array([0.5]), 100, 200)[0, 0] == pytest.approx([100, 50])


def test_right_is_right_and_up_is_up_in_the_picture() -> None:
    # 90 degrees: at distance 2 the frame reaches 2 to each side of the axis, 50 px of 100
    fov = np.array([90 * DEG])
    assert project(at(1, 0, -2), fov, 100, 100)[0, 0] == pytest.approx([75, 50])
    assert project(at(0, 1, -2), fov, 100, 100)[0, 0] == pytest.approx([50, 25])


def test_twice_as_far_is_half_as_large() -> None:
    fov = np.array([40 * DEG])
    near, far = project(np.array([[[0.3, 0.2, -2], [0.3, 0.2, -4]]]), fov, 64, 64)[0] - 32
    assert near == pytest.approx(2 * far)


def test_the_field_of_view_belongs_to_the_shorter_side() -> None:
    fov = np.array([90 * DEG])
    # the edge of the shorter side lies at 45 degrees
    assert project(at(0, -1, -1), fov, 80, 200)[0, 0] == pytest.approx([100, 80])
    assert project(at(1, 0, -1), fov, 200, 80)[0, 0] == pytest.approx([80, 100])
    assert focal_px(fov, 80, 200) == pytest.approx([40])


@pytest.mark.parametrize(("height", "width"), [(100, 100), (100, 160), (160, 100)])
def test_the_half_frame_projects_to_the_corner(height: int, width: int) -> None:
    fov, distance = np.array([33 * DEG]), np.array([5.5])
    half_width, half_height = half_frame(fov, distance, width / height)
    corner = project(at(half_width[0], half_height[0], -5.5), fov, height, width)[0, 0]
    assert corner == pytest.approx([width, 0])


def test_the_half_frame_of_the_published_protocol() -> None:
    # Alcorn et al. 2019: 16.426 degrees; tan(8.213 degrees) = 0.14433
    half_width, half_height = half_frame(np.array([16.426 * DEG]), np.array([30.0]), 1.0)
    assert half_width == pytest.approx([4.330], abs=1e-3)
    assert half_height == pytest.approx(half_width)


def test_each_view_has_its_own_field_of_view() -> None:
    points = np.tile(at(0.5, 0, -2), (2, 1, 1))
    narrow, wide = project(points, np.array([20 * DEG, 60 * DEG]), 100, 100)[:, 0, 0] - 50
    assert narrow == pytest.approx(25 / (2 * math.tan(10 * DEG)))
    assert wide == pytest.approx(25 / (2 * math.tan(30 * DEG)))


def test_rows_of_views_are_views() -> None:
    count = 5
    views = Views(
        rotation=np.tile(np.eye(3), (count, 1, 1)),
        position=np.arange(count * 3, dtype=float).reshape(count, 3),
        fov=np.linspace(0.1, 0.5, count),
        light_dirs=np.zeros((count, 2, 3)),
        light_colors=np.zeros((count, 2, 3)),
        ambient=np.zeros((count, 3)),
        background=np.arange(count),
    )
    assert len(views) == 5
    some = views[np.array([3, 1])]
    assert len(some) == 2
    assert some.background.tolist() == [3, 1]
    assert some.position[0].tolist() == [9, 10, 11]
    assert len(views[1:4]) == 3
    assert views[1:4].light_dirs.shape == (3, 2, 3)
