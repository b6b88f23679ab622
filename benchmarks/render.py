"""Speed of the CPU renderer and its gradient, beside MobileNetV2's forward pass in the same run; memory and starts.

    python benchmarks/render.py [--quick] [--json]

Every speed is a median over rounds in which all settings take turns, so that other work on the machine hits them alike;
the classifier takes turns with the renderer. Sharing the process are the settings of ``workloads.PROCESS``, with which
the script starts itself again. --quick gives the main figures and those of benchmarks/gradients.py for outlines and
smooth adjoints, in under a minute with numba's cache on disk; the cold start and the sweeps are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from workloads import classifier, ox, restart_tuned, textured_sphere, views

from posetest.render.cpu import CpuRenderer
from posetest.scene.mesh import Mesh

BATCH = 64
SIDE = 224
#: Of the classifier: a few sizes, of which the fastest counts.
CLASSIFIER_BATCHES = (8, 16, 32)

_FIRST_IMAGE = """
import time
start = time.perf_counter()
from posetest.render.cpu import CpuRenderer
imported = time.perf_counter()
import sys
sys.path.insert(0, {here!r})
from workloads import ox, views
mesh = ox()
loaded = time.perf_counter()
with CpuRenderer(mesh) as renderer:
    renderer.render(views(1, 0), 224, 224)
drawn = time.perf_counter()
print(imported - start, loaded - imported, drawn - loaded)
"""

_MEMORY = """
import sys
sys.path.insert(0, {here!r})
from workloads import ox, views
from posetest.render.cpu import CpuRenderer
with CpuRenderer(ox(), samples={samples}) as renderer:
    images = renderer.render(views({count}, 0), 224, 224).images
    if {gradient}:
        renderer.gradient(views({count}, 0), images, images)
# not getrusage: its peak is inherited from the process that started this one
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) / 1024)
"""

_HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass(frozen=True, eq=False)
class Case:
    """What is timed: pictures, or the gradient given pictures and adjoints."""

    mesh: Mesh
    side: int = SIDE
    threads: int = 2
    samples: int = 1
    is_gradient: bool = False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the main figures, in under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args()
    restart_tuned()
    figures = headline(rounds=7 if options.quick else 15)
    if not options.quick:
        figures |= sweeps(rounds=9)
        figures |= memory()
        figures |= {f"cold_{name}": value for name, value in first_image(1, is_cold=True).items()}
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:40} {value:>12}")


def headline(rounds: int) -> dict[str, float]:
    """The figures that the renderer is judged by."""
    import torch
    from gradients import edge_rmse, smooth_agreement

    torch.set_num_threads(1)  # the share is of one core
    mesh, many = ox(), textured_sphere(82_000)
    cases = {
        "one": Case(mesh, threads=1),
        "two": Case(mesh),
        "fine": Case(mesh, samples=2),
        "many": Case(many),
        "gradient_s1": Case(mesh, is_gradient=True),
        "gradient_s2": Case(mesh, samples=2, is_gradient=True),
    }
    calls = timed_calls(cases)
    calls |= classifier_calls()
    seconds = medians(calls, rounds)
    speed = {name: BATCH / seconds[name] for name in cases}
    size = min(CLASSIFIER_BATCHES, key=lambda n: seconds[f"mobilenet_{n}"] / n)
    per_image = seconds[f"mobilenet_{size}"] / size
    ratio = statistics.median(a / b for a, b in zip(calls["one"].taken, calls["two"].taken, strict=True))
    torch.set_num_threads(2)
    edges, smooth = edge_rmse(), smooth_agreement()
    return {
        "forward_images_per_s": round(speed["two"], 1),
        "forward_share_of_mobilenet_v2": round(1 / speed["one"] / per_image, 4),
        "threads_2_over_1": round(ratio, 3),
        "forward_82k_images_per_s": round(speed["many"], 1),
        "gradient_s1_images_per_s": round(speed["gradient_s1"], 1),
        "gradient_s2_images_per_s": round(speed["gradient_s2"], 1),
        "edge_rmse": edges["edge_s1"],
        "gradient_cosine_smooth": smooth["cosine_s1"],
        **first_image(3),
        "forward_one_thread_images_per_s": round(speed["one"], 1),
        "forward_ms_per_core": round(1e3 / speed["one"], 3),
        "mobilenet_v2_ms_per_core": round(1e3 * per_image, 3),
        "mobilenet_v2_batch": size,
        "forward_s2_images_per_s": round(speed["fine"], 1),
        "forward_and_gradient_s1_images_per_s": round(1 / (1 / speed["two"] + 1 / speed["gradient_s1"]), 1),
        "forward_and_gradient_s2_images_per_s": round(1 / (1 / speed["fine"] + 1 / speed["gradient_s2"]), 1),
        "edge_rmse_s2": edges["edge_s2"],
        "edge_band_rmse": edges["band_s1"],
        "edge_band_rmse_s2": edges["band_s2"],
        "gradient_error_smooth": smooth["error_s1"],
        "gradient_cosine_smooth_s2": smooth["cosine_s2"],
        "gradient_error_smooth_s2": smooth["error_s2"],
    }


def sweeps(rounds: int) -> dict[str, float]:
    """Images a second by faces, pixels, threads and samples."""
    mesh = ox()
    spheres = {faces: textured_sphere(faces) for faces in (300, 1_000, 5_000, 20_000, 100_000)}
    cases = {f"sphere {faces} faces": Case(sphere) for faces, sphere in spheres.items()}
    cases |= {
        f"ox {side} px, {threads} threads, samples={samples}": Case(mesh, side, threads, samples)
        for side in (112, 160, 224, 299, 448)
        for threads in (1, 2)
        for samples in (1, 2)
    }
    cases |= {
        f"gradient, ox {SIDE} px, {threads} threads, samples={samples}": Case(mesh, SIDE, threads, samples, True)
        for threads in (1, 2)
        for samples in (1, 2)
    }
    return {name: round(BATCH / taken, 1) for name, taken in medians(timed_calls(cases), rounds).items()}


class Timed:
    """A call and the seconds that it took each time, the first time left out."""

    def __init__(self, call: Callable[[int], object]) -> None:
        self._call = call
        self.taken: list[float] = []

    def run(self, number: int) -> None:
        began = time.perf_counter()
        self._call(number)
        if number:
            self.taken.append(time.perf_counter() - began)


def medians(calls: dict[str, Timed], rounds: int) -> dict[str, float]:
    for number in range(rounds + 1):
        for call in calls.values():
            call.run(number)
    return {name: statistics.median(call.taken) for name, call in calls.items()}


def timed_calls(cases: dict[str, Case]) -> dict[str, Timed]:
    """Calls for batches of BATCH views; pictures of other poses each round, gradients of the same."""
    calls = {}
    for name, case in cases.items():
        renderer = CpuRenderer(case.mesh, threads=case.threads, samples=case.samples)
        if case.is_gradient:
            calls[name] = Timed(gradient_call(renderer, case.side))
        else:
            calls[name] = Timed(lambda n, r=renderer, side=case.side: r.render(views(BATCH, n), side, side))
    return calls


def gradient_call(renderer: CpuRenderer, side: int) -> Callable[[int], object]:
    of = views(BATCH, seed=0)
    images = renderer.render(of, side, side).images
    adjoints = np.random.default_rng(0).normal(size=images.shape).astype(np.float32)
    return lambda _: renderer.gradient(of, images, adjoints)


def classifier_calls() -> dict[str, Timed]:
    """MobileNetV2's forward pass on one thread, channels_last, in batches of several sizes."""
    import torch

    model = classifier("mobilenet_v2")
    pictures = torch.rand(max(CLASSIFIER_BATCHES), 3, SIDE, SIDE).contiguous(memory_format=torch.channels_last)

    def forward(size: int) -> None:
        with torch.inference_mode():
            model.log_probabilities(pictures[:size])

    return {f"mobilenet_{size}": Timed(lambda _, size=size: forward(size)) for size in CLASSIFIER_BATCHES}


def first_image(repetitions: int, is_cold: bool = False) -> dict[str, float]:
    """Seconds in a fresh process: imports and first picture; loading the mesh is listed beside it."""
    parts = []
    for _ in range(repetitions):
        with tempfile.TemporaryDirectory() as empty:
            environment = os.environ | ({"NUMBA_CACHE_DIR": empty} if is_cold else {})
            parts.append([float(part) for part in _child(_FIRST_IMAGE.format(here=_HERE), environment).split()])
    imports, loading, first = (statistics.median(part) for part in zip(*parts, strict=True))
    return {
        "first_image_s": round(imports + first, 3),
        "first_image_import_s": round(imports, 3),
        "first_image_draw_s": round(first, 3),
        "first_image_mesh_s": round(loading, 3),
    }


def memory() -> dict[str, float]:
    """Peak resident MB of a process that draws one batch, and differentiates it."""
    found = {}
    for count, samples, gradient in [(1, 1, False), (64, 1, False), (256, 1, False), (1, 2, True), (64, 2, True)]:
        code = _MEMORY.format(here=_HERE, count=count, samples=samples, gradient=gradient)
        what = "pictures and gradients" if gradient else "pictures"
        found[f"peak MB, {count} {what}, samples={samples}"] = round(float(_child(code, dict(os.environ))), 1)
    return found


def _child(code: str, environment: dict[str, str]) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    ).stdout


if __name__ == "__main__":
    main()
