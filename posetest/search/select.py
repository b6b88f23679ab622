"""The table of methods, and from a method's name with options to the method."""

from __future__ import annotations

from typing import Any

from posetest.config import Strict, decode
from posetest.errors import ConfigError, suggest
from posetest.search.draws import GridSearch, RandomSearch, SobolSearch
from posetest.search.elites import CmaMe, MapElites
from posetest.search.evolution import CmaEs, RestartingCma
from posetest.search.gradient import GradientSearch
from posetest.search.nearest import NearestSearch
from posetest.search.portfolio import AutoSearch
from posetest.search.published import DepthConstrainedSearch, FiniteDifferences, RendererGradient
from posetest.search.surrogate import SurrogateSearch
from posetest.search.viewpoints import ViewFool

#: Methods by name, the default first; what it stands for, and its options where they are not the defaults.
METHODS: dict[str, tuple[type[Strict], dict[str, Any]]] = {
    "auto": (AutoSearch, {}),
    "surrogate": (SurrogateSearch, {}),
    "cma": (RestartingCma, {}),
    "gradient": (GradientSearch, {}),
    "nearest": (NearestSearch, {}),
    "map-elites": (MapElites, {}),
    "cma-me": (CmaMe, {}),
    "random": (RandomSearch, {}),
    "sobol": (SobolSearch, {}),
    "grid": (GridSearch, {}),
    "zrs": (DepthConstrainedSearch, {}),
    "fd-g": (FiniteDifferences, {}),
    "dr-g": (RendererGradient, {}),
    "cma-report": (CmaEs, {}),
    "viewfool": (ViewFool, {}),
    "gmvfool": (ViewFool, {"components": 15, "population": 45}),
}
#: Methods that ask for gradients.
NEEDS_GRADIENT = ("gradient", "dr-g")


def make_method(text: str, where: str = "method") -> Any:
    """The ``Method`` that ``text`` names, with options as in "cma?sigma=0.5&population=20".

    Raises:
        ConfigError: no such method or option, or a value out of range.
    """
    name, _, options = text.partition("?")
    if name not in METHODS:
        raise ConfigError(f'{where}: no method "{name}"{suggest(name, METHODS)} (methods: {", ".join(METHODS)})')
    kind, defaults = METHODS[name]
    given: dict[str, Any] = dict(defaults)
    for entry in filter(None, options.split("&")):
        key, equals, value = entry.partition("=")
        if not equals:
            raise ConfigError(f'{where} "{text}": "{entry}" is not option=value, as in "cma?sigma=0.5"')
        given[key] = value
    return decode(given, kind, f'{where} "{text}"', strict=False)


def method_name(text: str) -> str:
    """The name without its options."""
    return text.partition("?")[0]
