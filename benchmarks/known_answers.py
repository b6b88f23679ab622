"""Maps of the classifiers whose failures are known, for docs/bundled-classifier.md: where each recognises its object.

    python benchmarks/known_answers.py [--poses 6000] [--out docs/images/known_answers.png]

Recognition over viewing direction, cells of equal area, in Mollweide's projection, the object's front in the middle;
the numbers of tests/known_answers at a higher resolution.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from posetest.engine.host import tune_process

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = ROOT / "tests" / "known_answers"
UPRIGHT = "[space]\nelevation = [-90, 90]\n"

#: Title, model, object, included scene, what the scene says besides.
PANELS = (
    ("bundled, cab, upright: trained on elevations -5 to 50", "bundled", "cab", "photographer", UPRIGHT),
    ("bundled, cab, turned any way", "bundled", "cab", "rotations", ""),
    (
        "trained on all rotations, school bus",
        f"bundled?weights={WEIGHTS}/rotations.safetensors",
        "school_bus",
        "rotations",
        "",
    ),
    (
        "never saw a forklift from behind",
        f"bundled?weights={WEIGHTS}/no_back.safetensors",
        "forklift",
        "photographer",
        "",
    ),
)


def audited(model: str, name: str, include: str, text: str, poses: int) -> Any:
    """Evaluated rows of one audit."""
    import posetest
    from posetest.analysis.outcomes import of_pair, outcomes

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "conditions.toml"
        path.write_text(f'include = ["{ROOT / "scenes" / include}.toml"]\n{text}')
        scene = posetest.load_scene(name, under=path)
        run = posetest.audit(model, scene, poses=poses, seed=1, image_size=96, out=Path(folder) / "run")
        return of_pair(outcomes(run, ["qw", "qx", "qy", "qz"]), name, run.info.models[0].name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--poses", type=int, default=6000)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "known_answers.png")
    options = parser.parse_args()
    tune_process()
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from posetest.analysis.density import direction_rates
    from posetest.analysis.intervals import wilson
    from posetest.report.plates import draw_direction

    figure, axes = plt.subplots(2, 2, figsize=(11, 6.4), subplot_kw={"projection": "mollweide"}, layout="constrained")
    for panel, axis in zip(PANELS, axes.flat, strict=True):
        title, *what = panel
        rows = audited(*what, options.poses)
        cells = direction_rates(rows, nside=6)
        image = draw_direction(axis, cells)
        low, high = (float(x[0]) for x in wilson(np.array([rows["recognised"].sum()]), np.array([len(rows)])))
        rate = f"recognised {rows['recognised'].mean():.1%} [{low:.1%}, {high:.1%}], n = {len(rows):,}"
        axis.set_title(f"{title}\n{rate}", fontsize=9)
        print(f"{title}: {rate}")
    figure.colorbar(image, ax=axes, shrink=0.6, label="share recognised")
    figure.savefig(options.out, dpi=110)


if __name__ == "__main__":
    main()
