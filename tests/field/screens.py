"""The first screens of the reviews of typical plans: a terminal of 80 x 24, and a phone of 390 x 844 pixels.

Run `.venv/bin/python -m tests.field.screens out/screens web_api data_lake`; without a name, it shows every shape. It
prints the screens of the terminal, and writes the pages and, if Chromium is on PATH, their pictures to the folder.
"""

import html
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sagemaker_sandbox import Sandbox
from sustainable_mlops.review import Review
from sustainable_mlops.review.formats import render
from sustainable_mlops.review.formats.text import print_to_terminal
from tests.browser import find_browser, run_browser
from tests.field.shapes import Shape, list_shapes, push_images_before, review_plan

_COLUMNS, _LINES = 80, 24
_WIDTH, _HEIGHT = 390, 844
#: No headless window is narrower.
_WINDOW_WIDTH = 500


def main(folder: Path, names: Sequence[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shapes = [Shape(name) for name in names] or list_shapes()
    with tempfile.TemporaryDirectory() as scratch:
        for shape in shapes:
            for plan_name, plan in _list_plans(shape, Path(scratch) / str(shape)):
                result = review_plan(f"{shape} {plan_name}", plan)
                _print_screen(result)
                _write_page(result, folder / f"{shape}_{plan_name}.html")


def _list_plans(shape: Shape, folder: Path) -> list[tuple[str, dict[str, Any]]]:
    if not shape.is_applied:
        return list(shape.plans(folder))
    with Sandbox.start() as sandbox:
        return list(push_images_before(sandbox, shape.plans(folder, sandbox.environment)))


def _print_screen(result: Review) -> None:
    os.environ["COLUMNS"] = str(_COLUMNS)
    with tempfile.TemporaryFile("w+") as file:
        stdout, sys.stdout = sys.stdout, file
        try:
            print_to_terminal([result])
        finally:
            sys.stdout = stdout
        file.seek(0)
        lines = file.read().splitlines()
    print(f"── {result.name}: the first {_LINES} of {len(lines)} lines", *lines[:_LINES], "", sep="\n")


def _write_page(result: Review, file: Path) -> None:
    page = render(result, "html")
    file.write_text(page)
    browser = find_browser()
    if browser is None:
        return
    frame = f'<iframe width="{_WIDTH}" height="{_HEIGHT}" style="border:0" srcdoc="{html.escape(page)}"></iframe>'
    with tempfile.TemporaryDirectory() as folder:
        framed = Path(folder) / "frame.html"
        framed.write_text(f'<!doctype html><html><body style="margin:0">{frame}</body></html>')
        flags = [f"--window-size={_WINDOW_WIDTH},{_HEIGHT}", f"--screenshot={file.with_suffix('.png').resolve()}"]
        run_browser(browser, framed.as_uri(), Path(folder) / "profile", "--hide-scrollbars", *flags)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
