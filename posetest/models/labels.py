"""What a model's classes are called, and which class a user means by a label.

A label is an index, a class's full name or one of its synonyms: class 609 of ImageNet, "jeep, landrover", is 609,
"jeep, landrover", "jeep" and "Landrover" alike. A word that several classes share is refused rather than guessed at.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from posetest.errors import LabelError

#: Names given to the classes of a model that comes without any.
_UNNAMED = "class {}"


def unnamed(count: int) -> tuple[str, ...]:
    """Stand-ins for class names: "class 0", "class 1", ..."""
    return tuple(_UNNAMED.format(i) for i in range(count))


def class_name(index: int, categories: Sequence[str]) -> str:
    """A short name for display: the first synonym of class ``index``."""
    return categories[index].split(",")[0].strip()


def resolve_labels(labels: Sequence[str | int] | str | int, categories: Sequence[str], where: str) -> tuple[int, ...]:
    """Class indices of ``labels``, ascending, each once.

    Args:
        labels: indices, names or synonyms; one alone may be given as it is.
        categories: the model's class names in the order of its scores.
        where: the scene and model, for the error's text.

    Raises:
        LabelError: there is no label, or one of them is unknown, ambiguous or out of range.
    """
    if isinstance(labels, str | int):
        labels = (labels,)
    if not labels:
        raise LabelError(
            f"{where}: no accepted label is given, so no answer could count as right; "
            "give a class index, a class name or a synonym"
        )
    return tuple(sorted({resolve_label(label, categories, where) for label in labels}))


def resolve_label(label: str | int, categories: Sequence[str], where: str = "the model") -> int:
    """The class index that ``label`` means.

    A name that is a class's name to the letter means that class, whatever else is called so. Otherwise upper and
    lower case, "_", "-" and blanks make no difference, and the label must fit one class only; of several synonyms, as
    in "fire engine, fire truck", it is enough that the model knows one. A string of digits is an index unless a class
    is called so.

    Raises:
        LabelError: unknown (with the closest names), ambiguous (with the candidates) or out of range.
    """
    if isinstance(label, bool) or not isinstance(label, str | int):
        raise LabelError(f"{where}: a label is an index or a name, not {label!r}")
    if isinstance(label, int):
        return _checked_index(label, categories, where)
    text = label.strip()
    exact = [i for i, name in enumerate(categories) if name == text]
    if len(exact) == 1:
        return exact[0]
    if not exact and re.fullmatch(r"[+-]?\d+", text):
        return _checked_index(int(text), categories, where)
    known = _index_by_synonym(categories)
    found = exact or known.get(_normalised(text), [])
    if not found:  # several synonyms, of which the model may know one
        classes = {i for synonym in text.split(",") for i in known.get(_normalised(synonym), [])}
        found = list(classes) if len(classes) == 1 else []
    if len(found) == 1:
        return found[0]
    if found:
        listed = " or ".join(f'{i} "{categories[i]}"' for i in found)
        raise LabelError(f'{where}: "{label}" may mean {listed}; give the index of the one that is meant')
    raise LabelError(f'{where}: no class is called "{label}"{_hint(text, categories)}')


def read_labels(path: Path) -> tuple[str, ...]:
    """The class names in the file at ``path``, in the order of the model's scores.

    One class a line, synonyms separated by commas; a WordNet number before the name ("n03594945 jeep") is left out.
    A file that ends in .json may hold a list of names, {"0": "tench", ...}, {"0": ["n01440764", "tench"], ...} or
    {"tench": 0, ...}.

    Raises:
        LabelError: the file is missing, not text, empty, or holds an empty name or a gap in its indices.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise LabelError(f"{path}: no such labels file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    if path.suffix.lower() == ".json":
        try:
            names = _names_from_json(json.loads(text), path)
        except json.JSONDecodeError as error:
            raise LabelError(f"{path}: not valid JSON: {error}") from error
    else:
        names = [re.sub(r"^n\d{8}[\s,]+", "", line.strip()) for line in text.rstrip().splitlines()]
    if not any(names):
        raise LabelError(f"{path}: holds no class names; expected one class a line")
    if "" in names:
        index = names.index("")
        place = f"class {index}" if path.suffix.lower() == ".json" else f"line {index + 1}"
        raise LabelError(f"{path}: {place} is empty; every class needs a name, in the order of the model's scores")
    return tuple(names)


def check_count(categories: Sequence[str], outputs: int, where: str) -> None:
    """Refuses class names that are not as many as the model's scores."""
    if len(categories) == outputs:
        return
    hint = "the file must name every class once, in the order of the scores"
    if len(categories) == outputs + 1 and _normalised(categories[0]) in ("background", "dummy"):
        hint = f'leave out the first, "{categories[0]}", which this model has no score for'
    elif len(categories) + 1 == outputs:
        hint = 'some networks have a class 0 "background" before the others: then add it as the first name'
    raise LabelError(f"{where}: {len(categories)} class names for a model of {outputs} scores; {hint}")


def _checked_index(index: int, categories: Sequence[str], where: str) -> int:
    if not 0 <= index < len(categories):
        raise LabelError(
            f"{where}: no class {index}; the model's {len(categories)} classes are 0 to {len(categories) - 1}"
        )
    return index


def _normalised(text: str) -> str:
    return " ".join(re.sub(r"[_\-()]", " ", text.casefold()).split())


def _synonyms(name: str) -> list[str]:
    """The full name, its parts between commas, and each part without a remark in brackets ("crane (bird)")."""
    parts = [part.strip() for part in name.split(",")]
    bare = [re.sub(r"\s*\([^)]*\)", "", part) for part in parts]
    return [word for word in dict.fromkeys((name, *parts, *bare)) if word]


def _index_by_synonym(categories: Sequence[str]) -> dict[str, list[int]]:
    """Classes by normalised synonym. Made anew each time: 1000 classes take a few milliseconds, and a run asks once."""
    found: dict[str, list[int]] = {}
    for i, name in enumerate(categories):
        for word in dict.fromkeys(map(_normalised, _synonyms(name))):
            found.setdefault(word, []).append(i)
    return found


def _hint(text: str, categories: Sequence[str], limit: int = 5) -> str:
    """What else the user may have meant, or why no name can fit."""
    if list(categories) == list(unnamed(len(categories))):
        return (
            f"; the names of this model's {len(categories)} classes are not known: give an index, "
            "or a file with the names (labels=FILE)"
        )
    by_synonym = _index_by_synonym(categories)
    word = _normalised(text)
    if "," in text and all(_normalised(part) in by_synonym for part in text.split(",")):
        return "; several labels are given as separate values, not joined by commas"
    as_word = [key for key in by_synonym if word and re.search(rf"\b{re.escape(word)}\b", key)]
    close = difflib.get_close_matches(word, by_synonym, n=limit, cutoff=0.7)
    indices = list(dict.fromkeys(i for key in (*close, *as_word) for i in by_synonym[key]))[:limit]
    if not indices:
        some = ", ".join(class_name(i, categories) for i in range(min(4, len(categories))))
        return f" (it has {len(categories)} classes: {some} ...)"
    return "; did you mean " + " or ".join(f'"{class_name(i, categories)}" ({i})' for i in indices) + "?"


def _names_from_json(data: Any, path: Path) -> list[str]:
    if isinstance(data, list):
        return [_name_from_json(item, path) for item in data]
    if isinstance(data, dict) and data and all(isinstance(v, int) and not isinstance(v, bool) for v in data.values()):
        data = {str(index): name for name, index in data.items()}
    if isinstance(data, dict) and all(key.isdecimal() for key in data):
        if missing := [i for i in range(len(data)) if str(i) not in data]:
            raise LabelError(
                f"{path}: {len(data)} classes, but no class {missing[0]}; indices must run from 0 without a gap"
            )
        return [_name_from_json(data[str(i)], path) for i in range(len(data))]
    raise LabelError(f'{path}: expected a list of names or an object such as {{"0": "tench", "1": "goldfish"}}')


def _name_from_json(item: Any, path: Path) -> str:
    """A name, or the last of a list such as ["n01440764", "tench"]."""
    if isinstance(item, list) and item and re.fullmatch(r"n\d{8}", str(item[0])):
        item = ", ".join(map(str, item[1:]))
    if isinstance(item, list):
        item = ", ".join(map(str, item))
    if not isinstance(item, str):
        raise LabelError(f"{path}: a class name must be text, not {item!r}")
    return item.strip()
