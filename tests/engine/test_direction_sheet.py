"""The small pictures of an audit: one for each viewing direction, of the pose that the tiles' table names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers import CUBE, LargestColour, write_cube_scene
from numpy.typing import NDArray
from PIL import Image
from simulated_run import simulate

import posetest
from posetest.engine.direction_sheet import TILE_PX, first_of_directions
from posetest.engine.run import RunFolder
from posetest.geometry.grids import choose_nside, direction_to_cell
from posetest.geometry.so3 import quaternion_to_matrix, viewing_direction

POSES = 480  # nside 2


def audited(folder: Path, poses: int = POSES, mesh: str = CUBE, **options: object) -> posetest.Run:
    scene = write_cube_scene(folder / "scene")
    (scene.parent / "cube.obj").write_text(mesh)
    return posetest.audit(LargestColour(), scene, poses=poses, image_size=32, threads=1, out=folder / "run", **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> posetest.Run:
    return audited(tmp_path_factory.mktemp("sheet"))


def tile_pictures(run: RunFolder) -> list[NDArray[np.float64]]:
    tiles = run.tiles()
    with Image.open(run.path / tiles["file"].iloc[0]) as file:
        sheet = np.asarray(file.convert("RGB")) / 255
    return [sheet[t.y_px : t.y_px + t.size_px, t.x_px : t.x_px + t.size_px] for t in tiles.itertuples()]


def directions(run: RunFolder, indices: NDArray[np.int64]) -> NDArray[np.float64]:
    rows = run.table(["index", "qw", "qx", "qy", "qz"]).set_index("index").loc[indices]
    return viewing_direction(quaternion_to_matrix(rows.to_numpy()))


def test_every_cell_has_the_first_visible_pose_that_lies_in_it(run: posetest.Run) -> None:
    table, tiles = run.table(), run.tiles().set_index("cell")
    nside = choose_nside(POSES)
    cells = direction_to_cell(
        viewing_direction(quaternion_to_matrix(table[["qw", "qx", "qy", "qz"]].to_numpy())), nside
    )
    assert set(tiles.index) == set(cells)
    assert not table["visible"].all()
    for cell in set(cells):
        there = table[cells == cell].sort_values("index")
        visible = there[there["visible"]]
        assert tiles.loc[cell, "index"] == (visible if len(visible) else there)["index"].iloc[0]
    assert (tiles["nside"] == nside).all()


# the helper's cube is red in front and green behind; these have the same on the right and the left, and above and below
TURNED = {
    2: CUBE,
    0: CUBE.replace("red\n", "blue\n")
    .replace("green\n", "blue\n")
    .replace("f 1 5 8 4", "usemtl green\nf 1 5 8 4")
    .replace("f 6 2 3 7", "usemtl red\nf 6 2 3 7\nusemtl blue"),
    1: CUBE.replace("red\n", "blue\n")
    .replace("green\n", "blue\n")
    .replace("f 4 8 7 3", "usemtl red\nf 4 8 7 3")
    .replace("f 1 2 6 5", "usemtl green\nf 1 2 6 5"),
}


@pytest.mark.parametrize("axis", [0, 1, 2], ids=["right", "top", "front"])
def test_a_tile_shows_the_side_that_its_direction_looks_at(tmp_path: Path, axis: int) -> None:
    run = audited(tmp_path, mesh=TURNED[axis])
    seen = directions(run, run.tiles()["index"].to_numpy())
    sides = [0, 0]
    for toward, picture in zip(seen, tile_pictures(run), strict=True):
        ground = np.median(picture[[0, 0, -1, -1], [0, -1, 0, -1]], axis=0)
        red, green, _ = (picture - ground).clip(0).sum(axis=(0, 1))
        if toward[axis] > 0.35:  # the red side faces the camera, and the green one cannot be seen
            assert red > 3 * green
            sides[0] += 1
        elif toward[axis] < -0.35:
            assert green > 3 * red
            sides[1] += 1
    assert min(sides) >= 12


def test_the_sheet_is_registered_and_small(run: posetest.Run) -> None:
    kept = run.images().query("kind == 'directions'")
    assert kept["file"].tolist() == run.tiles()["file"].unique().tolist() == ["images/cube.directions.webp"]
    assert (run.path / kept["file"].iloc[0]).stat().st_size < 100_000


def test_tiles_do_not_overlap_and_lie_on_the_sheet(run: posetest.Run) -> None:
    tiles = run.tiles()
    with Image.open(run.path / tiles["file"].iloc[0]) as sheet:
        width, height = sheet.size
    covered = np.zeros((height, width), dtype=int)
    for t in tiles.itertuples():
        assert t.x_px + t.size_px <= width
        assert t.y_px + t.size_px <= height
        covered[t.y_px : t.y_px + t.size_px, t.x_px : t.x_px + t.size_px] += 1
    assert covered.max() == 1


def test_a_resumed_run_has_the_same_sheet(run: posetest.Run, tmp_path: Path) -> None:
    first = audited(tmp_path)
    sheet = first.path / "images" / "cube.directions.webp"
    before = sheet.read_bytes()
    assert before == (run.path / "images" / "cube.directions.webp").read_bytes()
    first.part_path(0).unlink()
    sheet.unlink()
    again = audited(tmp_path, resume=True)
    assert sheet.read_bytes() == before
    assert again.tiles().equals(run.tiles())


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_a_run_of_one_pose_has_one_tile(tmp_path: Path, backend: str) -> None:
    run = audited(tmp_path, poses=1, backend=backend)
    assert run.tiles()["index"].tolist() == [0]
    assert [p.shape for p in tile_pictures(run)] == [(TILE_PX, TILE_PX, 3)]


def test_a_pose_that_no_model_could_evaluate_gets_no_tile(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=30, failed=10)
    assert first_of_directions(run)["index"].min() == 10
    assert not len(first_of_directions(simulate(tmp_path / "none", poses=3, failed=3)))


def test_old_run_folders_have_no_tiles(tmp_path: Path) -> None:
    assert not len(simulate(tmp_path / "run", poses=3).tiles())
