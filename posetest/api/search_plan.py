"""From the settings of a search to what is searched: objective, domain, starts, and whether all of it fits together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from posetest.api.request import accepted_classes
from posetest.config import SearchConfig, decode
from posetest.engine.gallery import canonical_pose
from posetest.engine.score import Scorer
from posetest.errors import ConfigError
from posetest.objectives import parse_objective
from posetest.protocols import Model, Objective
from posetest.scene.scene import Scene
from posetest.search.asktell import Method, Problem, Search
from posetest.search.domain import Domain, check_start, make_domain
from posetest.search.nearest import NearestSearch
from posetest.search.select import NEEDS_GRADIENT, make_method, method_name
from posetest.space import INDEX, NAMES, PARAMETERS, Space, parse_pose, scene_space

Array = NDArray[np.float64]

_ROTATION = ("yaw", "pitch", "roll")
#: Upright views among which a search for the nearest failure looks for one that is recognised, degrees.
_AZIMUTHS, _ELEVATIONS = range(0, 360, 20), (0, 15, 30)


@dataclass(frozen=True, eq=False)
class Plan:
    """What is searched.

    Attributes:
        objective: what the margin and, but for a search for the nearest, the score are of.
        is_nearest: whether the nearest pose that reaches it is wanted.
        domain: where.
        starts: [m, parameters], the initial poses that were given.
        first: [parameters], the first of them, or an upright view where none was given.
    """

    objective: Objective
    is_nearest: bool
    domain: Domain
    starts: Array
    first: Array

    def anchored_at(self, vector: Array) -> Plan:
        """The same with another first pose, which also holds what is not searched."""
        space, values = self.domain.space, dict(zip(NAMES, vector.tolist(), strict=True))
        return Plan(
            self.objective, self.is_nearest, make_domain(space, self.domain.searched, values), self.starts, vector
        )

    def problem(self, seed: int, settings: SearchConfig, *, has_gradient: bool) -> Problem:
        """What the method is given."""
        return Problem(
            domain=self.domain,
            seed=seed,
            budget=settings.budget,
            starts=self.starts,
            has_gradient=has_gradient,
            calls_per_pose=settings.robust,
            anchor=self.first if self.is_nearest else None,
        )


def search_settings(scene: Scene, given: Mapping[str, Any], where: str) -> SearchConfig:
    """The scene's ``[search]`` table with what is ``given`` and not None in its place.

    Raises:
        ConfigError: a value that does not fit; names it.
    """
    merged = msgspec.to_builtins(scene.config.search)
    for key, value in given.items():
        if isinstance(value, Mapping):
            merged[key] = merged[key] | dict(value) if key in merged else dict(value)
        elif value is not None:
            merged[key] = value
    return decode(merged, SearchConfig, where)


def make_plan(scene: Scene, model: Model, settings: SearchConfig, objective: Objective | None, where: str) -> Plan:
    """The plan of ``settings``; an ``objective`` handed over takes the place of the one they name.

    Raises:
        ConfigError: parameters, poses or an objective that do not fit the scene.
        LabelError, ModelError: a label or unit that the model does not have.
    """
    space = scene_space(scene.config, scene.background.count, scene.source)
    for key, value in (("unit", settings.unit), ("until", settings.until)):
        if value is not None and (objective is not None or "maximise" not in settings.objective):
            goal = objective or settings.objective
            raise ConfigError(
                f"{where}: {key} = {value} goes with the objective maximise, and this one is {goal}: "
                f"say objective = maximise, or leave {key} out"
            )
    head, _, rest = settings.objective.partition(":")
    is_nearest = objective is None and head.strip() == "nearest"
    if objective is None:
        accepted = accepted_classes(scene, model)
        text = (f"target:{rest}" if rest else "fool") if is_nearest else settings.objective
        objective = parse_objective(
            text, model.categories, accepted, unit=settings.unit, until=settings.until, where=f"{where}: objective"
        )
    searched = _searched(space, settings, is_nearest, where)
    poses = [parse_pose(text) for text in settings.initial]
    domain = make_domain(space, searched, poses[0] if poses else None, where)
    starts = np.concatenate([space.vector(pose) for pose in poses]) if poses else np.empty((0, len(NAMES)))
    moving = [INDEX[name] for name in domain.searched]
    starts = np.where(np.isin(np.arange(len(NAMES)), moving), starts, domain.base)  # what does not move is alike in all
    for vector, text in zip(starts, settings.initial, strict=True):
        check_start(domain, vector, f'{where}: initial pose "{text}"')
    first = starts[0] if poses else _within(space, space.vector(canonical_pose(scene, space)))[0]
    plan = Plan(objective, is_nearest, domain, starts, first)
    return plan.anchored_at(first) if is_nearest else plan


def choose_method(settings: SearchConfig, plan: Plan, scorer: Scorer, where: str) -> Method:
    """The method of ``settings``, which must suit the plan.

    Raises:
        ConfigError: no such method; one that needs gradients where there are none, or a pose to measure from.
    """
    method: Method = make_method(settings.method, f"{where}: method")
    if isinstance(method, NearestSearch) and not plan.is_nearest:
        raise ConfigError(f'{where}: method nearest goes with objective = "nearest"')
    if method_name(settings.method) in NEEDS_GRADIENT and not scorer.has_gradient:
        raise ConfigError(
            f"{where}: method {method_name(settings.method)} needs gradients, and none flows from {plan.objective} of "
            f"{scorer.model.name} to the pose: take another method (auto needs none)"
        )
    return method


def check_affordable(method: Method, problem: Problem, where: str) -> None:
    """Nothing, if ``method`` can begin on ``problem`` and its budget pays for a pose.

    Raises:
        ConfigError: not so.
    """
    proposal = Search(method, problem).ask()
    each = problem.calls_per_pose * (1 if proposal is None else proposal.calls_each)
    if problem.budget < each:
        raise ConfigError(
            f"{where}: a budget of {problem.budget} does not pay for one pose, which takes {each} classifier calls "
            "here (copies of a robust objective, a backward pass counted as two): give a larger one"
        )


def tried(plan: Plan, scorer: Scorer, *, is_given: bool, where: str) -> tuple[Plan, Scorer]:
    """Plan and scorer after the first pose has been drawn and scored; of a search for the nearest with its anchor.

    Raises:
        ConfigError: a pose that cannot be drawn; an anchor that reaches the objective already, or, where none was given
            (not ``is_given``), no upright view that does not.
        ModelError: the model or the objective failed.
    """
    if not plan.is_nearest:
        scorer.evaluate(plan.first[None], 0)
        return plan, scorer
    anchor: Array | None = plan.first
    if not is_given:
        anchor = _recognised_view(scorer, plan.domain.space)
        if anchor is None:
            raise ConfigError(
                f"{where}: nearest looks for the smallest change that leads to {plan.objective}, but each "
                "upright view reaches that already: give an initial pose that does not, as in "
                'initial = ["yaw=30,distance=5"]'
            )
    elif scorer.evaluate(plan.first[None], 0).evaluation.margins[0] > 0:
        raise ConfigError(
            f"{where}: nearest looks for the smallest change that leads to {plan.objective}, but the initial pose "
            "reaches that already: give one that does not, or none to start from an upright view"
        )
    assert anchor is not None
    plan = plan.anchored_at(anchor)
    return plan, replace(scorer, domain=plan.domain, anchor=plan.first)


def upright_views(scene: Scene, space: Space) -> Array:
    """Poses [n, parameters] of the object upright and whole: 18 azimuths at three elevations, as far as the scene goes.

    54 poses where it frees or fixes nothing else; those that its intervals make alike are one.
    """
    pose = canonical_pose(scene, space)
    views = [space.vector({**pose, "azimuth": a, "elevation": e}) for e in _ELEVATIONS for a in _AZIMUTHS]
    return np.unique(_within(space, np.concatenate(views)), axis=0)


def _within(space: Space, vectors: Array) -> Array:
    """``vectors`` [n, parameters] with what the scene frees moved into its intervals."""
    moved = vectors.copy()
    for name, interval in space.free.items():
        values, period = moved[:, INDEX[name]], PARAMETERS[INDEX[name]].period
        if period is not None:  # the turn's name in the interval, if it has one there
            values = interval.low + np.mod(values - interval.low, period)
            beyond = values - interval.high  # otherwise the nearer end
            values = np.where(beyond > (interval.low + period - values), interval.low, values)
        moved[:, INDEX[name]] = np.clip(values, interval.low, interval.high)
    return moved


def _recognised_view(scorer: Scorer, space: Space) -> Array | None:
    """The view [parameters] of ``upright_views`` that is farthest from reaching the objective; None if all reach it."""
    vectors = upright_views(scorer.scene, space)
    margins = scorer.evaluate(vectors, 0).evaluation.margins
    return vectors[int(margins.argmin())] if margins.min() <= 0 else None


def _searched(space: Space, settings: SearchConfig, is_nearest: bool, where: str) -> Sequence[str]:
    for name in settings.random:
        if name not in space.free:
            raise ConfigError(
                f"{where}: random: {name} does not vary in this scene (free: {', '.join(space.free) or 'nothing'})"
            )
        if name in settings.vary:
            raise ConfigError(f"{where}: {name} stands in both vary and random: keep it in one")
    if settings.vary:
        return settings.vary
    free = [name for name in space.free if name not in settings.random]
    if settings.random and not free:
        raise ConfigError(f"{where}: all that varies is drawn at random, so nothing is left to search; keep some of it")
    rotation = [name for name in _ROTATION if name in free]
    return rotation if is_nearest and rotation else free
