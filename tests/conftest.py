"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from posetest.engine.host import tune_process

# as the command line does, before any test imports torch: waiting threads that spin cost the suite a minute
tune_process()

#: Modules that take longest. Several processes take whole modules, and a long one must not be left over for the end.
SLOW_FIRST = ("test_packaging", "test_methods", "test_browser", "test_html", "test_known_answers", "test_real_search")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config.option, "loadscopereorder"):  # pytest-xdist is there: by default it starts with the most tests
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: number for number, name in enumerate(SLOW_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real meshes, classifiers and photographs beside the checkout."""
    if not (SHARED / "meshes" / "manifest.csv").is_file():
        pytest.skip("no ../shared beside the checkout: the real meshes, classifiers and photographs are not here")
    return SHARED
