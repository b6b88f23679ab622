"""The report in a browser: what is pointed at, turned, copied, printed; of a real run and of one with hostile names."""

from __future__ import annotations

import itertools
import json
import math
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from simulated_run import simulate, tile_grey

import posetest
from posetest.analysis.contrast import direction_contrast
from posetest.analysis.density import direction_rates, free_intervals
from posetest.analysis.landscape import landscape
from posetest.analysis.outcomes import of_pair
from posetest.analysis.summary import summary_frame
from posetest.engine.run import RunFolder
from posetest.geometry.grids import cell_to_direction, direction_to_cell, direction_to_mollweide
from posetest.geometry.so3 import direction, orbit_to_matrix
from posetest.report.figures import palette
from posetest.report.html import write_page
from posetest.report.words import bounds, percent

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[test]'")

START = (30.0, 15.0)  # degrees: where a globe is turned to at first
HOSTILE = ("<script>pwned=1</script>", '"><img src=x onerror=pwned=1>', "</script><svg onload=pwned=1>")


@dataclass
class Opened:
    """A page with all that it complained of."""

    page: Any
    complaints: list[str] = field(default_factory=list)

    def canvas(self, kind: str, number: int = 0) -> Any:
        found = self.page.locator(f".directions canvas.{kind}:visible").nth(number)
        found.scroll_into_view_if_needed()
        self.page.wait_for_function("(c) => c.width > 0", arg=found.element_handle())  # drawn when it comes near
        return found

    def card(self, number: int = 0) -> str:
        self.page.evaluate("() => new Promise(requestAnimationFrame)")
        text: str = self.page.locator(".directions .card:visible").nth(number).inner_text()
        return re.sub(r"\s+", " ", text.replace("\u202f", " "))

    def data(self, number: int = 0) -> Any:
        return json.loads(self.page.locator("script.globe-data").nth(number).text_content())

    def point(
        self, kind: str, vector: NDArray[np.float64], turn: tuple[float, float] = START, box: Any = None
    ) -> tuple[float, float]:
        """Where a direction is on the first globe or map, pixels of the window."""
        box = box or self.canvas(kind).bounding_box()
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        if kind == "globe":  # as a camera that stands there sees it
            x, y, depth = orbit_to_matrix(*np.radians(turn))[0] @ vector
            assert depth > 0
        else:
            x, y = direction_to_mollweide(vector)
        return middle[0] + float(x) * radius(kind, box), middle[1] - float(y) * radius(kind, box)

    def colors(self, kind: str, vectors: Sequence[NDArray[np.float64]]) -> NDArray[np.int64]:
        """The colours [n, 3] of the first globe or map in directions."""
        box = self.canvas(kind).bounding_box()
        script = """(c, places) => {
            const copy = document.createElement("canvas");
            [copy.width, copy.height] = [c.width, c.height];
            const pen = copy.getContext("2d", { willReadFrequently: true });
            pen.drawImage(c, 0, 0);
            return places.map(([x, y]) => [...pen.getImageData(Math.round(x), Math.round(y), 1, 1).data].slice(0, 3));
        }"""
        places = [self.point(kind, vector, box=box) for vector in vectors]
        return np.array(self.canvas(kind).evaluate(script, [[x - box["x"], y - box["y"]] for x, y in places]))


def radius(kind: str, box: dict[str, float]) -> float:
    """Of the globe, or half the map's height, as templates/globe_view.js lays them out."""
    width, height = box["width"], box["height"]
    return min(width, height) / 2 - 3 if kind == "globe" else min(width / 4 - 1, height / 2 - 19)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    known = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, known)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(known)} is on the path")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A real audit, with its report."""
    done = posetest.audit("bundled", ["cab"], poses=480, image_size=48, out=tmp_path_factory.mktemp("browser") / "run")
    done.report()
    return done


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("browser") / "run"
    run = simulate(folder, scenes=[HOSTILE[0]], models=[HOSTILE[1], "b"], poses=500, wrong=HOSTILE[1:], sheets=True)
    write_page(run, folder / "report.html")
    return run


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Opened]]:
    """Opens a run's report; in the end it must have asked for nothing but itself, and complained of nothing."""
    contexts: list[tuple[Any, Opened]] = []

    def opened(run: RunFolder, **options: Any) -> Opened:
        address = (run.path / "report.html").as_uri()
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        found = Opened(context.new_page())
        contexts.append((context, found))

        def answer(route: Any) -> None:
            if route.request.url == address:
                route.continue_()
                return
            found.complaints.append(f"asked for {route.request.url}")
            route.abort()

        context.route("**/*", answer)
        found.page.on("console", lambda message: found.complaints.append(f"{message.type}: {message.text}"))
        found.page.on("pageerror", lambda error: found.complaints.append(f"error: {error}"))
        found.page.on("dialog", lambda dialog: found.complaints.append(f"dialog: {dialog.message}"))
        found.page.add_init_script(
            "addEventListener('securitypolicyviolation', (e) => console.error('policy', e.violatedDirective))"
        )
        found.page.goto(address)
        return found

    yield opened
    for context, found in contexts:
        context.close()
        assert found.complaints == []


def rows_of(run: RunFolder, model: str) -> pd.DataFrame:
    return of_pair(summary_frame(run), run.info.scenes[0].name, model)


def numbers(row: Any) -> str:
    return f"{percent(row.rate)} {bounds(row.low, row.high)} n = {int(row.n)}".replace("\u202f", " ")


def place(table: pd.DataFrame, cell: int) -> str:
    row = table.iloc[cell]
    return f"azimuth {row.azimuth_deg:.1f}°, elevation {row.elevation_deg:.1f}°".replace("-", "−")


def test_the_cells_of_the_script_are_those_of_the_analysis(run: RunFolder, visit: Callable[..., Opened]) -> None:
    page = visit(run).page
    random = np.random.default_rng(0).normal(size=(500, 3))
    vectors = np.concatenate([cell_to_direction(8), random / np.linalg.norm(random, axis=1)[:, None]])
    for nside in (1, 2, 3, 8):
        script = "([all, nside]) => all.map((v) => directionToCell(v, nside))"
        assert page.evaluate(script, [vectors.tolist(), nside]) == direction_to_cell(vectors, nside).tolist()
        centres = page.evaluate("(nside) => cellsOf(nside).map((cell) => cell.centre)", nside)
        assert np.allclose(centres, cell_to_direction(nside), atol=1e-12)
    flat = page.evaluate("(all) => all.map((v) => mollweide(...directionToAngles(v)))", vectors.tolist())
    assert np.allclose(flat, np.stack(direction_to_mollweide(vectors), axis=-1), atol=1e-6)


@pytest.mark.parametrize("kind", ["globe", "flat"])
def test_pointing_at_a_cell_tells_its_numbers(run: RunFolder, visit: Callable[..., Opened], kind: str) -> None:
    opened = visit(run)
    table = direction_rates(rows_of(run, "bundled"))
    assert len(table) == 48
    centres = cell_to_direction(2)
    eye = direction(*np.radians(START))
    for cell in [k for k in range(48) if kind == "flat" or centres[k] @ eye > 0.4][::3]:
        opened.page.mouse.move(*opened.point(kind, centres[cell]))
        card = opened.card()
        assert place(table, cell) in card
        assert numbers(table.iloc[cell]) in card


def test_what_is_to_the_right_on_the_globe_is_the_right_of_the_object(
    run: RunFolder, visit: Callable[..., Opened]
) -> None:
    opened = visit(run)
    opened.canvas("globe").focus()
    opened.page.keyboard.press("Home")
    box = opened.canvas("globe").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for (dx, dy), pattern in {
        (0.6, 0): "azimuth [1-9]", (-0.6, 0): "azimuth −", (0, -0.6): "elevation [1-9]", (0, 0.6): "elevation −",
    }.items():  # fmt: skip
        opened.page.mouse.move(middle[0] + dx * radius("globe", box), middle[1] + dy * radius("globe", box))
        assert re.search(pattern, opened.card())


def test_dragging_turns_the_globe_by_a_radian_a_radius(run: RunFolder, visit: Callable[..., Opened]) -> None:
    opened = visit(run)
    box = opened.canvas("globe").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    opened.page.mouse.move(x + 20, y)
    opened.page.mouse.down()
    opened.page.mouse.move(x - 20, y - 10)
    opened.page.mouse.move(x - 50, y - 30)
    opened.page.mouse.up()
    turned = [math.radians(START[0]) + 70 / radius("globe", box), math.radians(START[1]) - 30 / radius("globe", box)]
    table = direction_rates(rows_of(run, "bundled"))
    opened.page.mouse.move(x, y)
    under = int(direction_to_cell(direction(*turned)[None], 2)[0])
    assert under != int(direction_to_cell(direction(*np.radians(START))[None], 2)[0])
    assert place(table, under) in opened.card()
    # and all that is seen has turned with it
    for cell in np.flatnonzero(cell_to_direction(2) @ direction(*turned) > 0.5):
        opened.page.mouse.move(*opened.point("globe", cell_to_direction(2)[cell], tuple(np.degrees(turned))))
        assert place(table, cell) in opened.card()


def test_a_cell_clicked_on_the_map_comes_to_the_front_of_the_globe(
    run: RunFolder, visit: Callable[..., Opened]
) -> None:
    opened = visit(run, reduced_motion="reduce")
    table = direction_rates(rows_of(run, "bundled"))
    for cell in (3, 20, 24, 46):
        opened.page.mouse.click(*opened.point("flat", cell_to_direction(2)[cell]))
        opened.page.keyboard.press("Escape")
        box = opened.canvas("globe").bounding_box()
        opened.page.mouse.move(box["x"] + box["width"] / 2 + 3, box["y"] + box["height"] / 2)
        assert place(table, cell) in opened.card()


def test_cells_have_the_colours_of_their_rates(run: RunFolder, visit: Callable[..., Opened]) -> None:
    opened = visit(run)
    opened.page.mouse.move(1, 1)
    table = direction_rates(rows_of(run, "bundled"))
    eye = direction(*np.radians(START))
    seen, expected = [], []
    for azimuth, elevation in itertools.product(range(-166, 180, 18), range(-75, 80, 15)):  # between the lines
        vector = direction(*np.radians([azimuth, elevation + 7.0]))
        if np.abs(vector).max() > 0.95 or vector @ eye > 0.95 or vector @ eye < 0.3:
            continue  # words stand there, or the outline of the cell looked at; or it is not seen
        near = direction_to_cell(vector + 0.06 * np.concatenate([np.eye(3), -np.eye(3)]), 2)
        if len(set(near)) == 1:  # on no edge
            seen.append(vector)
            expected.append(palette()[round(100 * table["rate"].iloc[near[0]])].astype(int))
    assert len(seen) > 10
    for kind in ("globe", "flat"):
        assert np.abs(opened.colors(kind, seen) - expected).max() < 10


def test_modes_switch_colours_captions_and_cards(hostile: RunFolder, visit: Callable[..., Opened]) -> None:
    opened = visit(hostile)
    page = opened.page
    for value, words, told in (
        ("confidence", "Mean probability of the first label", "confidence"),
        ("entropy", "Mean entropy of the predicted distribution in nats", "1.00 nats"),
        ("label", f"misread as “{HOSTILE[1]}”", f"read as {HOSTILE[1]}"),
        ("recognised", "that are recognised", "recognised"),
    ):
        before = page.locator(".directions .ticks").inner_text()
        page.locator(f".modes input[value={value}]").check(force=True)
        assert words in page.locator(".directions .live .caption.mode").inner_text()
        assert hostile.info.scenes[0].measure in page.locator(".directions .live .caption").last.inner_text()
        assert told in opened.card()
        assert page.locator(".seen:visible").count() == 2
        assert value in ("label", "recognised") or page.locator(".directions .ticks").inner_text() != before
    page.locator(".modes select[aria-label=label]").select_option("1")
    assert page.locator(".modes input[value=label]").is_checked()
    assert f"misread as “{HOSTILE[2]}”" in page.locator(".directions .live .caption.mode").inner_text()


def test_the_difference_of_two_models_is_told_with_its_findings(
    hostile: RunFolder, visit: Callable[..., Opened]
) -> None:
    opened = visit(hostile)
    opened.page.locator(".modes input[value=difference]").check(force=True)
    assert opened.page.locator(".seen:visible").count() == 1
    table = direction_contrast(rows_of(hostile, HOSTILE[1]), rows_of(hostile, "b"), 1)
    for cell in (0, 2, 3, 4, 5, 9):  # cell 6 lies at both ends of the map
        row = table.iloc[cell]
        opened.page.mouse.move(*opened.point("flat", cell_to_direction(1)[cell]))
        sign = "+" if row.difference > 0 else ""
        words = f"{sign}{100 * row.difference:.1f} [{100 * row.low:.1f}, {100 * row.high:.1f}]".replace("-", "−")
        assert words in opened.card()
        assert f"{row.only_first} poses against {row.only_second}" in opened.card()
    assert "n = 500 poses that both evaluated" in opened.page.locator(".seen:visible header").inner_text()
    assert f"{int(table['differs'].sum())} of 12" in opened.page.locator(".live .caption.mode").inner_text()


def test_hostile_names_stay_text(hostile: RunFolder, visit: Callable[..., Opened]) -> None:
    opened = visit(hostile)
    for cell in range(0, 48, 5):
        opened.page.mouse.move(*opened.point("flat", cell_to_direction(2)[cell]))
    assert HOSTILE[1] in opened.page.locator(".seen header").first.inner_text()
    assert opened.page.locator(".modes option").all_inner_texts()[:2] == [HOSTILE[1], HOSTILE[2]]
    assert opened.page.evaluate("typeof pwned") == "undefined"
    assert opened.page.locator(".live script, .live svg, .live img").count() == 0


def test_the_picture_is_the_tile_of_a_pose_of_the_cell(hostile: RunFolder, visit: Callable[..., Opened]) -> None:
    opened = visit(hostile)
    tiles, rows = hostile.tiles(), rows_of(hostile, "b").set_index("index")
    for number in range(0, len(tiles), 9):
        tile = tiles.iloc[number]
        opened.page.mouse.move(*opened.point("flat", cell_to_direction(2)[tile["cell"]]))
        card, row = opened.card(1), rows.loc[tile["index"]]
        assert f"pose {tile['index']}, from" in card
        assert f"{row['top1_label']} {row['top1_p']:.2f} {'✓ recognised' if row['recognised'] else '✗ misread'}" in card
        script = "(c) => c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data[0]"
        grey = opened.page.locator(".card:visible canvas.tile").nth(1).evaluate(script)
        assert abs(grey - tile_grey(number)) <= 2


def test_the_replay_string_is_copied_and_held_while_the_pointer_goes_there(
    run: RunFolder, visit: Callable[..., Opened]
) -> None:
    opened = visit(run)
    opened.page.mouse.click(*opened.point("flat", cell_to_direction(2)[20]))
    data = opened.data()
    pose = data["tiles"]["pose"][data["cells"]["tile"][20]]
    posetest.space.parse_pose(pose)
    opened.page.mouse.move(*opened.point("flat", cell_to_direction(2)[25]))  # on its way it passes other cells
    assert place(direction_rates(rows_of(run, "bundled")), 20) in opened.card()
    assert "held" in opened.card()
    button = opened.page.locator(".card button[data-copy]")
    button.click()
    assert button.inner_text() == "copied"
    opened.page.evaluate(
        "() => { const t = document.createElement('textarea'); t.id = 'p'; document.body.prepend(t); t.focus(); }"
    )
    opened.page.keyboard.press("Control+v")
    assert opened.page.locator("#p").input_value() == pose
    opened.page.keyboard.press("Escape")
    opened.page.mouse.move(*opened.point("flat", cell_to_direction(2)[25]))
    assert place(direction_rates(rows_of(run, "bundled")), 25) in opened.card()


def test_keys_turn_the_globe_and_go_over_the_map(run: RunFolder, visit: Callable[..., Opened]) -> None:
    opened = visit(run)
    table = direction_rates(rows_of(run, "bundled"))

    def centre(azimuth: float, elevation: float) -> str:
        return place(table, int(direction_to_cell(direction(*np.radians([azimuth, elevation]))[None], 2)[0]))

    opened.page.locator(".modes input[value=recognised]").focus()
    while opened.page.evaluate("document.activeElement.className") != "globe":
        opened.page.keyboard.press("Tab")
    for _ in range(5):
        opened.page.keyboard.press("ArrowRight")
    opened.page.keyboard.press("ArrowUp")
    assert centre(START[0] + 50, START[1] + 10) in opened.card()
    opened.page.keyboard.press("Home")
    assert centre(0, 0) in opened.card()
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.className") == "flat"
    before = re.search("azimuth ([^°]+)°", opened.card())
    opened.page.keyboard.press("ArrowRight")
    after = re.search("azimuth ([^°]+)°", opened.card())
    assert before is not None
    assert after is not None
    assert 0 < float(after[1]) - float(before[1].replace("−", "-")) <= 45
    opened.page.keyboard.press("Enter")
    assert "held" in opened.card()
    assert opened.page.locator(".card").first.get_attribute("aria-live") == "polite"


def test_a_phone_shows_everything_without_scrolling_sideways(run: RunFolder, visit: Callable[..., Opened]) -> None:
    phone = {"width": 390, "height": 844}
    opened = visit(run, viewport=phone, is_mobile=True, has_touch=True, device_scale_factor=2)
    assert opened.page.evaluate("document.scrollingElement.scrollWidth") <= 390
    opened.canvas("flat")
    opened.page.touchscreen.tap(*opened.point("flat", cell_to_direction(2)[30]))
    assert place(direction_rates(rows_of(run, "bundled")), 30) in opened.card()
    assert opened.page.evaluate("document.scrollingElement.scrollWidth") <= 390


def test_long_names_do_not_widen_a_narrow_page(tmp_path: Path, visit: Callable[..., Opened]) -> None:
    long = "timm.vit_base_patch16_clip_224.laion2b_ft_in12k_in1k"
    run = simulate(tmp_path / "run", scenes=[long.upper()], models=["a", long], poses=30, wrong=[long], gallery=1)
    write_page(run, run.path / "report.html")
    page = visit(run, viewport={"width": 360, "height": 800}).page
    for mode in ("recognised", "label", "difference"):
        page.locator(f".modes input[value={mode}]").check(force=True)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 360


def test_paper_has_the_static_map_and_no_controls(run: RunFolder, visit: Callable[..., Opened]) -> None:
    page = visit(run).page
    assert page.locator(".still svg.map").first.is_hidden()
    assert page.locator("details:not([open])").count() > 0
    assert page.pdf().startswith(b"%PDF")
    assert page.locator("details:not([open])").count() == 0
    page.emulate_media(media="print")
    assert page.locator(".still svg.map").first.is_visible()
    for hidden in (".modes", ".card", "canvas.globe", "button"):
        assert not any(found.is_visible() for found in page.locator(hidden).all())


def test_without_scripts_the_static_map_is_there(run: RunFolder, visit: Callable[..., Opened]) -> None:
    page = visit(run, java_script_enabled=False).page
    assert page.locator(".still svg.map").first.is_visible()
    assert not page.locator(".modes, .live").count()


def test_the_dark_page_is_dark_and_its_globe_follows(run: RunFolder, visit: Callable[..., Opened]) -> None:
    opened = visit(run, color_scheme="dark")
    ground = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    assert max(opened.page.evaluate(ground)) < 60
    marker = np.array([0.0, 0.0, 1.0])  # the dot at the front is of the page's colour
    opened.card()
    assert opened.colors("flat", [marker]).max() < 60
    opened.page.emulate_media(color_scheme="light")
    opened.card()
    opened.card()
    assert min(opened.page.evaluate(ground)) > 200
    assert opened.colors("flat", [marker]).min() > 200


def test_a_run_without_evaluated_poses_has_no_globe(tmp_path: Path, visit: Callable[..., Opened]) -> None:
    run = simulate(tmp_path / "run", poses=4, failed=4)
    write_page(run, run.path / "report.html")
    page = visit(run).page
    assert page.locator(".live").count() == 0
    assert page.locator(".still .empty").inner_text() == "no evaluated poses"


def test_pointing_at_a_landscape_tells_its_cell(run: RunFolder, visit: Callable[..., Opened]) -> None:
    page = visit(run).page
    heat = page.locator("svg.heat").first
    heat.scroll_into_view_if_needed()
    table = landscape(rows_of(run, "bundled"), "yaw", "pitch", free_intervals(run.info.scenes[0]))
    side = int(table["first_bin"].max()) + 1
    box = heat.bounding_box()
    scale = box["width"] / 340  # the plot lies from 38 to 334 across, from 8 to 168 down
    first, second = side - 1, 0
    x = 38 + (first + 0.5) / side * (334 - 38)
    y = 168 - (second + 0.5) / side * (168 - 8)
    page.mouse.move(box["x"] + x * scale, box["y"] + y * scale)
    row = table.iloc[first * side + second]
    told = page.locator(".tip").inner_text()
    assert told.startswith(f"yaw {row.yaw_deg_low:.4g} to 180°, pitch -90 to ")
    assert told.endswith(f"n = {int(row.n)}")
    assert f"{100 * row.rate:.0f} % [{100 * row.low:.0f}, {100 * row.high:.0f}]" in told
    page.mouse.move(2, 2)
    assert page.locator(".tip").is_hidden()
