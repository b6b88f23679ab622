"""The layering that CONTRIBUTING.md describes, read from the syntax trees, so that no import can slip past it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "posetest"
#: A layer imports only from layers before it, or from itself.
LAYERS = [
    ("errors", "_version", "config", "run_info", "resources"),
    ("geometry",),
    ("protocols",),
    ("scene",),
    ("objects",),
    ("space",),
    ("render",),
    ("models",),
    ("stimuli",),
    ("training",),
    ("objectives",),
    ("search",),
    ("engine",),
    ("analysis",),
    ("report",),
    ("gate", "export"),
    ("viewer",),
    ("api",),
    ("doctor", "commands"),
    ("cli",),
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
#: search/ is pure mathematics: it never renders and never calls a model.
SEARCH_MAY_IMPORT = {"errors", "config", "protocols", "geometry", "space", "search"}
TORCH_FREE = ("analysis", "report", "gate", "export")


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def layer_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Full names of the modules that ``path`` imports anywhere, functions and type-checking blocks included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            if node.module == "posetest":
                names |= {f"posetest.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_layer_imports_only_from_layers_above_it(path: Path) -> None:
    own = layer_of(path)
    assert own in RANK, f"{path}: in no layer; add it to LAYERS where it belongs"
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "posetest" and len(parts) > 1:
            other = parts[1]
            assert RANK[other] <= RANK[own], f"{path}: {own} imports {other}, which is below it"
            if own == "search":
                assert other in SEARCH_MAY_IMPORT, f"{path}: search imports {other}"


@pytest.mark.parametrize("layer", TORCH_FREE)
def test_what_reads_run_folders_does_not_name_torch(layer: str) -> None:
    for path in modules():  # gate and export do not exist yet: the rule waits for them
        if layer_of(path) == layer:
            assert not {n for n in imported(path) if n.split(".")[0] in ("torch", "torchvision")}, path


def loaded_after(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter after ``code``."""
    script = f"import sys\n{code}\nprint(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_posetest_loads_neither_torch_nor_numba() -> None:
    assert not loaded_after("import posetest") & {"torch", "torchvision", "numba", "pandas", "trimesh"}


def test_reading_and_reporting_a_run_loads_no_torch() -> None:
    code = "import posetest.engine.run, posetest.analysis.rates, posetest.analysis.density, posetest.report.html"
    assert not loaded_after(code) & {"torch", "torchvision", "numba"}


def test_help_loads_nothing_heavy() -> None:
    quiet = "import posetest.cli, sys, io\nout, sys.stdout = sys.stdout, io.StringIO()\nposetest.cli.main(['--help'])"
    code = f"{quiet}\nsys.stdout = out"
    assert not loaded_after(code) & {"torch", "numpy", "tyro", "rich", "pandas", "msgspec"}
