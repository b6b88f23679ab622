"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from posetest.engine.host import tune_process

# as the command line does, before any test imports torch: waiting threads that spin cost the suite a minute
tune_process()

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real meshes, classifiers and photographs beside the checkout."""
    if not (SHARED / "meshes" / "manifest.csv").is_file():
        pytest.skip("no ../shared beside the checkout: the real meshes, classifiers and photographs are not here")
    return SHARED
