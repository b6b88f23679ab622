"""A real audit of all rotations, reweighted, against an audit of the scene that it is reweighted to."""

from __future__ import annotations

from pathlib import Path

import posetest

#: Flat light, so that only where the object is seen from matters.
FLAT = 'include = ["school_bus.toml"]\nambient = 0.9\nlights = []\n[space]\ndistance = [4.5, 6]\n'
#: In a hand that turns it, before a camera that rises over it: four angles for the three of a rotation.
HELD = 'rotation = "fixed"\nyaw = [-180, 180]\npitch = [-20, 20]\nroll = [-40, 40]\nelevation = [-20, 60]\n'


def test_rates_of_all_rotations_reweighted_are_those_of_the_scene_itself(tmp_path: Path) -> None:
    runs = {}
    for name, space, poses in (("anyhow", 'rotation = "haar"\n', 1800), ("held", HELD, 400)):
        scene = tmp_path / f"{name}.toml"
        scene.write_text(FLAT + space)
        runs[name] = posetest.audit("bundled", [str(scene)], poses=poses, out=tmp_path / name, image_size=96)
    told = runs["anyhow"].reweighted(str(tmp_path / "held.toml")).set_index("outcome").loc["recognised"]
    direct, anyhow = runs["held"].rates().iloc[0], runs["anyhow"].rates().iloc[0]
    assert told["ess"] > 150
    assert told["low"] < direct["high"]
    assert direct["low"] < told["high"]
    assert told["low"] > anyhow["high"]  # this is not the rate of all rotations
