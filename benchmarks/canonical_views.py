"""How often mobilenet_v2 names the real meshes in 54 upright views, beside the counts that their manifest lists.

    python benchmarks/canonical_views.py [--model NAME] [--sheet FILE.png] [--json]

An end-to-end check of loader, axes, renderer, preprocessing and labels against somebody else's pictures: 18 azimuths at
elevations 5, 20 and 40 degrees, 30 degrees field of view, the object spanning 75 % of 224 pixels, mid grey behind it.
With --sheet, a contact sheet of every mesh in the manifest's canonical view (70 % of the frame).
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import warnings
from pathlib import Path

import numpy as np

from posetest.engine.host import default_threads, tune_process

SHARED = Path(__file__).resolve().parents[2] / "shared"
AZIMUTHS, ELEVATIONS = range(0, 360, 20), (5, 20, 40)
WITHIN, RECOGNISED_OFTEN = 8, 24


def manifest() -> list[dict[str, str]]:
    with (SHARED / "meshes" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def framed(scene: object, azimuth_deg: float, elevation_deg: float, share: float) -> dict[str, float]:
    """The pose in which the projected bounding box is centred and its longer side spans ``share`` of the frame.

    The light stays at the upper left of the picture, as it did in the pictures of the manifest.
    """
    from posetest.geometry.so3 import orbit_to_matrix

    points = scene.mesh.verts_obj.astype(float) @ orbit_to_matrix(*np.radians([[azimuth_deg], [elevation_deg]]))[0].T
    tangent = np.tan(np.radians(scene.config.camera.fov_deg) / 2)
    shift, near, far = np.zeros(2), points[:, 2].max() + 0.05, 100.0
    for _ in range(60):
        distance = (near + far) / 2
        for _ in range(3):  # the box's centre moves with the perspective
            flat = (points[:, :2] + shift) / (distance - points[:, 2:]) / tangent
            middle = (flat.min(0) + flat.max(0)) / 2
            shift -= middle * tangent * distance
        span = (flat.max(0) - flat.min(0)).max() / 2
        near, far = (distance, far) if span > share else (near, distance)
    offset = shift / (distance * tangent)
    return {
        "azimuth": azimuth_deg,
        "elevation": elevation_deg,
        "distance": distance,
        "offset_x": offset[0],
        "offset_y": offset[1],
        "light_azimuth": azimuth_deg - 35,
        "light_elevation": elevation_deg + 30,
        "light_strength": 0.8,
        "ambient": 0.15,
    }


def pictures(scene: object, poses: list[dict[str, float]], pixels: int) -> np.ndarray:
    from posetest.render.cpu import CpuRenderer
    from posetest.space import scene_space, vectors_to_views

    space = scene_space(scene.config)
    vectors = np.concatenate([space.vector(pose) for pose in poses])
    with CpuRenderer(scene.mesh, scene.background, threads=default_threads()) as renderer:
        return renderer.render(vectors_to_views(vectors, scene.config), pixels, pixels).images


def load(row: dict[str, str]) -> object:
    import posetest

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return posetest.load_scene(SHARED / "meshes" / row["file"], up=row["up_axis"], front=row["front_axis"] or None)


def count(row: dict[str, str], model: object) -> int:
    """Views of the 54 in which an accepted label comes first."""
    import torch

    scene = load(row)
    poses = [framed(scene, a, e, 0.75) for e in ELEVATIONS for a in AZIMUTHS]
    accepted = [int(row["imagenet_index"]), *map(int, filter(None, row["other_acceptable_indices"].split(";")))]
    with torch.inference_mode():
        top = model.log_probabilities(torch.from_numpy(pictures(scene, poses, 224))).argmax(1)
    return int(sum(int(t) in accepted for t in top))


def canonical_sheet(rows: list[dict[str, str]], path: Path) -> None:
    from PIL import Image

    from posetest.api import contact_sheet

    shots = []
    for row in rows:
        azimuth, elevation = re.search(r"Canonical view: ([+-]\d+) deg .*?, (\d+) deg up", row["notes"]).groups()
        scene = load(row)
        shots.append(pictures(scene, [framed(scene, float(azimuth), float(elevation), 0.7)], 224)[0])
    Image.fromarray(contact_sheet(np.stack(shots), 6)).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mobilenet_v2")
    parser.add_argument("--only", nargs="*", help="names of meshes; all by default")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tune_process()
    import posetest

    rows = [row for row in manifest() if not options.only or row["name"] in options.only]
    if options.sheet:
        canonical_sheet(rows, options.sheet)
    model = posetest.load_model(f"{SHARED / 'classifiers' / 'classifiers.py'}:load?name={options.model}")
    result = {}
    for row in rows:
        listed = int(re.search(r"first in (\d+) of 54", row["notes"]).group(1))
        result[row["name"]] = {"ours": count(row, model), "manifest": listed}
        if not options.json:
            ours = result[row["name"]]["ours"]
            note = "" if listed < RECOGNISED_OFTEN or abs(ours - listed) <= WITHIN else f"more than {WITHIN} apart"
            print(f"{row['name']:16s} ours {ours:3d}   manifest {listed:3d}   {note}")
    if options.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
