"""Writes a small ONNX file without the package onnx: scores are weighted mean colours.

Protocol buffers are a list of (field number, wire type, value); the few that a graph needs are written out here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

FLOAT, UINT8, FLOAT16 = 1, 2, 10


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(raw)) + raw


def _value_info(name: str, dtype: int, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(_bytes(1, _number(1, d) if isinstance(d, int) else _bytes(2, d)) for d in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, dtype) + _bytes(2, dims)))


def _node(kind: str, inputs: Sequence[str], output: str, *attributes: bytes) -> bytes:
    named = b"".join(_bytes(1, name) for name in inputs)
    return named + _bytes(2, output) + _bytes(4, kind) + b"".join(_bytes(5, a) for a in attributes)


def _int_attribute(name: str, value: int) -> bytes:
    return _bytes(1, name) + _number(3, value) + _number(20, 2)


def _ints_attribute(name: str, values: Sequence[int]) -> bytes:
    return _bytes(1, name) + b"".join(_number(8, v) for v in values) + _number(20, 7)


def write_mean_colour(
    path: Path, weights: np.ndarray, shape: Sequence[int | str], *, layout: str = "nchw", dtype: int = FLOAT
) -> Path:
    """An ONNX file: input "pixels", outputs "scores" [n, k], mean colour [n, 3] x weights [3, k], and "twice" them."""
    k = weights.shape[1]
    nodes = [
        _node("Cast", ["pixels"], "float", _int_attribute("to", FLOAT)),
        _node(
            "Transpose", ["float"], "nchw", _ints_attribute("perm", (0, 1, 2, 3) if layout == "nchw" else (0, 3, 1, 2))
        ),
        _node("GlobalAveragePool", ["nchw"], "pooled"),
        _node("Flatten", ["pooled"], "mean"),
        _node("MatMul", ["mean", "weights"], "scores"),
        _node("Add", ["scores", "scores"], "twice"),
    ]
    tensor = b"".join(_number(1, d) for d in weights.shape) + _number(2, FLOAT)
    tensor += _bytes(8, "weights") + _bytes(9, weights.astype("<f4").tobytes())
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, "mean_colour") + _bytes(5, tensor)
    graph += _bytes(11, _value_info("pixels", dtype, shape))
    graph += b"".join(_bytes(12, _value_info(name, FLOAT, (shape[0], k))) for name in ("scores", "twice"))
    path.write_bytes(_number(1, 8) + _bytes(8, _bytes(1, "") + _number(2, 17)) + _bytes(7, graph))
    return path
