"""The HTML report of a search: what was looked for, how the best score rose, what was found. It shows no rate."""

from __future__ import annotations

import pandas as pd

from posetest.analysis.searches import first_hit, improvements, labels_found
from posetest.engine.record import APART
from posetest.engine.run import RunFolder
from posetest.report import curves, words
from posetest.report.environment import environment
from posetest.report.pictures import embed

_PICTURES = 9_000_000  # characters that pictures may take
_MOST_LABELS = 30


def render_search(run: RunFolder) -> str:
    """The report of the search ``run`` as HTML text.

    Raises:
        RunError: it has no records yet.
    """
    info = run.info
    assert info.search is not None
    rising, found, kept = improvements(run), labels_found(run), run.images()
    spent = run.table(["calls", "margin", "forward", "backward", "renders"])
    calls, first = int(spent["calls"].iloc[-1]), first_hit(run)
    curve = ""
    if len(rising):
        curve = curves.rising_curve(rising["calls"], rising["score"], calls, f"best score of {info.scenes[0].name}")
    gallery = _rows(kept[kept["kind"] != "start"])
    is_reachable = bool(spent["margin"].notna().any())
    text: str = (
        environment()
        .get_template("search.html.j2")
        .render(
            info=info,
            search=info.search,
            scene=info.scenes[0],
            model=info.models[0],
            headline=words.search_headline(
                info.search, rising, first, calls, is_reachable, [g["survives"] for g in gallery]
            ),
            is_nearest=words.is_nearest(info.search),
            is_reachable=is_reachable,
            is_hit=first is not None,
            start=next(iter(_rows(kept[kept["kind"] == "start"])), None),
            gallery=gallery,
            apart=APART,
            labels=_rows(found.head(_MOST_LABELS)),
            more_labels=max(len(found) - _MOST_LABELS, 0),
            first_hit=first,
            calls=calls,
            poses=len(spent),
            cost=spent[["forward", "backward", "renders"]].sum().to_dict(),
            curve=curve,
            score_words=words.score_words(info.search),
            worth=lambda score, is_hit: words.worth(score, is_hit, info.search),
            pictures=embed(run, kept, _PICTURES),
            words=words,
        )
    )
    return text


def _rows(table: pd.DataFrame) -> list[dict[str, object]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict(orient="records")]
