"""What users install: the wheel holds meshes and scenes, and the demo runs from it in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUNDLED = sorted(p.name for folder in ("meshes", "scenes") for p in (ROOT / folder).iterdir() if p.is_file())


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Output of ``command``; the test fails with all of it where the command does."""
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env={**clean, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist, built with the packages at hand."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def test_wheel_and_sdist_hold_meshes_scenes_and_weights(built: tuple[Path, Path]) -> None:
    wheel, sdist = built
    in_wheel = {Path(name).name for name in zipfile.ZipFile(wheel).namelist()}
    with tarfile.open(sdist) as archive:
        in_sdist = {Path(name).name for name in archive.getnames()}
    assert BUNDLED
    for name in (*BUNDLED, "weights.safetensors", "report.html.j2", "LICENSE"):
        assert name in in_wheel, f"{name} is not in the wheel"
        assert name in in_sdist, f"{name} is not in the sdist"


def test_the_demo_runs_from_the_wheel_in_an_empty_folder(built: tuple[Path, Path], tmp_path: Path) -> None:
    environment, empty = tmp_path / "environment", tmp_path / "empty"
    empty.mkdir()
    venv.create(environment, with_pip=False)
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    site = Path(sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)}))
    python = scripts / "python"
    # the dependencies are those of this environment, reached by a path entry: what is tested is our own package
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, built[0], cwd=empty)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = run(python, "-c", "import posetest; print(posetest.__file__)", cwd=empty)
    assert Path(where.strip()).is_relative_to(environment)
    output = run(
        python, "-m", "posetest.cli", "audit", "school_bus", "cab", "--poses", "40", "--out", "demo", cwd=empty
    )
    assert "school_bus" in output
    assert (empty / "demo" / "report.html").is_file()
