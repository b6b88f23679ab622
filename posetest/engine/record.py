"""The one place that names the columns of a record: a row for each evaluated pose, scene and model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from posetest.protocols import Rendered
from posetest.space import PARAMETERS

#: Visible: at least so much of the silhouette inside the frame, and its bounding box at least so long in pixels.
VISIBLE_INSIDE = 0.9
VISIBLE_LONG_PX = 32.0
#: A misread pose counts as confidently misread from this probability of the wrong label (Alcorn et al. 2019).
CONFIDENT = 0.7

#: Least distance between the poses of a search that are kept as pictures: radians, half-ranges.
APART = 0.2

_TEXT = pa.dictionary(pa.int32(), pa.string())

#: Columns of a record, in order, with their types.
SCHEMA = pa.schema(
    [
        pa.field("scene", _TEXT),
        pa.field("model", _TEXT),
        pa.field("index", pa.int64()),  # of the pose under the run's seed
        pa.field("status", _TEXT),  # "ok", or why the pose could not be evaluated
        *(pa.field(p.column, pa.int32() if p.name == "background" else pa.float64()) for p in PARAMETERS),
        *(pa.field(name, pa.float64()) for name in ("qw", "qx", "qy", "qz")),  # object to camera
        pa.field("inside", pa.float32()),  # fraction of the silhouette inside the frame
        pa.field("area_px", pa.float32()),
        pa.field("long_px", pa.float32()),
        pa.field("visible", pa.bool_()),
        pa.field("image_digest", pa.uint64()),
        pa.field("top1", pa.int32()),
        pa.field("top1_label", _TEXT),
        pa.field("top1_p", pa.float32()),
        pa.field("accepted_p", pa.float32()),  # summed over the accepted classes
        pa.field("accepted_rank", pa.int32()),  # of the best accepted class; 1 is first
        pa.field("recognised", pa.bool_()),
        pa.field("top5", pa.bool_()),  # an accepted class is among the first five
        pa.field("entropy", pa.float32()),  # of the predicted distribution, nats
    ]
)
#: Columns of a search's record: those above, and what the search saw and paid.
SEARCH_SCHEMA = pa.schema(
    [
        *SCHEMA,
        pa.field("ask", pa.int32()),  # number of the proposal that the pose was in
        pa.field("score", pa.float64()),  # higher is better; -inf where it could not be told
        pa.field("margin", pa.float64()),  # positive exactly where the objective is reached; NaN: nothing to reach
        pa.field("hit", pa.bool_()),
        pa.field("share", pa.float32()),  # of a robust objective's copies of the pose that reach it
        pa.field("gradient", pa.list_(pa.float64())),  # of the score, tangent coordinates; null where not asked for
        pa.field("forward", pa.int32()),  # pictures through the model for this row
        pa.field("backward", pa.int32()),  # and back through it
        pa.field("renders", pa.int32()),  # pictures drawn
        pa.field("calls", pa.int64()),  # of the model until and with this row, a backward pass counted as two
    ]
)
#: Columns of the record of tuning curves: those of an audit, and the responses; row 0 shows the background alone.
TUNE_SCHEMA = pa.schema([*SCHEMA, pa.field("responses", pa.list_(pa.float32()))])
#: Columns of a probe's record: those of an audit, and what was changed; ``index`` counts the rows of a scene and model.
PROBE_SCHEMA = pa.schema(
    [
        *SCHEMA,
        pa.field("base", pa.int64()),  # index of the pose in the parent's records
        pa.field("base_recognised", pa.bool_()),  # as recorded there
        pa.field("base_label", _TEXT),  # first label, as recorded there
        pa.field("change", _TEXT),  # what was changed: a parameter, a way to draw, "turn"; "none"
        pa.field(
            "amount", pa.float64()
        ),  # by how much: border units of the parameter, with its sign; 0 for ways to draw
    ]
)
POSE_COLUMNS: tuple[str, ...] = tuple(p.column for p in PARAMETERS)

Columns = dict[str, Sequence[object] | NDArray[np.generic]]


def pose_columns(vectors: NDArray[np.float64], quaternions: NDArray[np.float64], rendered: Rendered) -> Columns:
    """The columns that poses and pictures give, before any model has seen them."""
    columns: Columns = {p.column: vectors[:, i] for i, p in enumerate(PARAMETERS)}
    columns["background"] = vectors[:, POSE_COLUMNS.index("background")].astype(np.int32)
    columns |= {name: quaternions[:, i] for i, name in enumerate(("qw", "qx", "qy", "qz"))}
    columns |= {"inside": rendered.inside, "area_px": rendered.area_px, "long_px": rendered.long_px}
    columns["visible"] = (rendered.inside >= VISIBLE_INSIDE) & (rendered.long_px >= VISIBLE_LONG_PX)
    columns["image_digest"] = rendered.digest
    return columns


def score_columns(log_p: NDArray[np.float32], accepted: Sequence[int], names: Sequence[str]) -> Columns:
    """The columns that a model's log-probabilities [n, k] give; ``accepted`` class indices, short ``names`` of all.

    A row that is not finite has status "scores not finite", no label and counts as not recognised. Without classes
    (k = 0) no row has a label; without accepted ones none is recognised.
    """
    if log_p.shape[1] == 0:
        return _unlabelled(len(log_p))
    finite: NDArray[np.bool_] = np.asarray(np.isfinite(log_p).any(axis=1) & ~np.isnan(log_p).any(axis=1))
    safe = np.where(finite[:, None], log_p, 0.0).astype(np.float64)
    probability = np.exp(safe)
    top = safe.argmax(axis=1)
    rank = _rank(safe, list(accepted)) if accepted else np.full(len(safe), -1)
    recognised = np.isin(top, list(accepted)) & finite
    with np.errstate(invalid="ignore"):
        entropy = -np.where(probability > 0, probability * safe, 0.0).sum(axis=1)
    blank = np.float32("nan")
    accepted_p = probability[:, list(accepted)].sum(axis=1) if accepted else blank
    return {
        "status": np.where(finite, "ok", "scores not finite"),
        "top1": np.where(finite, top, -1).astype(np.int32),
        "top1_label": [names[t] if ok else "" for t, ok in zip(top, finite, strict=True)],
        "top1_p": np.where(finite, probability.max(axis=1), blank).astype(np.float32),
        "accepted_p": np.where(finite, accepted_p, blank).astype(np.float32),
        "accepted_rank": np.where(finite, rank, -1).astype(np.int32),
        "recognised": recognised,
        "top5": (rank >= 1) & (rank <= 5) & finite,
        "entropy": np.where(finite, entropy, blank).astype(np.float32),
    }


def _rank(log_p: NDArray[np.float64], accepted: list[int]) -> NDArray[np.int64]:
    """Rank [n] of the best accepted class, 1 for the first; among equal scores the lower class, as argmax has it."""
    best = log_p[:, accepted].max(axis=1)
    first = np.asarray(accepted)[log_p[:, accepted].argmax(axis=1)]
    is_before = (log_p == best[:, None]) & (np.arange(log_p.shape[1]) < first[:, None])
    ranks: NDArray[np.int64] = 1 + ((log_p > best[:, None]) | is_before).sum(axis=1)
    return ranks


def _unlabelled(count: int) -> Columns:
    """The columns of pictures that no classifier has seen."""
    unknown, blank = np.full(count, -1, dtype=np.int32), np.full(count, np.nan, dtype=np.float32)
    no = np.zeros(count, dtype=bool)
    numbers = {"top1": unknown, "top1_p": blank, "accepted_p": blank, "accepted_rank": unknown, "entropy": blank}
    return {"status": ["ok"] * count, "top1_label": [""] * count, "recognised": no, "top5": no, **numbers}


def joined(pieces: Sequence[Columns], schema: pa.Schema = SCHEMA) -> Columns:
    """The columns of several tables, one below the other."""
    return {field.name: np.concatenate([np.asarray(columns[field.name]) for columns in pieces]) for field in schema}


def to_arrow(columns: Mapping[str, object], schema: pa.Schema = SCHEMA) -> pa.Table:
    """A record table from all columns of ``schema``; a column that is one value is repeated."""
    rows = len(columns["index"])  # type: ignore[arg-type]
    arrays = []
    for field in schema:
        value = columns[field.name]
        repeated = [value] * rows if isinstance(value, str) else value
        target = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        array = pa.array(repeated if pa.types.is_list(target) else np.asarray(repeated), type=target)
        arrays.append(array.dictionary_encode() if pa.types.is_dictionary(field.type) else array)
    return pa.Table.from_arrays([a.cast(f.type) for a, f in zip(arrays, schema, strict=True)], schema=schema)


def to_frame(table: pa.Table) -> pd.DataFrame:
    """A record table as pandas, text columns as categories; arrays may be read-only."""
    unified = table.unify_dictionaries()
    del table
    # column by column, each freed once it is taken over: a million rows are else held twice
    frame: pd.DataFrame = unified.to_pandas(split_blocks=True, self_destruct=True)
    return frame
