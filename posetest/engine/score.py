"""Pose vectors to scores: draws them, asks the model, evaluates the objective and, where asked, its gradient."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from posetest.config import DEFAULT_SEARCH, GradientConfig, JitterConfig
from posetest.engine.pullback import tangent_gradients
from posetest.engine.record import Columns, pose_columns, score_columns
from posetest.errors import ConfigError, ModelError, PosetestError
from posetest.geometry.camera import Views
from posetest.geometry.so3 import euler_to_matrix, matrix_to_euler, matrix_to_quaternion, tangent_to_matrix
from posetest.protocols import (
    DifferentiableRenderer,
    Model,
    Objective,
    Rendered,
    Renderer,
    Response,
    ViewGradients,
    WatchableModel,
)
from posetest.render.gradients import finite_gradient, jittered_gradient
from posetest.scene.scene import Scene
from posetest.search.asktell import Evaluation
from posetest.search.domain import Domain
from posetest.space import INDEX, PARAMETERS, vectors_to_views

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]
#: Draws of one copy lie so far from those of the next that they never meet.
_COPIES_APART = 2**40
_EULER = [INDEX[name] for name in ("yaw", "pitch", "roll")]


@dataclass(frozen=True, eq=False)
class Scored:
    """Evaluated poses.

    Attributes:
        evaluation: what the search is told; ``vectors`` hold what was drawn at random as well.
        columns: record columns of each pose itself, without scene, model and index.
        share: float64 [n], of a pose's copies that reach the objective (of the pose alone where it has no copies).
        forward, backward, renders: what each pose cost: pictures through the model, back through it, and drawn.
    """

    evaluation: Evaluation
    columns: Columns
    share: Array
    forward: int
    backward: int
    renders: int


@dataclass(frozen=True, eq=False)
class Scorer:
    """What stands between a search's poses and their scores.

    Attributes:
        scene, model, objective, domain: what is searched, by whom, for what, and where.
        renderer: of the scene; closed by the caller.
        accepted: class indices that count as recognised; may be empty.
        names: short class names.
        image_size, batch_size: of pictures and of what the model sees at once.
        seed: of what is drawn at random for each evaluation.
        random: parameters drawn anew from the space for each evaluation.
        copies: poses that a score is the mean of: the pose itself and ``copies`` - 1 that ``jitter`` moves.
        jitter: how far; the same moves for every pose, so that scores can be compared.
        gradient: how gradients are taken.
        anchor: pose vector [parameters] whose nearest pose that reaches the objective is wanted. Scores are then minus
            the distance from it where the objective is reached, and elsewhere the margin minus the domain's diameter,
            which is lower than any of those.
    """

    scene: Scene
    model: Model
    objective: Objective
    domain: Domain
    renderer: Renderer
    accepted: Sequence[int]
    names: Sequence[str]
    image_size: int = 224
    batch_size: int = 32
    seed: int = 0
    random: tuple[str, ...] = ()
    copies: int = 1
    jitter: JitterConfig = DEFAULT_SEARCH.jitter
    gradient: GradientConfig = DEFAULT_SEARCH.gradient
    anchor: Array | None = None

    @property
    def has_gradient(self) -> bool:
        """Whether gradients can be asked for."""
        can_draw = isinstance(self.renderer, DifferentiableRenderer) or self.gradient.kind == "finite"
        return self.model.is_differentiable and self.objective.is_differentiable and can_draw

    def evaluate(self, vectors: Array, start: int, *, with_gradient: bool = False) -> Scored:
        """The scores of pose ``vectors`` [n, parameters]; ``start`` is the number of evaluations before them.

        Raises:
            ModelError: the model or the objective failed.
            ConfigError: a gradient is asked for where there is none.
        """
        if with_gradient and not self.has_gradient:
            raise ConfigError(
                f"{self.model.name}: no gradient flows from {self.objective} to the pose; take a method that needs none"
            )
        count = len(vectors)
        whole = np.concatenate([self._copy(vectors, start, k) for k in range(self.copies)])
        scores, margins = np.empty(len(whole)), np.empty(len(whole))
        gradients = np.zeros((len(whole), self.domain.dim)) if with_gradient else None
        pieces: list[Columns] = []
        for rows, views, drawn in self._drawn(whole):
            seen = self._look(drawn.images, f"evaluations {start} to {start + count - 1}", with_gradient=with_gradient)
            scores[rows], margins[rows] = seen.scores, seen.margins
            if gradients is not None and seen.adjoints is not None:
                found = self._view_gradients(views, drawn.images, seen.adjoints)
                gradients[rows] = tangent_gradients(self.domain, whole[rows], self.scene.config, found)
            if (own := min(rows.stop, count) - rows.start) > 0:  # the poses themselves come before their copies
                pieces.append(self._columns(whole[rows], views, drawn, seen.log_p, own))
        columns: Columns = {name: np.concatenate([np.asarray(piece[name]) for piece in pieces]) for name in pieces[0]}
        by_copy = margins.reshape(self.copies, count)
        margin, score = by_copy.mean(axis=0), scores.reshape(self.copies, count).mean(axis=0)
        gradient = None if gradients is None else gradients.reshape(self.copies, count, -1).mean(axis=0)
        if self.anchor is not None:
            score, gradient = self._by_distance(whole[:count], margin, gradient)
        is_bad = ~np.isfinite(score)
        evaluation = Evaluation(
            vectors=whole[:count],
            scores=np.where(is_bad, -np.inf, score),
            margins=np.where(is_bad, np.nan, margin),
            labels=np.asarray(columns["top1"], dtype=np.int64),
            gradients=gradient,
        )
        share = (by_copy > 0).mean(axis=0)
        backward = self.copies if with_gradient else 0
        renders = self.copies * (1 + (self._pictures_of_a_gradient() if with_gradient else 0))
        return Scored(evaluation, columns, share, self.copies, backward, renders)

    def margins(self, images: NDArray[np.float32]) -> tuple[Array, NDArray[np.float32]]:
        """Margins [n] of given pictures [n, 3, h, w], without copies, and the log-probabilities [n, k] they had.

        Raises:
            ModelError: the model or the objective failed.
        """
        pieces = [
            self._look(images[first : first + self.batch_size], "kept pictures")
            for first in range(0, len(images), self.batch_size)
        ]
        return np.concatenate([p.margins for p in pieces]), np.concatenate([p.log_p for p in pieces])

    def _drawn(self, vectors: Array) -> Iterator[tuple[slice, Views, Rendered]]:
        """Pictures of ``vectors`` in batches, each drawn while the model looks at the one before."""
        views, side = vectors_to_views(vectors, self.scene.config), self.image_size
        starts = range(0, len(vectors), self.batch_size)
        pieces = [slice(first, min(first + self.batch_size, len(vectors))) for first in starts]
        if len(pieces) == 1:
            yield pieces[0], views, self.renderer.render(views, side, side)
            return
        with ThreadPoolExecutor(1, thread_name_prefix="posetest-ahead") as ahead:
            waiting = ahead.submit(self.renderer.render, views[pieces[0]], side, side)
            for rows, following in zip(pieces, [*pieces[1:], None], strict=True):
                drawn = waiting.result()
                if following is not None:
                    waiting = ahead.submit(self.renderer.render, views[following], side, side)
                yield rows, views[rows], drawn

    def _copy(self, vectors: Array, start: int, number: int) -> Array:
        """Copy ``number`` of the poses: what is random drawn, and from the second copy on moved by the jitter."""
        changed, space = vectors.copy(), self.domain.space
        if self.random:
            columns = [INDEX[name] for name in self.random]
            first = start + number * _COPIES_APART
            # another seed than that of the poses a search draws
            changed[:, columns] = space.sample(self.seed + 1, first, first + len(vectors))[:, columns]
        return changed if number == 0 else jittered(changed, self.jitter, self.seed, number, space.backgrounds)

    def _look(self, images: NDArray[np.float32], what: str, *, with_gradient: bool = False) -> _Seen:
        """What the model and the objective make of ``images``."""
        import torch

        pictures, adjoints = torch.from_numpy(images), None
        context: Any = contextlib.nullcontext() if with_gradient else torch.inference_mode()
        try:
            with context:
                pictures.requires_grad_(with_gradient)
                response = respond(self.model, pictures, self.objective.layers)
                margin = self.objective.margin(response)
                is_margin_enough = self.anchor is not None and margin is not None
                score = margin if is_margin_enough else self.objective.score(response)
                assert score is not None
                if with_gradient:
                    is_known = score.isfinite()
                    adjoints = torch.autograd.grad(score[is_known].sum(), pictures)[0].numpy()
                    adjoints[~is_known.cpu().numpy()] = 0  # 0 times NaN is NaN
        except Exception as error:  # a user's model may raise anything
            known = isinstance(error, PosetestError)
            said = str(error) if known else f"{self.model.name}: {type(error).__name__}: {error}"
            raise ModelError(f"{said} (at {what}; what was evaluated before is kept: mend it and resume)") from error
        unknown = np.full(len(images), np.nan)
        log_p: NDArray[np.float32] = response.log_p.detach().float().cpu().numpy()
        return _Seen(_numbers(score), unknown if margin is None else _numbers(margin), log_p, adjoints)

    def _view_gradients(
        self, views: Views, images: NDArray[np.float32], adjoints: NDArray[np.float32]
    ) -> ViewGradients:
        how = self.gradient
        if how.kind == "finite":
            return finite_gradient(self.renderer, views, adjoints)
        assert isinstance(self.renderer, DifferentiableRenderer)
        if how.jitter > 1:
            return jittered_gradient(
                self.renderer, views, images, adjoints, count=how.jitter, turn_rad=how.turn_rad, shift=how.turn_rad
            )
        return self.renderer.gradient(views, images, adjoints)

    def _pictures_of_a_gradient(self) -> int:
        """Pictures drawn for the gradient of one pose, beside its own."""
        if self.gradient.kind == "finite":
            return 2 * (10 + 6 * len(self.scene.config.lights))
        return self.gradient.jitter - self.gradient.jitter % 2 if self.gradient.jitter > 1 else 0

    def _columns(self, vectors: Array, views: Views, drawn: Rendered, log_p: NDArray[np.float32], own: int) -> Columns:
        """Record columns of the first ``own`` of some poses."""
        per_pose = (getattr(drawn, name)[:own] for name in ("inside", "area_px", "long_px", "digest"))
        rendered = Rendered(drawn.images[:own], None, *per_pose)
        columns = pose_columns(vectors[:own], matrix_to_quaternion(views.rotation[:own]), rendered)
        return columns | score_columns(log_p[:own], self.accepted, self.names)

    def _by_distance(self, vectors: Array, margins: Array, gradients: Array | None) -> tuple[Array, Array | None]:
        """Scores [n] of the search for the nearest pose, and their gradients."""
        assert self.anchor is not None
        steps = self.domain.difference(self.anchor[None], vectors)
        distances = np.linalg.norm(steps, axis=1)
        is_hit = margins > 0
        scores = np.where(is_hit, -distances, np.minimum(margins, 0) - self.domain.diameter)
        if gradients is None:
            return scores, None
        # the way from the anchor is a turn about a fixed axis, which has the same direction at its end
        towards = -steps / np.maximum(distances, 1e-12)[:, None]
        return scores, np.where(is_hit[:, None], towards, gradients)


@dataclass(frozen=True, eq=False)
class _Seen:
    """Scores and margins [n], log-probabilities [n, k], and the scores' gradient by the pictures or None."""

    scores: Array
    margins: Array
    log_p: NDArray[np.float32]
    adjoints: NDArray[np.float32] | None


def respond(model: Model, images: Tensor, layers: Sequence[str] = ()) -> Response:
    """What ``model`` answers to ``images``.

    Raises:
        ModelError: layers are asked of a model that shows none.
    """
    if isinstance(model, WatchableModel):
        return model.respond(images, layers)
    if layers:
        raise ModelError(f"{model.name}: this model does not show its layers; watch a class, as in probability:LABEL")
    return Response(images=images, log_p=model.log_probabilities(images), logits=None, layers={})


def jittered(vectors: Array, jitter: JitterConfig, seed: int, number: int, backgrounds: int) -> Array:
    """``vectors`` turned, shifted and lit a little differently: move ``number`` of the seed's, the same for all poses.

    The turn is about the camera's axes, so that a step of the object about its own axes is the same step of the copy.
    """
    rng = np.random.default_rng([seed, 2, number])
    turn = np.radians(jitter.turn_deg) * rng.normal(size=(1, 3))
    moved = vectors.copy()
    if jitter.turn_deg:
        turned = tangent_to_matrix(turn) @ euler_to_matrix(*np.radians(vectors[:, _EULER].T))
        moved[:, _EULER] = np.degrees(matrix_to_euler(turned))
    for name, width in jitter.widths().items():
        parameter, shift = PARAMETERS[INDEX[name]], width * rng.normal()
        moved[:, INDEX[name]] = np.clip(moved[:, INDEX[name]] + shift, parameter.low, parameter.high)
    if jitter.background and backgrounds > 1:
        moved[:, INDEX["background"]] = rng.integers(backgrounds)
    return moved


def _numbers(values: Tensor) -> Array:
    numbers: Array = values.detach().double().cpu().numpy()
    return numbers
