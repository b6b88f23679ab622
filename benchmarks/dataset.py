"""What PoseDataset costs over the renderer alone: pictures a second of both, by turns, and the ratio.

    python benchmarks/dataset.py [--pixels 224] [--repeats 5] [--json]

The renderer draws batches of the same poses of the same scenes without any dataset around it, on as many threads as the
dataset has threads and processes. Medians of the repeats.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from contextlib import ExitStack, closing

from posetest.engine.host import tune_process

SCENES = ("school_bus", "coffee_mug", "traffic_light", "soccer_ball")
PICTURES, BATCH, VIEWS = 1024, 64, 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pixels", type=int, default=224)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tune_process()
    from torch.utils.data import DataLoader

    from posetest.render.select import open_renderer
    from posetest.scene.scene import load_scene
    from posetest.space import scene_space, vectors_to_views
    from posetest.stimuli.dataset import PoseDataset

    scenes = [load_scene(name, under="photographer") for name in SCENES]
    rounds = PICTURES // VIEWS // len(scenes)

    def renderer_alone(threads: int) -> float:
        with ExitStack() as stack:
            opened = [
                stack.enter_context(closing(open_renderer(s.mesh, s.background, s.config.render, threads=threads)))
                for s in scenes
            ]
            spaces = [scene_space(s.config, s.background.count) for s in scenes]

            def draw(number: int) -> None:
                for scene, space, renderer in zip(scenes, spaces, opened, strict=True):
                    views = vectors_to_views(space.sample(0, number * VIEWS, (number + 1) * VIEWS), scene.config)
                    renderer.render(views, options.pixels, options.pixels)

            draw(0)
            started = time.perf_counter()
            for number in range(1, rounds):
                draw(number)
            return (rounds - 1) * VIEWS * len(scenes) / (time.perf_counter() - started)

    def dataset(workers: int, kind: str) -> float:
        data = PoseDataset(scenes, image_size=options.pixels, views=VIEWS, batch_size=BATCH, rounds=rounds)
        loaders = {"loop": data, "threads": data.loader(workers)}
        batches = iter(loaders.get(kind) or DataLoader(data, batch_size=None, num_workers=workers))
        for _ in range(workers):
            next(batches)  # processes, meshes and backgrounds are there
        started, count = time.perf_counter(), 0
        for images, _ in batches:
            count += len(images)
        return count / (time.perf_counter() - started)

    result = {}
    for workers, kind in ((1, "loop"), (2, "threads"), (2, "processes")):
        alone, ours, ratios = [], [], []
        for _ in range(options.repeats):
            alone.append(renderer_alone(workers))
            ours.append(dataset(workers, kind))
            ratios.append(ours[-1] / alone[-1])
        result[kind if kind == "loop" else f"{workers} {kind}"] = {
            "renderer, pictures a second": round(statistics.median(alone)),
            "dataset, pictures a second": round(statistics.median(ours)),
            "ratio": round(statistics.median(ratios), 3),
        }
    if options.json:
        print(json.dumps({"pixels": options.pixels, "settings": result}))
    else:
        for setting, figures in result.items():
            print(f"{setting}: " + ", ".join(f"{name} {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
