"""How often published networks name the bundled objects in 54 upright views, and what they look like.

    python benchmarks/bundled_views.py [--only NAME ...] [--seed N] [--views] [--sheet FILE.png] [--markdown]

18 azimuths at elevations 0, 15 and 30 degrees, framed and lit as the real meshes are in canonical_views.py. An object
counts as named by a network where an accepted label comes first in at least 20 of the 54 views. With --views, what each
network says azimuth by azimuth; with --sheet, six pictures of each object, to be looked at.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from canonical_views import SHARED, framed, pictures

from posetest.engine.host import tune_process

NETWORKS = ("mobilenet_v2", "tf2_mobilenet_v2", "mobilenet_v1_0.75_192")
AZIMUTHS, ELEVATIONS = range(0, 360, 20), (0, 15, 30)
NAMED_OFTEN = 20
SHEET_VIEWS = ((-35, 15), (35, 15), (0, 0), (90, 10), (180, 15), (145, 40))


def built_scene(name: str, seed: int, folder: Path) -> tuple[object, int]:
    """The object through a GLB file, as users get it, and the size of that file in bytes."""
    import posetest
    from posetest.objects.catalogue import BUILDERS
    from posetest.objects.glb import mesh_to_glb

    built = BUILDERS[name](seed)
    path = folder / f"{name}.glb"
    path.write_bytes(mesh_to_glb(built.mesh))
    return posetest.load_scene(path, labels=built.labels), path.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", help="names of objects; all by default")
    parser.add_argument("--seed", type=int, default=0, help="of the builders; 0 is the bundled object")
    parser.add_argument("--views", action="store_true")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    tune_process()
    import torch

    import posetest
    from posetest.api.request import accepted_classes
    from posetest.objects.catalogue import BUILDERS

    file = SHARED / "classifiers" / "classifiers.py"
    models = {name: posetest.load_model(f"{file}:load?name={name}") for name in NETWORKS}
    shots, often = [], 0
    if options.markdown:
        print(f"| object | {' | '.join(NETWORKS)} | kB |\n|---|{'---|' * (len(NETWORKS) + 1)}")
    for name in options.only or BUILDERS:
        with tempfile.TemporaryDirectory() as folder:
            scene, size = built_scene(name, options.seed, Path(folder))
        if options.sheet:
            shots.append(pictures(scene, [framed(scene, a, e, 0.85) for a, e in SHEET_VIEWS], 224))
        images = torch.from_numpy(
            pictures(scene, [framed(scene, a, e, 0.75) for e in ELEVATIONS for a in AZIMUTHS], 224)
        )
        counts = []
        for model in models.values():
            with torch.inference_mode():
                top = model.log_probabilities(images).argmax(1).tolist()
            accepted = accepted_classes(scene, model)
            counts.append(sum(t in accepted for t in top))
            if options.views:
                print(f"{name}, {model.name}")
                for k, azimuth in enumerate(AZIMUTHS):
                    says = [top[row * len(AZIMUTHS) + k] for row in range(len(ELEVATIONS))]
                    words = ["*" if t in accepted else model.categories[t].split(",")[0] for t in says]
                    print(f"  azimuth {azimuth:3d}   {' | '.join(f'{word:22s}' for word in words)}")
        often += sum(count >= NAMED_OFTEN for count in counts) >= 2
        line = " | " if options.markdown else "  "
        print(
            f"| {name}{line}{line.join(map(str, counts))} | {size / 1000:.0f} |"
            if options.markdown
            else f"{name:16s} {counts}   {size / 1000:.0f} kB",
            flush=True,
        )
    print(f"\nnamed in {NAMED_OFTEN} views or more by two networks or more: {often} objects")
    if options.sheet:
        from PIL import Image

        from posetest.api import contact_sheet

        Image.fromarray(contact_sheet(np.concatenate(shots), len(SHEET_VIEWS))).save(options.sheet)


if __name__ == "__main__":
    main()
