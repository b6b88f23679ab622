"""The whole path on real meshes and real networks."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from types import ModuleType

import pytest

import posetest

CANONICAL_VIEWS = Path(__file__).resolve().parents[1] / "benchmarks" / "canonical_views.py"


@pytest.fixture(scope="module")
def views() -> ModuleType:
    """The benchmark that counts recognised views, as a module."""
    spec = importlib.util.spec_from_file_location("canonical_views", CANONICAL_VIEWS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def mobilenet(shared: Path) -> object:
    return posetest.load_model(f"{shared / 'classifiers' / 'classifiers.py'}:load?name=mobilenet_v2")


# one of each format, texture kind and axis; benchmarks/canonical_views.py counts all thirty
@pytest.mark.parametrize("name", ["jeep", "traffic_light", "pop_bottle_ply", "goblet", "soccer_ball", "mailbox"])
def test_upright_views_are_recognised_as_often_as_in_an_independent_rendering(
    shared: Path, views: ModuleType, mobilenet: object, name: str
) -> None:
    row = next(row for row in views.manifest() if row["name"] == name)
    listed = int(row["notes"].split("first in ")[1].split(" ")[0])
    assert abs(views.count(row, mobilenet) - listed) <= views.WITHIN


@pytest.mark.parametrize(
    "network",
    [
        "mobilenet_v2",
        "tf2_mobilenet_v2",
        "mobilenet_v1_0.75_192",
        "mobilenet_v1_0.5_160",
        "squeezenet",
        "mobilenet_v1_0.25_128",
    ],
)
def test_every_network_audits_a_ball_that_looks_the_same_from_everywhere(
    shared: Path, tmp_path: Path, network: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ball = posetest.load_scene(shared / "meshes" / "soccer_ball" / "ball.dae", up="+z", labels=["soccer ball"])
    model = f"{shared / 'classifiers' / 'classifiers.py'}:load?name={network}"
    run = posetest.audit(model, ball, poses=48, batch_size=16, out=tmp_path / "run")
    rates = run.rates().set_index("stratum")
    # the smallest network knows less, the more so as the ball shines; guessing would be right once in a thousand
    assert rates["rate"]["all"] > 0.25
    assert rates["low"]["all"] < rates["rate"]["all"] < rates["high"]["all"] or rates["rate"]["all"] == 1
    assert run.report().stat().st_size > 50_000
