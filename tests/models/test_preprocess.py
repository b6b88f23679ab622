"""Resizing, cropping and normalising, against Pillow, by arithmetic and by finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from posetest.errors import ModelError
from posetest.models.preprocess import Preprocess, resize, with_options

#: Pillow rounds to 8 bits once along each axis.
PILLOW_TOLERANCE = 1.5 / 255


def pictures(height: int, width: int, seed: int = 0) -> torch.Tensor:
    """A smooth picture with noise on it, multiples of 1/255, [1, 3, height, width]."""
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    smooth = np.stack((rows, columns, np.sin(9 * rows * columns) / 2 + 0.5))
    noise = np.random.default_rng(seed).uniform(-0.2, 0.2, smooth.shape)
    return torch.from_numpy(np.rint(np.clip(smooth + noise, 0, 1) * 255) / 255).float()[None]


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(64, 64), (97, 50), (20, 31), (200, 333)])
def test_resizing_agrees_with_pillow(size: tuple[int, int], interpolation: str) -> None:
    images = (pictures(120, 150) * 128 + 64).round() / 255  # Pillow clips after each axis: keep away from both ends
    pixels = (images[0] * 255).round().byte().permute(1, 2, 0).numpy()
    method = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}[interpolation]
    expected = np.asarray(Image.fromarray(pixels).resize((size[1], size[0]), method)) / 255
    got = resize(images, size, interpolation)  # type: ignore[arg-type]
    np.testing.assert_allclose(got[0].permute(1, 2, 0).numpy(), expected, atol=PILLOW_TOLERANCE)


def test_fine_stripes_become_grey_and_not_coarse_stripes() -> None:
    stripes = (torch.arange(220) % 2).float().expand(1, 3, 220, 220)
    assert float((resize(stripes, (100, 100)) - 0.5).abs()[..., 2:-2].max()) < 0.12
    assert float((torch.nn.functional.interpolate(stripes, (100, 100), mode="bilinear") - 0.5).abs().max()) > 0.45


def test_images_of_the_networks_size_are_not_resampled() -> None:
    images = pictures(64, 64)
    for crop in ("whole", "stretch"):
        assert torch.equal(Preprocess(size=(64, 64), crop=crop)(images), images)  # type: ignore[arg-type]
    assert torch.equal(Preprocess()(images), images)


def test_normalising_takes_the_mean_off_and_divides_by_the_deviation() -> None:
    images = torch.full((2, 3, 4, 4), 0.75)
    out = Preprocess(mean=(0.25, 0.5, 0.75), std=(0.5, 0.25, 1.0))(images)
    assert out[:, :, 0, 0].tolist() == [[1.0, 1.0, 0.0]] * 2


def test_a_wide_frame_is_shown_whole_and_undistorted_between_strips_of_mean_colour() -> None:
    how = Preprocess(size=(64, 64), mean=(0.3, 0.4, 0.5), std=(0.2, 0.2, 0.2))
    frame = torch.zeros(1, 3, 100, 200)
    frame[..., 40:60, 0:20] = 1.0  # a square that touches the left edge: a centre crop would lose it
    out = how(frame) * 0.2 + torch.tensor(how.mean).view(3, 1, 1)
    assert out.shape == (1, 3, 64, 64)
    for strip in (out[..., :16, :], out[..., 48:, :]):
        assert torch.allclose(strip, torch.tensor(how.mean).view(3, 1, 1).expand_as(strip), atol=1e-6)
    white = out[0, 0, 16:48] > 0.5
    assert white.any(0).sum() == white.any(1).sum() == 6  # 20 px * 64/200, square still
    assert bool(white[:, 0].any())


def test_a_tall_frame_is_shown_whole_as_well() -> None:
    out = Preprocess(size=(60, 60))(torch.ones(1, 3, 90, 30))
    assert (out[0, 0] > 0.5).sum(0).tolist() == [0] * 20 + [60] * 20 + [0] * 20


def test_stretching_fills_the_input_whatever_the_frame() -> None:
    out = Preprocess(size=(32, 32), crop="stretch")(torch.ones(1, 3, 50, 20))
    assert torch.allclose(out, torch.ones(1, 3, 32, 32))


@pytest.mark.parametrize(("height", "width"), [(120, 151), (151, 120), (97, 97), (256, 300)])
def test_the_published_crop_resizes_the_shorter_side_and_keeps_the_centre(height: int, width: int) -> None:
    images = pictures(height, width)
    out = Preprocess(size=(56, 56), resize=64, crop="published")(images)
    shape = (64, 64 * width // height) if height <= width else (64 * height // width, 64)
    whole = resize(images, shape)
    top, left = (round((side - 56) / 2) for side in shape)
    assert torch.equal(out, whole[..., top : top + 56, left : left + 56])


def test_gradients_through_resize_crop_and_normalisation_agree_with_finite_differences() -> None:
    images = pictures(9, 13).double().requires_grad_()
    for how in (
        Preprocess(size=(6, 6), mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4)),
        Preprocess(size=(12, 12), crop="stretch"),
        Preprocess(size=(5, 5), resize=7, crop="published", interpolation="bilinear"),
    ):
        assert torch.autograd.gradcheck(how, images, atol=1e-7)


def test_bicubic_does_not_leave_the_range_of_an_image() -> None:
    edge = torch.zeros(1, 3, 40, 40)
    edge[..., 20:] = 1.0
    out = resize(edge, (71, 71), "bicubic")
    assert float(out.min()) == 0.0
    assert float(out.max()) == 1.0


def test_options_change_what_a_network_brings_with_it() -> None:
    base = Preprocess(size=(224, 224), mean=(0.5, 0.5, 0.5), resize=256)
    assert with_options(base, {}, "m") is base
    assert with_options(None, {}, "m") is None
    assert with_options(base, {"crop": "published"}, "m") == Preprocess(
        (224, 224), (0.5, 0.5, 0.5), resize=256, crop="published"
    )
    made = with_options(
        None, {"size": "224x192", "mean": "0.1,0.2,0.3", "std": "1/255", "interpolation": "bicubic"}, "m"
    )
    assert made == Preprocess((224, 192), (0.1, 0.2, 0.3), (1 / 255,) * 3, "bicubic")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": "big"}, 'size must be a number of pixels, "224", or height and width, "224x192", not "big"'),
        ({"size": "0"}, "size must be"),
        ({"mean": "0.5,0.5"}, "mean must be one number or three"),
        ({"mean": "1/0"}, "mean must be one number or three"),
        ({"std": "nan"}, "std must be one number or three"),
        ({"std": "0"}, "std must be positive"),
        (
            {"size": "8", "crop": "publishd"},
            'crop must be one of whole, stretch, published, not "publishd"; did you mean',
        ),
        ({"size": "8", "interpolation": "lanczos"}, "interpolation must be one of bilinear, bicubic"),
        ({"crop": "whole"}, "need the network's input size: add size=224"),
    ],
)
def test_options_that_cannot_be_read_are_refused(options: dict[str, str], said: str) -> None:
    with pytest.raises(ModelError) as caught:
        with_options(None, options, "m")
    assert str(caught.value).startswith("m: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (Preprocess(), "images at the size they have"),
        (Preprocess(size=(8, 9)), "whole frame to 8x9 px with its aspect ratio kept (antialiased bilinear)"),
        (
            Preprocess(size=(8, 8), crop="stretch", std=(0.5, 0.5, 0.25)),
            "whole frame stretched to 8x8 px (antialiased bilinear); std 0.5, 0.5, 0.25",
        ),
        (
            Preprocess(size=(8, 8), crop="published", resize=9),
            "shorter side to 9 px (antialiased bilinear), centre 8x8 px cut out",
        ),
    ],
)
def test_preprocessing_is_told_in_words(how: Preprocess, words: str) -> None:
    assert how.describe() == words
