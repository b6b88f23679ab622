"""The way of a search to its best pose as a moving picture or a strip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from posetest.api.pictures import contact_sheet, render_poses
from posetest.api.run import SearchRun
from posetest.engine.record import POSE_COLUMNS
from posetest.errors import ConfigError, RunError
from posetest.scene.scene import Scene
from posetest.space import format_pose, scene_space

_FRAME_MS, _LAST_MS = 250, 2000
_GIF_FRAMES, _STRIP_FRAMES, _STRIP_COLUMNS = 60, 12, 6
_CAPTION_PX = 30


def check_animation(path: Path) -> None:
    """Nothing, if ``animate`` can write to a file of this name.

    Raises:
        ConfigError: it ends neither in .gif nor in .png.
    """
    if path.suffix.lower() not in (".gif", ".png"):
        raise ConfigError(f"{path}: the way to the best pose is written as .gif or, as a strip of pictures, as .png")


def animate(run: SearchRun, scene: Scene, path: Path) -> Path:
    """Write the poses at which ``run`` became better, in order, each with its score, label and calls; returns ``path``.

    Raises:
        ConfigError: the file's name.
        RunError: no pose could be scored.
    """
    check_animation(path)
    is_moving = path.suffix.lower() == ".gif"
    records = run.path_to_best(_GIF_FRAMES if is_moving else _STRIP_FRAMES)
    if not len(records):
        raise RunError(f"{run.path}: no pose of this search could be scored, so there is no way to show")
    space = scene_space(scene.config, scene.background.count, scene.source)
    poses = [format_pose(vector, space) for vector in records[list(POSE_COLUMNS)].to_numpy(dtype=np.float64)]
    images = render_poses(scene, poses, image_size=run.info.image_size)
    captions = [
        f"{row.top1_label} {row.top1_p:.2f}\ncall {row.calls:,}: {row.score:.3g}" for row in records.itertuples()
    ]
    frames = [_captioned(image, text) for image, text in zip(images, captions, strict=True)]
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_moving:
        times = [_FRAME_MS] * (len(frames) - 1) + [_LAST_MS]
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=times, loop=0)
    else:
        stacked = np.stack(
            [np.asarray(frame, dtype=np.float32).transpose(2, 0, 1) / np.float32(255) for frame in frames]
        )
        Image.fromarray(contact_sheet(stacked, min(len(frames), _STRIP_COLUMNS))).save(path)
    return path


def _captioned(image: NDArray[np.float32], text: str) -> Image.Image:
    """``image`` [3, h, w] above a line or two of text."""
    picture = Image.fromarray(contact_sheet(image[None], 1))
    frame = Image.new("RGB", (picture.width, picture.height + _CAPTION_PX), "white")
    frame.paste(picture)
    # the built-in font has no signs beyond Latin-1
    plain = text.encode("latin-1", "replace").decode("latin-1")
    ImageDraw.Draw(frame).multiline_text((4, picture.height + 2), plain, fill="black", spacing=1, font_size=11)
    return frame
