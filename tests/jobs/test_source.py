"""Packing of the source: the files that are sent, and the digest."""

import hashlib
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.jobs import display, source
from sustainable_mlops.jobs.measurement import smlops_measure
from sustainable_mlops.jobs.source import SourcePackage, name_archive_folder, pack_source_folder
from sustainable_mlops.jobs.specs.common import SourceSpec

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}\.(py|txt|json)", fullmatch=True)


def write_tree(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def pack(folder: Path, **settings: Any) -> SourcePackage:
    return pack_source_folder(SourceSpec(entry_point="train.py", **settings), folder)


@settings(deadline=None)  # files are written, on whatever disk
@given(files=st.dictionaries(NAMES, st.binary(max_size=200), max_size=6), times=st.randoms())
def test_the_archive_depends_only_on_names_and_contents(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], times: Any
) -> None:
    files["train.py"] = b"print()"
    shuffled = list(files.items())
    times.shuffle(shuffled)
    one = write_tree(tmp_path_factory.mktemp("one"), files)
    other = write_tree(tmp_path_factory.mktemp("other"), dict(shuffled))
    for path in other.iterdir():
        os.utime(path, (times.randrange(2**31), times.randrange(2**31)))
    first, second = (pack(one), pack(other, include=["*.json", "**/*"] if any(".json" in n for n in files) else ["*"]))
    assert (first.archive, first.digest, first.files) == (second.archive, second.digest, second.files)
    with tarfile.open(fileobj=io.BytesIO(first.archive)) as archive:
        expected_files = {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr] # all are files
    assert expected_files == files | {"smlops_measure.py": Path(smlops_measure.__file__).read_bytes()}


def test_the_measuring_script_is_in_the_archive_and_address_but_not_in_the_digest(tmp_path: Path) -> None:
    package = pack(write_tree(tmp_path, {"train.py": b"1"}))
    assert package.files == ("train.py",)
    measuring = hashlib.sha256(Path(smlops_measure.__file__).read_bytes()).hexdigest()
    assert name_archive_folder(package.digest) == f"{package.digest}-{measuring[:8]}"
    with pytest.raises(UserError, match=r"source.include: the launcher reserves the name smlops_measure.py"):
        pack(write_tree(tmp_path, {"smlops_measure.py": b"1"}))


def test_a_changed_file_changes_the_digest(tmp_path: Path) -> None:
    before = pack(write_tree(tmp_path, {"train.py": b"1", "lib/a.py": b"2"})).digest
    assert pack(write_tree(tmp_path, {"lib/a.py": b"3"})).digest != before


def test_secrets_caches_and_hidden_files_are_not_sent(tmp_path: Path) -> None:
    private = [".env", ".git/config", "key.pem", "id_rsa", "__pycache__/train.pyc", "aws_credentials.json", "a.tfstate"]
    package = pack(write_tree(tmp_path, {"train.py": b"", "lib/a.py": b"", **dict.fromkeys(private, b"secret")}))
    assert package.files == ("lib/a.py", "train.py")
    assert set(package.ignored_files) == set(private)


def test_likely_secrets_are_reported_and_code_is_sent(tmp_path: Path) -> None:
    secrets = ["api_token.txt", "aws_credentials.py", "client_secret_1.json", "id_ecdsa", "keystore.jks", "kubeconfig"]
    secrets += [
        "passwords.txt",
        "prod.env",
        "prod.tfvars.json",
        "secrets.yaml",
        "secrets/db.yaml",
        "service-account.json",
    ]
    code = ["cls_token.txt", "secretary.json", "secrets.py", "secrets/vault.py"]
    code += ["special_tokens_map.json", "token.py", "tokenizer.json"]
    hidden = [".env", ".git/secrets.yaml"]
    package = pack(write_tree(tmp_path, dict.fromkeys(["train.py", *secrets, *code, *hidden], b"")))
    assert set(package.files) == {"train.py", *code}
    assert package.likely_secrets == secrets
    (line,) = display.list_missing_files(package)
    assert line == f"not sent, as names of secrets: {', '.join(secrets)}; rename a file that has none"


def test_a_data_set_about_secrets_is_sent(tmp_path: Path) -> None:
    data = ["password_strength.csv", "secret_santa.csv.gz", "service_accounts_by_region.parquet"]
    data += ["cls_token.csv", "token_0001.npy", "tokens.jsonl"]
    secrets = ["access-token.csv", "chrome_passwords.csv", "github_token.jsonl", "hf_token.parquet"]
    secrets += ["passwords_backup.csv", "secrets.csv.gz", "secrets_2024-05-01.csv", "token.csv"]
    package = pack(write_tree(tmp_path, dict.fromkeys(["train.py", *data, *secrets], b"")), include=["**/*", *data])
    assert set(package.files) == {"train.py", *data}
    assert package.likely_secrets == secrets


JOB_FILE = b"name: big\nplatform: /p\nsource: {entry_point: train.py}\nimage: i\ncompute: {}\nlimits: {}\ndata: {}\n"
#: Files that accumulate in a folder of code.
OTHER_FILES = st.sampled_from(
    [
        *("train.log", "nohup.out", "out/runs/j.json", "logs/today.txt", "wandb/run/x.json", "train.ipynb"),
        *("flights.csv", "FLIGHTS.CSV", "sets/flights.parquet", "flights.csv.gz", "model.joblib", "sets/a.npy"),
        *(".ipynb_checkpoints/a.py", ".git/config", "lib/__pycache__/a.pyc"),
        *("job.yaml", "job-big.yaml", "experiments/wide.yaml"),
    ]
)


@settings(deadline=None)
@given(other_files=st.sets(OTHER_FILES, min_size=1))
def test_logs_data_and_job_files_are_reported_and_do_not_change_the_digest(
    tmp_path_factory: pytest.TempPathFactory, other_files: set[str]
) -> None:
    folder = write_tree(
        tmp_path_factory.mktemp("source"), {"train.py": b"print()", "lib/a.py": b"", "conf.yaml": b"a: 1"}
    )
    before = pack(folder)
    after = pack(write_tree(folder, dict.fromkeys(other_files, JOB_FILE)))
    assert (after.digest, after.files) == (before.digest, before.files)
    assert after.files == ("conf.yaml", "lib/a.py", "train.py")
    assert set(after.ignored_files) == other_files


@pytest.mark.parametrize(
    ("include", "ignored", "expected_files"),
    [
        (["**/*"], "", {"train.py"}),
        (["**/*", "sets/a.csv"], "", {"train.py", "sets/a.csv"}),  # by its name
        (["*.py", "**/*.csv"], "", {"train.py", "b.csv", "sets/a.csv"}),  # by its ending
        (["**/*.py", "out/*"], "", {"train.py", "out/left.py"}),  # by its folder; an ending does not ask for one
        (["**/*.py"], "", {"train.py"}),
        (["**/*"], "!*.csv", {"train.py", "b.csv", "sets/a.csv"}),
        (["*.py", "**/*.csv"], "sets/\n# mine", {"train.py", "b.csv"}),
        (["**/*"], "!.env\n!*.csv\n/b.csv", {"train.py", "sets/a.csv"}),  # a secret goes never
    ],
)
def test_data_is_sent_if_include_requests_it(
    tmp_path: Path, include: list[str], ignored: str, expected_files: set[str]
) -> None:
    write_tree(
        tmp_path, {"train.py": b"", "b.csv": b"", "sets/a.csv": b"", ".env": b"", "run.log": b"", "out/left.py": b""}
    )
    (tmp_path / ".smlopsignore").write_text(ignored)
    assert set(pack(tmp_path, include=include).files) == expected_files


def test_an_ignored_file_that_the_code_mentions_is_reported(tmp_path: Path) -> None:
    code = b"codes = open(os.path.join(HERE, 'airports.csv'))\nweights = HERE + '/nets/base.pt'\nenv = '.env'"
    names = ["airports.csv", "nets/base.pt", "ports.csv", ".env"]
    package = pack(write_tree(tmp_path, {"train.py": code, **dict.fromkeys(names, b"1")}))
    assert package.mentions == {"airports.csv": "train.py", "nets/base.pt": "train.py"}
    first, _ = display.list_missing_files(package)
    assert first.startswith("airports.csv is not sent, but train.py mentions it")


def test_an_ignore_file_can_have_a_byte_order_mark_and_crlf(tmp_path: Path) -> None:
    write_tree(tmp_path, {"train.py": b"", "notes.txt": b"", ".smlopsignore": b"\xef\xbb\xbf*.txt\r\n"})
    assert pack(tmp_path).files == ("train.py",)


def test_an_ignore_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    write_tree(tmp_path, {"train.py": b"", ".smlopsignore": b"\xff"})
    with pytest.raises(UserError, match=r"\.smlopsignore: .*; use the syntax of \.gitignore"):
        pack(tmp_path)


def test_a_link_inside_the_source_is_packed_as_its_file(tmp_path: Path) -> None:
    write_tree(tmp_path, {"train.py": b"", "real.py": b"real"})
    (tmp_path / "link.py").symlink_to("real.py")
    with tarfile.open(fileobj=io.BytesIO(pack(tmp_path).archive)) as archive:
        assert archive.getmember("link.py").isfile()


def test_a_link_to_a_secret_is_not_sent(tmp_path: Path) -> None:
    write_tree(tmp_path, {"train.py": b"", ".env": b"TOKEN=1", ".venv/a.py": b""})
    (tmp_path / "settings.txt").symlink_to(".env")
    (tmp_path / "venv").symlink_to(".venv")
    package = pack(tmp_path, include=["*", "venv/*.py"])
    assert (package.files, package.ignored_files) == (("train.py",), (".env", "settings.txt", "venv", "venv/a.py"))
    with pytest.raises(UserError, match=r"settings\.txt looks like a secret or a cache, and is never sent"):
        pack(tmp_path, include=["train.py", "settings.txt"])


def make_link_to_file_outside(folder: Path) -> None:
    (folder / "passwords.py").symlink_to("/etc/passwd")


def make_broken_link(folder: Path) -> None:
    (folder / "gone.py").symlink_to("nowhere.py")


def make_link_to_folder_outside(folder: Path) -> None:
    (folder / "lib").symlink_to("/etc")


def make_nothing(_: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("prepare", "settings", "message"),
    [
        (make_link_to_file_outside, {}, "source: passwords.py links to a file outside the source directory"),
        (make_link_to_folder_outside, {}, "source: lib links to a file outside the source directory"),
        (make_broken_link, {}, "source: gone.py is a broken link"),
        (make_nothing, {"include": ["*.txt"]}, "source.include: no file in"),
        (make_nothing, {"include": ["features.py"]}, "matches features.py"),
        (make_nothing, {"include": ["../*.py"]}, "source.include: ../*.py is outside the source directory"),
        (make_nothing, {"include": ["/etc/passwd"]}, "source.include: /etc/passwd is outside the source directory"),
        (make_nothing, {"include": ["."]}, "source.include: '.' is not a valid pattern; write **/* or **/*.py"),
        (make_nothing, {"include": ["**.py"]}, "source.include: '**.py' is not a valid pattern"),
        (make_nothing, {"include": [".env"]}, "source.include: .env looks like a secret"),
        (make_nothing, {"include": ["other.py"]}, "source.include: does not match the entry point train.py"),
    ],
)
def test_an_invalid_source_is_rejected(
    tmp_path: Path, prepare: Callable[[Path], None], settings: dict[str, Any], message: str
) -> None:
    prepare(write_tree(tmp_path, {"train.py": b"", "other.py": b"", ".env": b"TOKEN=1"}))
    with pytest.raises(UserError) as error:
        pack(tmp_path, **settings)
    assert message in str(error.value)


def test_a_missing_entry_point_or_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"source.entry_point: .* has no train.py"):
        pack(tmp_path)
    with pytest.raises(UserError, match=r"source.directory: the folder"):
        pack(tmp_path / "nowhere")


def test_a_source_too_big_to_be_code_names_the_biggest_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_BYTES", 1000)
    with pytest.raises(UserError, match=r"largest: flights.csv\); narrow source.include"):
        pack(write_tree(tmp_path, {"train.py": b"", "flights.csv": b"1" * 2000}), include=["*.py", "*.csv"])
