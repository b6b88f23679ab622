"""Writes the bundled meshes: every builder's canonical object as a GLB file, the same bytes each time.

python -m posetest.objects.build [folder]
"""

from __future__ import annotations

import sys
from pathlib import Path

from posetest.objects.catalogue import BUILDERS
from posetest.objects.glb import mesh_to_glb
from posetest.resources import bundled


def build_all(folder: Path) -> list[Path]:
    """The files written into ``folder`` (made where it is missing), one GLB per bundled object, in catalogue order."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, build in BUILDERS.items():
        path = folder / f"{name}.glb"
        path.write_bytes(mesh_to_glb(build(0).mesh))
        written.append(path)
    return written


def main() -> None:
    """Rebuilds meshes/, or the folder named on the command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else bundled("meshes")
    for path in build_all(folder):
        sys.stdout.write(f"{path}  {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
