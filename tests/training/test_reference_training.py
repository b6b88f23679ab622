"""Facts about the training of reference classifiers: what is shown, what is kept back, the same again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from posetest.cli import main
from posetest.errors import ConfigError
from posetest.models.bundled.files import read
from posetest.scene.scene import load_scene
from posetest.space import INDEX, scene_space
from posetest.training import reference
from posetest.training.reference import Settings, train, training_pictures
from posetest.training.variants import NOT_FROM_BEHIND, categories, others, variants, with_backgrounds, without_back

OBJECTS = ("coffee_mug", "street_sign")
SMALL = Settings(
    objects=OBJECTS,
    variants=2,
    others=2,
    views=4,
    render_size=48,
    backgrounds=4,
    epochs=1,
    batch=8,
    threads=1,
    judged_variants=1,
    judged_others=1,
    judged_views=2,
    judged_size=48,
)


def test_pictures_follow_from_the_settings_and_come_with_their_classes() -> None:
    conditions = load_scene("photographer").config
    images, classes = training_pictures(SMALL, OBJECTS, conditions)
    again, _ = training_pictures(SMALL, OBJECTS, conditions)
    assert images.shape == (24, 3, 64, 64)
    assert images.dtype == np.uint8
    assert (images == again).all()
    assert np.bincount(classes).tolist() == [8, 8, 8]


def test_training_twice_gives_the_same_file(tmp_path: Path) -> None:
    files = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    before = torch.get_num_threads()
    lines: list[str] = []
    infos = [train(path, SMALL, report=lines.append) for path in files]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert torch.get_num_threads() == before
    assert not torch.are_deterministic_algorithms_enabled()
    kept = read(files[0])
    assert kept.categories == categories(OBJECTS) == ("coffee mug, cup", "street sign", "other")
    assert {k: v for k, v in infos[0].items() if k != "seconds"} == kept.info
    assert {"inside: coffee mug", "all_rotations: other", "inside: calibration error"} < set(kept.info)
    assert any("epoch 1 of 1" in line for line in lines)


def test_held_out_variants_and_backgrounds_are_not_those_of_training() -> None:
    conditions = load_scene("photographer").config
    seen = with_backgrounds(conditions, 48, 647)
    assert scene_space(seen, 648).free["background"].low == 48 >= conditions.background.count
    assert max(range(Settings().variants)) < reference.HELD_OUT
    trained = {make().mesh.digest for make in variants("coffee_mug", range(3), seen) + others(range(3), seen)}
    judged = variants("coffee_mug", range(reference.HELD_OUT, reference.HELD_OUT + 3), conditions)
    assert not trained & {make().mesh.digest for make in judged}


def test_an_object_unseen_from_behind_shows_its_front_half_alone() -> None:
    conditions = without_back(load_scene("photographer").config)
    (scene,) = (make() for make in variants("traffic_light", [0], conditions))
    yaw = scene_space(scene.config, scene.background.count).sample(0, 0, 500)[:, INDEX["yaw"]]
    assert yaw.min() >= NOT_FROM_BEHIND[0]
    assert yaw.max() <= NOT_FROM_BEHIND[1]
    assert np.ptp(yaw) > 170


def test_the_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    class Fixed(torch.nn.Module):
        categories = ("a", "b")

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.log(torch.tensor([[0.9, 0.1]])).expand(len(images), 2)

    images, classes = np.zeros((10, 3, 4, 4), np.uint8), np.array([0] * 6 + [1] * 4)
    found = reference.measure(Fixed(), images, classes)  # type: ignore[arg-type]
    assert found["accuracy"] == pytest.approx(0.6)
    assert found["calibration error"] == pytest.approx(0.3)
    assert (found["a"], found["b"]) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "w.bin"], "written as .safetensors"),
        (["--out", "w.safetensors", "--object", "coffe_mug"], 'no bundled object is called "coffe_mug"'),
        (["--out", "w.safetensors", "--unseen-behind", "cat"], 'no bundled object is called "cat"'),
        (["--out", "w.safetensors", "--poses", "strike"], "training wants painted backgrounds"),
        (["--out", "w.safetensors", "--epochs", "0"], "--epochs 0: at least 1"),
        (["--out", "w.safetensors", "--seed", "-1"], "seed = -1"),
        (["--out", "w.safetensors", "--object", "cab", "--object", "cab"], '"cab" is named twice'),
        (["--out", "w.safetensors", "--object", "cab", "--unseen-behind", "forklift"], '"forklift" is none of'),
        (["--out", "w.safetensors", "--poses", "outdoor", "--unseen-behind", "cab"], "the yaw alone must decide"),
        (["--out", "w.safetensors", "--variants", "1", "--views", "1", "--others", "1"], "22 pictures are fewer than"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_drawn(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train-reference", *arguments]) == 1
    assert message in capsys.readouterr().err


def test_unknown_objects_are_named() -> None:
    with pytest.raises(ConfigError, match="did you mean"):
        train(Path("x.safetensors"), Settings(objects=("school_buss",)))
