"""The design of Sobol indices: exchanged parameters, and that every exchanged pose is again one of the measure."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.transform import Rotation

from posetest.config import ObjectConfig, SceneConfig, SpaceConfig
from posetest.engine.probe_design import design_rows, factors
from posetest.space import INDEX, Space, object_to_camera, scene_space


def space_of(**changes: object) -> Space:
    return scene_space(SceneConfig(object=ObjectConfig(mesh="x.obj"), space=SpaceConfig(**changes)))  # type: ignore[arg-type]


def test_a_row_holds_both_samples_and_each_factor_exchanged_both_ways() -> None:
    space = space_of(azimuth=(-30, 30))
    bases, rows = design_rows(space, 5, [0, 1])
    found = factors(tuple(space.free))
    assert list(found) == ["yaw", "pitch", "roll", "distance", "offset_x", "offset_y", "azimuth", "rotation"]
    assert len(rows) == 5 * (2 + 2 * len(found))
    np.testing.assert_array_equal(rows.of, np.repeat(np.arange(5), 18))
    sample = {name: rows.vectors[rows.change == name] for name in dict.fromkeys(rows.change)}
    a, b = sample["A"], sample["B"]
    np.testing.assert_array_equal(bases.vectors, a)
    assert (a[:, [INDEX[name] for name in space.free]] != b[:, [INDEX[name] for name in space.free]]).all()
    for name, parameters in found.items():
        exchanged = [INDEX[p] for p in parameters]
        others = [i for i in range(a.shape[1]) if i not in exchanged]
        for word, into, source in (("AB", a, b), ("BA", b, a)):
            mixed = sample[f"{word} {name}"]
            np.testing.assert_array_equal(mixed[:, exchanged], source[:, exchanged])
            np.testing.assert_array_equal(mixed[:, others], into[:, others])


def test_without_three_free_angles_there_is_no_factor_of_rotations() -> None:
    assert list(factors(("yaw", "pitch", "distance"))) == ["yaw", "pitch", "distance"]
    assert list(factors(("yaw", "pitch", "roll"))) == ["yaw", "pitch", "roll"]  # it would explain everything


@pytest.mark.parametrize("exchanged", ["AB yaw", "AB pitch", "BA roll", "BA rotation"])
def test_rotations_are_uniform_whichever_of_their_angles_is_exchanged(exchanged: str) -> None:
    """As they are only if yaw, pitch and roll of a Haar-uniform rotation are independent."""
    _, rows = design_rows(space_of(), 4000, [7])
    turned = object_to_camera(rows.vectors[rows.change == exchanged])
    for relative in (np.eye(3), Rotation.from_euler("zyx", [40, -70, 110], degrees=True).as_matrix()):
        angle = Rotation.from_matrix(turned @ relative).magnitude()
        assert stats.kstest(angle, lambda a: (a - np.sin(a)) / np.pi).pvalue > 0.01
        assert stats.kstest((turned @ relative)[:, 2, 2], "uniform", args=(-1, 2)).pvalue > 0.01


def test_the_angles_of_a_haar_uniform_rotation_are_independent() -> None:
    """Rotations of scipy, not of our own space, in our angles: R = Ry(yaw) Rx(pitch) Rz(roll)."""
    angles = Rotation.random(20_000, rng=np.random.default_rng(0)).as_euler("YXZ")
    assert stats.kstest(np.sin(angles[:, 1]), "uniform", args=(-1, 2)).pvalue > 0.01
    cells = [np.digitize(x, np.quantile(x, [0.25, 0.5, 0.75])) for x in angles.T]
    table = np.zeros((4, 4, 4))
    np.add.at(table, tuple(cells), 1)
    assert stats.chi2_contingency(table).pvalue > 0.01


def test_a_design_depends_on_its_key_alone() -> None:
    one, two, other = (design_rows(space_of(), count, key)[1] for count, key in ((6, [3]), (9, [3]), (6, [4])))
    np.testing.assert_array_equal(one.vectors, two.vectors[: len(one)])
    assert not np.array_equal(one.vectors, other.vectors)
