"""Searches and tuning curves on every real mesh and every real network, small."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest

import posetest

NETWORKS = (
    "mobilenet_v2",
    "tf2_mobilenet_v2",
    "mobilenet_v1_0.75_192",
    "mobilenet_v1_0.5_160",
    "squeezenet",
    "mobilenet_v1_0.25_128",
)


def load(shared: Path, name: str) -> posetest.Scene:
    with (shared / "meshes" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file) if row["name"] == name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is wrong with a mesh is tested elsewhere
        return posetest.load_scene(
            shared / "meshes" / row["file"],
            up=row["up_axis"],
            front=row["front_axis"] or None,
            labels=[int(row["imagenet_index"])],
        )


def model(shared: Path, name: str) -> str:
    return f"{shared}/classifiers/classifiers.py:load?name={name}"


def names(shared: Path) -> list[str]:
    with (shared / "meshes" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return [row["name"] for row in csv.DictReader(file)]


def test_every_mesh_can_be_searched(shared: Path, tmp_path: Path) -> None:
    small = posetest.load_model(model(shared, "mobilenet_v1_0.25_128"))
    found = names(shared)
    assert len(found) == 30
    for name in found:
        run = posetest.search_poses(small, load(shared, name), budget=44, image_size=128, keep=1, out=tmp_path / name)
        table = run.table()
        assert len(table) == 44, name
        assert np.isfinite(table["score"]).all(), name
        first, later = table["score"][:32], table["score"][32:]
        assert later.mean() > first.mean() - 2 * first.std(), name  # what is proposed is no worse than what was drawn


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_can_be_searched_with_and_without_gradients(shared: Path, tmp_path: Path, network: str) -> None:
    loaded = posetest.load_model(model(shared, network))
    scene = load(shared, "banana")
    for method in ("cma?explored=8&population=6", "gradient?explored=8&starts=2"):
        run = posetest.search_poses(
            loaded, scene, objective="target:hook", method=method, budget=26, keep=1, out=tmp_path / method[:3]
        )
        assert np.isfinite(run.table()["score"]).all()
    layer = next(key for key, part in loaded.forward.named_modules() if key and not list(part.children()))
    curves = posetest.tuning_curves(loaded, scene, layer=layer, over="azimuth=-180:135:8", out=tmp_path / "tune")
    assert curves.units()["is_driven"].any()


def test_onnx_is_searched_as_a_black_box(shared: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    spec = f"onnx:{shared}/classifiers/mobilenet_v1_0.25_128.onnx?labels={shared}/classifiers/imagenet_classes.txt"
    run = posetest.search_poses(
        spec, load(shared, "goblet"), objective="maximise:logit:goblet", budget=40, image_size=128, out=tmp_path / "run"
    )
    assert run.info.search.backward == 0
    assert run.best()["score"] == run.table()["score"].max()


def test_a_failure_found_on_a_real_network_is_still_one_in_its_png(shared: Path, tmp_path: Path) -> None:
    """From a pose that mobilenet_v1 reads as a goblet to one it does not, near by: the nearest failure survives."""
    small = posetest.load_model(model(shared, "mobilenet_v1_0.25_128"))
    run = posetest.search_poses(
        small, load(shared, "goblet"), objective="nearest", budget=200, keep=3, out=tmp_path / "run"
    )
    start = run.images().query("kind == 'start'").iloc[0]
    assert start["png_label"] == "goblet"
    found = run.found()
    assert (found["kind"] == "hit").all()
    assert (found["png_label"] != "goblet").sum() >= 1
    assert np.degrees(-run.best()["score"]) < 15
