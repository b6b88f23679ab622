"""What an audit costs over the classifier alone, how fast it is, and whether its memory grows with the run.

    python benchmarks/audit.py [--quick] [--json]

The overhead is a ratio of two wall times taken in turn in one process, medians over the repetitions: the machine may be
shared. Memory is the peak resident size of a fresh process for each number of poses.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

from posetest.engine.host import tune_process

SHARED = Path(__file__).resolve().parents[2] / "shared"
BATCH = 32

_AUDIT_IN_A_PROCESS = """
from pathlib import Path
from posetest.engine.host import tune_process
tune_process()
import posetest
run = posetest.audit("bundled", "{scene}", poses={poses}, image_size=64, out=Path("{out}"))
run.rates()
# not getrusage: its peak is inherited from the process that started this one
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) / 1024)
"""


def classifier() -> str:
    """MobileNetV2: the trained one where it is at hand, else the same network with random weights."""
    trained = SHARED / "classifiers" / "classifiers.py"
    return f"{trained}:load?name=mobilenet_v2" if trained.is_file() else "torchvision:mobilenet_v2?weights=none"


def scene() -> object:
    """The jeep where it is at hand, else a bundled object."""
    import posetest

    jeep = SHARED / "meshes" / "jeep" / "suv.obj"
    if jeep.is_file():
        warnings.simplefilter("ignore")  # the jeep has six faces without area
        return posetest.load_scene(jeep, up="+z", front="+y", labels=["jeep"])
    return posetest.load_scene("school_bus")


def overhead(poses: int, repetitions: int) -> tuple[float, float]:
    """Median of (audit / classifier alone) wall time on the same pictures, and median poses a second of the audit."""
    import torch

    import posetest
    from posetest.engine.host import default_threads
    from posetest.render.cpu import CpuRenderer
    from posetest.space import scene_space, vectors_to_views

    model, one = posetest.load_model(classifier()), scene()
    torch.set_num_threads(default_threads())
    vectors = scene_space(one.config).sample(0, 0, poses)
    with CpuRenderer(one.mesh, one.background, threads=default_threads()) as renderer:
        pictures = torch.from_numpy(renderer.render(vectors_to_views(vectors, one.config), 224, 224).images)

    def alone() -> float:
        start = time.perf_counter()
        with torch.inference_mode():
            for i in range(0, poses, BATCH):
                model.log_probabilities(pictures[i : i + BATCH])
        return time.perf_counter() - start

    def audited(count: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            posetest.audit(model, one, poses=count, batch_size=BATCH, image_size=224, out=Path(folder) / "run")
            return time.perf_counter() - start

    audited(2 * BATCH)  # warm
    pairs = [(audited(poses), alone()) for _ in range(repetitions)]
    return statistics.median(a / b for a, b in pairs), statistics.median(poses / a for a, _ in pairs)


def peak_rss_mb(poses: int) -> float:
    """Peak resident size of a process that audits the bundled classifier on one bundled scene."""
    with tempfile.TemporaryDirectory() as folder:
        code = _AUDIT_IN_A_PROCESS.format(scene="school_bus", poses=poses, out=Path(folder) / "run")
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def help_seconds(repetitions: int = 7) -> float:
    """Median wall time of ``posetest --help`` in a fresh process."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "posetest.cli", "--help"], capture_output=True, check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute, caches warm")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args()
    tune_process()
    ratio, speed = overhead(*((512, 2) if options.quick else (2000, 5)))
    result = {
        "audit_over_classifier": round(ratio, 3),
        "poses_per_s": round(speed, 1),
        "peak_rss_mb_1k": round(peak_rss_mb(1000), 1),
        "peak_rss_mb_20k": round(peak_rss_mb(20_000), 1),
        "help_s": round(help_seconds(), 3),
    }
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:24s}{value:>10}")


if __name__ == "__main__":
    main()
