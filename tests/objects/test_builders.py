"""Facts about every object built by code: geometry, variation, and that the committed files are what it builds."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from posetest.objects.build import build_all
from posetest.objects.catalogue import BUILDERS
from posetest.objects.distractors import distractor
from posetest.resources import bundled
from posetest.scene.mesh import Mesh

MAX_BYTES = 400_000


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {path.stem: path for path in build_all(tmp_path_factory.mktemp("meshes"))}


def open_edges(mesh: Mesh) -> int:
    """How many directed edges lack their opposite."""
    f = mesh.faces
    edges = Counter(map(tuple, np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]]).tolist()))
    return sum(max(0, n - edges[b, a]) for (a, b), n in edges.items())


def volume(mesh: Mesh) -> float:
    a, b, c = (mesh.verts_obj[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def texels(mesh: Mesh) -> np.ndarray:
    """sRGB at the middle of every face, in [0, 1]."""
    texture = mesh.materials[0].texture
    assert texture is not None
    height, width = texture.image.shape[:2]
    u, v = mesh.uv.mean(axis=1).T
    rows, columns = (
        np.clip(((1 - v) * height).astype(int), 0, height - 1),
        np.clip((u * width).astype(int), 0, width - 1),
    )
    return texture.image[rows, columns, :3] / 255.0


def share_of_colour(mesh: Mesh, is_it: Callable[..., np.ndarray]) -> float:
    """The share of the painted texels (those not black) of which ``is_it`` says so, given red, green, blue to 255."""
    texture = mesh.materials[0].texture
    assert texture is not None
    r, g, b = texture.image[..., :3].reshape(-1, 3).astype(int).T
    return float(is_it(r, g, b).sum() / (r + g + b > 120).sum())


@pytest.mark.parametrize("name", BUILDERS)
def test_committed_meshes_are_what_the_code_builds(name: str, rebuilt: dict[str, Path]) -> None:
    committed = bundled("meshes") / f"{name}.glb"
    ours, theirs = (hashlib.sha256(p.read_bytes()).hexdigest() for p in (rebuilt[name], committed))
    assert ours == theirs, "run python -m posetest.objects.build and commit meshes/"
    assert committed.stat().st_size < MAX_BYTES


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("seed", [0, 7])
def test_building_twice_gives_the_same_bits(name: str, seed: int) -> None:
    assert BUILDERS[name](seed).mesh.digest == BUILDERS[name](seed).mesh.digest


@pytest.mark.parametrize("name", BUILDERS)
def test_seeds_give_different_objects(name: str) -> None:
    digests = {BUILDERS[name](seed).mesh.digest for seed in range(6)}
    assert len(digests) == 6


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_an_object_is_closed_outward_and_in_object_units(name: str, seed: int) -> None:
    mesh = BUILDERS[name](seed).mesh
    low, high = mesh.verts_obj.min(axis=0), mesh.verts_obj.max(axis=0)
    assert np.abs(low + high).max() < 1e-4
    assert (high - low).max() == pytest.approx(2.0, abs=1e-4)
    assert open_edges(mesh) == 0
    assert volume(mesh) > 0
    assert np.allclose(np.linalg.norm(mesh.normals, axis=-1), 1.0, atol=1e-4)
    assert mesh.uv.min() >= 0.0
    assert mesh.uv.max() <= 1.0


@pytest.mark.parametrize("name", BUILDERS)
def test_labels_are_the_same_for_every_variant(name: str) -> None:
    assert BUILDERS[name](0).labels == BUILDERS[name](3).labels


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_bus_drives_towards_the_front_on_wheels_below(seed: int) -> None:
    mesh = BUILDERS["school_bus"](seed).mesh
    x, y, z = mesh.verts_obj.T
    assert z.max() == pytest.approx(1.0, abs=1e-4)  # longest from back to front
    roof = y.max()
    assert y[z > 0.85].max() < roof - 0.15  # the bonnet in front is lower than the back
    assert y[z < -0.85].max() > roof - 0.1
    dark = texels(mesh).max(axis=1) < 0.2
    middle = mesh.verts_obj[mesh.faces].mean(axis=1)
    assert dark[middle[:, 1] < y.min() + 0.05].mean() > 0.9  # tyres are what touches the ground
    assert abs(x.max() + x.min()) < 1e-4


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_cab_carries_a_sign_on_its_cabin_and_is_lower_in_front_and_behind(seed: int) -> None:
    mesh = BUILDERS["cab"](seed).mesh
    x, y, z = mesh.verts_obj.T
    assert np.abs(z[y > y.max() - 0.02]).max() < 0.25  # the sign stands on the middle of the roof
    assert np.abs(x[y > y.max() - 0.02]).max() < 0.25
    roof = y[np.abs(x) > 0.2].max()
    assert y[z > 0.6].max() < roof - 0.15
    assert y[z < -0.75].max() < roof - 0.15
    assert np.abs(z[y < y.min() + 0.01]).min() > 0.3  # it stands on wheels before and behind the middle


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_minibus_is_tall_to_its_very_back_and_slopes_in_front(seed: int) -> None:
    mesh = BUILDERS["minibus"](seed).mesh
    x, y, z = mesh.verts_obj.T
    tall = y.max() - y.min()
    assert z.max() == pytest.approx(1.0, abs=1e-4)
    assert y[z < -0.85].max() > y.max() - 0.15 * tall
    assert y[z > 0.85].max() < y.max() - 0.5 * tall
    assert 0.6 < np.ptp(x) / tall < 1.2


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_golf_cart_is_open_between_its_roof_and_its_body(seed: int) -> None:
    mesh = BUILDERS["golf_cart"](seed).mesh
    low, high = mesh.verts_obj[:, 1].min(), mesh.verts_obj[:, 1].max()
    middle, share = mesh.verts_obj[mesh.faces].mean(axis=1), (mesh.verts_obj[mesh.faces][..., 1] - low) / (high - low)
    at_sides = np.abs(middle[:, 0]) > 0.8 * mesh.verts_obj[:, 0].max()
    # Only posts stand there: what crosses the height of a driver's head is narrow along z.
    crossing = at_sides & (share.min(axis=1) < 0.75) & (share.max(axis=1) > 0.75)
    assert crossing.any()
    assert np.ptp(mesh.verts_obj[mesh.faces[crossing]][..., 2], axis=1).max() < 0.25
    assert np.abs(mesh.verts_obj[mesh.verts_obj[:, 1] < low + 0.01][:, 2]).min() > 0.2  # on wheels at both ends


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_motor_scooter_stands_on_two_wheels_in_line(seed: int) -> None:
    mesh = BUILDERS["motor_scooter"](seed).mesh
    x, y, z = mesh.verts_obj.T
    touching = y < y.min() + 0.005
    assert np.abs(x[touching]).max() < 0.25 * x.max()
    assert z[touching].min() < -0.4
    assert z[touching].max() > 0.4
    assert y[np.abs(x) > 0.9 * x.max()].min() > 0.3  # the widest are the handlebar's grips and mirrors


def test_a_mug_has_its_handle_on_the_right() -> None:
    mesh = BUILDERS["coffee_mug"](0).mesh
    x, z = mesh.verts_obj[:, 0], mesh.verts_obj[:, 2]
    right = x > x.max() - 0.1
    assert np.abs(z[right]).max() < 0.2  # the handle is a narrow strap
    assert np.abs(z[x < x.min() + 0.1]).max() > 0.2  # opposite it is the round wall


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_lamps_of_a_traffic_light_shine_to_the_front_and_red_is_on_top(seed: int) -> None:
    mesh = BUILDERS["traffic_light"](seed).mesh
    emissive = np.array([m.emissive for m in mesh.materials])[mesh.face_material]
    lit = emissive.max(axis=1) > 0
    assert lit.any()
    assert mesh.normals[lit, :, 2].mean() > 0.3
    middle, colour = mesh.verts_obj[mesh.faces].mean(axis=1), texels(mesh)
    glass = (colour.max(axis=1) - colour.min(axis=1) > 0.12) & (mesh.normals[:, :, 2].mean(axis=1) > 0.6)
    red = glass & (colour[:, 0] > 2 * colour[:, 1])
    green = glass & (colour[:, 1] > 1.3 * colour[:, 0])
    assert red.any()
    assert green.any()
    assert middle[red, 1].mean() > middle[green, 1].mean() + 0.3


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_an_umbrella_is_widest_above_its_handle_and_has_a_thin_canopy(seed: int) -> None:
    mesh = BUILDERS["umbrella"](seed).mesh
    x, y, z = mesh.verts_obj.T
    reach = np.hypot(x - x[y > y.max() - 0.01].mean(), z - z[y > y.max() - 0.01].mean())
    assert reach[y < 0].max() < 0.35  # below there are only shaft and handle
    assert reach[y > 0].max() > 0.95
    assert volume(mesh) < 0.1


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_parking_meter_shows_a_pale_dial_in_front_and_stands_on_a_slim_pole(seed: int) -> None:
    mesh = BUILDERS["parking_meter"](seed).mesh
    x, y = mesh.verts_obj[:, 0], mesh.verts_obj[:, 1]
    foot = y < y.min() + 0.1
    assert x[foot].max() - x[foot].min() < 0.4 * (x.max() - x.min())
    middle, colour = mesh.verts_obj[mesh.faces].mean(axis=1), texels(mesh)
    dial = (colour.min(axis=1) > 0.7) & (colour[:, 0] > colour[:, 2] + 0.03) & (middle[:, 2] > 0)  # cream paper
    assert dial.any()
    assert mesh.normals[dial, :, 2].mean() > 0.5
    assert middle[dial, 1].min() > 0.3  # the windows are at the top


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_park_bench_stands_on_iron_feet_with_its_back_behind(seed: int) -> None:
    mesh = BUILDERS["park_bench"](seed).mesh
    middle, colour = mesh.verts_obj[mesh.faces].mean(axis=1), texels(mesh)
    low, high = mesh.verts_obj[:, 1].min(), mesh.verts_obj[:, 1].max()
    assert colour[middle[:, 1] < low + 0.05].max() < 0.3  # iron
    wood = colour.max(axis=1) > 0.3
    assert middle[wood & (middle[:, 1] > high - 0.2), 2].max() < middle[wood, 2].mean()


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_backpack_has_its_pocket_low_on_the_front_and_dark_straps_behind(seed: int) -> None:
    mesh = BUILDERS["backpack"](seed).mesh
    middle, colour = mesh.verts_obj[mesh.faces].mean(axis=1), texels(mesh)
    z = mesh.verts_obj[:, 2]
    assert mesh.verts_obj[z > z.max() - 0.05, 1].max() < 0.0
    assert colour[middle[:, 2] < z.min() + 0.05].max() < 0.35


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_fire_engine_is_red_with_a_ladder_on_top(seed: int) -> None:
    mesh = BUILDERS["fire_engine"](seed).mesh
    y, z = mesh.verts_obj[:, 1], mesh.verts_obj[:, 2]
    ladder = z[y > y.max() - 0.12]
    assert np.ptp(ladder) > 1.4  # it lies along most of the length
    assert share_of_colour(mesh, lambda r, g, b: (r > 100) & (r > 2 * g) & (r > 2 * b)) > 0.4


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_an_ambulance_is_white_with_a_low_bonnet_before_its_box_and_lit_lamps_above(seed: int) -> None:
    mesh = BUILDERS["ambulance"](seed).mesh
    _, y, z = mesh.verts_obj.T
    assert y[z > 0.85].max() < y[z < -0.5].max() - 0.3
    assert share_of_colour(mesh, lambda r, g, b: np.minimum(np.minimum(r, g), b) > 220) > 0.5
    emissive = np.array([m.emissive for m in mesh.materials])[mesh.face_material].max(axis=1) > 0
    assert mesh.verts_obj[mesh.faces[emissive], 1].min() > 0.1


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_the_box_of_a_moving_van_reaches_out_over_its_lower_cab(seed: int) -> None:
    mesh = BUILDERS["moving_van"](seed).mesh
    _, y, z = mesh.verts_obj.T
    bonnet, upper = z > z.max() - 0.2, y > 0.3
    assert y[bonnet].max() < 0.0
    assert 0.3 < z[upper].max() < z.max() - 0.2
    assert y[z < -0.9].max() == pytest.approx(y.max(), abs=0.02)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_garbage_truck_stands_on_three_axles_and_its_hopper_is_open_behind(seed: int) -> None:
    mesh = BUILDERS["garbage_truck"](seed).mesh
    _, y, z = mesh.verts_obj.T
    ground = np.sort(z[y < y.min() + 0.01])
    assert (np.diff(ground) > 0.05).sum() == 2
    middle, towards_back = mesh.verts_obj[mesh.faces].mean(axis=1), mesh.normals[:, :, 2].mean(axis=1) < -0.9
    mouth = towards_back & (texels(mesh).max(axis=1) < 0.15) & (middle[:, 1] > -0.2)
    deep = middle[mouth, 2] - z.min()
    assert ((deep > 0.15) & (deep < 0.45)).any()


@pytest.mark.parametrize("seed", range(24))
def test_distractors_are_closed_outward_and_repeatable(seed: int) -> None:
    mesh = distractor(seed)
    assert open_edges(mesh) == 0
    assert volume(mesh) > 0
    assert mesh.digest == distractor(seed).digest


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_balloon_is_widest_above_and_carries_a_small_basket_below(seed: int) -> None:
    x, y, _ = BUILDERS["balloon"](seed).mesh.verts_obj.T
    assert y.max() == pytest.approx(1.0, abs=1e-4)  # it is higher than wide
    assert y[np.argmax(np.abs(x))] > 0.1
    assert np.abs(x[y < -0.85]).max() < 0.2 * np.abs(x).max()


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_lighthouse_shines_near_its_top_and_stands_on_the_widest_part(seed: int) -> None:
    mesh = BUILDERS["lighthouse"](seed).mesh
    emissive = np.array([m.emissive for m in mesh.materials])[mesh.face_material]
    lit = mesh.verts_obj[mesh.faces[emissive.max(axis=1) > 0]]
    assert lit[..., 1].min() > 0.5
    x, y, _ = mesh.verts_obj.T
    assert y[np.argmax(np.abs(x))] < -0.75


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_barrel_bulges_between_equal_ends_with_sunk_heads(seed: int) -> None:
    x, y, z = BUILDERS["barrel"](seed).mesh.verts_obj.T
    r = np.hypot(x, z)
    assert r[np.abs(y) < 0.1].max() > 1.15 * r[y > 0.97].max()
    assert r[y > 0.97].max() == pytest.approx(r[y < -0.97].max(), abs=0.02)
    assert np.abs(y[r < 0.1]).max() < 0.95


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_forklift_stands_on_its_tyres_with_two_low_forks_in_front(seed: int) -> None:
    mesh = BUILDERS["forklift"](seed).mesh
    x, y, z = mesh.verts_obj.T
    assert y[z > 0.8].max() < y.min() + 0.35
    assert (x[z > 0.8] > 0.05).any()
    assert (x[z > 0.8] < -0.05).any()
    assert np.abs(x[z > 0.8]).min() > 0.05  # nothing between the forks
    middle, dark = mesh.verts_obj[mesh.faces].mean(axis=1), texels(mesh).max(axis=1) < 0.2
    assert dark[middle[:, 1] < y.min() + 0.02].all()
