"""What the CPU renderer promises beyond the shared contract: threads and settings change no bit, or are refused."""

from __future__ import annotations

import numpy as np
import pytest
from render_pictures import noise_picture, quad, random_rotations, sphere, views

from posetest.errors import ConfigError
from posetest.render.cpu import CpuRenderer
from posetest.scene.material import Material, Texture


@pytest.mark.parametrize("samples", [1, 2])
def test_a_picture_does_not_depend_on_batch_threads_or_order(samples: int) -> None:
    mesh = sphere(10, (Material(texture=Texture(noise_picture(40, 24))),), lumps=0.2)
    poses = views(random_rotations(23), (0.1, 0.1, -4), lights=np.array([[1.0, 1, 1]]), ambient=0.2)
    poses.position[5] = (0, 0, -0.8)  # through the camera
    poses.position[9] = (1.2, 0, -4)  # half outside
    with CpuRenderer(mesh, threads=1, samples=samples) as renderer:
        whole = renderer.render(poses, 40, 56, mask=True)
        single = [renderer.render(poses[i : i + 1], 40, 56) for i in range(23)]
    order = np.random.default_rng(0).permutation(23)
    with CpuRenderer(mesh, threads=2, samples=samples) as renderer:
        shuffled = renderer.render(poses[order], 40, 56, mask=True)
    assert len(set(whole.digest.tolist())) == 23
    np.testing.assert_array_equal(shuffled.digest, whole.digest[order])
    np.testing.assert_array_equal(shuffled.images, whole.images[order])
    np.testing.assert_array_equal(shuffled.inside, whole.inside[order])
    for i, one in enumerate(single):
        assert one.digest[0] == whole.digest[i]
        np.testing.assert_array_equal(one.images[0], whole.images[i])


def test_a_closed_renderer_may_be_used_again() -> None:
    poses = views(random_rotations(9))
    renderer = CpuRenderer(sphere(6), threads=2)
    first = renderer.render(poses, 16, 16).digest
    renderer.close()
    np.testing.assert_array_equal(renderer.render(poses, 16, 16).digest, first)
    renderer.close()


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigError, match="threads must be at least 1"):
        CpuRenderer(quad(), threads=0)
    with pytest.raises(ConfigError, match=r"samples must be 1 or 2 \(for 2 x 2 a pixel\), not 3"):
        CpuRenderer(quad(), samples=3)
    with pytest.raises(ConfigError, match='shading must be one of linear, gamma_free, not "flat"'):
        CpuRenderer(quad(), shading="flat")  # type: ignore[arg-type]
