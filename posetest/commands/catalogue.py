"""posetest scenes, posetest meshes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from posetest.commands.terminal import print_json, print_rich, warm_up_kernels
from posetest.errors import ConfigError


def scenes(
    scenes: Annotated[Positional[tuple[str, ...]], arg(metavar="[SCENE ...]")] = (),
    /,
    sheet: Path | None = None,
    views: int = 4,
    seed: int = 0,
    under: str | None = None,
    as_json: Annotated[bool, arg(name="json")] = False,
) -> int:
    """List the bundled scenes: object, what it may be called, how poses are drawn; with thumbnails if wanted.

    Args:
        scenes: Scene files (.toml), mesh files or names of bundled scenes; none: all bundled scenes.
        sheet: Write a sheet of thumbnails, as PNG: poses drawn from each scene's own measure.
        views: Thumbnails of each scene.
        seed: Of the poses that are shown.
        under: Another scene, such as strike or photographer, whose conditions (all but the object) are used.
        as_json: Print JSON instead of a table.
    """
    from posetest import api
    from posetest.report.terminal import scenes_table
    from posetest.scene.scene import bundled_scenes, load_scene

    if sheet is not None and sheet.suffix.lower() != ".png":
        raise ConfigError(f"{sheet}: the sheet is written as PNG; let the name end in .png")
    loaded = [load_scene(s, under=under) for s in scenes or bundled_scenes()]
    listed = api.scene_table(loaded)
    if as_json:
        print_json(listed.to_dict(orient="records"))
    else:
        print_rich(scenes_table(listed))
    if sheet is not None:
        from PIL import Image

        warm_up_kernels({scene.config.render.backend for scene in loaded})
        sheet.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(api.scene_sheet(loaded, views=views, seed=seed)).save(sheet)
        sys.stderr.write(f"thumbnails: {sheet}\n")
    return 0


def meshes(
    action: Annotated[Positional[Literal["list", "build", "check"]], arg(metavar="list|build|check")] = "list",
    names: Annotated[Positional[tuple[str, ...]], arg(metavar="[NAME ...]")] = (),
    /,
    out: Path = Path("meshes"),
    seed: UseAppendAction[tuple[int, ...]] = (),
) -> int:
    """List the bundled objects, build them (or variants of them) as GLB files, or check that they build as they are.

    Args:
        action: list; build into --out; check that building gives the bundled files bit for bit.
        names: Names of bundled objects; none: all.
        out: Folder for what is built.
        seed: Variant to build: 0 is the bundled object; repeat for several.
    """
    from posetest.objects.build import build_all, built, check_names
    from posetest.objects.catalogue import BUILDERS
    from posetest.resources import bundled

    if action == "build":
        for one in seed or (0,):
            for path in build_all(out, names, seed=one):
                sys.stdout.write(f"{path}  {path.stat().st_size:,} bytes\n")
        return 0
    check_names(names)
    if action == "list":
        width = max(map(len, BUILDERS))
        for name in names or BUILDERS:
            size = (bundled("meshes") / f"{name}.glb").stat().st_size
            sys.stdout.write(f"{name:<{width}}  {size:>9,} bytes  {', '.join(BUILDERS[name](0).labels)}\n")
        return 0
    differ = []
    for name, data in built(names).items():
        path = bundled("meshes") / f"{name}.glb"
        if not path.is_file() or path.read_bytes() != data:
            differ.append(name)
    if differ:
        sys.stderr.write(f"built otherwise than the files in {bundled('meshes')}: {', '.join(differ)}\n")
        return 1
    sys.stdout.write("all objects build bit for bit as they are bundled\n")
    return 0
