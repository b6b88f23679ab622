"""Sobol indices of a probe: outcomes that one parameter decides, or two together, or the turn as a whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from simulated_probe import simulate_probe

from posetest.analysis.indices import index_pairs, indices
from posetest.analysis.robust import axes
from posetest.config import ObjectConfig, SceneConfig, SpaceConfig
from posetest.engine.probe_design import design_rows
from posetest.engine.probe_plan import Rows
from posetest.engine.run import RunFolder
from posetest.errors import RunError
from posetest.report.plates import write_plates
from posetest.run_info import ProbeInfo
from posetest.space import INDEX, object_to_camera, scene_space

Array = NDArray[np.float64]
SPACE = SpaceConfig(offset_y=0.0)
COUNT = 600
INFO = ProbeInfo(what="indices", parent="x", parent_digest="d", poses=COUNT)


def designed(folder: Path, p: Callable[[Array], Array], *, failed: int = -1, space: SpaceConfig = SPACE) -> RunFolder:
    """A probe in which the accepted label has the probability p of the pose vector, and is first from 1/2 on."""
    place = scene_space(SceneConfig(object=ObjectConfig(mesh="x.obj"), space=space))
    bases, rows = design_rows(place, COUNT, [1])
    value = p(rows.vectors)

    def labels(_: Rows) -> NDArray[np.str_]:
        return np.where(value >= 0.5, "jeep", "toaster")

    return simulate_probe(folder, INFO, bases, rows, labels, accepted_p=value, space=space, failed=failed)


def of(table: pd.DataFrame, outcome: str) -> pd.DataFrame:
    return table[table["outcome"] == outcome].set_index("parameter")


def test_what_one_parameter_decides_is_that_parameters_alone(tmp_path: Path) -> None:
    run = designed(tmp_path, lambda x: np.where(np.abs(x[:, INDEX["distance"]] - 5) < 0.9, 0.8, 0.2))
    found = indices(run)
    assert found["n"].eq(COUNT).all()
    assert found["measure"].str.startswith("Haar-uniform rotations; distance uniform").all()
    for outcome in ("recognised", "accepted_p"):
        table = of(found, outcome)
        assert table.index.tolist() == ["yaw", "pitch", "roll", "distance", "offset_x", "rotation"]
        row = table.loc["distance"]
        assert row["first_low"] <= 1 <= row["first_high"]
        assert row["total_low"] <= 1 <= row["total_high"]
        assert row["first"] == pytest.approx(1, abs=0.15)
        others = table.drop(index="distance")
        assert others["total"].eq(0).all()
        assert others["n_changed"].eq(0).all()
    # a probability that never changes says nothing
    assert of(found, "confidence")[["first", "total"]].isna().all(axis=None)
    pairs = index_pairs(run)
    assert len(pairs) == 3 * (15 - 3)  # six factors, and rotation is not paired with its angles
    told = pairs[pairs["outcome"] == "accepted_p"].set_index(["parameter_1", "parameter_2"])["interaction"]
    assert told.abs().max() < 0.1
    assert pairs.columns[-1] == "measure"


def test_what_a_pair_decides_together_is_in_their_interaction(tmp_path: Path) -> None:
    def p(x: Array) -> Array:
        same = (x[:, INDEX["distance"]] > 6.25) == (x[:, INDEX["offset_x"]] > 0)
        return np.where(same, 0.9, 0.1)

    run = designed(tmp_path, p)
    table = of(indices(run), "recognised")
    assert table.loc[["distance", "offset_x"], "first"].abs().max() < 0.2
    assert table.loc[["distance", "offset_x"], "total"].min() > 0.85
    pairs = index_pairs(run).query("outcome == 'recognised'").set_index(["parameter_1", "parameter_2"])
    row = pairs.loc[("distance", "offset_x")]
    assert row["low"] < 1 < row["high"]
    assert row["low"] > 0.5


def test_a_turn_that_no_single_angle_tells_is_the_rotations(tmp_path: Path) -> None:
    """Recognised within half of all turns about a pose askew: the rotation explains all, no angle does."""
    askew = object_to_camera(np.array([[70.0, -40, 30] + [0.0] * 11]))[0]

    def p(x: Array) -> Array:
        trace = np.einsum("nij,ij->n", object_to_camera(x), askew)
        return np.where(trace > 0, 0.9, 0.1)

    table = of(indices(designed(tmp_path, p)), "recognised")
    rotation = table.loc["rotation"]
    assert rotation["first_low"] <= 1 <= rotation["first_high"]
    assert rotation["total_low"] <= 1 <= rotation["total_high"]
    assert table.loc[["yaw", "pitch", "roll"], "first_high"].max() < 0.75
    assert table.loc[["distance", "offset_x"], "total"].eq(0).all()


@pytest.mark.parametrize(("failed", "left_out"), [(4, 1), (5, 0)])  # pitch exchanged into A, and into B
def test_rows_that_could_not_be_evaluated_are_left_out_and_counted(tmp_path: Path, failed: int, left_out: int) -> None:
    run = designed(tmp_path, lambda x: (x[:, INDEX["pitch"]] + 90) / 180, failed=failed)
    table = indices(run)
    assert table["n"].eq(COUNT - left_out).all()
    assert table["n_left_out"].eq(left_out).all()
    assert index_pairs(run)["n"].eq(COUNT - 1).all()


def test_one_free_parameter_has_an_index_and_no_pair(tmp_path: Path) -> None:
    space = SpaceConfig(rotation="fixed", distance=(4.0, 8.0), offset_x=0.0, offset_y=0.0)
    run = designed(tmp_path, lambda x: (x[:, INDEX["distance"]] - 4) / 4, space=space)
    table = of(indices(run), "accepted_p")
    assert table.index.tolist() == ["distance"]
    assert table.loc["distance", "total"] == pytest.approx(1, abs=0.15)
    assert index_pairs(run).empty
    with pytest.raises(RunError, match="is a probe of indices; make what is needed with .* --what axes"):
        axes(run)


@pytest.mark.parametrize("share", [0.8, 1.0])
def test_indices_have_a_figure_also_where_nothing_varies(tmp_path: Path, share: float) -> None:
    run = designed(
        tmp_path / "probe", lambda x: np.where(np.abs(x[:, INDEX["distance"]] - 5) < 0.9, share, share - 0.4)
    )
    (plate,) = write_plates(run, tmp_path / "figures")
    assert plate.name.endswith("-indices")
    assert f"n = {COUNT} rows of the design" in plate.caption
    assert "Haar-uniform rotations" in plate.caption
    assert (tmp_path / "figures" / f"{plate.name}.pdf").read_bytes().startswith(b"%PDF")
