"""The space of a scene, read from run.toml."""

from __future__ import annotations

from posetest.config import SceneConfig, decode
from posetest.run_info import SceneInfo
from posetest.space import Space, scene_space

#: run.toml does not say how many backgrounds there were; none of them has a higher index.
_MOST_BACKGROUNDS = 10**9


def recorded_space(scene: SceneInfo) -> Space | None:
    """The space that the poses of ``scene`` were drawn from; None where run.toml does not hold the scene file.

    The interval of the background, where it varies, is longer than it was.

    Raises:
        ConfigError: what run.toml holds is no scene.
    """
    if not scene.config:
        return None
    config = decode(scene.config, SceneConfig, scene.name)
    has_several = "background" in scene.free or config.space.background is not None
    return scene_space(config, _MOST_BACKGROUNDS if has_several else 1, scene.name)
