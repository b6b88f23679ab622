"""Facts about parametric parts: closed, wound outwards, with unit normals."""

from __future__ import annotations

import numpy as np
import pytest

from posetest.objects import parts
from posetest.objects.parts import Part

SKIN = parts.plain((0.5, 0.5, 0.5))
SPHERE = [(float(np.cos(a)), float(np.sin(a))) for a in np.linspace(-np.pi / 2, np.pi / 2, 41)]
SPHERE[0], SPHERE[-1] = (0.0, -1.0), (0.0, 1.0)

#: Closed parts and their volumes.
CASES: dict[str, tuple[list[Part], float, float]] = {
    "box": (parts.box((-1, -1, -1), (1, 2, 3), SKIN), 2 * 3 * 4, 1e-6),
    "bevelled box": (parts.box((-1, -1, -1), (1, 1, 1), SKIN, bevel=0.05), 8, 0.03),
    "sphere": ([parts.lathe(SPHERE, SKIN, segments=64)], 4 / 3 * np.pi, 0.01),
    "cylinder": ([parts.lathe([(0, 0), (1, 0), (1, 2), (0, 2)], SKIN, segments=64)], 2 * np.pi, 0.01),
    "torus": (
        [parts.lathe([(2 + np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 33)], SKIN, segments=64)],
        2 * np.pi**2 * 2,
        0.02,
    ),
    "tube": ([parts.tube([(0, 0, 0), (1, 0, 0), (2, 0, 0)], 0.5, SKIN, sides=48)], 0.25 * np.pi * 2, 0.01),
    "bent tube": (
        [parts.tube([(np.cos(a), np.sin(a), 0) for a in np.linspace(0, np.pi, 33)], 0.1, SKIN, sides=32)],
        0.01 * np.pi * np.pi,
        0.02,
    ),
    "prism": ([parts.extruded([(0, 0), (2, 0), (2, 1), (0, 1)], -1, 1, SKIN)], 4, 1e-6),
}


def volume(pieces: list[Part]) -> float:
    corners = np.concatenate([p.verts[p.faces] for p in pieces])
    return float(np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6)


@pytest.mark.parametrize("name", CASES)
def test_a_closed_part_has_its_volume_and_outward_winding(name: str) -> None:
    pieces, expected, tolerance = CASES[name]
    assert volume(pieces) == pytest.approx(expected, rel=max(tolerance, 1e-6))


@pytest.mark.parametrize("name", CASES)
def test_normals_are_unit_vectors_on_the_outer_side(name: str) -> None:
    for part in CASES[name][0]:
        a, b, c = (part.verts[part.faces[:, k]] for k in range(3))
        face = np.cross(b - a, c - a)
        assert np.allclose(np.linalg.norm(part.normals, axis=-1), 1.0, atol=1e-9)
        assert (np.einsum("ij,ikj->ik", face, part.normals) > 0).all()


@pytest.mark.parametrize("name", CASES)
def test_texture_coordinates_stay_in_the_picture(name: str) -> None:
    for part in CASES[name][0]:
        assert part.uv.min() >= 0.0
        assert part.uv.max() <= 1.0


def test_normals_of_a_sphere_point_away_from_its_centre() -> None:
    sphere = CASES["sphere"][0][0]
    at = sphere.verts[sphere.faces]
    at = at / np.linalg.norm(at, axis=-1, keepdims=True)
    assert np.einsum("ijk,ijk->ij", at, sphere.normals).min() > 0.998


def test_a_box_keeps_sharp_edges() -> None:
    for part in CASES["box"][0]:
        assert np.allclose(np.abs(part.normals).max(axis=-1), 1.0)


@pytest.mark.parametrize(
    ("direction", "corner_low_left"),
    [("+z", (-1, -1, 1)), ("-z", (1, -1, -1)), ("+x", (1, -1, 1)), ("-x", (-1, -1, -1)), ("+y", (-1, 1, 1))],
)
def test_pictures_on_a_box_are_upright_and_not_mirrored(direction: str, corner_low_left: tuple[int, ...]) -> None:
    named = parts.plain((1.0, 0.0, 0.0))
    pieces = parts.box((-1, -1, -1), (1, 1, 1), {"": SKIN, direction: named})
    (piece,) = [p for p in pieces if p.skin is named]
    at = piece.verts[piece.faces].reshape(-1, 3)
    where = np.flatnonzero((at == corner_low_left).all(axis=1))
    assert len(where)
    assert (piece.uv.reshape(-1, 2)[where] == 0).all()


def test_turning_by_90_degrees_about_y_takes_the_front_to_the_right() -> None:
    part = parts.turned(parts.moved(CASES["sphere"][0][0], (0.0, 0.0, 5.0)), "y", 90)
    assert np.allclose(part.verts.mean(axis=0), (5.0, 0.0, 0.0), atol=1e-6)


def test_a_mirrored_part_is_still_wound_outwards() -> None:
    part = parts.mirrored(parts.moved(CASES["cylinder"][0][0], (3.0, 0.0, 0.0)))
    assert volume([part]) == pytest.approx(2 * np.pi, rel=0.01)
    assert part.verts[:, 0].max() < 0
