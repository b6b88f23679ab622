"""Responses of a layer's channels over a grid of poses, part by part into a run folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from posetest.engine.evaluate import short_names
from posetest.engine.record import TUNE_SCHEMA, pose_columns, score_columns, to_arrow
from posetest.engine.run import RunFolder
from posetest.engine.score import respond
from posetest.errors import ModelError, PosetestError
from posetest.geometry.so3 import matrix_to_quaternion
from posetest.models.units import OUTPUTS, channel_responses
from posetest.protocols import Model, Renderer, Response
from posetest.run_info import TuneInfo
from posetest.scene.scene import Scene
from posetest.space import vectors_to_views

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]

_PART_ROWS = 512


def tune_into(
    run: RunFolder,
    scene: Scene,
    model: Model,
    renderer: Renderer,
    vectors: Array,
    progress: Callable[[int], None],
) -> None:
    """Evaluate what of the pose ``vectors`` [n, parameters] is not yet in ``run``.

    ``progress`` is told the number of poses that have become done.

    Raises:
        ModelError: the model failed, or has no such layer; parts already written stay.
    """
    info = run.info
    assert info.tune is not None
    accepted, names = info.models[0].accepted[scene.name], short_names(model)
    for part, first in enumerate(range(0, len(vectors), _PART_ROWS)):
        last = min(first + _PART_ROWS, len(vectors))
        if run.has_part(part):
            progress(last - first)
            continue
        pieces = []
        for start in range(first, last, info.batch_size):
            rows = vectors[start : min(start + info.batch_size, last)]
            views = vectors_to_views(rows, scene.config)
            drawn = renderer.render(views, info.image_size, info.image_size)
            log_p, responses = responses_to(model, info.tune, drawn.images)
            columns = pose_columns(rows, matrix_to_quaternion(views.rotation), drawn)
            columns |= score_columns(log_p, accepted, names)
            columns |= {"scene": scene.name, "model": model.name, "responses": list(responses)}
            columns["index"] = np.arange(start, start + len(rows))
            pieces.append(to_arrow(columns, TUNE_SCHEMA))
            progress(len(rows))
        run.write_part(part, pa.concat_tables(pieces).unify_dictionaries())


def responses_to(
    model: Model, what: TuneInfo, images: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Log-probabilities [n, k] and channel responses [n, c] of ``images``.

    Raises:
        ModelError: the model failed or has no such layer.
    """
    import torch

    layers = () if what.layer in OUTPUTS else (what.layer,)
    try:
        with torch.inference_mode():
            response = respond(model, torch.from_numpy(images), layers)
            found = _channels(response, what)
    except Exception as error:  # a user's model may raise anything
        said = str(error) if isinstance(error, PosetestError) else f"{model.name}: {type(error).__name__}: {error}"
        raise ModelError(said) from error
    return response.log_p.float().cpu().numpy(), found.float().cpu().numpy()


def _channels(response: Response, what: TuneInfo) -> Tensor:
    """The wanted channels' responses [n, c]."""
    if what.layer == "probabilities":
        every = response.log_p.exp()
    elif what.layer == "logits":
        if response.logits is None:
            raise ModelError("the model returns probabilities, not logits: take probabilities for the layer")
        every = response.logits
    else:
        every = channel_responses(response.layers[what.layer], what.layer, what.reduce, (), what.layout)
    if what.channels and max(what.channels) >= every.shape[1]:
        raise ModelError(f"channel {max(what.channels)}: {what.layer} has {every.shape[1]} channels, counted from 0")
    return every[:, list(what.channels)] if what.channels else every
