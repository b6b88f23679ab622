"""The objects that this package builds, by name: one entry each in posetest/objects, meshes/ and scenes/."""

from __future__ import annotations

from posetest.objects import (
    ambulance,
    coffee_mug,
    fire_engine,
    garbage_truck,
    moving_van,
    school_bus,
    soccer_ball,
    street_sign,
    traffic_light,
)
from posetest.objects.assemble import Builder

#: Name of the object, of its file in meshes/ and of its scene -> the builder; seed 0 gives the bundled object.
BUILDERS: dict[str, Builder] = {
    "school_bus": school_bus.build,
    "coffee_mug": coffee_mug.build,
    "traffic_light": traffic_light.build,
    "soccer_ball": soccer_ball.build,
    "street_sign": street_sign.build,
    "fire_engine": fire_engine.build,
    "ambulance": ambulance.build,
    "moving_van": moving_van.build,
    "garbage_truck": garbage_truck.build,
}
