"""How an audit was made and what its numbers do not say: entries and captions, as plain text."""

from __future__ import annotations

from pathlib import Path

from posetest.engine.record import CONFIDENT, VISIBLE_INSIDE, VISIBLE_LONG_PX
from posetest.report import words
from posetest.resources import bundled
from posetest.run_info import RunInfo, SceneInfo


def title(info: RunInfo) -> str:
    """What the run is about: its objects and models."""
    scenes, models = [s.name for s in info.scenes], [m.name for m in info.models]
    objects = words.listed(scenes) if len(scenes) <= 3 else f"{len(scenes)} objects"
    return f"{objects} × {words.listed(models) if len(models) <= 2 else f'{len(models)} models'}"


def measures(info: RunInfo) -> str:
    """The sampling measures of the run, each once; with several, the objects that each belongs to."""
    scenes_of: dict[str, list[str]] = {}
    for scene in info.scenes:
        scenes_of.setdefault(scene.measure, []).append(scene.name)
    if len(scenes_of) == 1:
        return f"Measure: {next(iter(scenes_of))}."
    return " ".join(f"Measure of {words.listed(names, 40)}: {text}." for text, names in scenes_of.items())


def source(scene: SceneInfo) -> str:
    """Where the scene came from: a file, or the name of a bundled scene."""
    path = Path(scene.source)
    return f"the bundled scene {path.stem}" if path.parent == bundled("scenes") else scene.source


def entries(info: RunInfo, present: int) -> list[tuple[str, str]]:
    """What there is to say of method and limits: (what, text), in order; ``present`` counts the rows."""
    draws = "independent draws" if info.sampling == "independent" else "a scrambled Sobol sequence"
    sobol = (
        " Sobol points are not independent; the interval treats them as if they were, and is then as a rule too wide."
        if info.sampling == "sobol"
        else ""
    )
    return [
        (
            "Question",
            "In what share of poses drawn from the named measure is the model's first label an accepted one? The "
            "answers are about renders of these meshes under that measure, not about photographs and not about other "
            "objects of the class.",
        ),
        (
            "Poses",
            f"{words.plural(info.poses, 'pose')} of each object, {draws}, seed {info.seed}; pose i depends on the seed "
            "and on i alone, and all models see the same pictures.",
        ),
        ("Measure", measures(info)),
        (
            "Intervals",
            "Wilson's score interval at 95 % for each rate by itself: with many rates, one in twenty misses."
            f"{sobol} Poses that could not be evaluated are counted apart and are in no rate.",
        ),
        ("Visible", f"A{visible()[1:]}"),
        (
            "Not rates",
            "Galleries show chosen poses. Results of a search are never shown as rates: a search finds failures, it "
            "does not count them.",
        ),
        (
            "Pictures",
            f"{info.image_size} × {info.image_size} px, renderer “{info.renderer}”, batches of {info.batch_size}.",
        ),
        *(("Model", f"{m.name}: {m.spec}; {m.classes:,} classes; {m.preprocessing}") for m in info.models),
        ("Versions", ", ".join(f"{name} {version}" for name, version in info.versions.items())),
        ("Run", f"{info.created}, status {info.status}, {words.plural(present, 'row')}"),
    ]


def digests(info: RunInfo) -> list[tuple[str, str]]:
    """(what, SHA-256) of everything that was evaluated."""
    found = []
    for scene in info.scenes:
        found += [(f"{scene.name}, mesh", scene.mesh_digest), (f"{scene.name}, scene", scene.scene_digest)]
    return found + [(f"{model.name}, weights", model.digest or "not known") for model in info.models]


def visible() -> str:
    """What a visible pose is."""
    return (
        f"at least {words.percent(VISIBLE_INSIDE, 0)} of the object's silhouette inside the frame and at least "
        f"{VISIBLE_LONG_PX:.0f} px along the longer side of its bounding box."
    )


def about_rates() -> str:
    """The caption of a table of rates."""
    return (
        "Share of poses in percent with 95 % Wilson interval. Recognised: the first label is an accepted one. In top "
        "5: an accepted label is among the first five. Confidently misread: the first label is wrong and has a "
        f"probability of at least {CONFIDENT}. Visible: {visible()}"
    )


ABOUT_OBJECTS = (
    "Each object counts once. The 95 % interval is about the mean over objects that these are independent draws of; it "
    "says nothing where the objects were chosen."
)
ABOUT_TRANSFER = (
    "Transfer of failing poses, pooled over the poses of these objects: of the poses that the first model misreads, "
    "the share that the second misreads too, and its share of all poses to compare with. 95 % Wilson intervals about "
    "new poses of these objects."
)
ABOUT_DIRECTION = (
    "Recognition rate over the direction from which the camera sees the object, Mollweide projection (equal areas are "
    "equal parts of the view sphere), all poses; cells without poses are grey."
)
ABOUT_REGIONS = (
    "Places where poses are misread far more often than elsewhere, found on one half of the poses and measured on the "
    "other, so that the rates are not flattered by the choice; 95 % Wilson intervals. Azimuth and elevation of the "
    "camera as the object sees it (azimuth 0 is its front), roll of the picture."
)
ABOUT_COMPARISON = (
    "Paired by pose; intervals of differences are for paired shares at 95 %; p of the exact McNemar test, adjusted by "
    "Holm over the objects of this run."
)
ABOUT_PARAMETERS = (
    "Upper plots: share of the poses in each bin, with 95 % Wilson intervals (shaded). Lower plots: where the poses of "
    "each outcome lie; each curve has area 1, the grey area shows all poses as sampled, so a curve above it means more "
    "than its share."
)
ABOUT_LABELS = (
    "The most frequent wrong first labels, with 95 % Wilson intervals of their share of all poses; conf. is the mean "
    "probability of the wrong label."
)
ABOUT_GALLERY = (
    "Chosen for their confidence, visible poses first: evidence, not a sample. ✓ means that the stored 8-bit PNG, "
    "scored again, is misread as the same label. The line below a picture replays it: posetest render SCENE --pose “…”."
)
