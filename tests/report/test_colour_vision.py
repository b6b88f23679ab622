"""Colours that must be told apart stay apart for every kind of colour vision.

Deficiencies are simulated by the model of Machado, Oliveira and Fernandes (IEEE TVCG 15 (2009) 1291) at full
severity; differences are those of CAM02-UCS (Luo, Cui and Li, Color Research and Application 31 (2006) 320), in which
one is about just noticeable side by side.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE
from matplotlib import colormaps
from matplotlib.colors import to_rgb

from posetest.report.drawing import style

CSS = Path(style.__file__).parents[1] / "templates" / "report.css"
#: Least differences of lines and marks, and of areas with a common border.
APART, AREAS = 15.0, 8.0
VISION: dict[str, dict[str, object] | None] = {
    "full": None,
    "protanopia": {"name": "sRGB1+CVD", "cvd_type": "protanomaly", "severity": 100},
    "deuteranopia": {"name": "sRGB1+CVD", "cvd_type": "deuteranomaly", "severity": 100},
    "tritanopia": {"name": "sRGB1+CVD", "cvd_type": "tritanomaly", "severity": 100},
}


def seen(colors: object, vision: str) -> np.ndarray:
    """sRGB [..., 3] as it looks to that kind of vision."""
    space = VISION[vision]
    rgb = np.asarray(colors, dtype=float)
    return rgb if space is None else np.clip(cspace_convert(rgb, space, "sRGB1"), 0, 1)


def difference(first: str, second: str, vision: str) -> float:
    return float(deltaE(seen(to_rgb(first), vision), seen(to_rgb(second), vision), input_space="sRGB1"))


def css_colors() -> dict[str, dict[str, str]]:
    """The variables of the light, the dark and the printed page."""
    blocks = re.findall(r":root \{([^}]*)\}", CSS.read_text(encoding="utf-8"))
    assert len(blocks) == 3
    found = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in blocks]
    return dict(zip(("light", "dark", "print"), found, strict=True))


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("page", ["light", "dark", "print"])
def test_outcomes_on_the_page_are_told_apart(page: str, vision: str) -> None:
    colors = css_colors()[page]
    lines = [colors[name] for name in ("recognised", "misread", "confident")]
    for first, second in itertools.combinations(lines, 2):
        assert difference(first, second, vision) >= APART, (page, vision, first, second)
    for color in lines:
        assert difference(color, colors["paper"], vision) >= APART
        assert difference(color, colors["sampled"], vision) >= APART
    assert difference(colors["up"], colors["down"], vision) >= APART
    for direction in ("up", "down"):
        assert difference(colors[direction], colors["paper"], vision) >= APART
    assert difference(colors["sampled"], colors["paper"], vision) >= AREAS
    scale = seen(colormaps[style.RATE_COLORS](np.linspace(0, 1, 21))[:, :3], vision)
    void = seen(to_rgb(colors["void"]), vision)
    assert (deltaE(scale, void, input_space="sRGB1") >= AREAS).all()  # cells without poses


@pytest.mark.parametrize("vision", VISION)
def test_outcomes_and_series_in_print_are_told_apart(vision: str) -> None:
    for colors in (list(style.COLORS.values()), [color for color, _ in style.SERIES]):
        for first, second in itertools.combinations(colors, 2):
            assert difference(first, second, vision) >= APART, (vision, first, second)
        for color in colors:
            assert difference(color, "#ffffff", vision) >= APART
    assert len({dashes for _, dashes in style.SERIES}) == len(style.SERIES)


def lightness(rgb: np.ndarray, vision: str) -> np.ndarray:
    """J' of CAM02-UCS."""
    result: np.ndarray = cspace_convert(seen(rgb, vision), "sRGB1", "CAM02-UCS")[..., 0]
    return result


@pytest.mark.parametrize("vision", VISION)
def test_the_scale_of_rates_rises_in_lightness_and_its_steps_are_seen(vision: str) -> None:
    scale = colormaps[style.RATE_COLORS](np.linspace(0, 1, 101))[:, :3]
    light = lightness(scale, vision)
    assert (np.diff(light) > 0).all()
    assert light[-1] - light[0] > 60
    steps = seen(scale[::10], vision)
    assert (deltaE(steps[:-1], steps[1:], input_space="sRGB1") > 3).all()
    assert (deltaE(steps, seen(to_rgb(style.VOID), vision), input_space="sRGB1") > APART).all()


@pytest.mark.parametrize("vision", VISION)
def test_the_two_sides_of_a_difference_are_told_apart(vision: str) -> None:
    at: Callable[[float], np.ndarray] = lambda x: np.asarray(colormaps[style.DIFFERENCE_COLORS](x)[:3])  # noqa: E731
    half = np.linspace(0.5, 1, 26)
    for side in (half, 1 - half):
        light = lightness(np.array([at(x) for x in side]), vision)
        assert (np.diff(light) < 0.5).all()  # darker towards both ends
        assert light[0] - light[-1] > 40
    for x in (0.2, 0.4, 0.6, 0.8, 1.0):  # a difference of x against one of -x
        apart = deltaE(seen(at(0.5 + x / 2), vision), seen(at(0.5 - x / 2), vision), input_space="sRGB1")
        assert apart > AREAS, (vision, x)


@pytest.mark.parametrize("vision", VISION)
def test_the_two_sides_of_a_difference_on_the_globe_are_told_apart(vision: str) -> None:
    (listed,) = re.findall(r"DIVERGING = \[([^\]]*)\]", "".join(f.read_text("utf-8") for f in CSS.parent.glob("*.js")))
    colors = np.array([to_rgb(color) for color in re.findall(r"#[0-9a-f]{6}", listed)])
    middle = len(colors) // 2
    light = lightness(colors, vision)
    assert (np.diff(light[middle:]) < 0).all()
    assert (np.diff(light[middle::-1]) < 0).all()
    for step in range(1, middle + 1):
        first, second = (seen(colors[middle + side * step], vision) for side in (-1, 1))
        assert deltaE(first, second, input_space="sRGB1") > AREAS, (vision, step)
