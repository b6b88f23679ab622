"""Facts about files written by our own encoder, judged by Pillow and by the mesh loader."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from posetest.objects.assemble import PADDING_PX, pack
from posetest.objects.catalogue import BUILDERS
from posetest.objects.glb import mesh_to_glb, png
from posetest.scene.load import load_mesh


def pictures() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    noise = rng.integers(0, 256, (37, 53, 3)).astype(np.uint8)
    flat = np.full((64, 300, 3), 7, dtype=np.uint8)
    runs = np.repeat(rng.integers(0, 256, (40, 90, 3)).astype(np.uint8), rng.integers(1, 9, 90), axis=1)
    dot = flat.copy()
    dot[30, 200:203] = (1, 2, 3)
    return {"noise": noise, "flat": flat, "runs": runs, "dot": dot, "one pixel": noise[:1, :1]}


@pytest.mark.parametrize("name", ["noise", "flat", "runs", "dot", "one pixel"])
def test_a_png_of_ours_reads_back_as_it_was(name: str) -> None:
    picture = pictures()[name]
    with Image.open(io.BytesIO(png(picture))) as opened:
        assert (np.asarray(opened) == picture).all()


def test_flat_colour_compresses() -> None:
    assert len(png(np.full((512, 512, 3), 200, dtype=np.uint8))) < 512 * 512 * 3 / 80


@pytest.mark.parametrize("name", BUILDERS)
def test_a_glb_loads_as_the_mesh_it_was_written_from(name: str, tmp_path: Path) -> None:
    mesh = BUILDERS[name](0).mesh
    path = tmp_path / f"{name}.glb"
    path.write_bytes(mesh_to_glb(mesh))
    loaded = load_mesh(path)
    assert loaded.warnings == ()
    assert loaded.not_drawn == ()
    assert np.abs(loaded.verts_obj[loaded.faces] - mesh.verts_obj[mesh.faces]).max() < 1e-6
    assert np.abs(loaded.uv - mesh.uv).max() < 1e-6
    assert np.abs(loaded.normals - mesh.normals).max() < 1e-4
    assert (loaded.face_material == mesh.face_material).all()
    assert [m.emissive for m in loaded.materials] == [m.emissive for m in mesh.materials]
    for ours, theirs in zip(mesh.materials, loaded.materials, strict=True):
        assert ours.texture is not None
        assert theirs.texture is not None
        assert (ours.texture.image == theirs.texture.image).all()


def test_pictures_in_an_atlas_do_not_overlap_and_have_repeated_borders() -> None:
    rng = np.random.default_rng(1)
    some = [
        np.full((int(h), int(w), 3), k + 1, dtype=np.uint8) for k, (h, w) in enumerate(rng.integers(4, 60, (30, 2)))
    ]
    atlas, places = pack(some)
    assert all(side & (side - 1) == 0 for side in atlas.shape[:2])
    for k, (picture, (row, column)) in enumerate(zip(some, places, strict=True)):
        height, width = picture.shape[:2]
        around = atlas[row - PADDING_PX : row + height + PADDING_PX, column - PADDING_PX : column + width + PADDING_PX]
        assert around.shape[:2] == (height + 2 * PADDING_PX, width + 2 * PADDING_PX)
        assert (around[..., :3] == k + 1).all()
