"""Cells and maps against what defines them: equal areas, quadrilaterals that tile, and Monte Carlo."""

from __future__ import annotations

import math

import numpy as np
import pytest

from posetest.geometry.grids import (
    cell_count,
    cell_to_direction,
    direction_to_cell,
    direction_to_mollweide,
    mollweide_to_direction,
    rotation_to_cell,
    super_fibonacci,
)
from posetest.geometry.so3 import euler_to_matrix, quaternion_to_matrix, viewing_direction

NSIDES = [1, 2, 3, 4, 5, 8, 11, 16]


def random_rotations(count: int, seed: int) -> np.ndarray:
    return quaternion_to_matrix(np.random.default_rng(seed).normal(size=(count, 4)))


def uniform_directions(count: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("nside", NSIDES)
def test_each_centre_lies_in_its_own_cell(nside: int) -> None:
    centres = cell_to_direction(nside)
    assert len(centres) == cell_count(nside) == 12 * nside**2
    assert np.linalg.norm(centres, axis=1) == pytest.approx(np.ones(len(centres)))
    assert (direction_to_cell(centres, nside) == np.arange(len(centres))).all()


@pytest.mark.parametrize("nside", NSIDES)
def test_a_small_step_from_a_centre_stays_in_the_cell(nside: int) -> None:
    # cells are about 1.02 / nside wide, and at least a quarter of it lies around their centres
    centres = cell_to_direction(nside)
    for seed in range(4):
        moved = centres + 0.15 / nside * uniform_directions(len(centres), seed)
        moved /= np.linalg.norm(moved, axis=1, keepdims=True)
        assert (direction_to_cell(moved, nside) == np.arange(len(centres))).all()


@pytest.mark.parametrize("nside", [1, 2, 3, 7])
def test_cells_have_equal_areas(nside: int) -> None:
    count, cells = 300_000, cell_count(nside)
    found = np.bincount(direction_to_cell(uniform_directions(count, nside), nside), minlength=cells)
    assert len(found) == cells
    sigma = math.sqrt(count / cells * (1 - 1 / cells))
    assert np.abs(found - count / cells).max() < 5 * sigma
    chi2 = ((found - count / cells) ** 2).sum() / (count / cells)
    assert abs(chi2 - (cells - 1)) < 5 * math.sqrt(2 * (cells - 1))


@pytest.mark.parametrize("nside", NSIDES)
def test_points_are_near_the_centre_of_their_cell(nside: int) -> None:
    points = uniform_directions(4000, nside)
    centres = cell_to_direction(nside)
    cells = direction_to_cell(points, nside)
    angles = np.arccos(np.clip(points @ centres.T, -1, 1))
    own = angles[np.arange(len(points)), cells]
    # the largest distance of a point to its centre: 0.841 rad at nside 1, below 1 / nside beyond
    assert own.max() < 1.0 / nside
    # cells are no Voronoi cells, but the nearest centres are those of the cell and its neighbours
    rank = (angles < own[:, None] - 1e-12).sum(axis=1)
    assert rank.max() <= 3
    assert (rank == 0).mean() > 0.7


def test_the_twelve_base_cells_are_where_the_definition_puts_them() -> None:
    # Gorski et al. 2005, figure 3: four around each pole at height +-2/3, four on the equator half a step on
    centres = cell_to_direction(1)
    assert centres[:, 1] == pytest.approx([2 / 3] * 4 + [0] * 4 + [-2 / 3] * 4)
    azimuths = np.degrees(np.arctan2(centres[:, 0], centres[:, 2])) % 360
    assert azimuths == pytest.approx([45, 135, 225, 315, 0, 90, 180, 270, 45, 135, 225, 315])


def test_cells_run_from_the_top_to_the_bottom() -> None:
    heights = cell_to_direction(4)[:, 1]
    assert (np.diff(heights) <= 1e-12).all()
    top, bottom = direction_to_cell(np.array([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]]), 4)
    assert top == 0
    assert 188 <= bottom <= 191  # the pole is the corner of the last four


@pytest.mark.parametrize("nside", [1, 3, 16])
def test_every_direction_has_a_cell_also_on_seams_and_at_poles(nside: int) -> None:
    azimuth = np.radians(np.arange(-720, 721, 7.5))
    heights = np.concatenate([np.linspace(-1, 1, 61), [2 / 3, -2 / 3, np.nextafter(2 / 3, 1), 0.0]])
    height, angle = (grid.ravel() for grid in np.meshgrid(heights, azimuth))
    radius = np.sqrt(1 - height**2)
    cells = direction_to_cell(np.stack([radius * np.sin(angle), height, radius * np.cos(angle)], -1), nside)
    assert cells.min() >= 0
    assert cells.max() < cell_count(nside)


def test_a_turn_by_a_quarter_moves_cells_along_their_ring() -> None:
    # the grid has fourfold symmetry about the pole
    points = uniform_directions(2000, 9)
    turned = np.stack([points[:, 2], points[:, 1], -points[:, 0]], axis=-1)  # z -> x
    nside = 4
    centres = cell_to_direction(nside)
    moved = np.stack([centres[:, 2], centres[:, 1], -centres[:, 0]], axis=-1)
    expected = direction_to_cell(moved, nside)[direction_to_cell(points, nside)]
    assert (direction_to_cell(turned, nside) == expected).all()


def test_mollweide_and_its_inverse_undo_each_other() -> None:
    points = uniform_directions(5000, 3)
    x, y = direction_to_mollweide(points)
    back, on_map = mollweide_to_direction(x, y)
    assert on_map.all()
    assert back == pytest.approx(points, abs=1e-6)


@pytest.mark.parametrize(
    ("vector", "x", "y"),
    [
        ((0, 0, 1), 0, 0),  # the front at the centre
        ((1, 0, 0), 1, 0),
        ((-1, 0, 0), -1, 0),
        ((0, 1, 0), 0, 1),
        ((0, -1, 0), 0, -1),
        ((-1e-12, 0, -1), -2, 0),
    ],
)
def test_named_directions_on_the_map(vector: tuple[float, ...], x: float, y: float) -> None:
    found = direction_to_mollweide(np.array([vector], dtype=float))
    assert found[0][0] == pytest.approx(x, abs=1e-4)
    assert found[1][0] == pytest.approx(y, abs=1e-4)


def test_heights_on_the_map_solve_its_equation() -> None:
    # 2 theta + sin 2 theta = pi sin(latitude), y = sin theta; here by bisection instead of Newton's method
    for latitude in np.radians([-89.9, -60, -1e-3, 0, 30, 45, 80, 89.99]):
        low, high = -math.pi / 2, math.pi / 2
        for _ in range(60):
            theta = (low + high) / 2
            is_above = 2 * theta + math.sin(2 * theta) > math.pi * math.sin(latitude)
            low, high = (low, theta) if is_above else (theta, high)
        _, y = direction_to_mollweide(np.array([[0.0, math.sin(latitude), math.cos(latitude)]]))
        assert y[0] == pytest.approx(math.sin(theta), abs=1e-6)


def test_equal_areas_on_the_sphere_are_equal_on_the_map() -> None:
    rng = np.random.default_rng(11)
    x, y = 4 * rng.random(400_000) - 2, 2 * rng.random(400_000) - 1
    vectors, on_map = mollweide_to_direction(x, y)
    assert on_map.mean() == pytest.approx(math.pi / 4, abs=5 * math.sqrt(0.17 / 400_000))
    count, cells = int(on_map.sum()), cell_count(2)
    found = np.bincount(direction_to_cell(vectors[on_map], 2), minlength=cells)
    assert np.abs(found - count / cells).max() < 5 * math.sqrt(count / cells)


def test_points_beside_the_ellipse_are_off_the_map() -> None:
    _, on_map = mollweide_to_direction(np.array([0.0, 1.9, 2.1, -1.5]), np.array([0.99, 0.9, 0.0, 0.8]))
    assert on_map.tolist() == [True, False, False, False]


def test_points_of_any_shape_are_mapped() -> None:
    vectors = uniform_directions(12, 0).reshape(3, 4, 3)
    x, y = direction_to_mollweide(vectors)
    assert x.shape == y.shape == (3, 4)
    assert mollweide_to_direction(x, y)[0].shape == (3, 4, 3)


def test_a_super_fibonacci_spiral_covers_so3_more_evenly_than_random_rotations() -> None:
    """The largest hole, seen from many random rotations, is smaller than among as many random ones."""
    even = quaternion_to_matrix(super_fibonacci(4000))
    drawn = random_rotations(4000, 0)
    seen_from = random_rotations(400, 1)
    holes = {}
    for name, grid in (("even", even), ("drawn", drawn)):
        trace = np.einsum("aij,bij->ab", seen_from, grid).max(axis=1)
        holes[name] = np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1))).max()
    assert holes["even"] < 0.85 * holes["drawn"]
    assert holes["even"] < 14  # balls of this radius fill SO(3) about once: (pi^2 / 4000 * 6 / 4)^(1/3) is 9 degrees


def test_cells_of_so3_are_equally_probable_for_random_rotations() -> None:
    drawn = random_rotations(57_600, 3)
    counts = np.bincount(rotation_to_cell(drawn, 2, 12), minlength=576)
    assert len(counts) == 576
    chi = ((counts - 100) ** 2 / 100).sum()
    assert 575 - 4 * np.sqrt(2 * 575) < chi < 575 + 4 * np.sqrt(2 * 575)


def test_a_cell_holds_what_looks_alike() -> None:
    """Rotations of one cell show the object from directions of one HEALPix cell, turned by less than a bin's width."""
    drawn = random_rotations(4000, 4)
    cells = rotation_to_cell(drawn, 2, 12)
    assert np.array_equal(cells // 12, direction_to_cell(viewing_direction(drawn), 2))
    turned = euler_to_matrix(0, 0, np.radians(30)) @ drawn  # the camera's own turn by one bin
    assert np.array_equal(rotation_to_cell(turned, 2, 12) // 12, cells // 12)
    assert np.array_equal(np.mod(rotation_to_cell(turned, 2, 12) - cells, 12), np.ones(4000))
