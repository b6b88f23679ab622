"""What users call from Python. The command line is a thin layer over these functions."""

from posetest.api.animation import animate, check_animation
from posetest.api.auditing import audit
from posetest.api.catalogue import scene_sheet, scene_table
from posetest.api.pictures import contact_sheet, grid_poses, render_poses
from posetest.api.probing import probe
from posetest.api.request import new_folder
from posetest.api.run import ProbeRun, Run, SearchRun, TuneRun, open_run, write_report
from posetest.api.searching import search_poses
from posetest.api.tuning import tuning_curves

__all__ = [
    "ProbeRun",
    "Run",
    "SearchRun",
    "TuneRun",
    "animate",
    "audit",
    "check_animation",
    "contact_sheet",
    "grid_poses",
    "new_folder",
    "open_run",
    "probe",
    "render_poses",
    "scene_sheet",
    "scene_table",
    "search_poses",
    "tuning_curves",
    "write_report",
]
