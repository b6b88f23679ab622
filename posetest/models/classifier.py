"""The one Model there is: a forward function with what happens before and after it.

Whatever a network comes from, it ends up here as a function from prepared images to scores. It is tried once when it
is loaded, on two made-up images, so that a wrong input size or an output that is no table of class scores is known
before anything is rendered, and so that logits and probabilities are told apart on the same images every time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from posetest.errors import ModelError
from posetest.models.labels import check_count, unnamed
from posetest.models.preprocess import Preprocess
from posetest.models.units import watched
from posetest.protocols import Response

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Outputs = Literal["logits", "probabilities"]

#: How far from 1 the scores of an image may sum to be read as probabilities; half precision is off by about as much.
_SUM_TOLERANCE = 1e-3

#: The same for later batches, which are only checked for being altogether different from the first.
_LOOSE_SUM_TOLERANCE = 2e-2

#: Side of the images that a model is tried on where it does not say what size it wants.
_TRIAL_SIZE_PX = 224


@dataclass(frozen=True, eq=False)
class Classifier:
    """A posetest.protocols.Model around a forward function.

    Attributes:
        forward: prepared images [n, 3, h, w] to scores [n, k]; an nn.Module or any callable on tensors.
        name: short, for tables and file names.
        spec: the string that loads it again, or "python:..." for an object handed over in Python.
        categories: class names in the order of the scores.
        digest: SHA-256 (hex) of the weights, or "" where they cannot be read.
        preprocessing: what happens to an image and how scores are read, in words.
        input_size: side in pixels of the square image that the network wants, None where any will do.
        is_differentiable: whether gradients flow from the scores to the image.
        preprocess: applied before ``forward``; None passes images on as they are.
        outputs: what ``forward`` returns.
        is_channels_last: whether images are handed over in that memory format.
    """

    forward: Callable[[Tensor], Any]
    name: str
    spec: str
    categories: tuple[str, ...]
    digest: str
    preprocessing: str
    input_size: int | None
    is_differentiable: bool
    preprocess: Preprocess | None
    outputs: Outputs
    is_channels_last: bool

    def log_probabilities(self, images: Tensor) -> Tensor:
        """Log-probabilities [n, k] of ``images`` [n, 3, h, w], sRGB in [0, 1].

        Differentiable where ``is_differentiable``; whether a graph is recorded is the caller's choice
        (``torch.no_grad``). Images go to the network's own device and dtype, and scores come back to theirs. Scores
        that are no numbers come back as nan: whoever asked knows which images they belong to, and records them.

        Raises:
            ModelError: the images are not such a batch, the network fails on them or returns something else than one
                score per class, or a gradient is asked of a network that has none.
        """
        return self.respond(images).log_p

    def respond(self, images: Tensor, layers: Sequence[str] = ()) -> Response:
        """What one pass shows: log-probabilities, logits and the outputs of ``layers``, modules by name.

        Raises:
            ModelError: as ``log_probabilities``; ``layers`` are asked of what is no PyTorch module, or there are no
            such.
        """
        import torch

        _check_images(images, self.name)
        if images.requires_grad and torch.is_grad_enabled() and not self.is_differentiable:
            raise ModelError(
                f"{self.name}: no gradient flows through this model to the image; "
                "use a search that needs none, or load the model as a PyTorch module"
            )
        with self._watched(layers) as seen:
            scores = _forward(self.forward, self.preprocess, images, self.is_channels_last, self.name)
        if scores.shape[1] != len(self.categories):
            raise ModelError(f"{self.name}: {scores.shape[1]} scores for {len(self.categories)} classes")
        if missing := [layer for layer in layers if layer not in seen]:
            raise ModelError(
                f"{self.name}: the layer {missing[0]} is there but took no part in this pass; watch another"
            )
        for layer, output in seen.items():
            if output.ndim == 0 or len(output) != len(images):
                raise ModelError(
                    f"{self.name}: the output of {layer}, {list(output.shape)}, does not hold one row for each of "
                    f"{len(images)} images; watch a layer around it"
                )
        return Response(
            images=images,
            log_p=_log_probabilities(scores, self.outputs, self.name),
            logits=scores if self.outputs == "logits" else None,
            layers={name: tensor.to(device=images.device, dtype=images.dtype) for name, tensor in seen.items()},
        )

    def _watched(self, layers: Sequence[str]) -> AbstractContextManager[Mapping[str, Tensor]]:
        from torch import nn

        if not layers:
            return nullcontext({})
        if not isinstance(self.forward, nn.Module):
            raise ModelError(
                f"{self.name}: layers can be watched in PyTorch modules only, and this is none; "
                "watch a class, as in probability:LABEL"
            )
        return watched(self.forward, layers, self.name)


def make_classifier(
    forward: Callable[[Tensor], Any],
    *,
    name: str,
    spec: str,
    categories: Sequence[str] | None = None,
    digest: str = "",
    preprocess: Preprocess | None = None,
    outputs: Outputs | None = None,
    input_size: int | None = None,
) -> Classifier:
    """A Classifier around ``forward``, tried once.

    Args:
        forward: prepared images to scores; a module must be in eval mode.
        name: see Classifier.
        spec: see Classifier.
        categories: class names; None calls them "class 0", "class 1" and so on.
        digest: see Classifier.
        preprocess: see Classifier.
        outputs: None tells logits from probabilities by the trial: scores of which none is negative and which sum to 1
            for each image are probabilities.
        input_size: where ``preprocess`` does not say.

    Raises:
        ModelError: the trial fails.
        LabelError: ``categories`` are not as many as the scores.
    """
    if preprocess is not None and preprocess.size is not None:
        input_size = preprocess.size[0] if preprocess.size[0] == preprocess.size[1] else None
    height, width = (preprocess.size if preprocess is not None else None) or (input_size or _TRIAL_SIZE_PX,) * 2
    images = _trial_images(height, width)
    scores, is_differentiable, is_channels_last = _try(forward, preprocess, images, name)
    found = outputs or _detect_outputs(scores)
    _refuse_nan(_log_probabilities(scores, found, name), name)
    names = tuple(categories) if categories is not None else unnamed(scores.shape[1])
    check_count(names, scores.shape[1], name)
    prepared = preprocess.describe() if preprocess is not None else "none here: the model takes images in [0, 1]"
    return Classifier(
        forward=forward,
        name=name,
        spec=spec,
        categories=names,
        digest=digest,
        preprocessing=f"{prepared}; scores are {found} ({'as told' if outputs else 'detected'})",
        input_size=input_size,
        is_differentiable=is_differentiable,
        preprocess=preprocess,
        outputs=found,
        is_channels_last=is_channels_last,
    )


def module_digest(module: nn.Module) -> str:
    """SHA-256 (hex) of a module's state_dict: names, types, shapes and values, sorted by name; "" if it is empty."""
    import torch

    sha, is_empty = hashlib.sha256(), True
    for key, value in sorted(module.state_dict().items()):
        if not isinstance(value, torch.Tensor):
            continue
        is_empty = False
        sha.update(repr((key, str(value.dtype), tuple(value.shape))).encode())
        flat = value.detach().cpu().contiguous().reshape(-1)
        sha.update(flat.view(torch.uint8).numpy().tobytes())
    return "" if is_empty else sha.hexdigest()


def _try(
    forward: Callable[[Tensor], Any], preprocess: Preprocess | None, images: Tensor, name: str
) -> tuple[Tensor, bool, bool]:
    """Scores of the trial images, whether they depend differentiably on them, and whether channels_last works.

    Convolutions in that memory format are 1.3 to 2 times faster on CPUs, and the input's format alone decides: the
    weights may stay as they are. Networks that call ``view`` on their activations fail with it.
    """
    import torch

    if _has_convolution(forward):
        try:
            return *_try_gradient(forward, preprocess, images, True, name), True
        except ModelError:
            pass  # whatever is wrong is reported below, unless the memory format alone was to blame
    try:
        return *_try_gradient(forward, preprocess, images, False, name), False
    except ModelError as error:
        # Calling numpy() on a tensor that needs a gradient fails, which only means that the model has none to give.
        with torch.no_grad():
            try:
                return _forward(forward, preprocess, images, False, name), False, False
            except ModelError:
                raise error from error.__cause__


def _try_gradient(
    forward: Callable[[Tensor], Any], preprocess: Preprocess | None, images: Tensor, channels_last: bool, name: str
) -> tuple[Tensor, bool]:
    import torch

    with torch.enable_grad():
        leaf = images.clone().requires_grad_()
        scores = _forward(forward, preprocess, leaf, channels_last, name)
    return scores.detach(), _reaches(scores, leaf)


def _reaches(scores: Tensor, leaf: Tensor) -> bool:
    """Whether the recorded graph leads from ``scores`` back to ``leaf``; nothing is computed."""
    stack, seen = [scores.grad_fn], set()
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        if getattr(node, "variable", None) is leaf:
            return True
        seen.add(node)
        stack.extend(following for following, _ in node.next_functions)
    return False


def _forward(
    forward: Callable[[Tensor], Any], preprocess: Preprocess | None, images: Tensor, channels_last: bool, name: str
) -> Tensor:
    """Scores [n, k] in the dtype and on the device of ``images``; whatever goes wrong is a ModelError."""
    import torch

    prepared = images if preprocess is None else preprocess(images)
    weights = _first_weight(forward)
    if weights is not None:
        prepared = prepared.to(device=weights.device, dtype=weights.dtype)
    if channels_last:
        prepared = prepared.contiguous(memory_format=torch.channels_last)
    try:
        scores = forward(prepared)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(
            f"{name}: failed on a batch of images {list(prepared.shape)} ({type(error).__name__}: {error}); "
            'if it wants another size, say so with the option "size=..."'
        ) from error
    return _table(scores, len(images), name).to(device=images.device, dtype=images.dtype)


def _table(scores: Any, count: int, name: str) -> Tensor:
    """``scores`` as a tensor [n, k], from a tensor, an array or the named tuples and structs that libraries return."""
    import numpy as np
    import torch

    if not isinstance(scores, torch.Tensor) and isinstance(getattr(scores, "logits", None), torch.Tensor):
        scores = scores.logits
    if isinstance(scores, np.ndarray):
        scores = torch.from_numpy(scores)
    if not isinstance(scores, torch.Tensor):
        raise ModelError(
            f"{name}: expected a tensor of class scores [n, k] from the model, got {type(scores).__name__}; "
            "wrap it in a function that returns the tensor"
        )
    if scores.ndim != 2 or scores.shape[0] != count or scores.shape[1] < 2 or not scores.is_floating_point():
        raise ModelError(
            f"{name}: expected class scores [{count}, k] with k of 2 or more for {count} images, "
            f"got {str(scores.dtype).removeprefix('torch.')} {list(scores.shape)}"
        )
    return scores


def _detect_outputs(scores: Tensor) -> Outputs:
    if bool((scores >= 0).all()) and bool(((scores.double().sum(1) - 1).abs() <= _SUM_TOLERANCE).all()):
        return "probabilities"
    return "logits"


def _log_probabilities(scores: Tensor, outputs: Outputs, name: str) -> Tensor:
    import torch

    if outputs == "logits":
        log_p = torch.log_softmax(scores, dim=1)
    else:
        sums = scores.detach().sum(1)
        if bool((scores < 0).any()) or bool(((sums - 1).abs() > _LOOSE_SUM_TOLERANCE).any()):
            raise ModelError(
                f"{name}: its scores were taken for probabilities, but here some are negative or sum to "
                f"{float(sums.min()):.4g} to {float(sums.max()):.4g} instead of 1; "
                'if they are logits, say so with the option "outputs=logits"'
            )
        # A class of probability 0 keeps a finite logarithm, far below any that matters.
        log_p = scores.clamp_min(torch.finfo(scores.dtype).tiny).log()
    return log_p


def _refuse_nan(log_p: Tensor, name: str) -> None:
    bad = log_p.detach().isnan().any(dim=1)
    if bool(bad.any()):
        first = int(bad.nonzero()[0])
        raise ModelError(
            f"{name}: scores of {int(bad.sum())} of {len(bad)} images are not finite (first: image {first} of the "
            "batch); check the weights and what range of inputs the network expects (mean, std)"
        )


def _check_images(images: Tensor, name: str) -> None:
    if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
        kind = str(images.dtype).removeprefix("torch.")
        raise ModelError(f"{name}: expected float images [n, 3, h, w] in [0, 1], got {kind} {list(images.shape)}")


def _trial_images(height: int, width: int) -> Tensor:
    """Two images: coloured noise and a grey ramp. Always the same ones; no generator of the user's is touched."""
    import torch

    noise = torch.rand((3, height, width), generator=torch.Generator().manual_seed(0))
    ramp = torch.linspace(0, 1, width).expand(3, height, width)
    return torch.stack((noise, ramp))


def _first_weight(forward: Callable[[Tensor], Any]) -> torch.Tensor | None:
    """A parameter or buffer that tells a module's device and dtype."""
    from itertools import chain

    from torch import nn

    if not isinstance(forward, nn.Module):
        return None
    tensors = chain(forward.parameters(), forward.buffers())
    return next((tensor for tensor in tensors if tensor.is_floating_point()), None)


def _has_convolution(forward: Callable[[Tensor], Any]) -> bool:
    from torch import nn

    return isinstance(forward, nn.Module) and any(weight.ndim == 4 for weight in forward.parameters())
