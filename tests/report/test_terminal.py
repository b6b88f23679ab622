"""The table at the end of an audit, as printed."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console
from simulated_run import simulate

from posetest.analysis.rates import rates
from posetest.engine.run import RunFolder
from posetest.report.terminal import rates_table


def printed(run: RunFolder, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, force_terminal=True, color_system=None).print(rates_table(rates(run)))
    return stream.getvalue().replace("\u202f", " ")


def test_a_line_for_each_object_and_model_with_intervals_and_measure(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", scenes=["jeep", "banana"], models=["a", "b"], poses=300)
    text = printed(run)
    for row in rates(run).to_dict(orient="records"):
        assert f"{100 * row['rate']:.1f} %" in text
        assert f"[{100 * row['low']:.1f}, {100 * row['high']:.1f}]" in text
    assert text.count("minibus") == 4
    assert "Haar-uniform rotations" in text
    assert "failed" not in text


def test_failed_poses_have_a_column_where_there_are_some(tmp_path: Path) -> None:
    assert "failed" in printed(simulate(tmp_path / "run", poses=30, failed=2))


def test_no_poses_print_as_a_dash(tmp_path: Path) -> None:
    assert "–" in printed(simulate(tmp_path / "run", poses=30, visible=0.0))


def test_markup_and_control_characters_in_names_are_printed_as_text(tmp_path: Path) -> None:
    text = printed(simulate(tmp_path / "run", scenes=["[red]jeep"], models=["net\x1b[2J\x07"], poses=30))
    assert "[red]jeep" in text
    assert "\x1b[2J" not in text
    assert "\x07" not in text
