"""Builds the data set: 1,797 handwritten digits of 8 x 8 pixels, which ship inside scikit-learn.

    python prepare.py --out DIR

writes DIR/train, DIR/validation and DIR/test, each with one digits.npz.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

#: Images of each part. In their own order, which follows the writers: a hand seen in training is not asked about
#: later but at a part's edge, as it would be in a random split.
PARTS = {"train": 1197, "validation": 300, "test": 300}
FILE = "digits.npz"


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Images, uint8 (1797, 8, 8) from 0 to 16, and the digit that each shows, uint8."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return found.images.astype(np.uint8), found.target.astype(np.uint8)


def write(out: Path) -> dict[str, int]:
    """Writes the parts, the same bytes each time, and tells how many images each has."""
    images, labels = digits()
    start = 0
    for part, size in PARTS.items():
        path = out / part / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        hidden = path.with_name(f".{FILE}")
        np.savez_compressed(hidden, images=images[start : start + size], labels=labels[start : start + size])
        hidden.replace(path)
        start += size
    return PARTS


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Build the digits data set.", epilog="Example: python prepare.py --out out/digits"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for train/, validation/ and test/")
    options = parser.parse_args(arguments)
    try:
        parts = write(options.out)
    except OSError as error:
        print(f"error: {options.out} cannot be written ({error.strerror}): give another --out", file=sys.stderr)
        raise SystemExit(2) from None
    for part, size in parts.items():
        print(f"part={part}; images={size};")


if __name__ == "__main__":
    main()
