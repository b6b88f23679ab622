"""The architecture of the bundled classifier: six plain convolutions on a 64-pixel picture, small enough to ship."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Output channels and stride of each 3x3 convolution.
LAYERS = ((16, 2), (32, 2), (64, 1), (96, 2), (192, 2), (192, 1))


class SmallNet(nn.Module):
    """3x3 convolutions with ReLU, mean over the picture, one linear layer.

    Input: RGB [n, 3, 64, 64] in [0, 1]; output: logits [n, classes]. With ``normalised`` every convolution is followed
    by batch normalisation, as training wants it; ``folded`` gives the same function without.
    """

    def __init__(self, classes: int, *, normalised: bool) -> None:
        super().__init__()
        channels, convolutions, norms = 3, [], []
        for out, stride in LAYERS:
            convolutions.append(nn.Conv2d(channels, out, 3, stride, padding=1, bias=not normalised))
            norms.append(nn.BatchNorm2d(out) if normalised else nn.Identity())
            channels = out
        self.convolutions = nn.ModuleList(convolutions)
        self.norms = nn.ModuleList(norms)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """[n, 3, 64, 64] RGB (sRGB) in [0, 1] to logits [n, classes]."""
        x = (x - 0.5) * 4.0
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = F.relu(norm(convolution(x)))
        logits: Tensor = self.classifier(x.mean(dim=(-2, -1)))
        return logits


def folded(network: SmallNet) -> SmallNet:
    """The same function as ``network`` in eval mode, its batch normalisation folded into the convolutions."""
    plain = SmallNet(network.classifier.out_features, normalised=False)
    with torch.no_grad():
        for source, norm, target in zip(network.convolutions, network.norms, plain.convolutions, strict=True):
            assert isinstance(source, nn.Conv2d)
            assert isinstance(target, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            assert norm.running_mean is not None
            assert norm.running_var is not None
            assert target.bias is not None
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            target.weight.copy_(source.weight * gain.view(-1, 1, 1, 1))
            target.bias.copy_(norm.bias - norm.running_mean * gain)
        plain.classifier.load_state_dict(network.classifier.state_dict())
    return plain.eval()


class BundledClassifier(nn.Module):
    """A ``SmallNet`` with its preprocessing: pictures of any size to logits.

    The picture is resized to the network's square input with antialiased bilinear interpolation; the whole way is
    differentiable.

    Attributes:
        categories: ImageNet's names of the classes, in the order of the logits, and "other".
        input_size: side of the network's own input, in pixels.
        info: how it was trained and what was measured, in words.
    """

    def __init__(self, network: SmallNet, categories: tuple[str, ...], input_size: int, info: dict[str, str]) -> None:
        super().__init__()
        self.network = network
        self.categories = categories
        self.input_size = input_size
        self.info = info

    def forward(self, images: Tensor) -> Tensor:
        """[n, 3, h, w] RGB (sRGB) in [0, 1] to logits [n, classes]."""
        size = (self.input_size, self.input_size)
        if tuple(images.shape[-2:]) != size:
            images = F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)
        logits: Tensor = self.network(images)
        return logits
