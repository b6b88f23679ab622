"""The eight pictures in ../shared/pytorch3d, which PyTorch3D made of one mesh, as scenes that our renderers can draw.

Three things have to be said in our terms. Their near plane cuts at half a unit, so the mesh is cut there by hand. Their
point lights, whose highlights take a colour that no material of ours gives, are worked out at the corners of the faces
and become vertex colours. Their texels' centres lie on the picture's corners, so texture coordinates are squeezed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from render_pictures import make_mesh, views

from posetest.geometry.camera import Views
from posetest.protocols import Renderer
from posetest.scene.background import Background
from posetest.scene.color import srgb_to_linear
from posetest.scene.material import Material, Texture
from posetest.scene.mesh import Mesh

Array = NDArray[np.float64]

#: Width of the band along outlines, in pixels, that is left out when colours are compared.
BAND_PX = 2
BLACK = Background((0.0, 0.0, 0.0))


@dataclass(frozen=True, eq=False)
class Reference:
    """One picture and the scene that it shows, to be drawn with shading "gamma_free".

    Attributes:
        hard, smooth, soft: [h, w, 4], one sample a pixel, sixteen, and soft edges.
        mesh: what to draw; ``shine``, where there is one, is to be drawn before black and added to it.
    """

    name: str
    hard: Array
    smooth: Array
    soft: Array
    mesh: Mesh
    shine: Mesh | None
    views: Views
    background: Background

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.hard.shape[0], self.hard.shape[1]

    def drawn(self, renderer: Renderer, shine: Renderer | None) -> tuple[Array, Array]:
        """Colours [h, w, 3] and coverage [h, w] by renderers of ``mesh`` and of ``shine``."""
        found = renderer.render(self.views, *self.size, mask=True)
        assert found.mask is not None
        image = found.images[0].astype(np.float64)
        if shine is not None:
            image = image + shine.render(self.views, *self.size).images[0]
        return image.transpose(1, 2, 0), found.mask[0, 0].astype(np.float64)


def references(folder: Path) -> list[Reference]:
    """All eight."""
    described: list[dict[str, Any]] = json.loads((folder / "params.json").read_text())["refs"]
    whole = cow(folder)
    return [_reference(folder, one, whole) for one in described]


def cow(folder: Path) -> Mesh:
    """The mesh, with texture coordinates for our texel centres."""
    data = np.load(folder / "mesh.npz")
    picture = np.asarray(Image.open(folder / "texture.png").convert("RGBA"))
    size = np.array([picture.shape[1], picture.shape[0]])
    uv = (data["verts_uvs"][data["faces_uvs"]] * (size - 1) + 0.5) / size
    material = Material(texture=Texture(picture, "clamp", "clamp"), two_sided=True)
    normals = data["vertex_normals"][data["faces"]]
    return make_mesh(data["verts"], data["faces"], (material,), uv=uv, normals=normals)


def _reference(folder: Path, described: dict[str, Any], mesh: Mesh) -> Reference:
    pictures = np.load(folder / f"{described['name']}.npz")
    matrix = np.array(described["world_to_view_gl_col"])
    turn, shift = matrix[:3, :3], matrix[:3, 3]
    seen = views(turn[None], shift, fov=np.radians(described["fov_y_deg"]))
    light, shine = described["light"], None
    if light["type"] == "directional":
        direction = np.array(light["direction"])
        seen = replace(
            seen,
            light_dirs=(turn @ direction / np.linalg.norm(direction))[None, None],
            light_colors=np.array(light["diffuse"])[None, None],
            ambient=np.array(light["ambient"])[None],
        )
    elif light["type"] == "point":
        mesh, shine = _lit_by_point(mesh, described, eye=-turn.T @ shift)
    mesh = cut_in_front(mesh, seen, described["raster"]["z_clip"])
    return Reference(
        described["name"],
        *(pictures[name].astype(np.float64) for name in ("rgba_hard", "rgba_ss4", "rgba_soft")),
        mesh,
        None if shine is None else cut_in_front(shine, seen, described["raster"]["z_clip"]),
        seen,
        Background(tuple(described["background"])),
    )


def _lit_by_point(mesh: Mesh, described: dict[str, Any], eye: Array) -> tuple[Mesh, Mesh]:
    """``mesh`` with the diffuse light as vertex colours, and untextured with the highlight as vertex colours."""
    light, paint = described["light"], described["materials"]
    if isinstance(paint, str):  # the library's default
        paint = {"ambient": [1.0] * 3, "diffuse": [1.0] * 3, "specular": [1.0] * 3, "shininess": 64.0}
    points = mesh.verts_obj.astype(np.float64)[mesh.faces]
    normal = _unit(mesh.normals.astype(np.float64))
    to_light, to_eye = _unit(np.array(light["location"]) - points), _unit(eye - points)
    falling = (normal * to_light).sum(axis=2, keepdims=True)
    mirrored = 2 * falling * normal - to_light
    peak = np.maximum((mirrored * to_eye).sum(axis=2, keepdims=True), 0) ** paint["shininess"] * (falling > 0)

    def strength(kind: str) -> Array:
        return np.array(light[kind]) * np.array(paint[kind])

    diffuse = strength("ambient") + strength("diffuse") * np.maximum(falling, 0)
    plain = replace(mesh, materials=(Material(two_sided=True),))
    return _colored(mesh, diffuse), _colored(plain, strength("specular") * peak)


def _colored(mesh: Mesh, encoded: Array) -> Mesh:
    """``mesh`` with vertex colours that are ``encoded`` [f, 3, 3] once they are sRGB."""
    assert encoded.max() <= 1
    colors = np.concatenate([srgb_to_linear(encoded), np.ones_like(encoded[..., :1])], axis=2)
    return replace(mesh, colors=colors.astype(np.float32))


def cut_in_front(mesh: Mesh, one: Views, depth: float) -> Mesh:
    """``mesh`` without what is nearer than ``depth`` in its only view; faces that cross are cut."""
    corners = mesh.verts_obj.astype(np.float64)[mesh.faces]
    beyond = -(corners @ one.rotation[0].T + one.position[0])[..., 2] - depth
    if (beyond > 0).all():
        return mesh
    lanes = np.concatenate([corners, mesh.uv, mesh.normals, mesh.colors], axis=2, dtype=np.float64)
    pieces: list[Array] = [lanes[(beyond > 0).all(axis=1)]]
    for face, far in zip(lanes, beyond, strict=True):
        if not ((far > 0).any() and (far <= 0).any()):
            continue
        polygon: list[Array] = []
        for k in range(3):
            a, b, far_a, far_b = face[k], face[(k + 1) % 3], far[k], far[(k + 1) % 3]
            if far_a > 0:
                polygon.append(a)
            if (far_a > 0) != (far_b > 0):
                polygon.append(a + (b - a) * far_a / (far_a - far_b))
        pieces += [np.stack([polygon[0], polygon[k], polygon[k + 1]])[None] for k in range(1, len(polygon) - 1)]
    cut = np.concatenate(pieces)
    return make_mesh(
        cut[..., :3].reshape(-1, 3),
        np.arange(3 * len(cut)).reshape(-1, 3),
        mesh.materials,
        uv=cut[..., 3:5],
        normals=cut[..., 5:8],
        colors=cut[..., 8:],
    )


def shrunk(inner: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """``inner`` less all within BAND_PX of what is not in it; the frame's border is no outline."""
    padded = np.pad(inner, BAND_PX, mode="edge")
    height, width = inner.shape
    around = [padded[y : y + height, x : x + width] for y in range(2 * BAND_PX + 1) for x in range(2 * BAND_PX + 1)]
    kept: NDArray[np.bool_] = np.logical_and.reduce(around)
    return kept


def outside_band(cover: Array) -> NDArray[np.bool_]:
    """[h, w]: farther than BAND_PX from pixels that are partly covered, whether on the object or beside it."""
    return shrunk((cover == 0) | (cover == 1)) & (shrunk(cover == 1) | shrunk(cover == 0))


def _unit(vectors: Array) -> Array:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
