"""What a search makes as large as it can: a unit, a wrong answer, a chosen answer, and sums and products of them.

As text, in scene files and on the command line:

    fool                 another answer than the accepted ones
    target:LABEL         this answer (Alcorn et al., CVPR 2019, section 3.1: the cross-entropy of the target)
    maximise:UNIT        a unit; see posetest.models.units. maximise:score:FILE.py:FUNCTION: what your function returns,
                         a function from images [n, 3, h, w] to n numbers
    A + 0.5 * B          sums, products and multiples of these; `*` before `+`

Objectives that reach something (fool, target, a unit with a threshold) have a margin: positive exactly where they do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from posetest.errors import ConfigError, LabelError, ModelError, suggest
from posetest.models.units import ClassUnit, Unit, class_unit, margin_over_others, parse_unit
from posetest.protocols import Objective, Response

if TYPE_CHECKING:
    from torch import Tensor


class Composable:
    """``a + b``, ``2 * a`` and ``a * b`` of objectives; by default one that watches no layer and is differentiable."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that it watches."""
        return ()

    @property
    def is_differentiable(self) -> bool:
        """Whether gradients flow from the score to the images, given a differentiable model."""
        return True

    def __add__(self, other: Objective) -> Sum:
        return Sum((self, other))  # type: ignore[arg-type]  # every child is an Objective

    def __mul__(self, other: Objective | float) -> Product:
        factor = Constant(float(other)) if isinstance(other, int | float) else other
        return Product((self, factor))  # type: ignore[arg-type]

    __rmul__ = __mul__


@dataclass(frozen=True)
class Maximise(Composable):
    """The value of a unit; reached above ``until``, if that is given."""

    unit: Unit
    until: float | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        """Those of the unit."""
        return self.unit.layers

    def score(self, response: Response) -> Tensor:
        """[n], the unit's value."""
        return self.unit.value(response)

    def margin(self, response: Response) -> Tensor | None:
        """[n], the value above ``until``."""
        return None if self.until is None else self.unit.value(response) - self.until

    def __str__(self) -> str:
        return f"maximise:{self.unit}"


@dataclass(frozen=True)
class Target(Composable):
    """One chosen answer: the logarithm of its probability, the negative cross-entropy; reached where it comes first."""

    unit: ClassUnit

    def score(self, response: Response) -> Tensor:
        """[n], log p(target)."""
        return response.log_p[:, self.unit.index]

    def margin(self, response: Response) -> Tensor | None:
        """[n], log p(target) minus that of the most probable other class."""
        return margin_over_others(response.log_p, [self.unit.index])

    def __str__(self) -> str:
        return f"target:{self.unit.label}"


@dataclass(frozen=True)
class Fool(Composable):
    """Any answer but the accepted ones: the margin of the most probable other class over them, in log p."""

    accepted: tuple[int, ...]

    def score(self, response: Response) -> Tensor:
        """[n], positive exactly where the object is not recognised."""
        return -margin_over_others(response.log_p, self.accepted)

    def margin(self, response: Response) -> Tensor | None:
        """[n], the score."""
        return self.score(response)

    def __str__(self) -> str:
        return "fool"


@dataclass(frozen=True)
class BlackBox(Composable):
    """Any score of images: a function from [n, 3, h, w], sRGB in [0, 1], to n numbers. No gradient.

    Attributes:
        function: the score, higher is better; a tensor or an array comes back.
        name: for the record.
        until: reached above it, if it is given.
    """

    function: Callable[[Tensor], object]
    name: str = "score"
    until: float | None = None

    @property
    def is_differentiable(self) -> bool:
        """False."""
        return False

    def score(self, response: Response) -> Tensor:
        """[n].

        Raises:
            ModelError: the function fails or returns something else.
        """
        import numpy as np
        import torch

        if id(self) in response.notes:  # the function may be slow, or random
            return response.notes[id(self)]
        images = response.images.detach()
        try:
            found = self.function(images)
        except Exception as error:  # a user's function may raise anything
            raise ModelError(f"score {self.name}: {type(error).__name__}: {error}") from error
        values = found.detach().cpu().numpy() if isinstance(found, torch.Tensor) else np.asarray(found)
        if values.shape != (len(images),) or values.dtype.kind not in "fiu":
            raise ModelError(
                f"score {self.name}: expected {len(images)} numbers for {len(images)} images, got "
                f"{values.dtype} {list(values.shape)}"
            )
        scores = torch.as_tensor(values.astype(np.float64), device=images.device)
        response.notes[id(self)] = scores
        return scores

    def margin(self, response: Response) -> Tensor | None:
        """[n], the score above ``until``."""
        return None if self.until is None else self.score(response) - self.until

    def __str__(self) -> str:
        return f"maximise:{self.name}"


@dataclass(frozen=True)
class Constant(Composable):
    """A number: the weight of another objective in a product."""

    value: float

    def score(self, response: Response) -> Tensor:
        """[n], the number."""
        return response.log_p.new_full((len(response.images),), self.value)

    def margin(self, response: Response) -> Tensor | None:
        """None: there is nothing to reach."""
        return None

    def __str__(self) -> str:
        return f"{self.value:g}"


@dataclass(frozen=True)
class _Compound(Composable):
    """Several objectives taken together; reached where all of them that can be are."""

    parts: tuple[Objective, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """Those of all parts."""
        return tuple(dict.fromkeys(layer for part in self.parts for layer in part.layers))

    @property
    def is_differentiable(self) -> bool:
        """Whether all parts are."""
        return all(part.is_differentiable for part in self.parts)

    def margin(self, response: Response) -> Tensor | None:
        """[n], the smallest of the parts' margins."""
        import torch

        margins = [margin for part in self.parts if (margin := part.margin(response)) is not None]
        return reduce(torch.minimum, margins) if margins else None


class Sum(_Compound):
    """The sum of objectives."""

    def score(self, response: Response) -> Tensor:
        """[n]."""
        return sum(part.score(response) for part in self.parts)  # type: ignore[return-value]

    def __str__(self) -> str:
        return " + ".join(map(str, self.parts))


class Product(_Compound):
    """The product of objectives; scores that are negative (log p, margins) change its sign."""

    def score(self, response: Response) -> Tensor:
        """[n]."""
        scores = [part.score(response) for part in self.parts]
        return reduce(lambda a, b: a * b, scores)

    def __str__(self) -> str:
        return " * ".join(f"({part})" if isinstance(part, Sum) else str(part) for part in self.parts)


_FORMS = ("fool", "target:LABEL", "maximise:UNIT", "nearest")


def parse_objective(
    text: str,
    categories: Sequence[str],
    accepted: Sequence[int],
    *,
    unit: str | None = None,
    until: float | None = None,
    where: str = "objective",
) -> Objective:
    """The objective that ``text`` names; see the module's docstring.

    Args:
        text: as in "fool", "target:school bus", "fool + 0.1 * maximise:features.17:5".
        categories: of the model.
        accepted: class indices that "fool" means to avoid.
        unit: what "maximise" without a unit means.
        until: the value above which a maximised unit counts as reached.

    Raises:
        ConfigError: not of that form.
        LabelError, ModelError: a label or unit that there is not.
    """

    def single(word: str) -> Objective:
        name, colon, rest = (piece.strip() for piece in word.partition(":"))
        if not colon and _is_number(name):
            return Constant(float(name))
        if name == "fool" and not colon:
            if not categories:
                raise LabelError(f"{where}: fool means a wrong answer of a classifier: name a model other than none")
            if not accepted:
                raise LabelError(f"{where}: fool means any answer but the accepted ones, and the scene accepts none")
            return Fool(tuple(accepted))
        if name == "target" and rest:
            return Target(class_unit("log_probability", rest, categories, where))
        if name == "maximise":
            wanted = rest or unit
            if wanted is None:
                raise ConfigError(f"{where}: maximise what? Give a unit, as in maximise:probability:LABEL")
            if wanted.startswith("score:"):
                return load_score(wanted.removeprefix("score:"), until, where)
            return Maximise(parse_unit(wanted, categories, where), until)
        if name == "nearest":
            raise ConfigError(f'{where}: "{text}": nearest stands alone, or with a label, as in nearest:cab')
        near = suggest(name, [form.partition(":")[0] for form in _FORMS])
        raise ConfigError(
            f'{where}: "{word}" is no objective{near} (objectives: {", ".join(_FORMS)}; + and * join them)'
        )

    sums = []
    for term in text.split(" + "):
        factors = [single(factor.strip()) for factor in term.split(" * ")]
        sums.append(factors[0] if len(factors) == 1 else Product(tuple(factors)))
    whole = sums[0] if len(sums) == 1 else Sum(tuple(sums))
    if isinstance(whole, Constant):
        raise ConfigError(f'{where}: "{text}" is a number and no objective')
    return whole


def load_score(spec: str, until: float | None = None, where: str = "objective") -> BlackBox:
    """The score that a function of the user's returns, as in "my_scores.py:sharpness?radius=3".

    Raises:
        ModelError: the file or function is missing or fails, or does not return a function.
    """
    from posetest.models.spec import parse_spec
    from posetest.models.user_code import call_user_code

    parsed = parse_spec(spec)
    if parsed.kind not in ("file", "module"):
        raise ConfigError(f'{where}: "score:{spec}" is not score:FILE.py:FUNCTION or score:MODULE:FUNCTION')
    function, options = call_user_code(parsed)
    if options:
        raise ModelError(f"{where}: {spec}: {parsed.function} does not take {', '.join(options)}")
    if not callable(function):
        raise ModelError(
            f"{where}: {spec}: {parsed.function} must return a function from images to scores, "
            f"not {type(function).__name__}"
        )
    return BlackBox(function, name=f"score:{spec}", until=until)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
