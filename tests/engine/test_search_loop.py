"""The search loop: budgets are kept to the call, rows come in order, and a killed search goes on bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import LargestColour, write_cube_scene

import posetest
from posetest.errors import ConfigError, ModelError, RunError

SMALL = {"image_size": 32, "threads": 2, "batch_size": 16}


class Dies(LargestColour):
    """Fails once it has seen so many pictures, like a process that is killed."""

    def __init__(self, after: float) -> None:
        super().__init__()
        self.seen, self.after = 0, after

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen += len(images)
        if self.seen > self.after:
            raise RuntimeError("out of memory")
        return super().forward(images)


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> posetest.Scene:
    return posetest.load_scene(write_cube_scene(tmp_path_factory.mktemp("cube")))


def search(scene: posetest.Scene, out: Path, **options: object) -> posetest.SearchRun:
    given = {"objective": "target:blue", **SMALL, **options}
    return posetest.search_poses(given.pop("model", LargestColour()), scene, out=out, **given)


@pytest.mark.parametrize(
    ("method", "calls_each"), [("random", 1), ("cma", 1), ("gradient?explored=20&starts=3", 3), ("cma-me", 1)]
)
def test_calls_add_up_and_stay_within_the_budget(
    cube: posetest.Scene, tmp_path: Path, method: str, calls_each: int
) -> None:
    run = search(cube, tmp_path / "run", method=method, budget=137)
    table, info = run.table(), run.info.search
    spent = table["forward"].sum() + 2 * table["backward"].sum()
    assert spent <= 137
    assert 137 - spent < calls_each  # nothing that could be bought is left
    assert np.array_equal(table["calls"], (table["forward"] + 2 * table["backward"]).cumsum())
    assert np.array_equal(table["index"], np.arange(len(table)))
    assert (info.forward, info.backward, info.evaluations) == (
        table["forward"].sum(),
        table["backward"].sum(),
        len(table),
    )
    assert info.ended == "budget"
    assert (table["gradient"].notna() == (table["backward"] > 0)).all()


def test_a_robust_objective_counts_every_copy(cube: posetest.Scene, tmp_path: Path) -> None:
    table = search(cube, tmp_path / "run", method="random", budget=90, robust=4).table()
    assert len(table) == 22
    assert (table["forward"] == 4).all()
    assert table["share"].isin([0, 0.25, 0.5, 0.75, 1]).all()
    assert table["share"].nunique() > 1


@pytest.mark.parametrize("method", ["auto", "cma", "gradient?explored=20&starts=3", "cma-me?explored=20", "viewfool"])
def test_a_search_that_died_goes_on_to_the_rows_of_an_undisturbed_one(
    cube: posetest.Scene, tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posetest.engine.search_loop._PART_ROWS", 40)
    options = {"method": method, "budget": 220, "seed": 3, "random": ["offset_x"]}
    whole = search(cube, tmp_path / "whole", **options)
    died = posetest.load_model(Dies(after=75))
    with pytest.raises(ModelError, match="out of memory.*what was evaluated before is kept: mend it and resume"):
        search(cube, tmp_path / "died", model=died, **options)
    kept = posetest.open_run(tmp_path / "died")
    assert kept.info.status == "running"
    assert 0 < len(kept.table()) < len(whole.table())
    mended = posetest.load_model(LargestColour(), name="Dies")
    resumed = search(cube, tmp_path / "died", model=mended, resume=True, **options)
    assert resumed.info.status == "complete"
    assert resumed.table().drop(columns="model").equals(whole.table().drop(columns="model"))
    assert resumed.info.search == whole.info.search
    columns = ["pose", "score", "top1_label", "persists", "survives"]
    assert resumed.images()[columns].equals(whole.images()[columns])
    # a search that is whole stays as it is
    again = search(cube, tmp_path / "died", model=mended, resume=True, **options)
    assert again.table().equals(resumed.table())


def test_going_on_with_another_request_is_refused(cube: posetest.Scene, tmp_path: Path) -> None:
    search(cube, tmp_path / "run", budget=20)
    with pytest.raises(RunError, match="started with budget = 20, now 30"):
        search(cube, tmp_path / "run", budget=30, resume=True)
    with pytest.raises(RunError, match="started with method = auto, now random"):
        search(cube, tmp_path / "run", budget=20, method="random", resume=True)
    with pytest.raises(RunError, match="started with objective = target:blue, now target:green"):
        search(cube, tmp_path / "run", budget=20, objective="target:green", resume=True)
    with pytest.raises(RunError, match="holds a run of another kind"):
        posetest.audit(LargestColour(), cube, poses=20, out=tmp_path / "run", resume=True, **SMALL)
    with pytest.raises(RunError, match="already there and not empty; add --resume"):
        search(cube, tmp_path / "run", budget=20)


def test_records_of_another_search_are_told_from_its_own(cube: posetest.Scene, tmp_path: Path) -> None:
    import shutil

    first = search(cube, tmp_path / "first", budget=100, seed=1, method="cma")
    second = search(cube, tmp_path / "second", budget=100, seed=2, method="cma")
    shutil.copy(first.part_path(0), second.part_path(0))
    with pytest.raises(RunError, match="step 0 of the saved search is not what this one asks for"):
        search(cube, tmp_path / "second", budget=100, seed=2, method="cma", resume=True)


def test_it_ends_at_the_first_hit_where_that_is_asked_for(cube: posetest.Scene, tmp_path: Path) -> None:
    run = search(cube, tmp_path / "run", budget=500, method="cma?explored=7", stop_at_hit=True)
    table = run.table()
    assert table["hit"].any()
    assert run.info.search.ended == "hit"
    assert not table[table["ask"] < table["ask"].max()]["hit"].any()


def test_a_method_that_has_ended_says_so(cube: posetest.Scene, tmp_path: Path) -> None:
    run = search(cube, tmp_path / "run", budget=200, method="grid?points=30")
    assert len(run.table()) == 30
    assert run.info.search.ended == "the method has nothing more to ask"


def test_progress_is_told_after_every_proposal(cube: posetest.Scene, tmp_path: Path) -> None:
    seen = []
    search(
        cube,
        tmp_path / "run",
        budget=100,
        method="cma",
        progress=lambda s: seen.append((s.calls, s.best, s.hits, s.budget, s.best_pose)),
    )
    calls, best, hits, budgets, poses = zip(*seen, strict=True)
    assert list(calls) == sorted(calls)
    assert list(best) == sorted(best)
    assert list(hits) == sorted(hits)
    assert set(budgets) == {100}
    assert calls[-1] == 100
    assert "yaw=" in poses[-1]


def test_gradients_are_refused_before_a_folder_exists(cube: posetest.Scene, tmp_path: Path) -> None:
    model = posetest.load_model(lambda images: images.detach().mean((2, 3)), labels=["red", "green", "blue"])
    with pytest.raises(ConfigError, match="method dr-g needs gradients, and none flows from target:blue"):
        search(cube, tmp_path / "run", model=model, method="dr-g")
    assert not (tmp_path / "run").exists()
