"""Facts about pictures painted by code."""

from __future__ import annotations

import numpy as np
import pytest

from posetest.objects.paint import Canvas, mix, swatch

WHITE, BLACK = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)


def ink(canvas: Canvas) -> float:
    """Painted area in the canvas's own units, black on white."""
    return float((1 - canvas.pixels[..., 0]).mean() * canvas.width * canvas.height)


def test_a_disc_covers_its_area() -> None:
    canvas = Canvas.blank(4.0, 3.0, 50, WHITE)
    canvas.disc(2.0, 1.5, 1.0, BLACK)
    assert ink(canvas) == pytest.approx(np.pi, rel=0.005)


def test_a_ring_leaves_its_hole() -> None:
    canvas = Canvas.blank(4.0, 3.0, 50, WHITE)
    canvas.disc(2.0, 1.5, 1.0, BLACK, hole=0.5)
    assert ink(canvas) == pytest.approx(np.pi * 0.75, rel=0.01)


def test_a_rectangle_off_the_pixel_grid_covers_its_area() -> None:
    canvas = Canvas.blank(2.0, 2.0, 20, WHITE)
    canvas.rect(0.333, 0.333, 1.471, 0.987, BLACK)
    assert ink(canvas) == pytest.approx(1.138 * 0.654, rel=0.01)


def test_a_concave_polygon_is_filled_inside_only() -> None:
    canvas = Canvas.blank(4.0, 4.0, 30, WHITE)
    canvas.polygon([(0.5, 0.5), (3.5, 0.5), (3.5, 3.5), (2.0, 1.5), (0.5, 3.5)], BLACK)
    assert ink(canvas) == pytest.approx(9.0 - 3.0, rel=0.01)


def test_y_points_up_and_row_0_is_the_top() -> None:
    canvas = Canvas.blank(1.0, 1.0, 10, WHITE)
    canvas.rect(0.0, 0.8, 0.2, 1.0, BLACK)
    assert canvas.picture[0, 0].tolist() == [0, 0, 0]
    assert canvas.picture[-1, 0].tolist() == [255, 255, 255]


def test_shapes_beyond_the_edge_are_cut() -> None:
    canvas = Canvas.blank(1.0, 1.0, 40, WHITE)
    canvas.disc(0.0, 0.0, 1.0, BLACK)
    assert ink(canvas) == pytest.approx(np.pi / 4, rel=0.01)
    canvas.line([(5.0, 5.0), (6.0, 6.0)], 0.1, BLACK)
    assert ink(canvas) == pytest.approx(np.pi / 4, rel=0.01)


def test_letters_are_read_from_left_to_right_and_upright() -> None:
    canvas = Canvas.blank(3.0, 1.0, 40, WHITE)
    canvas.text("LT", 1.5, 0.5, 0.8, BLACK)
    dark = 1 - canvas.pixels[..., 0]
    half = dark.shape[1] // 2
    rows = np.arange(dark.shape[0])[:, None]
    left, right = dark[:, :half], dark[:, half:]
    assert (left * rows).sum() / left.sum() > (right * rows).sum() / right.sum()  # L is heavy below, T above


def test_every_letter_and_digit_has_its_own_shape() -> None:
    seen = set()
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".replace("O", ""):  # O and 0 share one
        canvas = Canvas.blank(1.0, 1.0, 30, WHITE)
        canvas.text(letter, 0.5, 0.5, 0.9, BLACK)
        seen.add(canvas.picture.tobytes())
    assert len(seen) == 35


def test_mixing_colours_meets_both_ends() -> None:
    assert mix(BLACK, (0.2, 0.4, 1.0), 0.0) == BLACK
    assert mix(BLACK, (0.2, 0.4, 1.0), 1.0) == (0.2, 0.4, 1.0)
    assert (swatch((0.2, 0.4, 1.0)) == [51, 102, 255]).all()
