"""Which outcomes persist when poses are drawn otherwise: against a table of answers that is known cell by cell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulated_probe import bases_at, simulate_probe

from posetest.analysis.artefacts import artefacts
from posetest.analysis.intervals import wilson
from posetest.engine.probe_plan import Bases, Rows, together
from posetest.errors import RunError
from posetest.run_info import ProbeInfo
from posetest.space import PARAMETERS

CHANGES = ("samples", "size", "jitter", "flat", "renderer")
INFO = ProbeInfo(what="artefacts", parent="x", parent_digest="d", poses=100, changes=CHANGES, few=10)
MISREAD, RECOGNISED = 100, 50


def bases() -> Bases:
    vectors = np.zeros((MISREAD + RECOGNISED, len(PARAMETERS)))
    groups = [
        bases_at(vectors[:MISREAD], recognised=False, label="toaster"),
        bases_at(vectors[:RECOGNISED], recognised=True),
    ]
    found = together(groups)
    return Bases(found.vectors, np.arange(len(found)), found.recognised, found.label)


def rows() -> Rows:
    count = MISREAD + RECOGNISED
    few = np.concatenate([np.arange(10), MISREAD + np.arange(10)])
    of = np.concatenate([np.arange(count)] * 5 + [few])
    change = np.concatenate([np.full(count, c, dtype=object) for c in ("none", *CHANGES[:4])] + [["renderer"] * 20])
    return Rows(np.zeros((len(of), len(PARAMETERS))), of, change, np.zeros(len(of)))


def answers(given: Rows) -> np.ndarray:
    """Misread ones: 20 are cured by samples, 30 (10 of them the same) by flat light, 5 get another wrong label by size.

    Recognised ones: 5 are lost by half a pixel. One misread pose, the last, is not misread again as it is.
    """
    of, change = given.of, given.change
    label = np.where(of < MISREAD, "toaster", "jeep").astype(object)
    label[(change == "samples") & (of < 20)] = "jeep"
    label[(change == "flat") & (of >= 10) & (of < 40)] = "jeep"
    label[(change == "size") & (of < 5)] = "crate"
    label[(change == "jitter") & (of >= MISREAD) & (of < MISREAD + 5)] = "snowplow"
    label[(change == "renderer") & (of < 3)] = "jeep"
    label[of == MISREAD - 1] = "jeep"
    return label


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    run = simulate_probe(tmp_path_factory.mktemp("artefacts"), INFO, bases(), rows(), answers)
    return artefacts(run).set_index(["group", "change"])


@pytest.mark.parametrize(
    ("group", "change", "n", "persists", "same_label"),
    [
        ("misread", "samples", 99, 79, 79),
        ("misread", "size", 99, 99, 94),
        ("misread", "jitter", 99, 99, 99),
        ("misread", "flat", 99, 69, 69),
        ("misread", "renderer", 10, 7, 7),
        ("misread", "every", 99, 59, 59),
        ("recognised", "samples", 50, 50, 50),
        ("recognised", "jitter", 50, 45, 45),
        ("recognised", "renderer", 10, 10, 10),
        ("recognised", "every", 50, 45, 45),
    ],
)
def test_what_persists_is_counted(
    table: pd.DataFrame, group: str, change: str, n: int, persists: int, same_label: int
) -> None:
    row = table.loc[(group, change)]
    assert (row["n"], row["persists"], row["same_label"]) == (n, persists, same_label)
    assert row["share"] == persists / n
    assert (row["low"], row["high"]) == tuple(float(x) for x in wilson(persists, n))


def test_poses_that_are_not_misread_again_as_they_are_do_not_count(table: pd.DataFrame) -> None:
    assert table.loc[("misread", "samples"), "n_lost"] == 1
    assert table.loc[("misread", "every"), "n_lost"] == 1
    assert table.loc[("recognised", "samples"), "n_lost"] == 0


def test_pictures_without_an_answer_are_counted_apart(tmp_path: Path) -> None:
    given = rows()
    failed = int(np.flatnonzero((given.change == "size") & (given.of == 50))[0])
    table = artefacts(simulate_probe(tmp_path, INFO, bases(), given, answers, failed=failed))
    table = table.set_index(["group", "change"])
    assert table.loc[("misread", "size"), ["n", "persists", "n_failed_status"]].tolist() == [98, 98, 1]
    assert table.loc[("misread", "every"), ["n", "persists", "n_failed_status"]].tolist() == [98, 58, 1]


def test_a_probe_of_something_else_is_refused(tmp_path: Path) -> None:
    info = ProbeInfo(what="sensitivity", parent="x", parent_digest="d", poses=100)
    with pytest.raises(RunError, match="is a probe of sensitivity; make what is needed with .* --what artefacts"):
        artefacts(simulate_probe(tmp_path, info, bases(), rows(), answers))
