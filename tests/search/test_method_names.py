"""From a method's name with options to the method: what is read, and what is said of mistakes."""

from __future__ import annotations

import re

import pytest

from posetest.errors import ConfigError
from posetest.search.evolution import RestartingCma
from posetest.search.select import METHODS, make_method, method_name
from posetest.search.viewpoints import ViewFool


def test_options_follow_a_question_mark() -> None:
    assert make_method("cma?sigma=0.5&population=20") == RestartingCma(sigma=0.5, population=20)
    assert make_method("gmvfool") == ViewFool(components=15, population=45)
    assert make_method("gmvfool?population=90") == ViewFool(components=15, population=90)
    assert method_name("cma?sigma=1") == "cma"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cmaa", 'no method "cmaa"; did you mean "cma"'),
        ("cma?sigm=1", 'unknown key "sigm".*did you mean "sigma"'),
        ("cma?sigma=-1", "Expected `float` > 0.0 - at `sigma`"),
        ("cma?population=many", "Expected `int`, got `str` - at `population`"),
        ("cma?population=1", ">= 2 - at `population`"),
        ("auto?explored=0", ">= 1 - at `explored`"),
        ("nearest?candidates=1", ">= 2 - at `candidates`"),
        ("surrogate?smallest=1&largest=0.5", "smallest must be less than largest"),
        ("cma?sigma", '"sigma" is not option=value'),
        ("", 'no method ""'),
    ],
)
def test_mistakes_say_what_would_do(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make_method(text)


def test_every_option_has_a_help_line() -> None:
    import inspect

    for name, (kind, _) in METHODS.items():
        source = inspect.getsource(kind)
        for option in kind.__struct_fields__:
            assert re.search(rf'    {option}: .*\n    """', source), f"{name}: {option}"
