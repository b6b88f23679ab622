"""Facts about pictures rendered on the fly: the same ones whoever renders them, the right class beside each."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import posetest
from posetest.errors import ConfigError, LabelError
from posetest.scene.scene import Scene, load_scene
from posetest.space import NAMES, scene_space
from posetest.stimuli.dataset import PoseDataset

SCENES = ["coffee_mug", "street_sign", "traffic_light"]


def dataset(**options: object) -> PoseDataset:
    return PoseDataset(SCENES, **{"image_size": 32, "views": 4, "rounds": 3, "batch_size": 10} | options)


def batches(**options: object) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return list(dataset(**options))


def key(picture: torch.Tensor) -> bytes:
    return picture.numpy().tobytes()


def assert_alike(first: Iterable[tuple[torch.Tensor, torch.Tensor]], second: Iterable[object]) -> None:
    for (a, b), (c, d) in zip(first, second, strict=True):
        assert torch.equal(a, c)
        assert torch.equal(b, d)


def test_any_number_of_workers_gives_the_same_batches_in_the_same_order() -> None:
    alone = batches()
    assert [len(images) for images, _ in alone] == [10, 10, 10, 6]
    assert len(dataset()) == 4
    for workers in (1, 2, 5):
        assert_alike(alone, dataset().loader(workers))
    for workers in (0, 1, 2):
        assert_alike(alone, DataLoader(dataset(), batch_size=None, num_workers=workers))


def test_a_loop_may_be_left_early_and_begun_again() -> None:
    loader = dataset().loader(2)
    for images, _ in loader:
        assert len(images) == 10
        break
    assert_alike(batches(), loader)


def test_every_scene_has_its_views_and_its_own_class() -> None:
    classes = torch.cat([targets for _, targets in batches()])
    assert torch.bincount(classes).tolist() == [12, 12, 12]
    # told apart by what is drawn: the same scene alone gives the very same pictures
    alone = PoseDataset(SCENES, targets=[7, 8, 9], image_size=32, views=4, rounds=3, batch_size=36)
    ((images, targets),) = list(alone)
    labelled = {key(p): int(t) - 7 for p, t in zip(images, targets, strict=True)}
    assert len(labelled) == 36
    for some, wanted in batches():
        assert [labelled[key(p)] for p in some] == wanted.tolist()


def test_how_pictures_are_batched_changes_nothing_but_their_order() -> None:
    def everything(**options: object) -> set[bytes]:
        return {key(p) for images, _ in batches(**options) for p in images}

    assert everything(batch_size=7) == everything(batch_size=36) == everything(batch_size=10, threads=2)
    assert everything(seed=1) != everything()


def test_a_picture_is_what_the_scene_draws_at_a_pose_of_its_space() -> None:
    scene = load_scene("coffee_mug")
    ((images, _),) = list(PoseDataset(scene, image_size=48, views=3, batch_size=3, seed=5))
    seed = int(np.random.SeedSequence([5, 5, 0]).generate_state(1, np.uint64)[0])
    vectors = scene_space(scene.config).sample(seed, 0, 3)
    texts = [",".join(f"{n}={v!r}" for n, v in zip(NAMES, row.tolist(), strict=True)) for row in vectors]
    drawn = posetest.render_poses(scene, texts, image_size=48)
    assert {key(p) for p in images} == {p.tobytes() for p in drawn}


def test_epochs_go_on_where_the_last_one_ended() -> None:
    long = {key(p) for images, _ in batches(rounds=4, batch_size=12) for p in images}
    data = PoseDataset(SCENES, image_size=32, views=4, rounds=2, batch_size=12)
    parts = []
    for epoch in range(2):
        data.set_epoch(epoch)
        parts.append({key(p) for images, _ in data for p in images})
    assert parts[0] | parts[1] == long
    assert not parts[0] & parts[1]


def test_processes_that_train_together_share_the_batches_out() -> None:
    whole = batches()
    shards = [PoseDataset(SCENES, image_size=32, views=4, rounds=3, batch_size=10, shard=(k, 3)) for k in range(3)]
    assert [len(s) for s in shards] == [2, 1, 1]
    for k, shard in enumerate(shards):
        for (a, _), (b, _) in zip(shard, whole[k::3], strict=True):
            assert torch.equal(a, b)


def make(name: str) -> Scene:
    return load_scene(name)


def test_scenes_may_be_made_when_their_turn_comes() -> None:
    lazy = PoseDataset([partial(make, name) for name in SCENES], image_size=32, views=4, rounds=3, batch_size=10)
    assert_alike(batches(), lazy.loader(2))
    assert_alike(batches(), DataLoader(lazy, batch_size=None, num_workers=2))


def test_an_error_in_a_worker_reaches_the_loop() -> None:
    data = PoseDataset(["coffee_mug", partial(make, "gone")], image_size=32, views=4, batch_size=4)
    with pytest.raises(ConfigError, match="gone: no such scene"):
        list(data.loader(2))


def test_targets_come_from_the_networks_own_classes() -> None:
    data = PoseDataset(
        SCENES, categories=["other", "traffic light, traffic signal, stoplight", "cup", "coffee mug", "street sign"]
    )
    assert data.targets == (3, 4, 1)
    with pytest.raises(LabelError, match="no class is called"):
        PoseDataset(SCENES, categories=["cat", "dog"])


def test_a_transform_sees_each_scenes_pictures() -> None:
    (images, _), *_ = batches(transform=lambda x: (x * 255).astype(np.uint8)[:, :, ::2, ::2])
    assert images.dtype == torch.uint8
    assert images.shape == (10, 3, 16, 16)
    (tensors, _), *_ = batches(transform=lambda x: torch.from_numpy(x).mean(dim=1))
    assert tensors.shape == (10, 32, 32)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"views": 0}, "views = 0: at least 1"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"targets": [1]}, "1 targets for 3 scenes"),
        ({"shard": (2, 2)}, "shard = "),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PoseDataset(SCENES, **options)
    with pytest.raises(ConfigError, match="no scene"):
        PoseDataset([])
    with pytest.raises(ConfigError, match="is no scene, file, name or function"):
        PoseDataset([3])  # type: ignore[list-item]
