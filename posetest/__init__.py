"""posetest finds the 3D poses at which an image classifier stops recognising an object it knows.

    import posetest
    run = posetest.audit("bundled", "school_bus", poses=2000, seed=0)
    run.rates()      # recognition rates with intervals
    run.report()     # report.html in the run folder

Importing this package imports neither torch nor numba; the names below are loaded when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from posetest._version import __version__

if TYPE_CHECKING:
    from posetest.api import (
        ProbeRun,
        Run,
        SearchRun,
        TuneRun,
        audit,
        open_run,
        probe,
        render_poses,
        search_poses,
        tuning_curves,
        write_report,
    )
    from posetest.models.load import load_model
    from posetest.scene.load import load_mesh
    from posetest.scene.scene import Scene, load_scene
    from posetest.stimuli.dataset import PoseDataset
    from posetest.stimuli.priors import FailurePrior

__all__ = [
    "FailurePrior",
    "PoseDataset",
    "ProbeRun",
    "Run",
    "Scene",
    "SearchRun",
    "TuneRun",
    "__version__",
    "audit",
    "load_mesh",
    "load_model",
    "load_scene",
    "open_run",
    "probe",
    "render_poses",
    "search_poses",
    "tuning_curves",
    "write_report",
]

_HOME = {
    "ProbeRun": "posetest.api",
    "probe": "posetest.api",
    "Run": "posetest.api",
    "SearchRun": "posetest.api",
    "TuneRun": "posetest.api",
    "tuning_curves": "posetest.api",
    "write_report": "posetest.api",
    "search_poses": "posetest.api",
    "audit": "posetest.api",
    "open_run": "posetest.api",
    "render_poses": "posetest.api",
    "load_model": "posetest.models.load",
    "load_mesh": "posetest.scene.load",
    "Scene": "posetest.scene.scene",
    "load_scene": "posetest.scene.scene",
    "PoseDataset": "posetest.stimuli.dataset",
    "FailurePrior": "posetest.stimuli.priors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'posetest' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
