"""Facts about backgrounds painted by code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posetest.errors import ConfigError
from posetest.scene.painted import DEFAULT_COUNT, KINDS, paint
from posetest.scene.scene import load_scene


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_differ_stay_in_range_and_repeat(kind: str) -> None:
    some = [paint(kind, i, 40, 40) for i in range(30)]
    assert all(p.shape == (3, 40, 40) and p.dtype == np.float32 for p in some)
    assert min(p.min() for p in some) >= 0
    assert max(p.max() for p in some) <= 1
    assert len({p.tobytes() for p in some}) == 30
    assert (paint(kind, 7, 40, 40) == some[7]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_shows_the_same_at_any_size(kind: str) -> None:
    apart = []
    for i in range(12):
        small, large = paint(kind, i, 48, 48), paint(kind, i, 144, 144)
        shrunk = large.reshape(3, 48, 3, 48, 3).mean(axis=(2, 4))
        apart.append(np.abs(shrunk - small).mean())
    assert np.median(apart) < 0.02
    assert max(apart) < 0.1


def test_a_wide_frame_shows_more_at_its_sides() -> None:
    square, wide = paint("outdoor", 3, 60, 60), paint("outdoor", 3, 60, 100)
    assert np.abs(wide[:, :, 20:80] - square).mean() < 1e-6


def test_landscapes_are_brighter_and_bluer_above_than_below() -> None:
    pictures = np.stack([paint("outdoor", i, 48, 48) for i in range(40)])
    sky, ground = pictures[:, :, :8].mean(axis=(2, 3)), pictures[:, :, -8:].mean(axis=(2, 3))
    assert (sky.mean(axis=1) > ground.mean(axis=1)).mean() > 0.9
    assert ((sky[:, 2] - sky[:, 0]) > (ground[:, 2] - ground[:, 0])).mean() > 0.9


def scene_with(tmp_path: Path, background: str) -> Path:
    path = tmp_path / "s.toml"
    path.write_text(f'[object]\nmesh = "m.obj"\n[background]\n{background}\n')
    (tmp_path / "m.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    return path


@pytest.mark.filterwarnings("ignore::posetest.errors.MeshWarning")
def test_a_scene_names_the_kind_and_how_many(tmp_path: Path) -> None:
    assert load_scene(scene_with(tmp_path, 'painted = "indoor"')).background.count == DEFAULT_COUNT
    scene = load_scene(scene_with(tmp_path, 'painted = "indoor"\ncount = 5'))
    assert scene.background.images(30, 30).shape == (5, 3, 30, 30)
    assert scene.digest != load_scene(scene_with(tmp_path, 'painted = "outdoor"\ncount = 5')).digest


@pytest.mark.filterwarnings("ignore::posetest.errors.MeshWarning")
@pytest.mark.parametrize(
    ("background", "message"),
    [
        ('painted = "indor"', 'background.painted = "indor"; did you mean "indoor"'),
        ('painted = "indoor"\nimage = "a.png"', "has both image and painted; keep one"),
        ("count = 3", "background.count is of painted pictures"),
        ('painted = "indoor"\ncount = 0', "count"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, background: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_scene(scene_with(tmp_path, background))
