"""Meshes, views and comparisons for the tests of the renderers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posetest.geometry.camera import Views
from posetest.geometry.so3 import euler_to_matrix, orbit_to_matrix
from posetest.scene.material import Material, Texture
from posetest.scene.mesh import Mesh

Array = NDArray[np.float64]
FOV = 0.6


def srgb_encoded(linear: Array) -> Array:
    """sRGB of linear light (IEC 61966-2-1)."""
    linear = np.asarray(linear, dtype=np.float64)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0.003) ** (1 / 2.4) - 0.055)


def srgb_decoded(encoded: Array) -> Array:
    """Linear light of sRGB (IEC 61966-2-1)."""
    encoded = np.asarray(encoded, dtype=np.float64)
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def make_mesh(
    verts: Array,
    faces: NDArray[np.int64],
    materials: tuple[Material, ...] = (Material(),),
    *,
    uv: Array | None = None,
    normals: Array | None = None,
    colors: Array | None = None,
    face_material: NDArray[np.int64] | None = None,
) -> Mesh:
    """A mesh with flat normals, no texture coordinates and white vertices unless given."""
    corners = np.asarray(verts, dtype=np.float32)[faces].astype(np.float64)
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    count = len(faces)
    return Mesh(
        name="test",
        verts_obj=np.asarray(verts, dtype=np.float32),
        faces=np.asarray(faces, dtype=np.int32),
        uv=np.zeros((count, 3, 2), np.float32) if uv is None else np.asarray(uv, dtype=np.float32),
        normals=np.asarray(np.repeat(flat[:, None], 3, axis=1) if normals is None else normals, dtype=np.float32),
        colors=np.ones((count, 3, 4), np.float32) if colors is None else np.asarray(colors, dtype=np.float32),
        face_material=np.zeros(count, np.int32) if face_material is None else np.asarray(face_material, dtype=np.int32),
        materials=materials,
        file_to_object=np.eye(4),
    )


def quad(material: Material | None = None, *, half: float = 1.0, repeats: float = 1.0) -> Mesh:
    """A square in the plane z = 0 that looks at +z; the picture fits it ``repeats`` times."""
    verts = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * half
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    uv = (verts[:, :2] / half + 1) / 2 * repeats
    return make_mesh(verts, faces, (material or Material(),), uv=uv[faces])


def stacked(materials: Sequence[Material], heights: Sequence[float]) -> Mesh:
    """Squares one behind the other: each of its own material, at its own z."""
    one, count = quad(), len(materials)
    verts = np.concatenate([one.verts_obj + np.array([0, 0, z]) for z in heights])
    faces = (one.faces + 4 * np.arange(count)[:, None, None]).reshape(-1, 3)
    return make_mesh(verts, faces, tuple(materials), face_material=np.repeat(np.arange(count), 2))


def disk(corners: int = 128) -> Mesh:
    """A regular polygon of radius one in the plane z = 0."""
    angle = np.arange(corners) * 2 * np.pi / corners
    verts = np.concatenate([[[0, 0, 0]], np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)])
    around = np.arange(corners)
    faces = np.stack([0 * around, around + 1, (around + 1) % corners + 1], axis=1)
    return make_mesh(verts, faces)


def octahedra(centers: Array, radius: float, colors: Sequence[tuple[float, float, float, float]]) -> Mesh:
    """Small octahedra, each of its own colour."""
    corners = np.concatenate([np.eye(3), -np.eye(3)]) * radius
    faces = np.array([[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]])
    count = len(centers)
    verts = (np.asarray(centers)[:, None] + corners).reshape(-1, 3)
    all_faces = (faces + 6 * np.arange(count)[:, None, None]).reshape(-1, 3)
    materials = tuple(Material(base_color=color) for color in colors)
    return make_mesh(verts, all_faces, materials, face_material=np.repeat(np.arange(count), 8))


def sphere(rings: int = 12, materials: tuple[Material, ...] = (Material(),), *, lumps: float = 0.0) -> Mesh:
    """A closed surface with smooth normals and texture coordinates; materials take turns from face to face."""
    turns = 2 * rings
    v, u = (
        a.reshape(-1) for a in np.meshgrid(np.linspace(0, 1, rings + 1), np.linspace(0, 1, turns + 1), indexing="ij")
    )
    polar, around = np.pi * (1 - v), 2 * np.pi * (u % 1)
    verts = np.stack([np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], axis=1)
    verts[(v == 0) | (v == 1)] *= (0, 1, 0)
    verts *= 1 + lumps * np.sin(verts @ np.array([[3.0], [4.0], [2.0]]))
    verts /= np.abs(verts).max()
    row, column = (a.reshape(-1) for a in np.meshgrid(np.arange(rings), np.arange(turns), indexing="ij"))
    a = row * (turns + 1) + column
    b, c, d = a + 1, a + turns + 2, a + turns + 1
    faces = np.concatenate([np.stack([a, b, c], 1)[row > 0], np.stack([a, c, d], 1)[row < rings - 1]])
    corners = verts[faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    places, same = np.unique(np.round(verts, 6), axis=0, return_inverse=True)
    summed = np.zeros_like(places)
    for k in range(3):
        np.add.at(summed, same.reshape(-1)[faces[:, k]], flat)
    normals = summed[same.reshape(-1)] / np.linalg.norm(summed[same.reshape(-1)], axis=1, keepdims=True)
    turn_about = np.arange(len(faces)) % len(materials)
    uv = np.stack([u, v], axis=1)
    return make_mesh(verts, faces, materials, uv=uv[faces], normals=normals[faces], face_material=turn_about)


def noise_picture(height: int, width: int, seed: int = 0, *, coarse: int = 6) -> NDArray[np.uint8]:
    """A smooth random picture, opaque, tileable: a few waves a side."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1) * 2 * np.pi
    picture = np.full((height, width, 4), 255, dtype=np.uint8)
    for channel in range(3):
        waves = sum(
            np.cos(rng.integers(-coarse, coarse + 1) * x + rng.integers(-coarse, coarse + 1) * y + rng.uniform(0, 6))
            for _ in range(4)
        )
        picture[..., channel] = np.clip(127 + 40 * waves, 0, 255)
    return picture


def checker(size: int, squares: int) -> Texture:
    """Black and white squares."""
    y, x = np.mgrid[:size, :size] * squares // size
    picture = np.full((size, size, 4), 255, dtype=np.uint8)
    picture[..., :3] = np.where((x + y) % 2 == 0, 255, 0)[..., None]
    return Texture(picture)


def random_rotations(count: int, seed: int = 0) -> Array:
    q = np.random.default_rng(seed).normal(size=(count, 4))
    w, x, y, z = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    return np.stack(
        [
            *(1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
            *(2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
            *(2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
        ],
        axis=1,
    ).reshape(count, 3, 3)


def about(axis: str, angle: float) -> Array:
    """Rotation by ``angle`` (radians) about one of the axes x, y, z."""
    c, s = np.cos(angle), np.sin(angle)
    return {
        "x": np.array([[1, 0, 0], [0, c, -s], [0, s, c]]),
        "y": np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
        "z": np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]),
    }[axis]


def views(
    rotation: Array,
    position: Array | tuple[float, float, float] = (0, 0, -5),
    *,
    fov: float = FOV,
    lights: Array | None = None,
    colors: Array | None = None,
    ambient: float = 1.0,
) -> Views:
    """Views with the same lights for all; none and full ambient unless given."""
    rotation = np.asarray(rotation, dtype=np.float64).reshape(-1, 3, 3)
    count = len(rotation)
    directions = np.zeros((0, 3)) if lights is None else np.asarray(lights, dtype=np.float64)
    directions = directions / np.maximum(np.linalg.norm(directions, axis=-1, keepdims=True), 1e-12)
    strengths = np.full(directions.shape, 0.7) if colors is None else np.asarray(colors, dtype=np.float64)
    return Views(
        rotation=rotation,
        position=np.broadcast_to(np.asarray(position, dtype=np.float64), (count, 3)).copy(),
        fov=np.full(count, fov),
        light_dirs=np.broadcast_to(directions, (count, *directions.shape)).copy(),
        light_colors=np.broadcast_to(strengths, (count, *strengths.shape)).copy(),
        ambient=np.full((count, 3), ambient),
        background=np.zeros(count, dtype=np.int64),
    )


def six_views(mesh: Mesh, share: float = 0.85) -> Views:
    """Six views all around ``mesh``, which spans ``share`` of the frame; one light from the upper left, in front."""
    orbits = orbit_to_matrix(np.radians([35.0, 160, 270, 20]), np.radians([20.0, 10, 40, -35]))
    turns = euler_to_matrix(np.radians([50.0, 200]), np.radians([70.0, -30]), np.radians([140.0, 60]))
    rotation, fov = np.concatenate([orbits, turns]), np.radians(30)
    positions = []
    for points in mesh.verts_obj.astype(np.float64) @ rotation.transpose(0, 2, 1):
        near, far = points[:, 2].max() + 0.05, 50.0
        while far - near > 1e-4:
            distance = (near + far) / 2
            span = np.abs(points[:, :2] / (distance - points[:, 2:])).max() / np.tan(fov / 2)
            near, far = (distance, far) if span > share else (near, distance)
        positions.append((0.005 * far, -0.008 * far, -far))  # off the centre: a mirrored picture would not pass
    light, strength = np.array([[-0.6, 0.7, 0.6]]), np.full((1, 3), 0.8)
    return views(rotation, np.array(positions), fov=fov, lights=light, colors=strength, ambient=0.2)
