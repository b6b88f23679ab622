"""The run folder: create, append, resume, read. Every reader of results starts here; nothing here imports torch.

run.toml                    what ran, on what, with which seed, and whether it finished
records/part-00000.parquet  rows; written beside, then renamed, so that a part is whole or absent
images/                     kept pictures (PNG, as the model saw them) and images.parquet, which describes them; of an
                            audit a sheet of small ones for each scene, and tiles.parquet, which describes their tiles
report.html                 made from the above
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from posetest.config import read_toml, to_toml
from posetest.engine.record import to_frame
from posetest.errors import RunError
from posetest.run_info import RunInfo

if TYPE_CHECKING:
    import pandas as pd


#: What images/images.parquet says of each kept picture.
IMAGE_SCHEMA = pa.schema(
    [
        pa.field("file", pa.string()),  # relative to the run folder
        # "canonical": upright, from the front right; "directions": a sheet of small pictures, one for each viewing
        # direction; "gallery": confidently misread; "region": that a failure region names; of a search "start", "best"
        # and "hit"
        pa.field("kind", pa.string()),
        pa.field("scene", pa.string()),
        pa.field("model", pa.string()),  # "" for canonical and directions
        pa.field("index", pa.int64()),  # of the pose; -1 for canonical and directions
        pa.field("pose", pa.string()),  # replay string
        pa.field("top1_label", pa.string()),
        pa.field("top1_p", pa.float32()),  # as recorded
        pa.field("png_label", pa.string()),
        pa.field("png_p", pa.float32()),  # scored again from the 8-bit PNG
        pa.field("persists", pa.bool_()),  # the PNG is misread as the same label; of a search: it reaches the objective
        pa.field("score", pa.float64()),  # of a search, as recorded
        pa.field("samples_label", pa.string()),  # of a search: drawn again with 2 x 2 samples a pixel
        pa.field("samples_p", pa.float32()),
        pa.field("survives", pa.bool_()),  # of a search: PNG and 2 x 2 samples both reach the objective
    ]
)
#: What images/tiles.parquet says of each small picture on a sheet of kind "directions".
TILE_SCHEMA = pa.schema(
    [
        pa.field("file", pa.string()),  # the sheet, relative to the run folder
        pa.field("scene", pa.string()),
        pa.field("index", pa.int64()),  # of the pose
        pa.field("nside", pa.int32()),  # of the HEALPix cells that got a picture each
        pa.field("cell", pa.int32()),  # of the pose's viewing direction (geometry.grids.direction_to_cell)
        pa.field("x_px", pa.int32()),  # left edge on the sheet
        pa.field("y_px", pa.int32()),  # upper edge
        pa.field("size_px", pa.int32()),  # width and height
    ]
)


class RunFolder:
    """A run folder on disk.

    Attributes:
        path: the folder.
        info: run.toml.
    """

    def __init__(self, path: Path, info: RunInfo) -> None:
        self.path = path
        self.info = info

    @classmethod
    def create(cls, path: Path, info: RunInfo) -> Self:
        """A new run folder.

        Raises:
            RunError: the folder holds something already.
        """
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            hint = "add --resume to go on with it, or " if (path / "run.toml").is_file() else ""
            raise RunError(f"{path}: already there and not empty; {hint}choose another --out")
        (path / "records").mkdir(parents=True, exist_ok=True)
        (path / "images").mkdir(exist_ok=True)
        run = cls(path, info)
        run._write_info()
        return run

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The run in the folder ``path``.

        Raises:
            RunError: there is no run.
            ConfigError: its run.toml is damaged.
        """
        path = Path(path)
        if not (path / "run.toml").is_file():
            raise RunError(f"{path}: no run folder (it has no run.toml)")
        return cls(path, read_toml(path / "run.toml", RunInfo))

    def _write_info(self) -> None:
        write_aside(self.path / "run.toml", lambda partial: partial.write_text(to_toml(self.info), encoding="utf-8"))

    def finish(self) -> None:
        """Mark the run as complete."""
        self.info = msgspec.structs.replace(self.info, status="complete")
        self._write_info()

    def part_path(self, part: int) -> Path:
        """File of part number ``part``."""
        return self.path / "records" / f"part-{part:05d}.parquet"

    def has_part(self, part: int) -> bool:
        """Whether this part has been written."""
        return self.part_path(part).is_file()

    def write_part(self, part: int, table: pa.Table) -> None:
        """Store a record part: written beside, then renamed."""
        write_aside(self.part_path(part), lambda partial: pq.write_table(table, partial, compression="zstd"))

    def part_files(self) -> list[Path]:
        """The parts that are there, in order."""
        return sorted((self.path / "records").glob("part-*.parquet"))

    def part(self, number: int, columns: list[str] | None = None) -> pa.Table:
        """Record part ``number``, or the named columns of it.

        Raises:
            RunError: it cannot be read.
        """
        return _read(self.part_path(number), columns)

    def parts(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """The record parts one by one, so that memory does not grow with the run.

        Raises:
            RunError: a part cannot be read.
        """
        for file in self.part_files():
            yield _read(file, columns)

    def table(self, columns: list[str] | None = None) -> pd.DataFrame:
        """All records as a pandas table, or the named columns of them.

        Raises:
            RunError: there are none yet, or a part cannot be read.
        """
        if not self.part_files():
            raise RunError(f"{self.path}: no records yet; run it again with --resume")
        return to_frame(pa.concat_tables(self.parts(columns)))

    def digest(self) -> str:
        """SHA-256 (hex) of run.toml and the records."""
        sha = hashlib.sha256((self.path / "run.toml").read_bytes())
        for file in self.part_files():
            sha.update(file.read_bytes())
        return sha.hexdigest()

    def write_images(self, table: pa.Table) -> None:
        """Store the description of the kept pictures."""
        target = self.path / "images" / "images.parquet"
        write_aside(target, lambda partial: pq.write_table(table, partial, compression="zstd"))

    def images(self) -> pd.DataFrame:
        """What is known of the kept pictures, a row each (columns: IMAGE_SCHEMA); empty where none were kept."""
        file = self.path / "images" / "images.parquet"
        if not file.is_file():
            return to_frame(IMAGE_SCHEMA.empty_table())
        return to_frame(_read(file))

    def write_tiles(self, table: pa.Table) -> None:
        """Store what is on the sheets of small pictures."""
        target = self.path / "images" / "tiles.parquet"
        write_aside(target, lambda partial: pq.write_table(table, partial, compression="zstd"))

    def tiles(self) -> pd.DataFrame:
        """Where each small picture stands on its sheet, a row each (columns: TILE_SCHEMA); empty where there are none.

        Raises:
            RunError: the file cannot be read.
        """
        file = self.path / "images" / "tiles.parquet"
        return to_frame(_read(file) if file.is_file() else TILE_SCHEMA.empty_table())


def file_name(name: str) -> str:
    """``name`` as part of a file name, without dots: itself where it is safe, else cleaned, with a hash."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:60]
    return safe if safe == name and name else f"{safe}-{zlib.crc32(name.encode()):08x}"


def _read(file: Path, columns: list[str] | None = None) -> pa.Table:
    try:
        return pq.read_table(file, columns=columns)
    except (OSError, pa.ArrowInvalid) as error:
        raise RunError(f"{file}: damaged ({error}); delete it and run the same command again with --resume") from error


def write_aside(target: Path, write: Callable[[Path], object]) -> None:
    """Write ``target`` aside and rename it, so that it is never seen half written."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        write(partial)
        os.replace(partial, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
