"""The loop over a range of images whose gradients one thread finds; the parts are in adjoint.py."""

from __future__ import annotations

import math
from typing import Any

from posetest.render.cpu.kernels.adjoint import (
    add_blended_background,
    add_outlines,
    differentiate_rows,
    forget_blends,
    spread_blends,
    to_camera,
    turn_out,
)
from posetest.render.cpu.kernels.draw import find_visible
from posetest.render.cpu.kernels.silhouette import forget


def gradient_loop(build: int) -> Any:
    """The loop over images, for ``draw.compiled``."""

    def gradient_range(first, last, mesh, views, backgrounds, samples, scratch, adjoint, given, out):
        """Gradients of views ``first`` to ``last - 1``, to the arrays of ``out``; returns ``build``.

        ``given`` is (images, dL/dimages), ``adjoint`` holds this thread's buffers.
        """
        images, by_images = given
        height, width = images.shape[2], images.shape[3]
        stride = scratch.face.shape[0] // (height * samples)
        torque, force, focal = adjoint.torque, adjoint.force, adjoint.focal
        for i in range(first, last):
            image, by_image, background = images[i], by_images[i], backgrounds[views.background[i]]
            _, _, mixes = find_visible(
                mesh, views.rotation[i], views.position[i], views.fov[i], True, height, width, stride, samples, scratch
            )
            spread_blends(mesh, mixes, image, by_image, stride, samples, scratch, adjoint.extra)
            view = (views.ambient[i], views.light_dirs[i], views.light_colors[i])
            by_background = out.backgrounds[i] if out.backgrounds.shape[0] > 0 else out.no_background
            for k in range(2):
                for r in range(3):
                    torque[k, r], force[k, r] = 0.0, 0.0
            focal[0] = 0.0
            by = (torque[0], force[0], focal)
            by_lights = (torque[1], force[1], out.light_dirs[i], out.light_colors[i], out.ambient[i])
            differentiate_rows(
                mesh, view, background, stride, samples, image, by_image, scratch, adjoint, by, by_lights, by_background
            )
            if by_background.shape[0] > 0:
                add_blended_background(
                    mesh, mixes, background, image, by_image, stride, samples, scratch, by_background
                )
            add_outlines(mesh, mixes, background, stride, samples, image, by_image, scratch, by)
            turn_out(torque[1], scratch.turn)
            turn_out(force[1], scratch.turn)
            for k in range(out.light_dirs.shape[1]):
                turn_out(out.light_dirs[i, k], scratch.turn)
                to_camera(out.light_dirs[i, k])
            for r in range(3):
                out.rotation[i, r] = torque[0, r] + torque[1, r]
                out.position[i, r] = force[0, r] + force[1, r]
            to_camera(out.rotation[i])
            to_camera(out.position[i])
            out.fov[i] = -focal[0] / math.sin(views.fov[i])  # the focal length is the cotangent of half the angle
            forget_blends(mixes, scratch, adjoint.extra)
            forget(mixes, scratch)
        return build

    return gradient_range
