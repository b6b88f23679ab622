"""The objects that this package builds, by name: one entry each in posetest/objects, meshes/ and scenes/."""

from __future__ import annotations

from posetest.objects import (
    ambulance,
    backpack,
    balloon,
    barrel,
    cab,
    coffee_mug,
    fire_engine,
    forklift,
    garbage_truck,
    golf_cart,
    lighthouse,
    minibus,
    motor_scooter,
    moving_van,
    park_bench,
    parking_meter,
    school_bus,
    soccer_ball,
    street_sign,
    traffic_light,
    umbrella,
)
from posetest.objects.assemble import Builder

#: Name of the object, of its file in meshes/ and of its scene -> the builder; seed 0 gives the bundled object.
BUILDERS: dict[str, Builder] = {
    "school_bus": school_bus.build,
    "coffee_mug": coffee_mug.build,
    "traffic_light": traffic_light.build,
    "soccer_ball": soccer_ball.build,
    "street_sign": street_sign.build,
    "cab": cab.build,
    "minibus": minibus.build,
    "ambulance": ambulance.build,
    "fire_engine": fire_engine.build,
    "moving_van": moving_van.build,
    "garbage_truck": garbage_truck.build,
    "golf_cart": golf_cart.build,
    "motor_scooter": motor_scooter.build,
    "forklift": forklift.build,
    "umbrella": umbrella.build,
    "parking_meter": parking_meter.build,
    "park_bench": park_bench.build,
    "backpack": backpack.build,
    "balloon": balloon.build,
    "lighthouse": lighthouse.build,
    "barrel": barrel.build,
}
