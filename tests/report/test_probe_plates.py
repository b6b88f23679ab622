"""Figures of probes: one for each object and model, with what is counted in the caption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from simulated_probe import bases_at, simulate_probe
from simulated_run import simulate

from posetest.api import open_run
from posetest.cli import main
from posetest.engine.probe_plan import STEPS, Bases, Rows, one_parameter, together
from posetest.engine.probe_turns import turned
from posetest.engine.run import RunFolder
from posetest.errors import RunError
from posetest.report.plates import write_plates
from posetest.run_info import ProbeInfo
from posetest.space import INDEX, PARAMETERS

COUNT = 30


def vectors() -> np.ndarray:
    found = np.zeros((COUNT, len(PARAMETERS)))
    found[:, INDEX["distance"]] = 6.0
    return found


def sensitivity(folder: Path, *, finished: bool = True) -> RunFolder:
    info = ProbeInfo(what="sensitivity", parent="x", parent_digest="d", poses=COUNT, steps=dict(STEPS))
    bases = bases_at(vectors())
    rows = one_parameter(bases, STEPS, 1.7)

    def labels(given: Rows) -> np.ndarray:
        return np.where(np.abs(given.vectors[:, INDEX["yaw"]]) <= 30, "jeep", "toaster")

    return simulate_probe(folder, info, bases, rows, labels, finished=finished)


def tolerance(folder: Path) -> RunFolder:
    radii = (5.0, 10.0, 20.0)
    info = ProbeInfo(what="tolerance", parent="x", parent_digest="d", poses=COUNT, radii_deg=radii, draws=40)
    bases = bases_at(vectors())
    rows = turned(bases, radii, 40, np.random.default_rng(0))
    return simulate_probe(folder, info, bases, rows, lambda given: np.where(given.amount < 15, "jeep", "toaster"))


def artefacts(folder: Path) -> RunFolder:
    changes = ("samples", "flat", "renderer")
    info = ProbeInfo(what="artefacts", parent="x", parent_digest="d", poses=COUNT, changes=changes, few=5)
    groups = together([bases_at(vectors(), recognised=False, label="toaster"), bases_at(vectors())])
    bases = Bases(groups.vectors, np.arange(2 * COUNT), groups.recognised, groups.label)
    of = np.tile(np.arange(2 * COUNT), 4)
    change = np.repeat(np.array(["none", *changes], dtype=object), 2 * COUNT)
    rows = Rows(np.zeros((len(of), len(PARAMETERS))), of, change, np.zeros(len(of)))
    return simulate_probe(folder, info, bases, rows, lambda given: np.where(given.of < COUNT, "toaster", "jeep"))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (sensitivity, "n = 30 poses"),
        (tolerance, "n = 30 recognised poses, 40 turns of each"),
        (artefacts, "n = 30 misread; 30 recognised poses, of which the other renderer drew at most 5 each"),
    ],
)
def test_a_probe_has_its_figure(make: object, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make(tmp_path)  # type: ignore[operator]
    assert main(["report", str(run.path), "--figures", str(tmp_path / "figures")]) == 0
    (file,) = capsys.readouterr().out.split()
    assert Path(file).name == f"jeep-net-{run.info.probe.what}.png"
    with Image.open(file) as opened:
        assert np.asarray(opened.convert("L")).std() > 5
    assert Path(file).with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    caption = (tmp_path / "figures" / "captions.md").read_text()
    assert said in caption
    assert "95 %" in caption
    assert "measure: Haar-uniform rotations" in caption


def test_a_probe_that_is_not_complete_has_none(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not complete; go on with the probe by --resume"):
        write_plates(sensitivity(tmp_path, finished=False), tmp_path / "figures")
    assert not (tmp_path / "figures").exists()


def test_a_probe_of_another_kind_is_said_to_have_none(tmp_path: Path) -> None:
    import msgspec

    run = sensitivity(tmp_path)
    assert run.info.probe is not None
    run.info = msgspec.structs.replace(run.info, probe=msgspec.structs.replace(run.info.probe, what="boxes"))
    with pytest.raises(
        RunError, match=r"a probe of boxes has no figure \(those of sensitivity, tolerance, artefacts, indices have"
    ):
        write_plates(run, tmp_path / "figures")


def test_a_search_has_no_figures(tmp_path: Path) -> None:
    import msgspec

    run = simulate(tmp_path / "run", poses=20)
    run.info = msgspec.structs.replace(run.info, kind="search")
    with pytest.raises(RunError, match='a run of kind "search" chooses its poses'):
        write_plates(run, tmp_path / "figures")
    assert open_run(run.path).info.kind == "audit"
