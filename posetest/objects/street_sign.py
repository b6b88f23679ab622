"""A street sign: two crossed name plates on a galvanised post, as they stand at the corner of two streets."""

from __future__ import annotations

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Canvas, Color
from posetest.objects.parts import Part, Skin, box, lathe, moved, plain, turned

LABELS = ("street sign",)

_WHITE: Color = (0.95, 0.95, 0.94)
_NAMES = (
    "MAIN ST",
    "PARK AVE",
    "OAK ST",
    "1ST AVE",
    "ELM ST",
    "HILL RD",
    "LAKE DR",
    "BROADWAY",
    "CHURCH ST",
    "5TH AVE",
)


def build(seed: int = 0) -> BuiltObject:
    """A street sign; seed 0 is the bundled one, any other seed varies names, colours, plates and post."""
    vary = Variation(seed)
    green = vary.pick((0.0, 0.38, 0.22), ((0.0, 0.38, 0.22), (0.03, 0.22, 0.50), (0.02, 0.30, 0.20)))
    length, tall = vary.number(1.0, 0.85, 1.15), vary.number(0.26, 0.22, 0.30)
    steel = plain(vary.pick((0.60, 0.61, 0.62), ((0.45, 0.46, 0.47), (0.12, 0.2, 0.15))))
    first = vary.integer(0, 0, len(_NAMES) - 1)
    second = (first + vary.integer(1, 1, len(_NAMES) - 1)) % len(_NAMES)
    parts = _plate(_NAMES[first], length, tall, green, vary.chance(True, 0.7))
    cross = _plate(_NAMES[second], length, tall, green, vary.chance(True, 0.7))
    lift = tall + 0.03
    angle = vary.number(90.0, 60.0, 120.0)
    parts += [moved(turned(p, "y", angle), (0.0, lift, 0.0)) for p in cross]
    post = vary.number(0.55, 0.4, 0.9)
    r = 0.032
    for low, high in ((-post, -tall / 2 + 0.01), (tall / 2 - 0.01, lift - tall / 2 + 0.01)):
        parts.append(lathe([(0.0, low), (r, low), (r, high), (0.0, high)], steel, segments=16))
    for y in (-tall / 2, tall / 2, lift - tall / 2):  # clamps that hold the plates' edges
        parts += box((-0.06, y - 0.02, -0.04), (0.06, y + 0.02, 0.04), steel, bevel=0.01)
    return BuiltObject(assemble("street_sign", parts), LABELS)


def _plate(name: str, length: float, tall: float, color: Color, has_border: bool) -> list[Part]:
    """A name plate facing both ways."""
    canvas = Canvas.blank(length, tall, 230.0, color)
    if has_border:
        canvas.rect(0.012, 0.012, length - 0.012, tall - 0.012, _WHITE, radius=0.03)
        canvas.rect(0.024, 0.024, length - 0.024, tall - 0.024, color, radius=0.022)
    size = min(tall * 0.52, length * 0.9 / (len(name) * 0.9))
    canvas.text(
        name,
        length / 2,
        tall / 2,
        size,
        _WHITE,
        weight=0.19,
        stretch=min(1.0, 0.84 * length / (len(name) * size * 0.8)),
    )
    skin = Skin(canvas.picture)
    low, high = (-length / 2, -tall / 2, -0.008), (length / 2, tall / 2, 0.008)
    return box(low, high, {"": plain((0.75, 0.76, 0.77)), "+z": skin, "-z": skin})
