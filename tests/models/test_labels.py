"""Which class a label means, and which files of class names can be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posetest.errors import LabelError
from posetest.models.labels import class_name, read_labels, resolve_label, resolve_labels, unnamed
from posetest.models.torchvision_zoo import imagenet_categories
from posetest.objects.catalogue import BUILDERS

ANIMALS = (
    "tiger cat",
    "jeep, landrover",
    "crane (bird)",
    "crane (machine)",
    "great white shark, white shark, man-eater",
    "cardigan",
    "Cardigan, Cardigan Welsh corgi",
    "fire engine, fire truck",
    "garbage truck, dustcart",
)


@pytest.mark.parametrize(
    ("label", "index"),
    [
        (1, 1),
        ("1", 1),
        (" 1 ", 1),
        ("jeep, landrover", 1),
        ("jeep", 1),
        ("Landrover", 1),
        ("JEEP", 1),
        ("tiger_cat", 0),
        ("Tiger-Cat", 0),
        ("man eater", 4),
        ("crane_bird", 2),
        ("crane (machine)", 3),
        ("cardigan", 5),
        ("Cardigan, Cardigan Welsh corgi", 6),
        ("dustcart", 8),
    ],
)
def test_an_index_a_name_or_a_synonym_means_its_class(label: str | int, index: int) -> None:
    assert resolve_label(label, ANIMALS) == index


def test_a_word_that_two_classes_share_is_refused_with_both() -> None:
    with pytest.raises(
        LabelError, match=r'"crane" may mean 2 "crane \(bird\)" or 3 "crane \(machine\)"; give the index'
    ):
        resolve_label("crane", ANIMALS)
    with pytest.raises(LabelError, match='"Cardigan" may mean 5 "cardigan" or 6'):
        resolve_label("Cardigan", ANIMALS)
    with pytest.raises(LabelError, match='may mean 0 "crane" or 1 "crane"'):
        resolve_label("crane", ("crane", "crane", "heron"))


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("jeeep", 'net: no class is called "jeeep"; did you mean "jeep" (1)?'),
        ("truck", '"fire engine" (7) or "garbage truck" (8)'),
        ("jeep,tiger cat", "several labels are given as separate values"),
        ("xyzzy", "it has 9 classes: tiger cat, jeep, crane (bird), crane (machine) ..."),
        (9, "no class 9; the model's 9 classes are 0 to 8"),
        ("-1", "no class -1"),
        (True, "a label is an index or a name, not True"),
        ("", 'no class is called ""'),
    ],
)
def test_a_label_that_means_nothing_is_refused_with_what_is_close(label: str | int, said: str) -> None:
    with pytest.raises(LabelError) as caught:
        resolve_label(label, ANIMALS, "net")
    assert said in str(caught.value)


def test_a_model_without_class_names_takes_indices_and_asks_for_a_file_otherwise() -> None:
    categories = unnamed(10)
    assert resolve_label("7", categories) == resolve_label("class 7", categories) == 7
    with pytest.raises(LabelError, match=r"names of this model's 10 classes are not known.*labels=FILE"):
        resolve_label("jeep", categories)


def test_digits_mean_the_class_that_is_called_so_before_the_index() -> None:
    digits = ("1", "2", "3")
    assert resolve_label("2", digits) == 1
    assert resolve_label(2, digits) == 2
    assert resolve_label("0", digits) == 0


def test_several_labels_become_ascending_indices_each_once() -> None:
    assert resolve_labels(["jeep", 0, "landrover", "1"], ANIMALS, "scene") == (0, 1)
    assert resolve_labels("jeep", ANIMALS, "scene") == resolve_labels(1, ANIMALS, "scene") == (1,)
    with pytest.raises(LabelError, match="scene with net: no accepted label is given"):
        resolve_labels([], ANIMALS, "scene with net")


def test_the_short_name_is_the_first_synonym() -> None:
    assert class_name(4, ANIMALS) == "great white shark"


def test_every_imagenet_name_and_most_synonyms_find_their_own_class(shared: Path) -> None:
    names = read_labels(shared / "classifiers" / "imagenet_classes.txt")
    assert len(names) == 1000
    assert resolve_label("jeep", names) == resolve_label("Landrover", names) == names.index("jeep, landrover") == 609
    for index in range(0, 1000, 50):
        assert resolve_label(names[index], names) == index


def test_class_names_are_read_one_a_line_in_order(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes("\ufefftench, Tinca tinca\r\n  goldfish  \r\nn03594945 jeep, landrover\r\n\r\n".encode())
    assert read_labels(path) == ("tench, Tinca tinca", "goldfish", "jeep, landrover")


@pytest.mark.parametrize(
    "content",
    [
        ["tench", "goldfish"],
        {"0": "tench", "1": "goldfish"},
        {"1": ["n01443537", "goldfish"], "0": ["n01440764", "tench"]},
        {"goldfish": 1, "tench": 0},
        [["n01440764", "tench"], ["n01443537", "goldfish"]],
    ],
)
def test_class_names_are_read_from_the_usual_shapes_of_json(content: object, tmp_path: Path) -> None:
    path = tmp_path / "names.json"
    path.write_text(json.dumps(content))
    assert read_labels(path) == ("tench", "goldfish")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", "tench\n\njeep\n", "line 2 is empty"),
        ("a.txt", "\n\n", "holds no class names"),
        ("a.txt", "", "holds no class names"),
        ("a.json", '["tench", ""]', "class 1 is empty"),
        ("a.json", '{"0": "tench", "2": "jeep"}', "2 classes, but no class 1"),
        ("a.json", '{"tench": 0, "jeep": 2}', "2 classes, but no class 1"),
        ("a.json", '["tench", 3]', "a class name must be text, not 3"),
        ("a.json", '{"names": ["tench"]}', "expected a list of names or an object"),
        ("a.json", "[", "not valid JSON"),
        ("a.json", "[]", "holds no class names"),
    ],
)
def test_a_file_of_class_names_with_a_defect_is_refused(name: str, content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(LabelError) as caught:
        read_labels(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_or_binary_file_of_class_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no such labels file"):
        read_labels(tmp_path / "none.txt")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LabelError, match="cannot be read as UTF-8 text"):
        read_labels(tmp_path / "b.txt")
    with pytest.raises(LabelError, match="cannot be read as UTF-8 text"):
        read_labels(tmp_path)


def test_of_several_synonyms_one_that_the_model_knows_is_enough() -> None:
    assert resolve_labels("traffic light, traffic signal, stoplight", ["cab", "traffic light"], "x") == (1,)
    with pytest.raises(LabelError, match="several labels are given as separate values"):
        resolve_labels("cab, traffic light", ["cab", "traffic light"], "x")


@pytest.mark.parametrize("name", BUILDERS)
def test_bundled_objects_have_labels_that_torchvisions_networks_know(name: str) -> None:
    assert len(resolve_labels(BUILDERS[name](0).labels, imagenet_categories(), name)) >= 1
