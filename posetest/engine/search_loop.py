"""The search loop: asks, evaluates, records in order, tells; killed at any moment it goes on where it was.

A search depends on nothing but what it was told (``search.asktell``), and the records hold that: it is restored by
being told the same again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
import pandas as pd

from posetest.engine.record import POSE_COLUMNS, SEARCH_SCHEMA, Columns, to_arrow
from posetest.engine.run import RunFolder
from posetest.engine.score import Scored, Scorer
from posetest.errors import ConfigError, RunError
from posetest.search.asktell import Evaluation, Method, Problem, Proposal, Search
from posetest.space import format_pose

#: A record part is written when it has so many rows, or when its first row has waited so long.
_PART_ROWS = 2048
_PART_S = 15.0

_TOLD = ["ask", *POSE_COLUMNS, "score", "margin", "top1", "top1_label", "gradient", "forward", "backward", "renders"]


@dataclass
class Standing:
    """How far a search has come.

    Attributes:
        budget: classifier calls it may spend.
        evaluations, forward, backward, renders: so far.
        proposals: that were evaluated, in whole or in part.
        hits: poses that reached the objective.
        best, best_pose, best_label: highest score, its replay string and what the model called it.
    """

    budget: int = 0
    evaluations: int = 0
    forward: int = 0
    backward: int = 0
    renders: int = 0
    proposals: int = 0
    hits: int = 0
    best: float = -np.inf
    best_pose: str = ""
    best_label: str = ""

    @property
    def calls(self) -> int:
        """Classifier calls, a backward pass counted as two."""
        return self.forward + 2 * self.backward


@dataclass(frozen=True, eq=False)
class Step:
    """A proposal and what its first poses, or all of them, were found to be worth."""

    proposal: Proposal
    scored: Scored

    @property
    def is_whole(self) -> bool:
        """Whether all of its poses were evaluated; the budget may cut the last proposal."""
        return len(self.scored.evaluation) == len(self.proposal.vectors)


def steps(search: Search, scorer: Scorer, standing: Standing) -> Iterator[Step]:
    """Evaluate and tell what ``search`` asks for, until it ends or the budget is spent.

    ``standing`` says what the budget is and what was spent before, and is kept up to date.
    """
    while (proposal := search.ask()) is not None:
        affordable = (standing.budget - standing.calls) // (proposal.calls_each * scorer.copies)
        if affordable < 1:
            return
        vectors = proposal.vectors[:affordable]
        scored = scorer.evaluate(vectors, standing.evaluations, with_gradient=proposal.with_gradient)
        _count(standing, scorer, scored)
        step = Step(proposal, scored)
        if step.is_whole:
            search.tell(scored.evaluation)
        yield step
        if not step.is_whole:
            return


def search_into(
    run: RunFolder, method: Method, problem: Problem, scorer: Scorer, progress: Callable[[Standing], None]
) -> Standing:
    """Go on with the search of ``run`` to its end, and write down how it ended.

    ``progress`` is told the standing after every proposal.

    Raises:
        ModelError: the model failed; what was evaluated before is kept.
        RunError: the records are of another search than this one.
    """
    assert run.info.search is not None
    settings = run.info.search.settings
    search, standing = _restored(run, method, problem, scorer)
    pending: list[Columns] = []
    waiting_since = time.monotonic()

    def write() -> None:
        if pending:
            whole = {name: _joined([columns[name] for columns in pending]) for name in SEARCH_SCHEMA.names}
            run.write_part(len(run.part_files()), to_arrow(whole, SEARCH_SCHEMA))
            pending.clear()

    progress(standing)
    is_done = settings.stop_at_hit and standing.hits > 0
    try:
        for step in () if is_done else steps(search, scorer, standing):
            if not pending:
                waiting_since = time.monotonic()
            pending.append(_rows(run, standing, step.scored))
            progress(standing)
            rows = sum(len(columns["ask"]) for columns in pending)
            if rows >= _PART_ROWS or time.monotonic() - waiting_since > _PART_S:
                write()
            if settings.stop_at_hit and standing.hits:
                break
    finally:
        write()  # also where the model fails, or the user interrupts
    run.info = msgspec.structs.replace(
        run.info,
        search=msgspec.structs.replace(
            run.info.search,
            evaluations=standing.evaluations,
            forward=standing.forward,
            backward=standing.backward,
            renders=standing.renders,
            ended=_ending(search, settings.stop_at_hit and standing.hits > 0),
        ),
    )
    return standing


def _ending(search: Search, is_hit: bool) -> str:
    if is_hit:
        return "hit"
    return "budget" if search.ask() is not None else "the method has nothing more to ask"


def _restored(run: RunFolder, method: Method, problem: Problem, scorer: Scorer) -> tuple[Search, Standing]:
    """The search and its standing after what ``run`` holds."""
    assert run.info.search is not None
    standing = Standing(run.info.search.settings.budget)
    if not run.part_files():
        return Search(method, problem), standing
    table = run.table(_TOLD)
    told = [_told(rows) for _, rows in table.groupby("ask", sort=True)]
    try:
        search = Search.restore(method, problem, told)
    except ConfigError as error:
        raise RunError(
            f"{run.path}: its records are not those of this search ({error}): it was made by another version or on "
            "another kind of machine; choose another --out"
        ) from error
    for name in ("forward", "backward", "renders"):
        setattr(standing, name, int(table[name].sum()))
    standing.proposals = len(told)
    for evaluation, (_, rows) in zip(told, table.groupby("ask", sort=True), strict=True):
        _take_in(standing, scorer, evaluation, list(rows["top1_label"].astype(str)))
    return search, standing


def _told(rows: pd.DataFrame) -> Evaluation:
    """What a search was told in one step, from its records."""
    gradients = None
    if rows["gradient"].notna().all():
        gradients = np.stack(list(rows["gradient"])).astype(np.float64)
    return Evaluation(
        vectors=rows[list(POSE_COLUMNS)].to_numpy(dtype=np.float64),
        scores=rows["score"].to_numpy(dtype=np.float64),
        margins=rows["margin"].to_numpy(dtype=np.float64),
        labels=rows["top1"].to_numpy(dtype=np.int64),
        gradients=gradients,
    )


def _count(standing: Standing, scorer: Scorer, scored: Scored) -> None:
    count = len(scored.evaluation)
    standing.forward += count * scored.forward
    standing.backward += count * scored.backward
    standing.renders += count * scored.renders
    standing.proposals += 1
    _take_in(standing, scorer, scored.evaluation, [str(label) for label in scored.columns["top1_label"]])


def _take_in(standing: Standing, scorer: Scorer, evaluation: Evaluation, labels: list[str]) -> None:
    standing.evaluations += len(evaluation)
    standing.hits += int((evaluation.margins > 0).sum())
    top = int(evaluation.scores.argmax())
    if evaluation.scores[top] > standing.best:
        standing.best, standing.best_label = float(evaluation.scores[top]), labels[top]
        standing.best_pose = format_pose(evaluation.vectors[top], scorer.domain.space)


def _rows(run: RunFolder, standing: Standing, scored: Scored) -> Columns:
    """The record rows of what was just evaluated."""
    evaluation, count = scored.evaluation, len(scored.evaluation)
    each = scored.forward + 2 * scored.backward
    before = standing.calls - count * each
    gradients = [None] * count if evaluation.gradients is None else evaluation.gradients.tolist()
    return scored.columns | {
        "scene": [run.info.scenes[0].name] * count,
        "model": [run.info.models[0].name] * count,
        "index": np.arange(standing.evaluations - count, standing.evaluations),
        "ask": np.full(count, standing.proposals - 1),
        "score": evaluation.scores,
        "margin": evaluation.margins,
        "hit": evaluation.margins > 0,
        "share": scored.share,
        "gradient": gradients,
        "forward": np.full(count, scored.forward),
        "backward": np.full(count, scored.backward),
        "renders": np.full(count, scored.renders),
        "calls": before + each * np.arange(1, count + 1),
    }


def _joined(columns: list[object]) -> list[object]:
    """Columns of several proposals, one after the other."""
    return [value for column in columns for value in column]  # type: ignore[attr-defined]
