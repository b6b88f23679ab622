"""Whatever a forward function returns: class scores are read right, or the fault is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from posetest.errors import LabelError, ModelError
from posetest.models.classifier import Classifier, make_classifier, module_digest


class Net(nn.Module):
    """A small convolutional network with fixed weights."""

    def __init__(self, classes: int = 4, flatten: Callable[[Tensor], Tensor] = lambda x: x.mean((2, 3))) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.conv = nn.Conv2d(3, 5, 3, stride=2)
        self.head = nn.Linear(5, classes)
        for weight in self.parameters():
            weight.data.copy_(torch.randn(weight.shape, generator=generator))
        self.flatten = flatten

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.flatten(torch.tanh(self.conv(images))))


def made(forward: Callable[[Tensor], object], **kwargs: object) -> Classifier:
    return make_classifier(forward, name="net", spec="python:net", **{"input_size": 16, **kwargs})  # type: ignore[arg-type]


def images(count: int = 5, side: int = 16, seed: int = 3) -> Tensor:
    return torch.rand((count, 3, side, side), generator=torch.Generator().manual_seed(seed))


def test_logits_become_log_probabilities() -> None:
    net = Net()
    model = made(net)
    assert model.outputs == "logits"
    assert "scores are logits (detected)" in model.preprocessing
    log_p = model.log_probabilities(images())
    assert torch.allclose(log_p.exp().sum(1), torch.ones(5))
    assert torch.allclose(log_p, torch.log_softmax(net(images()), 1), atol=1e-6)


def test_probabilities_are_told_from_logits_and_not_normalised_twice() -> None:
    net = Net()
    model = made(lambda x: net(x).softmax(1))
    assert model.outputs == "probabilities"
    assert torch.allclose(model.log_probabilities(images()), made(net).log_probabilities(images()), atol=1e-5)


def test_log_probabilities_handed_over_stay_what_they_are() -> None:
    net = Net()
    model = made(lambda x: net(x).log_softmax(1))
    assert torch.allclose(model.log_probabilities(images()), net(images()).log_softmax(1), atol=1e-6)


def test_logits_that_are_never_negative_are_not_taken_for_probabilities() -> None:
    net = Net()
    assert made(lambda x: net(x).relu()).outputs == "logits"


def test_what_the_outputs_are_can_be_told() -> None:
    net = Net()
    model = made(lambda x: net(x).softmax(1), outputs="logits")
    assert "scores are logits (as told)" in model.preprocessing
    assert torch.allclose(model.log_probabilities(images()), net(images()).softmax(1).log_softmax(1), atol=1e-6)


def test_probabilities_that_stop_summing_to_one_are_refused() -> None:
    model = made(lambda x: torch.full((len(x), 4), 0.25) * (1.0 if len(x) == 2 else 2.0))
    with pytest.raises(
        ModelError, match=r'taken for probabilities, but here some are negative or sum to 2 .*"outputs=logits"'
    ):
        model.log_probabilities(images())


def test_a_probability_of_zero_has_a_finite_logarithm() -> None:
    model = made(lambda x: torch.eye(4)[[0] * len(x)])
    log_p = model.log_probabilities(images())
    assert bool(torch.isfinite(log_p).all())
    assert log_p.argmax(1).tolist() == [0] * 5
    assert float(log_p[0, 1]) < -80


@pytest.mark.parametrize(
    ("forward", "said"),
    [
        (lambda x: x.mean((2, 3))[:, :, None], "scores [2, k] with k of 2 or more for 2 images, got float32 [2, 3, 1]"),
        (lambda x: x.mean((0, 2, 3))[None], "got float32 [1, 3]"),
        (lambda x: x.mean((1, 2, 3))[:, None], "got float32 [2, 1]"),
        (lambda x: x.mean((2, 3)).argmax(1), "got int64 [2]"),
        (lambda x: {"scores": x.mean((2, 3))}, "expected a tensor of class scores [n, k] from the model, got dict"),
        (lambda x: None, "got NoneType"),
        (lambda x: x.mean((2, 3)) * float("nan"), "scores of 2 of 2 images are not finite (first: image 0"),
        (lambda x: x.mean((2, 3)) / 0, "are not finite"),
        (lambda x: x.reshape(2, 5), "failed on a batch of images [2, 3, 16, 16] (RuntimeError"),
        (nn.Linear(10, 3), 'if it wants another size, say so with the option "size=..."'),
    ],
)
def test_a_model_that_gives_no_class_scores_is_refused_when_it_is_loaded(
    forward: Callable[[Tensor], object], said: str
) -> None:
    with pytest.raises(ModelError) as caught:
        made(forward)
    assert str(caught.value).startswith("net: ")
    assert said in str(caught.value)


def test_scores_that_are_no_numbers_later_are_passed_on_for_the_record() -> None:
    model = made(
        lambda x: x.mean((2, 3)) * torch.tensor([1.0] * (len(x) - 1) + [1.0 if len(x) == 2 else torch.nan])[:, None]
    )
    assert model.log_probabilities(images(3)).isnan().any(1).tolist() == [False, False, True]


def test_class_names_must_be_as_many_as_the_scores() -> None:
    assert made(Net()).categories == ("class 0", "class 1", "class 2", "class 3")
    assert made(Net(), categories=list("abcd")).categories == ("a", "b", "c", "d")
    with pytest.raises(
        LabelError, match="net: 2 class names for a model of 4 scores; the file must name every class once"
    ):
        made(Net(), categories=("a", "b"))
    with pytest.raises(LabelError, match='5 class names for a model of 4 scores; leave out the first, "background"'):
        made(Net(), categories=("background", *"abcd"))
    with pytest.raises(LabelError, match="add it as the first name"):
        made(Net(), categories="abc")


def test_scores_of_an_image_do_not_depend_on_its_batch() -> None:
    model = made(Net())
    batch = images(7)
    alone = torch.cat([model.log_probabilities(batch[i : i + 1]) for i in range(7)])
    assert torch.allclose(alone, model.log_probabilities(batch), atol=1e-5)


def test_gradients_to_the_image_agree_with_finite_differences() -> None:
    model = made(Net().double())
    batch = images(2, 4).double().requires_grad_()
    assert model.is_differentiable
    assert torch.autograd.gradcheck(model.log_probabilities, batch, atol=1e-7)


def test_images_go_to_the_networks_precision_and_scores_come_back() -> None:
    model = made(Net().double())
    log_p = model.log_probabilities(images())
    assert log_p.dtype == torch.float32
    assert made(Net()).log_probabilities(images().double()).dtype == torch.float64


def test_a_model_without_gradient_says_so_when_one_is_asked_for() -> None:
    net = Net()
    forwards: tuple[Callable[[Tensor], object], ...] = (
        torch.no_grad()(net.forward),
        lambda x: torch.from_numpy(net(x).detach().numpy()),
        lambda x: net(torch.as_tensor(x.numpy())),
        lambda x: net(x.round().detach()),
    )
    for forward in forwards:
        model = made(forward)
        assert not model.is_differentiable
        assert model.log_probabilities(images()).shape == (5, 4)
        with torch.no_grad():
            model.log_probabilities(images().requires_grad_())
        with pytest.raises(ModelError, match="no gradient flows through this model"):
            model.log_probabilities(images().requires_grad_())


def test_arrays_and_structs_with_logits_are_scores_too() -> None:
    @dataclass
    class Output:
        logits: Tensor

    net = Net()
    expected = made(net).log_probabilities(images())
    assert torch.allclose(made(lambda x: Output(net(x))).log_probabilities(images()), expected)
    assert torch.allclose(made(lambda x: net(x).detach().numpy()).log_probabilities(images()), expected)


def test_a_network_that_views_its_activations_works_without_channels_last() -> None:
    flat = Net(flatten=lambda x: x.view(len(x), -1).view(len(x), 5, -1).mean(2))
    model = made(flat)
    assert not model.is_channels_last
    assert made(Net()).is_channels_last
    assert torch.allclose(model.log_probabilities(images()), made(Net()).log_probabilities(images()), atol=1e-5)


def test_trying_a_model_leaves_weights_gradients_and_random_numbers_alone() -> None:
    net = Net()
    strides = [weight.stride() for weight in net.parameters()]
    before = torch.get_rng_state()
    made(net)
    assert torch.equal(torch.get_rng_state(), before)
    assert [weight.stride() for weight in net.parameters()] == strides
    assert all(weight.grad is None and weight.requires_grad for weight in net.parameters())


@pytest.mark.parametrize("batch", [torch.zeros(3, 16, 16), torch.zeros(1, 1, 16, 16), torch.zeros(1, 3, 16, 16).byte()])
def test_something_else_than_a_batch_of_float_images_is_refused(batch: Tensor) -> None:
    with pytest.raises(ModelError, match=r"expected float images \[n, 3, h, w\] in \[0, 1\], got "):
        made(Net()).log_probabilities(batch)


def test_the_digest_depends_on_every_weight_and_on_nothing_else() -> None:
    digest = module_digest(Net())
    assert len(digest) == 64
    assert module_digest(Net()) == digest
    assert module_digest(Net().to(memory_format=torch.channels_last)) == digest
    changed = Net()
    changed.head.bias.data[3] += 1e-6
    assert module_digest(changed) != digest
    assert module_digest(Net().bfloat16()) != digest
    assert module_digest(nn.ReLU()) == ""
