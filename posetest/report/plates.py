"""Figures for publications: each as PNG and as PDF, with a caption that carries n, interval and measure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from posetest.engine.run import RunFolder
from posetest.report import words
from posetest.report.drawing.style import blank, printed, save
from posetest.report.probe_sketches import probe_sketches
from posetest.report.sketches import audit_sketches


@dataclass(frozen=True)
class Plate:
    """A figure that was written.

    Attributes:
        name: of its files, without ending.
        caption: what it shows, with n and measure.
    """

    name: str
    caption: str


def write_plates(run: RunFolder, folder: Path) -> list[Plate]:
    """Writes the figures of an audit or a probe into ``folder`` as NAME.png and NAME.pdf, and captions.md beside them.

    What there is: ``sketches.audit_sketches`` and ``probe_sketches.probe_sketches``. The same run gives the same bytes.

    Raises:
        RunError: there are no records yet, they do not fit run.toml, the run is neither audit nor probe, or a probe
            that is not complete.
    """
    sketches = probe_sketches(run) if run.info.kind == "probe" else audit_sketches(run)
    written: list[Plate] = []
    with printed(9):
        for sketch in sketches:
            folder.mkdir(parents=True, exist_ok=True)
            name, before = sketch.name, [plate.name for plate in written]
            while name in before:  # as "a-b" seen by "c" and "a" seen by "b-c" would be
                name += "-2"
            figure = blank(*sketch.size_in)
            sketch.draw(figure)
            save(figure, folder, name)
            written.append(Plate(name, sketch.caption))
    captions = "".join(f"**{plate.name}**: {words.markdown(plate.caption)}\n\n" for plate in written)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "captions.md").write_text(captions, encoding="utf-8")
    return written
