"""Classifiers stored as ONNX, run by onnxruntime on the CPU. No gradients."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from posetest.errors import ModelError, require, suggest
from posetest.models.spec import ModelSpec, parse_choice

if TYPE_CHECKING:
    from torch import Tensor

Layout = Literal["nchw", "nhwc"]

_DTYPES: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}


@dataclass(frozen=True, eq=False)
class OnnxNetwork:
    """A forward function for posetest.models.classifier.

    Attributes:
        session: onnxruntime's InferenceSession.
        input_name: the graph's one image input.
        output_name: the output with the scores.
        dtype: what the input takes; images become 0..255 for uint8.
        layout: order of the input's axes.
        batch: images that the graph takes at once, None where that is free.
        size: the input's (height, width) in pixels, None where that is free.
        digest: SHA-256 (hex) of the file. Weights kept in files beside it are not covered.
    """

    session: Any
    input_name: str
    output_name: str
    dtype: type[np.generic]
    layout: Layout
    batch: int | None
    size: tuple[int, int] | None
    digest: str

    def __call__(self, images: Tensor) -> Tensor:
        """Scores [n, k] of images [n, 3, h, w]; a graph of fixed batch size is run in parts, the last one filled up."""
        import torch

        pixels = images.detach().cpu().numpy()
        if self.layout == "nhwc":
            pixels = pixels.transpose(0, 2, 3, 1)
        if self.dtype is np.uint8:
            pixels = np.rint(np.clip(pixels, 0, 1) * 255)
        pixels = np.ascontiguousarray(pixels.astype(self.dtype, copy=False))
        step = self.batch or max(len(pixels), 1)
        scores = [self._run(pixels[start : start + step]) for start in range(0, len(pixels), step)]
        return torch.from_numpy(np.concatenate(scores).astype(np.float32, copy=False))

    def _run(self, pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        count = len(pixels)
        if self.batch and count < self.batch:
            pixels = np.concatenate((pixels, np.repeat(pixels[-1:], self.batch - count, axis=0)))
        scores: np.ndarray[Any, Any] = self.session.run([self.output_name], {self.input_name: pixels})[0]
        if scores.ndim == 4 and scores.shape[2:] == (1, 1):
            scores = scores[:, :, 0, 0]
        return scores[:count]


def load_onnx(spec: ModelSpec) -> OnnxNetwork:
    """The network of ``onnx:FILE?layout=...&output=...&threads=...``.

    Layout, size and batch are read from the graph's input; ``layout`` (nchw or nhwc) is needed only where it leaves
    them open. ``threads`` defaults to torch's.

    Raises:
        MissingDependencyError: onnxruntime is not installed.
        ModelError: no such file, not ONNX, or an input that takes no RGB images.
    """
    ort: Any = require("onnxruntime", "onnx", f'the model "{spec.text}"')
    path = Path(spec.target).expanduser()
    if not path.is_file():
        siblings = [str(p) for p in path.parent.glob("*.onnx")] if path.parent.is_dir() else []
        raise ModelError(f"{spec.text}: no such file: {path}{suggest(str(path), siblings)}")
    options = ort.SessionOptions()
    options.log_severity_level = 3  # errors only: its warnings about the graph help nobody here
    options.intra_op_num_threads = _threads(spec)
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads spin on cores that render
    try:
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common public base
        raise ModelError(
            f"{spec.text}: {path} cannot be loaded as ONNX ({str(error).strip().splitlines()[0]})"
        ) from error
    source, output = _one_input(session, spec), _output_name(session, spec)
    layout = _layout(source.shape, spec)
    batch, rows, columns = (source.shape[axis] for axis in ((0, 2, 3) if layout == "nchw" else (0, 1, 2)))
    is_fixed = isinstance(rows, int) and isinstance(columns, int)
    return OnnxNetwork(
        session=session,
        input_name=source.name,
        output_name=output,
        dtype=_DTYPES[source.type],
        layout=layout,
        batch=batch if isinstance(batch, int) and batch > 0 else None,
        size=(rows, columns) if is_fixed else None,
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def _one_input(session: Any, spec: ModelSpec) -> Any:
    inputs = session.get_inputs()
    found = ", ".join(f"{i.name} {i.type} {i.shape}" for i in inputs)
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type not in _DTYPES:
        raise ModelError(
            f"{spec.text}: expected one input for images, four axes of float, float16, double or uint8, found: {found}"
        )
    return inputs[0]


def _output_name(session: Any, spec: ModelSpec) -> str:
    names = [output.name for output in session.get_outputs()]
    wanted = spec.options.get("output", names[0])
    if wanted not in names:
        raise ModelError(f'{spec.text}: no output "{wanted}"{suggest(wanted, names)} (there are {", ".join(names)})')
    return str(wanted)


def _layout(shape: list[Any], spec: ModelSpec) -> Layout:
    """Where the channels are: told by the option, or by the axis of length 3."""
    if "layout" in spec.options:
        told = parse_choice(spec.options["layout"].lower(), ("nchw", "nhwc"), "layout", spec.text)
        axis = shape[1] if told == "nchw" else shape[3]
        if isinstance(axis, int) and axis != 3:
            raise ModelError(f"{spec.text}: with layout={told} the input {shape} has {axis} channels instead of 3")
        return "nchw" if told == "nchw" else "nhwc"
    if shape[1] == 3 and shape[3] != 3:
        return "nchw"
    if shape[3] == 3 and shape[1] != 3:
        return "nhwc"
    raise ModelError(
        f"{spec.text}: cannot tell from the input's shape {shape} where the 3 colour channels are; "
        "add layout=nchw or layout=nhwc"
    )


def _threads(spec: ModelSpec) -> int:
    import torch

    text = spec.options.get("threads", str(torch.get_num_threads()))
    if not text.isdecimal() or int(text) < 1:
        raise ModelError(f'{spec.text}: threads must be a number of 1 or more, not "{text}"')
    return int(text)
