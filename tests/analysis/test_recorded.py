"""The space of a scene, read back from run.toml."""

from __future__ import annotations

from posetest.analysis.recorded import recorded_space
from posetest.run_info import SceneInfo


def info(free: tuple[str, ...], config: dict[str, object]) -> SceneInfo:
    return SceneInfo(
        name="s",
        source="s.toml",
        measure="",
        labels=(),
        mesh_digest="",
        scene_digest="",
        faces=1,
        free=free,
        config=config,
    )


def test_a_background_that_the_scene_fixes_is_no_error() -> None:
    config = {"object": {"mesh": "m.obj"}, "background": {"painted": "outdoor"}, "space": {"background": 5}}
    space = recorded_space(info(("yaw", "pitch", "roll"), config))
    assert space is not None
    assert space.fixed["background"] == 5
    assert "background" not in space.free


def test_one_background_is_not_told_in_poses_and_several_are() -> None:
    plain = recorded_space(info(("yaw", "pitch", "roll"), {"object": {"mesh": "m.obj"}}))
    several = recorded_space(info(("yaw", "background"), {"object": {"mesh": "m.obj"}}))
    assert plain is not None
    assert several is not None
    assert "background" not in plain.free
    assert "background" in several.free


def test_without_a_scene_file_nothing_is_known() -> None:
    assert recorded_space(info(("yaw",), {})) is None
