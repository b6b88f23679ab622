"""Several run folders for one report: audits, and the probes that belong to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from posetest.engine.run import RunFolder
from posetest.errors import RunError


@dataclass(frozen=True, eq=False)
class Audited:
    """An audit with what was made from it.

    Attributes:
        run: the audit; None where probes were given without it.
        probes: probes of it, in the order given.
        name: that tells it from the others of the report.
    """

    run: RunFolder | None
    probes: tuple[RunFolder, ...]
    name: str


def gather(runs: Sequence[RunFolder]) -> tuple[Audited, ...]:
    """The audits among ``runs`` in the order given, each with its probes; probes without their audit come last.

    Raises:
        RunError: none is given, one is given twice, or one is a search or holds tuning curves.
    """
    if not runs:
        raise RunError("a report needs a run folder")
    places = [run.path.resolve() for run in runs]
    if twice := [place for place in places if places.count(place) > 1]:
        raise RunError(f"{twice[0]}: given twice; name each run folder once")
    if others := [run for run in runs if run.info.kind not in ("audit", "probe")]:
        fix = "make its report by itself" if len(runs) > 1 else "make that, in the format html"
        raise RunError(
            f'{others[0].path}: a run of kind "{others[0].info.kind}" chose its poses and has a page of its own; {fix}'
        )
    names = _told_apart([run.path.resolve().parts for run in runs])
    audits = [(run, name) for run, name in zip(runs, names, strict=True) if run.info.kind == "audit"]
    probes = [(run, name) for run, name in zip(runs, names, strict=True) if run.info.kind == "probe"]
    digests = {run.digest(): run for run, _ in audits} if probes else {}
    owners = [digests.get(run.info.probe.parent_digest) if run.info.probe else None for run, _ in probes]
    found = [
        Audited(run, tuple(p for (p, _), owner in zip(probes, owners, strict=True) if owner is run), name)
        for run, name in audits
    ]
    loose = [Audited(None, (run,), name) for (run, name), owner in zip(probes, owners, strict=True) if owner is None]
    return (*found, *loose)


def _told_apart(paths: Sequence[tuple[str, ...]]) -> list[str]:
    """The shortest ends of different ``paths`` that differ."""
    longest = max(len(parts) for parts in paths)
    for count in range(1, longest + 1):
        ends = ["/".join(parts[-count:]) for parts in paths]
        if len(set(ends)) == len(ends):
            return ends
    raise AssertionError("paths that are equal")  # gather has refused them
