"""Reports of what is rare but happens: names without end, damaged pictures, nothing evaluated, too few poses."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from simulated_probe import simulate_probe
from simulated_run import simulate

from posetest import write_report
from posetest.analysis.indices import index_pairs, indices
from posetest.config import SpaceConfig
from posetest.engine.probe_design import design_rows
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError, RunError
from posetest.report import html, plates, words
from posetest.report.between import between_runs, labels_between
from posetest.report.drawing.sketch import Sketch
from posetest.report.gathered import gather
from posetest.report.paper.sheet import Sheet
from posetest.report.pictures import embed
from posetest.report.probe_blocks import probe_block
from posetest.report.probe_page import median, spread
from posetest.run_info import ProbeInfo


def test_a_document_cuts_names_that_fill_pages_but_no_replay_string(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", scenes=["x" * 10_000], models=["m" * 10_000], wrong=["z" * 10_000], poses=20)
    assert write_report(run, tmp_path / "r.pdf", format="pdf").stat().st_size < 1_000_000
    shown: list[str] = []

    class Spy(Sheet):
        def multi_cell(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]
            shown.append(str(args[2]))
            return super().multi_cell(*args, **kwargs)  # type: ignore[arg-type]

    with closing(Spy("a title", datetime(2026, 1, 1, tzinfo=UTC))) as sheet:
        pose = ", ".join(f"offset_x={k}.123" for k in range(20))
        sheet.label(pose, 40, face="mono")
        sheet.heading("n" * 500, 1)
    assert shown[0] == pose
    assert 100 < len(shown[1]) < 200


def test_pictures_that_are_cut_off_are_left_out_of_page_and_paper(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=60)
    kept = run.images()
    broken = run.path / str(kept["file"].iloc[0])
    broken.write_bytes(broken.read_bytes()[:40])
    found = embed(run, kept.assign(kind="region"), 10**6)
    assert str(kept["file"].iloc[0]) not in found
    assert len(found) == kept["file"].nunique() - 1
    assert write_report(run, tmp_path / "r.pdf", format="pdf").is_file()


def test_pictures_that_changed_are_counted_over_objects(tmp_path: Path) -> None:
    names = ("one", "two")
    runs = [simulate(tmp_path / name, scenes=names, models=["a", "b"], poses=40) for name in ("first", "second")]
    for part in range(2):  # other pictures in all of the second run
        table = runs[1].part(part)
        at = table.schema.get_field_index("image_digest")
        other = pd.Series(table.column("image_digest").to_numpy() + np.uint64(1))
        runs[1].write_part(part, table.set_column(at, table.schema.field(at), [other.to_numpy()]))
    (between,) = between_runs(gather(runs))
    assert between.other_pictures == 80  # 40 poses of each object, whichever model saw them


def test_the_page_of_two_runs_tells_of_their_common_wrong_labels(tmp_path: Path) -> None:
    runs = [simulate(tmp_path / name, poses=300, seed=k) for k, name in enumerate(("bright", "dark"))]
    rows = labels_between(gather(runs))
    assert len(rows) == 1
    assert rows[0]["shared"] == 3  # both read failures as the same three things
    for ending in ("html", "md"):
        text = write_report(runs, tmp_path / f"r.{ending}", format=ending).read_text()  # type: ignore[arg-type]
        assert "share 3 of net" in text


def test_equal_rates_come_with_interval_and_n() -> None:
    rows = [
        {"scene": s, "model": "m", "n": n, "rate": 0.0, "low": 0.0, "high": high}
        for s, n, high in (("a", 300, 0.0126), ("b", 20, 0.161), ("c", 0, float("nan")))
    ]
    text = words.headline(rows)
    assert "[0.0, 16.1]" in text
    assert "n = 20" in text
    assert "with poses" in text


def test_one_pose_does_not_say_that_confidence_and_recognition_agree() -> None:
    nan = float("nan")
    row = {"n": 1, "ece": 0.4, "ece_low": 0.0, "ece_high": 1.0, "gap": 0.4, "gap_low": nan, "gap_high": nan}
    assert "agree" not in words.calibrated(row)
    assert "agree" in words.calibrated(row | {"gap_low": -0.1, "gap_high": 0.9})


def test_bounds_that_few_poses_do_not_give_are_not_beyond_the_ladder() -> None:
    nan = float("nan")
    assert spread(12.0, 9.0, nan, "degrees") == "12° [9, beyond]"
    assert median(12.0, nan, nan, "degrees") == "12° [too few poses]"
    assert median(nan, nan, nan, "degrees") == "–"


def test_indices_of_nothing_are_none_and_say_so(tmp_path: Path) -> None:
    from posetest.analysis.recorded import recorded_space

    parent = simulate(tmp_path / "space", poses=1, space=SpaceConfig(azimuth=(-30, 30)))
    scene = parent.info.scenes[0]
    space = recorded_space(scene)
    assert space is not None
    bases, rows = design_rows(space, 2, [0])
    info = ProbeInfo(what="indices", parent="x", parent_digest="d", poses=2)
    probe = simulate_probe(
        tmp_path, info, bases, rows, lambda r: np.full(len(r), "jeep"), failed=0, space=SpaceConfig(azimuth=(-30, 30))
    )
    table = indices(probe)
    assert (table["n"] == 1).all()
    assert (table["n_left_out"] == 1).all()
    assert table[["first", "total_high"]].isna().all(axis=None)
    assert not len(index_pairs(probe))
    block = probe_block(probe, probe.info.scenes[0])
    assert block is not None
    assert block.columns[0].told == ["Too few poses could be evaluated."]


def test_what_is_of_rates_is_refused_where_there_are_none(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=5)
    search = RunFolder(run.path, msgspec.structs.replace(run.info, kind="search"))
    with pytest.raises(ConfigError, match="rates are of audits"):
        write_report(search, tmp_path / "r.html", measures=["photographer"])
    with pytest.raises(RunError, match="in the format html"):
        write_report(search, tmp_path / "r.json", format="json")


def test_figures_of_names_that_run_together_do_not_replace_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sketches(run: RunFolder) -> list[Sketch]:
        return [Sketch("a-b-c-direction", f"{k}", (1.0, 1.0), lambda figure: figure.add_subplot()) for k in "xy"]

    monkeypatch.setattr(plates, "audit_sketches", sketches)
    written = plates.write_plates(simulate(tmp_path / "run", poses=1), tmp_path / "figures")
    assert len({plate.name for plate in written}) == 2
    assert len(list((tmp_path / "figures").glob("*.png"))) == 2


def test_a_page_too_large_goes_without_details_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = simulate(tmp_path / "run", poses=400, sheets=True)
    whole = html.render([run])
    assert "it goes without" not in whole
    monkeypatch.setattr(html, "_BUDGET", html._LEAST_FOR_PICTURES + 60_000)
    part = html.render([run])
    assert "it goes without maps over all rotations" in part
    assert len(part) < len(whole)
    assert "parameters</h3>" in whole
    assert "parameters</h3>" not in part
    assert 'id="method"' in part  # what must be said is said
