"""Explanation of a Python package that a script imports and that the sandbox's Python does not have."""

import re

_MISSING = re.compile(r"No module named '(?P<package>\w+)")
#: Name of a package for pip, where it differs from the name in an import.
_PIP_NAMES = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "pytorch_lightning": "pytorch-lightning",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}


def explain_missing_package(errors: str) -> str:
    """Return the errors; if a package is missing, add the command that installs it."""
    match = list(_MISSING.finditer(errors))
    if not match:
        return errors
    package = match[-1]["package"]
    return (
        f"{errors.rstrip()} (the sandbox runs scripts with its own Python, which has no {package}: run pip install "
        f"{_PIP_NAMES.get(package, package)} in that environment, or add the file to the source if it is yours)"
    )
