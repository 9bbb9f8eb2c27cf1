"""The architecture pictures show the present code, and fit a phone."""

import re
from xml.etree import ElementTree

import pytest

from clone.synth import list_names
from tests.stale_files import suggest_update
from tools import pictures

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rendered() -> dict[str, str]:
    return pictures.render_pictures()


def test_the_pictures_show_the_present_code(rendered: dict[str, str]) -> None:
    files = {name: (pictures.IMAGES / name).read_text(encoding="utf-8") for name in rendered}
    assert files == rendered, suggest_update(".venv/bin/python -m tools.pictures")


def test_the_pictures_show_each_module_of_an_environment_and_each_environment(rendered: dict[str, str]) -> None:
    modules, environments = list_names()
    titles = {name: set(re.findall(r'<text class="title"[^>]*>([^<]*)', text)) for name, text in rendered.items()}
    assert titles["environment.svg"] == set(modules) - {"bootstrap", "footprint", "images", "studio"}
    assert titles["accounts.svg"] == {"One repository", *environments}


def test_no_text_is_wider_than_its_picture(rendered: dict[str, str]) -> None:
    for text in rendered.values():
        for element in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}text"):  # noqa: S314  our own
            assert int(element.attrib["x"]) + 6.9 * len(element.text or "") < pictures.WIDTH, element.text
