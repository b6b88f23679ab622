"""The CPU renderer against pictures that PyTorch3D made of the same mesh under the same cameras and lights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytorch3d_references import BLACK, Reference, outside_band, references

from posetest.render.cpu import CpuRenderer

NAMES = [f"ref{number:02d}" for number in range(8)]


@pytest.fixture(scope="module")
def known(shared: Path) -> dict[str, Reference]:
    return {reference.name: reference for reference in references(shared / "pytorch3d")}


@pytest.mark.parametrize("name", NAMES)
def test_pictures_match_those_of_pytorch3d(known: dict[str, Reference], name: str) -> None:
    reference = known[name]
    renderer = CpuRenderer(reference.mesh, reference.background, threads=1, shading="gamma_free")
    shine = None
    if reference.shine is not None:
        shine = CpuRenderer(reference.shine, BLACK, threads=1, shading="gamma_free")
    image, cover = reference.drawn(renderer, shine)
    truth = reference.smooth[..., 3]
    edge = (truth > 0) & (truth < 1)
    assert np.abs(cover - truth)[~edge].mean() < 2e-4
    assert np.abs(cover - truth)[edge].mean() < 0.05
    assert cover.sum() == pytest.approx(truth.sum(), rel=0.002)
    difference = np.abs(image - np.clip(reference.smooth[..., :3], 0, 1))
    inside, around = outside_band(truth) & (truth == 1), outside_band(truth) & (truth == 0)
    assert inside.sum() > 3000
    assert difference[inside].mean() < 0.004  # measured: .0009 to .0028, most of it their textures without mip levels
    assert difference[around].max(initial=0) < 1e-3  # float16 files


def test_the_references_are_all_used(known: dict[str, Reference]) -> None:
    assert sorted(known) == NAMES
    assert sum(reference.shine is not None for reference in known.values()) == 2  # point lights with highlights
    assert sum(len(reference.views.light_dirs[0]) for reference in known.values()) == 3  # directional lights
    assert len(known["ref07"].mesh.faces) < len(known["ref00"].mesh.faces)  # cut at their near plane
