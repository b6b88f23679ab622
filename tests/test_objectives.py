"""Objectives: their scores and margins by definition, their text, their sums and products."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from posetest.errors import ConfigError, LabelError, ModelError
from posetest.models.units import ClassUnit, LayerUnit
from posetest.objectives import BlackBox, Constant, Fool, Maximise, Product, Sum, Target, load_score, parse_objective
from posetest.protocols import Objective, Response

CATEGORIES = ("tench", "jeep", "school bus", "cab, taxi")


@pytest.fixture
def response() -> Response:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn((40, 4), generator=generator)
    images = torch.rand((40, 3, 4, 4), generator=generator)
    return Response(images, logits.log_softmax(1), logits, {"deep": torch.randn((40, 6, 2, 2), generator=generator)})


def test_fooling_is_any_answer_but_the_accepted_ones(response: Response) -> None:
    objective = Fool((1, 3))
    first = response.log_p.argmax(1)
    assert torch.equal(objective.margin(response) > 0, (first != 1) & (first != 3))
    p = response.log_p.exp()
    wrong, right = torch.maximum(p[:, 0], p[:, 2]), torch.maximum(p[:, 1], p[:, 3])
    assert torch.allclose(objective.score(response), (wrong / right).log(), atol=1e-5)


def test_a_target_is_scored_by_its_cross_entropy_and_reached_where_it_comes_first(response: Response) -> None:
    objective = parse_objective("target:taxi", CATEGORIES, (1,))
    cross_entropy = torch.nn.functional.cross_entropy(response.logits, torch.full((40,), 3), reduction="none")
    assert torch.allclose(objective.score(response), -cross_entropy, atol=1e-5)
    assert torch.equal(objective.margin(response) > 0, response.log_p.argmax(1) == 3)


def test_a_maximised_unit_is_reached_above_its_threshold(response: Response) -> None:
    unit = response.layers["deep"][:, 4].mean((1, 2))
    free = parse_objective("maximise", CATEGORIES, (), unit="deep:4")
    assert torch.equal(free.score(response), unit)
    assert free.margin(response) is None
    held = parse_objective("maximise:deep:4", CATEGORIES, (), until=0.25)
    assert torch.equal(held.margin(response) > 0, unit > 0.25)


def test_sums_and_products_are_those_of_the_scores(response: Response) -> None:
    text = "fool + 0.5 * target:school bus + 2 * maximise:logit:jeep * maximise:deep:1?reduce=max"
    objective = parse_objective(text, CATEGORIES, (0,))
    deep = response.layers["deep"][:, 1].amax((1, 2))
    expected = Fool((0,)).score(response) + 0.5 * response.log_p[:, 2] + 2 * response.logits[:, 1] * deep
    assert torch.allclose(objective.score(response), expected, atol=1e-5)
    assert objective.layers == ("deep",)
    both = torch.minimum(Fool((0,)).margin(response), parse_objective("target:2", CATEGORIES, ()).margin(response))
    assert torch.equal(objective.margin(response), both)  # reached where all that can be are


def test_operators_build_what_text_does(response: Response) -> None:
    by_hand = Fool((0,)) + 0.5 * Target(ClassUnit("log_probability", 2, "school bus"))
    assert torch.equal(
        by_hand.score(response), parse_objective("fool + 0.5 * target:school bus", CATEGORIES, (0,)).score(response)
    )
    assert isinstance(by_hand, Objective)
    product = Fool((0,)) * Maximise(LayerUnit("deep", 0))
    assert isinstance(product, Product)
    assert torch.equal(product.score(response), Fool((0,)).score(response) * response.layers["deep"][:, 0].mean((1, 2)))
    assert isinstance(Sum((Fool((0,)), Constant(2.0))), Objective)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fol", '"fol" is no objective; did you mean "fool"'),
        ("target", '"target" is no objective'),
        ("target:bus stop", "bus stop"),
        ("maximise", "maximise what"),
        ("2", '"2" is a number and no objective'),
        ("fool+target:jeep", "is no objective"),
        ("fool:jeep", "is no objective"),
    ],
)
def test_mistakes_say_what_would_do(text: str, words: str) -> None:
    with pytest.raises((ConfigError, LabelError), match=words):
        parse_objective(text, CATEGORIES, (0,))


def test_fooling_needs_accepted_labels() -> None:
    with pytest.raises(LabelError, match="fool means any answer but the accepted ones, and the scene accepts none"):
        parse_objective("fool", CATEGORIES, ())


def test_a_black_box_is_any_function_of_pictures(response: Response) -> None:
    objective = BlackBox(lambda images: images.mean((1, 2, 3)).numpy(), until=0.5)
    assert torch.allclose(objective.score(response), response.images.mean((1, 2, 3)).double())
    assert torch.equal(objective.margin(response) > 0, response.images.mean((1, 2, 3)) > 0.5)
    assert not objective.is_differentiable
    assert not (objective + Fool((0,))).is_differentiable


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda images: images.mean(), r"expected 40 numbers for 40 images, got float32 \[\]"),
        (lambda images: ["a"] * 40, r"expected 40 numbers for 40 images, got <U1 \[40\]"),
        (lambda images: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_black_box_that_gives_no_numbers_is_named(response: Response, function: object, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        BlackBox(function, name="mine").score(response)


def test_a_score_comes_from_a_users_file(tmp_path: Path, response: Response) -> None:
    (tmp_path / "scores.py").write_text(
        "def redness(power=1):\n    return lambda images: images[:, 0].mean((1, 2)) ** power\n"
        "def nothing():\n    return 3\n"
    )
    objective = parse_objective(f"maximise:score:{tmp_path}/scores.py:redness?power=2", CATEGORIES, ())
    expected = response.images[:, 0].mean((1, 2)).numpy() ** 2
    assert objective.score(response).numpy() == pytest.approx(expected.astype(np.float64), rel=1e-6)
    with pytest.raises(ModelError, match="nothing must return a function from images to scores, not int"):
        load_score(f"{tmp_path}/scores.py:nothing")
    with pytest.raises(ConfigError, match="is not score:FILE.py:FUNCTION"):
        load_score("bundled")
