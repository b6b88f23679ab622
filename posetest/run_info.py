"""What run.toml holds, as structs: everything needed to repeat a run and to read it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from posetest.config import SearchConfig, Strict


class SceneInfo(Strict, frozen=True, omit_defaults=False):
    """What run.toml says of a scene."""

    name: str
    source: str
    measure: str
    """Name of the sampling measure; travels with every rate."""
    labels: tuple[int | str, ...]
    mesh_digest: str
    scene_digest: str
    faces: int
    free: tuple[str, ...]
    """Parameters that vary."""
    warnings: tuple[str, ...] = ()
    not_drawn: tuple[str, ...] = ()
    config: dict[str, Any] = msgspec.field(default_factory=dict)
    """The scene file's content."""


class ModelInfo(Strict, frozen=True, omit_defaults=False):
    """What run.toml says of a model."""

    name: str
    spec: str
    digest: str
    classes: int
    preprocessing: str
    accepted: dict[str, tuple[int, ...]]
    """Class indices that count as recognised, by scene name."""
    accepted_names: dict[str, tuple[str, ...]]


class SearchInfo(Strict, frozen=True, omit_defaults=False):
    """What run.toml says of a search."""

    settings: SearchConfig
    vary: tuple[str, ...]
    """Parameters that move."""
    base: str
    """Replay string of what does not, and of where a search that needs an initial pose begins."""
    objective: str
    """In words."""
    is_turn: bool = False
    """Whether the object's rotation on SO(3) is all that moves, so that distances are angles in radians."""
    evaluations: int = 0
    forward: int = 0
    """Pictures through the model."""
    backward: int = 0
    """Pictures back through it."""
    renders: int = 0
    """Pictures drawn."""
    ended: str = ""
    """Why it ended: budget, hit, or the method has nothing more to ask."""


Reduce = Literal["mean", "max"]
Layout = Literal["nchw", "nhwc", "ntc"]


class TuneInfo(Strict, frozen=True, omit_defaults=False):
    """What run.toml says of tuning curves."""

    layer: str
    """A module's name, or logits or probabilities."""
    over: tuple[str, ...]
    """One or two parameters."""
    values: tuple[tuple[float, ...], ...]
    """Their values, border units."""
    wraps: tuple[bool, ...]
    """Whether the values of each close a circle."""
    base: str
    """Replay string of the other parameters."""
    reduce: Reduce = "mean"
    """What becomes of a channel's positions."""
    layout: Layout | None = None
    """Of the layer's output."""
    channels: tuple[int, ...] = ()
    """That were kept; none: all."""
    unit_names: tuple[str, ...] = ()
    """Of class scores, the short names of all classes; of a layer none."""


ProbeKind = Literal["sensitivity", "artefacts", "tolerance", "axes", "boxes", "indices"]


class ProbeInfo(Strict, frozen=True, omit_defaults=False):
    """What run.toml says of a probe: further evaluations of poses that an audit holds, or of its measure."""

    what: ProbeKind
    parent: str
    """The audit's run folder."""
    parent_digest: str
    """SHA-256 (hex) of its run.toml and records."""
    poses: int
    """Poses taken from the parent for each scene and model, at most; of artefacts so many misread ones, and as many
    recognised; of indices the rows of the design."""
    steps: dict[str, tuple[float, ...]] = msgspec.field(default_factory=dict)
    """Of sensitivity, axes and boxes: the sizes of change of each parameter, border units, rising, both ways."""
    changes: tuple[str, ...] = ()
    """Of artefacts: how poses were drawn otherwise."""
    other_size: int = 0
    """Of artefacts: the other image size, pixels."""
    few: int = 0
    """Of artefacts: poses of each group that another renderer drew, at most."""
    radii_deg: tuple[float, ...] = ()
    """Of tolerance: radii of the balls of rotations that turns were drawn from, rising."""
    draws: int = 0
    """Of tolerance: turns of each pose and radius; of axes and boxes: fresh draws that test one."""
    limits: dict[str, dict[str, tuple[float, float]]] = msgspec.field(default_factory=dict)
    """Of axes and boxes: by scene, the parameters that they are of and the values that these stay within."""
    probes: int = 0
    """Of axes and boxes: draws in what a step would add."""
    tries: int = 0
    """Of axes and boxes: tests of a pose's box, at most; each smaller than the one before."""
    least: float = 0.0
    """Of axes and boxes: the share of draws that has to be recognised."""


class RunInfo(Strict, frozen=True, omit_defaults=False):
    """run.toml: everything needed to repeat and to read a run."""

    kind: str
    """audit, search, tune or probe."""
    status: Literal["running", "complete"]
    created: str
    command: str
    seed: int
    poses: int
    """Poses of each scene."""
    sampling: Literal["independent", "sobol"]
    image_size: int
    batch_size: int
    part_size: int
    """Poses in a part file."""
    versions: dict[str, str]
    scenes: tuple[SceneInfo, ...]
    models: tuple[ModelInfo, ...]
    renderer: str
    format: int = 1
    search: SearchInfo | None = None
    """Of a search."""
    tune: TuneInfo | None = None
    """Of tuning curves."""
    probe: ProbeInfo | None = None
    """Of a probe."""
