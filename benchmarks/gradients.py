"""How right the CPU renderer's outlines and gradients are, against pictures of 8x8 samples a pixel.

    python benchmarks/gradients.py [--meshes ox jeep ...] [--networks mobilenet_v2 ...] [--poses 8] [--json]

The truth for a gradient: central differences of supersampled pictures, contracted with an adjoint that is held fixed:
a sum of low cosine waves, or d log p(class of the mesh) / d picture of a trained network. Six numbers a pose, three
turns and three shifts, each in the unit that moves the outline of a ball of radius 1 by one pixel, so that all weigh
alike. A rough adjoint makes the truth depend on its step: that of half and double the step is listed beside it.
Methods, settings and truth share poses, adjoints and pictures. About ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from workloads import MESHES, classifier, ox, restart_tuned, shared_mesh, supersampled, views

from posetest.geometry.camera import Views, focal_px
from posetest.geometry.so3 import tangent_to_matrix
from posetest.protocols import ViewGradients
from posetest.render.cpu import CpuRenderer
from posetest.render.gradients import finite_gradient, jittered_gradient
from posetest.scene.mesh import Mesh

Array = NDArray[np.float64]
Images = NDArray[np.float32]

SIDE = 224
STEP_PX = 0.4
NETWORKS = ("mobilenet_v2", "tf2_mobilenet_v2", "squeezenet")
#: Count and standard deviation, in pixels of the outline, of the neighbours that ``jittered_gradient`` averages.
JITTERS = ((4, 0.1), (8, 0.1), (8, 0.25), (8, 0.5), (8, 1.0))


@dataclass(frozen=True, eq=False)
class Case:
    """Views of one mesh with the truth's differences of pictures for each number: [n, 6, 3, SIDE, SIDE] by step."""

    mesh: Mesh
    views: Views
    changes: dict[float, Images]

    def truth(self, adjoints: Images, step_px: float = STEP_PX) -> Array:
        """[n, 6], per pixel of the outline."""
        return np.einsum("nkchw,nchw->nk", self.changes[step_px], adjoints, dtype=np.float64) / (2 * step_px)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--meshes", nargs="*", default=list(MESHES), choices=list(MESHES))
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS))
    parser.add_argument("--poses", type=int, default=8)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args()
    restart_tuned()
    import torch

    torch.set_num_threads(2)
    networks = {name: classifier(name) for name in options.networks}
    rows: dict[str, dict[str, list[Array]]] = {}  # adjoint, method: [cosine, relative error, ms] of each pose
    for name in options.meshes:
        case = make_case(shared_mesh(name), views(options.poses, seed=7), (STEP_PX / 2, STEP_PX, 2 * STEP_PX))
        with CpuRenderer(case.mesh, samples=2) as renderer:
            pictures = renderer.render(case.views, SIDE, SIDE).images
        adjoints = {"smooth": smooth_adjoints(options.poses)}
        adjoints |= {key: network_adjoints(net, pictures, MESHES[name][2]) for key, net in networks.items()}
        for adjoint, values in adjoints.items():
            for method, found in judged(case, values).items():
                rows.setdefault(adjoint, {}).setdefault(method, []).append(found)
            best = {m: round(float(np.median(f[-1][0])), 4) for m, f in rows[adjoint].items()}
            print(f"{name} {adjoint}: {best}", file=sys.stderr, flush=True)
    pooled = {adjoint: {m: np.concatenate(f, axis=1) for m, f in table.items()} for adjoint, table in rows.items()}
    trained = [pooled[name] for name in networks]
    if trained:
        pooled["trained"] = {m: np.concatenate([table[m] for table in trained], axis=1) for m in trained[0]}
    result = {adjoint: {m: summary(f) for m, f in table.items()} for adjoint, table in pooled.items()}
    if options.json:
        print(json.dumps(result))
        return
    for adjoint, table in result.items():
        print(f"\n{adjoint:36}cosine  worst   error  worst    ms")
        for method, numbers in table.items():
            print(f"{method:34}" + "{:8.4f}{:7.3f}{:8.3f}{:7.2f}{:8.1f}".format(*numbers.values()))


def make_case(mesh: Mesh, of: Views, steps_px: tuple[float, ...]) -> Case:
    changes = {step: np.empty((len(of), 6, 3, SIDE, SIDE), dtype=np.float32) for step in steps_px}
    scale = per_pixel(of)
    with CpuRenderer(mesh, threads=2) as renderer:
        for step in steps_px:
            for number in range(6):
                move = np.zeros((len(of), 6))
                move[:, number] = step * scale[:, number]
                ahead, behind = (supersampled(renderer, moved(of, sign * move), SIDE)[0] for sign in (1, -1))
                changes[step][:, number] = ahead - behind
    return Case(mesh, of, changes)


def per_pixel(of: Views) -> Array:
    """[n, 6]: the turns (radians) and shifts (object units) that move the outline of a unit ball by one pixel."""
    depth = -of.position[:, 2]
    across = depth / focal_px(of.fov, SIDE, SIDE)
    return np.stack([across] * 5 + [across * depth], axis=1)


def moved(of: Views, moves: Array) -> Views:
    return replace(of, rotation=tangent_to_matrix(moves[:, :3]) @ of.rotation, position=of.position + moves[:, 3:])


def judged(case: Case, adjoints: Images) -> dict[str, Array]:
    """Method: [3, n], cosine to the truth, relative error, milliseconds a view on two threads."""
    truth, scale = case.truth(adjoints), per_pixel(case.views)
    found = {f"truth at {s} px": (case.truth(adjoints, s), 0.0) for s in sorted(case.changes) if s != STEP_PX}
    for samples in (1, 2):
        with CpuRenderer(case.mesh, threads=2, samples=samples) as renderer:
            images = renderer.render(case.views, SIDE, SIDE).images
            for method, call in methods(renderer, case.views, images, adjoints).items():
                began = time.perf_counter()
                gradient = call()
                taken = (time.perf_counter() - began) / len(truth) * 1e3
                six = np.concatenate([gradient.rotation, gradient.position], axis=1) * scale
                found[f"{method}, samples={samples}"] = (six, taken)
    return {method: np.stack([*agreement(six, truth), np.full(len(truth), ms)]) for method, (six, ms) in found.items()}


def methods(
    renderer: CpuRenderer, of: Views, images: Images, adjoints: Images
) -> dict[str, Callable[[], ViewGradients]]:
    px = float(per_pixel(of)[0, 0])
    found: dict[str, Callable[[], ViewGradients]] = {"analytic": lambda: renderer.gradient(of, images, adjoints)}
    for count, width in JITTERS:
        found[f"jitter {count} x {width} px"] = lambda count=count, width=width: jittered_gradient(
            renderer, of, images, adjoints, count=count, turn_rad=width * px, shift=width * px
        )
    found["analytic, drawn 2x"] = lambda: larger_gradient(renderer, of, adjoints, 2)
    for larger in (None, 2):
        name = f"finite {STEP_PX} px" + (f", drawn {larger}x" if larger else "")
        found[name] = lambda larger=larger: finite_gradient(
            renderer, of, adjoints, fields=("rotation", "position"), step_px=STEP_PX, samples=larger
        )
    return found


def larger_gradient(renderer: CpuRenderer, of: Views, adjoints: Images, factor: int) -> ViewGradients:
    """The analytic gradient of pictures drawn ``factor`` times larger and averaged as they are encoded.

    Averaging in linear light would be truer, and its chain rule is worse: the adjoint then depends on how bright a
    pixel is, on outlines too, where the renderer's gradient takes it for independent (12 % of error at 2x).
    """
    images = renderer.render(of, SIDE * factor, SIDE * factor).images
    spread = adjoints.repeat(factor, axis=2).repeat(factor, axis=3) / np.float32(factor**2)
    return renderer.gradient(of, images, spread)


def agreement(found: Array, truth: Array) -> tuple[Array, Array]:
    """Cosine and relative error of each row."""
    size = np.linalg.norm(truth, axis=1)
    cosine = (found * truth).sum(axis=1) / np.maximum(size * np.linalg.norm(found, axis=1), 1e-30)
    return cosine, np.linalg.norm(found - truth, axis=1) / np.maximum(size, 1e-30)


def summary(found: Array) -> dict[str, float]:
    cosine, error, taken = found
    return {
        "cosine": round(float(np.median(cosine)), 5),
        "worst_cosine": round(float(cosine.min()), 4),
        "error": round(float(np.median(error)), 4),
        "worst_error": round(float(error.max()), 3),
        "ms": round(float(np.median(taken)), 2),
    }


def smooth_adjoints(count: int, seed: int = 3, waves: int = 6) -> Images:
    """[count, 3, SIDE, SIDE]: sums of cosine waves of at most three periods a picture, other ones for each."""
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(*[(np.arange(SIDE) + 0.5) / SIDE] * 2, indexing="ij")
    frequency = rng.uniform(-3, 3, size=(count, 3, waves, 2, 1, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(count, 3, waves, 1, 1))
    return np.cos(2 * np.pi * (frequency[..., 0, :, :] * x + frequency[..., 1, :, :] * y) + phase).sum(2).astype("f4")


def network_adjoints(model: object, pictures: Images, label: int) -> Images:
    """d log p(label) / d pictures."""
    import torch

    images = torch.from_numpy(pictures.copy()).requires_grad_()
    scores = model.log_probabilities(images)  # type: ignore[attr-defined]
    return torch.autograd.grad(scores[:, label].sum(), images)[0].numpy()


def edge_rmse(poses: int = 6) -> dict[str, float]:
    """Root mean square difference (sRGB values) to supersampled pictures of the ox, by samples of the renderer.

    "edge": pixels that the object covers in part; "band": all within two pixels of those.
    """
    import torch

    mesh, of = ox(), views(poses, seed=11)
    with CpuRenderer(mesh, threads=2) as renderer:
        truth, cover = supersampled(renderer, of, SIDE)
    edge = (cover > 0.01) & (cover < 0.99)
    band = torch.nn.functional.max_pool2d(torch.from_numpy(edge.astype("f4"))[:, None], 5, 1, 2)[:, 0].numpy() > 0
    found = {}
    for samples in (1, 2):
        with CpuRenderer(mesh, threads=2, samples=samples) as renderer:
            square = ((renderer.render(of, SIDE, SIDE).images - truth) ** 2).mean(axis=1)
        for name, where in (("edge", edge), ("band", band)):
            found[f"{name}_s{samples}"] = round(float(np.sqrt(square[where].mean())), 5)
    return found


def smooth_agreement(poses: int = 8) -> dict[str, float]:
    """Median cosine and relative error of analytic gradients of the ox under smooth adjoints, by samples."""
    case, adjoints = make_case(ox(), views(poses, seed=7), (STEP_PX,)), smooth_adjoints(poses)
    truth, scale = case.truth(adjoints), per_pixel(case.views)
    found = {}
    for samples in (1, 2):
        with CpuRenderer(case.mesh, threads=2, samples=samples) as renderer:
            images = renderer.render(case.views, SIDE, SIDE).images
            gradient = renderer.gradient(case.views, images, adjoints)
        six = np.concatenate([gradient.rotation, gradient.position], axis=1) * scale
        cosine, error = agreement(six, truth)
        found[f"cosine_s{samples}"] = round(float(np.median(cosine)), 5)
        found[f"error_s{samples}"] = round(float(np.median(error)), 4)
    return found


if __name__ == "__main__":
    main()
