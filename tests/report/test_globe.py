"""The data of the globe against the analysis it is made from, and as text inside a page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulated_run import simulate

from posetest.analysis.contrast import direction_contrast
from posetest.analysis.density import direction_rates, viewing_cells
from posetest.analysis.maps import direction_labels, direction_scores
from posetest.analysis.outcomes import of_pair
from posetest.analysis.summary import summary_frame
from posetest.engine.run import RunFolder
from posetest.geometry.grids import cell_to_direction
from posetest.geometry.so3 import direction
from posetest.report.globe import globe, globe_data, script_json
from posetest.report.words import bounds, decimal, percent

MODELS = ("net_a", "net_b")


def rows_of(run: RunFolder) -> dict[str, pd.DataFrame]:
    frame = summary_frame(run)
    return {model.name: of_pair(frame, "jeep", model.name) for model in run.info.models}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return simulate(tmp_path_factory.mktemp("globe") / "run", models=MODELS, poses=2000, sheets=True)


@pytest.fixture(scope="module")
def data(run: RunFolder) -> dict[str, object]:
    tiles = run.tiles()
    return globe_data(run.info.scenes[0], rows_of(run), tiles)  # type: ignore[return-value]


def told(share: list[int | None]) -> str:
    """A row of shares in the words of the report."""
    _, _, rate, low, high = share
    if rate is None or low is None or high is None:
        return "–"
    return f"{rate / 10:.1f}\u202f% [{low / 10:.1f}, {high / 10:.1f}]"


def test_every_cell_has_the_rate_interval_and_n_of_the_analysis(run: RunFolder, data: dict) -> None:  # type: ignore[type-arg]
    shares = {(k, n): told([k, n, *rest]) for k, n, *rest in data["shares"]}
    for model, rows in zip(data["models"], rows_of(run).values(), strict=True):
        table = direction_rates(rows, data["cells"]["nside"])
        assert len(table) == 192
        assert model["n"] == table["n"].tolist()
        for row in table.query("n > 0").itertuples():
            words = f"{percent(row.rate)} {bounds(row.low, row.high)}"
            assert shares[model["recognised"][row.cell], row.n] == words
        assert np.allclose(np.asarray(data["cells"]["azimuth"]) / 10, table["azimuth_deg"], atol=0.051)
        assert np.allclose(np.asarray(data["cells"]["elevation"]) / 10, table["elevation_deg"], atol=0.051)


def test_confidence_and_labels_are_those_of_the_analysis(run: RunFolder, data: dict) -> None:  # type: ignore[type-arg]
    for model, rows in zip(data["models"], rows_of(run).values(), strict=True):
        table = direction_scores(rows, data["cells"]["nside"])
        means = [None if np.isnan(v) else decimal(v) for v in table["confidence"]]
        assert [None if v is None else f"{v / 100:.2f}" for v in model["confidence"][0]] == means
        known = table.dropna(subset=["confidence_low"])
        spelled = {
            row.cell: f"{decimal(row.confidence_low)} {decimal(row.confidence_high)}" for row in known.itertuples()
        }
        assert {k: f"{low / 100:.2f} {high / 100:.2f}" for k, (low, high) in model["confidence"][1].items()} == spelled
        labels = direction_labels(rows, data["cells"]["nside"])
        for label, counts in zip(data["shown"], model["read"], strict=True):
            assert counts == labels[labels["label"] == label]["count"].tolist()
        wrong = labels[~labels["accepted"]].sort_values(["cell", "count", "label"], ascending=[True, False, True])
        for row in wrong.drop_duplicates("cell").itertuples():
            assert model["times"][row.cell] == row.count
            if row.count:
                assert model["labels"][model["wrong"][row.cell]] == row.label
            else:
                assert model["wrong"][row.cell] == -1


def test_differences_are_those_of_the_analysis_with_its_findings(tmp_path: Path) -> None:
    answers = {}
    for model, chance in (("net_a", 0.95), ("net_b", 0.55)):
        run = simulate(
            tmp_path / model, models=[model], poses=6000, rule=lambda d, p=chance: np.where(d[:, 2] > 0, p, 0.2)
        )
        answers |= rows_of(run)
    data = globe_data(run.info.scenes[0], answers, run.tiles())
    (difference,) = data["differences"]
    table = direction_contrast(*answers.values(), data["wide"]["nside"])
    assert difference["differs"] == (table["differs"] * 1 + table["differs_surely"] * 1).tolist()
    assert set(difference["differs"]) == {0, 1, 2}
    for row in table.itertuples():
        p = difference["p"][f"{row.only_first}/{row.only_second}"]
        assert p == pytest.approx([row.p, row.p_bh, row.p_holm], rel=0.01)
    assert data["wide"]["nside"] == 3
    front = cell_to_direction(data["wide"]["nside"])[:, 2] > 0.2
    assert np.mean(np.asarray(difference["differs"])[front] > 0) > 0.8
    assert [v / 1000 for v in difference["difference"]] == pytest.approx(table["difference"].tolist(), abs=5e-4)


def test_each_cell_shows_a_pose_of_its_own_where_there_is_one(run: RunFolder, data: dict) -> None:  # type: ignore[type-arg]
    rows = next(iter(rows_of(run).values())).set_index("index")
    tiles = data["tiles"]
    cells = viewing_cells(rows.loc[tiles["index"]], data["cells"]["nside"])
    for cell, number in enumerate(data["cells"]["tile"]):
        assert data["models"][0]["n"][cell] == 0 or number >= 0
        if number >= 0:
            assert cells[number] == cell
    for model, answered in zip(data["models"], rows_of(run).values(), strict=True):
        kept = answered.set_index("index").loc[tiles["index"]]
        names = [model["answers"]["labels"][k] for k in model["answers"]["label"]]
        assert names == kept["top1_label"].astype(str).tolist()
        assert model["answers"]["recognised"] == kept["recognised"].astype(int).tolist()


def test_finer_cells_than_the_pictures_show_the_nearest(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=8000, sheets=True)
    data = globe_data(run.info.scenes[0], rows_of(run), run.tiles())
    assert data["cells"]["nside"] == 8
    tiles = data["tiles"]
    assert len(tiles["index"]) == 192
    angles = np.radians([tiles["azimuth"], tiles["elevation"]]) / 10
    near = cell_to_direction(8) @ direction(*angles).T
    for cell, number in enumerate(data["cells"]["tile"]):
        if number < 0:
            assert near[cell, -2 - number] >= near[cell].max() - 1e-3
    assert len(script_json(data)) < 65_000  # of which the poses' replay strings are a third, once for all models
    assert len(script_json(data["models"][0])) < 25_000


def test_names_cannot_end_the_script_element(run: RunFolder) -> None:
    hostile = "</script><!--<script>&\u2028\u2029'\""
    text = script_json({"name": hostile, "n": float("nan")})
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {"name": hostile, "n": None}


def test_models_without_poses_are_told_and_objects_without_any_have_no_globe(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", models=MODELS, poses=40)
    rows = rows_of(run)
    nothing = {name: frame.iloc[:0] for name, frame in rows.items()}
    assert globe(run.info.scenes[0], nothing, run.tiles()) is None
    data = globe_data(run.info.scenes[0], {**rows, "net_b": nothing["net_b"]}, run.tiles())
    assert data["models"][1] == {"name": "net_b", "total": 0}
    assert data["differences"] == []
    assert data["cells"]["nside"] == 1
