"""Boxes around poses: against regions whose shape, and whose share recognised in every box, is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from posetest.analysis.intervals import lower_bound
from posetest.engine.probe_boxes import Boxes, Outcome, is_shown

Array = NDArray[np.float64]
LADDER = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
FAR = np.array([[-1000.0, 1000.0]])
SETTINGS = {"probes": 10, "draws": 60, "tries": 3, "least": 0.9}


def boxes_at(values: Array, limits: Array | None = None, **changed: float) -> Boxes:
    d = values.shape[1]
    settings = {**SETTINGS, **changed}
    return Boxes(values, [LADDER] * d, np.repeat(FAR, d, axis=0) if limits is None else limits, **settings)  # type: ignore[arg-type]


def finished(boxes: Boxes, rule: Callable[[Array], Array], seed: int = 0) -> tuple[Outcome, int]:
    """The outcome of rounds that a rule of the points answers, and how many points they took."""
    rng, count = np.random.default_rng(seed), 0
    while (asked := boxes.ask(rng)) is not None:
        before = boxes.most
        assert len(asked.points) <= before
        boxes.tell(asked.points, np.asarray(rule(asked.points), dtype=bool))
        count += len(asked.points)
    assert boxes.most == 0
    return boxes.outcome(), count


def test_a_box_that_is_recognised_is_found_up_to_the_step_before_its_edges() -> None:
    low, high = np.array([-4.1, -16.1]), np.array([8.1, 2.1])
    found, count = finished(boxes_at(np.zeros((8, 2))), lambda x: ((low <= x) & (x <= high)).all(axis=1))
    assert found.is_held.all()
    np.testing.assert_array_equal(found.box, np.tile([[[-4.0, 8.0], [-16.0, 2.0]]], (8, 1, 1)))
    np.testing.assert_array_equal(found.recognised, found.draws)
    assert found.draws.tolist() == [60] * 8
    assert not found.is_ended.any()
    assert count == 8 * (10 * (3 + 1 + 4 + 1 + 5 + 1 + 2 + 1) + 60)  # steps taken, and one too many, of each face


def test_boxes_end_at_their_limits_and_ladders() -> None:
    limits = np.array([[-1000.0, 10.0], [-1000.0, 1000.0]])
    found, _ = finished(boxes_at(np.array([[3.0, 0.0], [10.0, 0.0]]), limits), lambda x: np.ones(len(x)))
    np.testing.assert_array_equal(found.box[0], [[-29.0, 10.0], [-32.0, 32.0]])
    np.testing.assert_array_equal(found.box[1], [[-22.0, 10.0], [-32.0, 32.0]])
    assert found.is_ended.all()


def test_where_no_step_is_recognised_there_is_no_box_and_no_test() -> None:
    found, count = finished(boxes_at(np.zeros((3, 2))), lambda x: (x == 0).all(axis=1))
    assert not found.is_held.any()
    assert found.draws.tolist() == [0, 0, 0]
    assert not np.ptp(found.box, axis=2).any()
    assert count == 3 * 4 * 10


def test_a_corner_that_growing_could_not_see_is_cut_off_after_a_failed_test() -> None:
    """Two long arms of a cross are recognised, and the corners between them are not."""

    def cross(x: Array) -> NDArray[np.bool_]:
        return (np.abs(x) <= 1.5).any(axis=1)

    # few probes at a time, so that corners slip in
    found, _ = finished(boxes_at(np.zeros((200, 2)), probes=3, least=0.6), cross)
    width = np.ptp(found.box, axis=2)
    share = 1 - np.prod(np.maximum(width - 3, 0) / np.maximum(width, 1e-9), axis=1)
    assert found.is_held.mean() > 0.5
    assert (share[found.is_held] < 0.6).mean() <= 0.05


def test_boxes_that_hold_too_little_are_claimed_in_at_most_one_of_twenty() -> None:
    """Recognised by chance, everywhere a little less often than asked for: every claim is false."""
    chance = np.random.default_rng(3)
    boxes = boxes_at(np.zeros((2000, 1)), probes=4, draws=60)
    found, _ = finished(boxes, lambda x: chance.random(len(x)) < 0.895)
    assert (found.draws > 0).sum() > 1000
    assert found.is_held.mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)
    assert found.is_held.any()  # and the bound is not so wide that nothing could pass


def test_boxes_in_a_ball_hold_what_they_claim() -> None:
    """The largest boxes in a ball reach out to where the share recognised is what was asked for."""
    scale = np.array([10.0, 14.0, 20.0])
    found, _ = finished(boxes_at(np.zeros((60, 3))), lambda x: ((x / scale) ** 2).sum(axis=1) <= 1)
    rng = np.random.default_rng(5)
    drawn = found.box[:, None, :, 0] + rng.random((60, 4000, 3)) * np.ptp(found.box, axis=2)[:, None]
    share = (((drawn / scale) ** 2).sum(axis=2) <= 1).mean(axis=1)
    assert found.is_held.mean() > 0.8
    assert (share[found.is_held] < 0.9).mean() <= 0.05
    # a box within the ball has at most 1 / sqrt(3) of each axis, 0.192 of the volume of the box around it
    volume = np.ptp(found.box, axis=2).prod(axis=1) / (2 * scale).prod()
    assert 0.1 < np.median(volume[found.is_held]) < 0.35


@pytest.mark.parametrize("tries", [1, 2, 3])
def test_what_is_shown_is_what_the_exact_bound_reaches(tries: int) -> None:
    for draws in (20, 36, 60, 200):
        counts = np.arange(draws + 1)
        bound = lower_bound(counts, draws, 1 - 0.05 / tries)
        np.testing.assert_array_equal(is_shown(counts, draws, 0.9, tries), bound >= 0.9)


def test_the_same_answers_lead_to_the_same_questions() -> None:
    def asked(upto: int) -> list[Array]:
        boxes, points = boxes_at(np.zeros((4, 2))), []
        for number in range(upto):
            round_ = boxes.ask(np.random.default_rng([9, number]))
            assert round_ is not None
            points.append(round_.points)
            boxes.tell(round_.points, np.abs(round_.points).max(axis=1) < 9)
        return points

    for one, two in zip(asked(9), asked(9), strict=True):
        np.testing.assert_array_equal(one, two)
