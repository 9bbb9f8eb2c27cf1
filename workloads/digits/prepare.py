"""Preparation of the data set: 1,797 handwritten digits of 8 x 8 pixels, which scikit-learn contains.

    python prepare.py --out DIR

writes DIR/train, DIR/validation and DIR/test, each with one digits.npz.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

#: Images of each part, in their original order, which follows the writers. Unlike in a random split, a writer is in two
#: parts only at a part's edge.
PARTS = {"train": 1197, "validation": 300, "test": 300}
FILE = "digits.npz"


def read_images() -> tuple[np.ndarray, np.ndarray]:
    """Return the images, uint8 (1797, 8, 8) from 0 to 16, and the digit of each, uint8."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.images.astype(np.uint8), bunch.target.astype(np.uint8)


def write_parts(out: Path) -> dict[str, int]:
    """Write the parts, the same bytes each time, and return the number of images of each."""
    images, labels = read_images()
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
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description="Build the digits data set.", epilog="Example: python prepare.py --out out/digits"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for train/, validation/ and test/")
    options = parser.parse_args(arguments)
    try:
        parts = write_parts(options.out)
    except OSError as error:
        print(f"error: {options.out} cannot be written ({error.strerror}): give another --out", file=sys.stderr)
        raise SystemExit(2) from None
    for part, size in parts.items():
        print(f"part={part}; images={size};")


if __name__ == "__main__":
    main()
