"""PyTorch3D as a renderer, where it is installed; importing this needs neither it nor torch."""

from posetest.render.pytorch3d.options import SoftOptions
from posetest.render.pytorch3d.renderer import Pytorch3dRenderer

__all__ = ["Pytorch3dRenderer", "SoftOptions"]
