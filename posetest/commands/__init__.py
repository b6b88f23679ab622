"""What each command of the command line does: arguments in, a call into the Python interface, results on stdout."""

from posetest.commands.auditing import audit
from posetest.commands.catalogue import meshes, scenes
from posetest.commands.pictures import render
from posetest.commands.plain_help import plain_help
from posetest.commands.probing import probe
from posetest.commands.reporting import doctor, report
from posetest.commands.searching import search
from posetest.commands.terminal import plain_warnings
from posetest.commands.training import train_reference
from posetest.commands.tuning import tune

__all__ = [
    "audit",
    "doctor",
    "meshes",
    "plain_help",
    "plain_warnings",
    "probe",
    "render",
    "report",
    "scenes",
    "search",
    "train_reference",
    "tune",
]
