"""Update of the expected reviews.

Run `.venv/bin/python -m tests.field.update_expected pipeline`; without a name, it updates every shape.

Read the difference before you commit it: the comment at the top of each `expected.yaml` tells the right result.
"""

import sys
import tempfile
from pathlib import Path

from sagemaker_sandbox import Sandbox
from tests.field.shapes import Shape, list_shapes, push_images_before, review_plan, summarize_review, write_expectation


def main(names: list[str]) -> None:
    chosen = [Shape(name) for name in names] or list_shapes()
    with Sandbox.start() as sandbox, tempfile.TemporaryDirectory() as folder:
        for shape in chosen:
            plans = shape.plans(Path(folder) / str(shape), sandbox.environment if shape.is_applied else None)
            if shape.is_applied:
                plans = push_images_before(sandbox, plans)
            write_expectation(
                shape, {name: summarize_review(review_plan(f"{shape} {name}", plan), plan) for name, plan in plans}
            )
            print(shape.expectation)


if __name__ == "__main__":
    main(sys.argv[1:])
