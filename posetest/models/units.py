"""What can be watched in a model: a class score, or a channel of any layer, as one number for each image.

    probability:LABEL   log_probability:LABEL   logit:LABEL   margin:LABEL
    LAYER:CHANNEL[?reduce=mean|max|at&at=ROW,COLUMN&layout=nchw|nhwc|ntc]

A bare LABEL is ``probability:LABEL``. LAYER is a module's name as ``named_modules`` gives it, such as
``layer4.2.conv3`` or ``features.17``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from posetest.errors import LabelError, ModelError, suggest
from posetest.models.labels import class_name, resolve_label
from posetest.protocols import Response
from posetest.run_info import Layout, Reduce

if TYPE_CHECKING:
    from torch import Tensor, nn

ClassScore = Literal["probability", "log_probability", "logit", "margin"]
#: Names that stand for all class scores where a layer is wanted.
OUTPUTS = ("logits", "probabilities")
_REDUCE = (*get_args(Reduce), "at")


@dataclass(frozen=True)
class ClassUnit:
    """The score of one class.

    Attributes:
        kind: probability; its logarithm; the logit as the network returns it; or the margin, the logarithm of its
            probability over that of the most probable other class (positive where it comes first).
        index: of the class.
        label: its short name.
    """

    kind: ClassScore
    index: int
    label: str

    @property
    def layers(self) -> tuple[str, ...]:
        """None: the model's own output is enough."""
        return ()

    def value(self, response: Response) -> Tensor:
        """[n].

        Raises:
            ModelError: a logit is asked of a model that gives probabilities.
        """
        if self.kind == "margin":
            return margin_over_others(response.log_p, [self.index])
        if self.kind == "logit":
            if response.logits is None:
                raise ModelError(
                    f"logit:{self.label}: the model returns probabilities, not logits; watch probability:{self.label}"
                )
            return response.logits[:, self.index]
        log_p = response.log_p[:, self.index]
        return log_p if self.kind == "log_probability" else log_p.exp()

    def __str__(self) -> str:
        return f"{self.kind}:{self.label}"


@dataclass(frozen=True)
class LayerUnit:
    """A channel of a layer's output.

    Attributes:
        layer: the module's name.
        channel: index along the channel axis.
        reduce: what becomes of the positions: their mean, their largest, or the one ``at``.
        at: row and column (of tokens: the token), where ``reduce`` is "at".
        layout: of the output; None: [n, c, h, w], [n, tokens, c] or [n, c] by the number of axes.
    """

    layer: str
    channel: int
    reduce: Reduce | Literal["at"] = "mean"
    at: tuple[int, ...] = ()
    layout: Layout | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        """The one it needs."""
        return (self.layer,)

    def value(self, response: Response) -> Tensor:
        """[n].

        Raises:
            ModelError: the layer has no such channel or position.
        """
        responses = channel_responses(response.layers[self.layer], self.layer, self.reduce, self.at, self.layout)
        if self.channel >= responses.shape[1]:
            raise ModelError(f"{self}: {self.layer} has {responses.shape[1]} channels, counted from 0")
        return responses[:, self.channel]

    def __str__(self) -> str:
        options = [] if self.reduce == "mean" else [f"reduce={self.reduce}"]
        options += [f"at={','.join(map(str, self.at))}"] * bool(self.at)
        options += [f"layout={self.layout}"] * bool(self.layout)
        return f"{self.layer}:{self.channel}" + ("?" + "&".join(options) if options else "")


Unit = ClassUnit | LayerUnit


def margin_over_others(log_p: Tensor, classes: Sequence[int]) -> Tensor:
    """[n], log p of the most probable of ``classes`` minus that of the most probable other class, of log p [n, k]."""
    import torch

    chosen = torch.zeros(log_p.shape[1], dtype=torch.bool)
    chosen[list(classes)] = True
    return log_p[:, chosen].amax(1) - log_p[:, ~chosen].amax(1)


def channel_responses(
    output: Tensor, layer: str, reduce: str = "mean", at: Sequence[int] = (), layout: Layout | None = None
) -> Tensor:
    """[n, channels], one number for each image and channel of a layer's ``output``.

    Raises:
        ModelError: an output that is no such tensor, or no position ``at``.
    """
    if output.ndim == 2:
        return output
    if output.ndim not in (3, 4):
        raise ModelError(f"{layer}: its output {list(output.shape)} is not [n, c, h, w], [n, tokens, c] or [n, c]")
    is_last = (layout or ("nchw" if output.ndim == 4 else "ntc")) != "nchw"
    places = output.movedim(-1, 1) if is_last else output  # [n, c, ...]
    flat = places.flatten(2)
    if reduce == "mean":
        return flat.mean(2)
    if reduce == "max":
        return flat.amax(2)
    sizes = places.shape[2:]
    if len(at) != len(sizes) or any(not 0 <= i < size for i, size in zip(at, sizes, strict=True)):
        raise ModelError(f"{layer}: at={','.join(map(str, at))} is no position of its output, {list(sizes)} from 0")
    for index in at:  # rows, then columns: each takes the first axis of positions away
        places = places.select(2, index)
    return places


def parse_unit(text: str, categories: Sequence[str], where: str = "unit") -> Unit:
    """The unit that ``text`` names; see the module's docstring.

    Raises:
        LabelError: no such class.
        ModelError: not of that form.
    """
    head, colon, rest = text.partition(":")
    head, rest = head.strip(), rest.strip()
    if colon and head in get_args(ClassScore):
        return class_unit(head, rest, categories, where)  # type: ignore[arg-type]
    name, _, options = rest.partition("?")
    if colon and name.isdecimal():
        return _layer_unit(head, int(name), options, text, where)
    try:
        return class_unit("probability", text, categories, where)
    except LabelError as error:
        near = suggest(head, get_args(ClassScore)) if colon else ""
        raise LabelError(f"{error}{near} (units: {', '.join(get_args(ClassScore))}:LABEL, or LAYER:CHANNEL)") from error


def class_unit(kind: ClassScore, label: str, categories: Sequence[str], where: str) -> ClassUnit:
    """The unit of the class ``label`` (index, name or synonym).

    Raises:
        LabelError: no such class, or several.
    """
    index = resolve_label(label, categories, where)
    return ClassUnit(kind, index, class_name(index, categories))


def _layer_unit(layer: str, channel: int, options: str, text: str, where: str) -> LayerUnit:
    given = dict(entry.partition("=")[::2] for entry in options.split("&") if entry)
    known = ("reduce", "at", "layout")
    for key in given:
        if key not in known:
            raise ModelError(
                f'{where} "{text}": unknown option "{key}"{suggest(key, known)} (known: {", ".join(known)})'
            )
    at = given.get("at", "")
    reduce = given.get("reduce", "at" if at else "mean")
    layout = given.get("layout")
    for key, value, allowed in (("reduce", reduce, _REDUCE), ("layout", layout, get_args(Layout))):
        if value is not None and value not in allowed:
            raise ModelError(f'{where} "{text}": {key}={value}{suggest(value, allowed)} (one of {", ".join(allowed)})')
    places = [piece.strip() for piece in at.split(",") if piece.strip()]
    if (reduce == "at") != bool(places) or not all(piece.isdecimal() for piece in places):
        raise ModelError(f'{where} "{text}": reduce=at takes a position, as in at=3,4 (row, column) or at=0 (token)')
    return LayerUnit(layer, channel, reduce, tuple(map(int, places)), layout)  # type: ignore[arg-type]


@contextmanager
def watched(module: nn.Module, layers: Sequence[str], name: str) -> Iterator[Mapping[str, Tensor]]:
    """Outputs of ``layers`` of ``module``, filled while it runs; of a layer that runs several times the last.

    They are copies: a later layer that works in place (ReLU6(inplace=True) behind most batch normalisations) would
    otherwise change what was watched.

    Raises:
        ModelError: no such layer.
    """
    known = dict(module.named_modules())
    seen: dict[str, Tensor] = {}
    with ExitStack() as hooks:
        for layer in dict.fromkeys(layers):
            if layer not in known or not layer:
                names = [key for key in known if key]
                shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
                raise ModelError(f'{name}: no layer "{layer}"{suggest(layer, names)} (it has {len(names)}: {shown})')

            def keep(_module: Any, _inputs: Any, output: Any, layer: str = layer) -> None:
                tensor = output[0] if isinstance(output, tuple | list) else getattr(output, "last_hidden_state", output)
                if not hasattr(tensor, "clone"):
                    raise ModelError(f"{name}: the output of {layer} is no tensor but {type(output).__name__}")
                seen[layer] = tensor.clone()

            handle = known[layer].register_forward_hook(keep)
            hooks.callback(handle.remove)
        yield seen
