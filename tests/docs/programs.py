"""Whether a command that is only shown could run: its programs, files, sub-commands and options are there."""

import functools
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator

from botocore import xform_name
from botocore.session import Session

from sustainable_mlops.terraform import ROOT, find_engine

#: Options of the AWS CLI itself, and what its own commands on S3 take.
_AWS_OPTIONS = {"--region", "--profile", "--output", "--query"}
_S3 = {"mb": {"--region"}, "cp": {"--recursive"}, "sync": {"--delete"}}
_SHELL = {"printf", "sed", "rm", "export"}


def wrong(command: str) -> list[str]:
    """What is wrong with a line of shell, as a person would read it; empty where it could run."""
    checked = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True, check=False)
    if checked.returncode:
        return [checked.stderr]
    return [problem for words in _simple(command) for problem in _wrong(words)]


def _simple(line: str) -> Iterator[list[str]]:
    """The commands that a line joins, without redirections."""
    words: list[str] = []
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    for word in lexer:
        if word in ("&&", "||", ";", "|"):
            yield words
            words = []
        else:
            words.append(word)
    yield words[: words.index(">")] if ">" in words else words


def _wrong(words: list[str]) -> list[str]:
    program, *arguments = words
    if program == ".venv/bin/python":
        return _python(arguments)
    if program.startswith("scripts/"):
        return _script(program, arguments)
    check = _PROGRAMS.get(program)
    if check is None:
        return [] if program in _SHELL else [f"{program}: no check here knows it; teach one"]
    return check(arguments)


def _python(arguments: list[str]) -> list[str]:
    if arguments[0] == "-m":
        return [] if importlib.util.find_spec(arguments[1]) else [f"no module {arguments[1]}"]
    return _script(arguments[0], arguments[1:])


def _script(script: str, arguments: list[str]) -> list[str]:
    if not (ROOT / script).is_file():
        return [f"no file {script}"]
    if "--" in arguments:
        at = arguments.index("--")
        return _options(script, arguments[:at]) + _wrong(arguments[at + 1 :])
    return _options(script, arguments)


def _smlops(arguments: list[str]) -> list[str]:
    if arguments[0].startswith("-"):
        return []
    return _script(f"scripts/{arguments[0].replace('-', '_')}.py", arguments[1:])


def _options(script: str, arguments: list[str]) -> list[str]:
    word = next(iter(arguments), "-")
    sub = [word] if word[0] != "-" and f" {word} " in _help(sys.executable, script) else []
    text = _help(sys.executable, script, *sub)
    options = {one.partition("=")[0] for one in arguments if one.startswith("--")}
    files = {one for one in arguments if re.match(r"(envs|workloads|modules|policies)/", one) and "*" not in one}
    return [f"{script}: no option {one}" for one in sorted(options) if not re.search(rf"{one}\b", text)] + [
        f"no file {one}" for one in sorted(files) if not (ROOT / one).exists()
    ]


def _terraform(arguments: list[str]) -> list[str]:
    folders = [one.partition("=")[2] for one in arguments if one.startswith("-chdir=")]
    sub, *rest = (one for one in arguments if not one.startswith("-chdir="))
    text = _help(find_engine().path, sub, option="-help")
    options = {one.partition("=")[0] for one in rest if one.startswith("-")}
    return [f"no folder {one}" for one in folders if not (ROOT / one).is_dir()] + [
        f"terraform {sub}: no option {one}" for one in sorted(options) if not re.search(rf"{one}\b", text)
    ]


def _aws(arguments: list[str]) -> list[str]:
    service, operation, *rest = arguments
    options = {one.partition("=")[0] for one in rest if one.startswith("--")} - _AWS_OPTIONS
    if service == "s3":
        known = _S3.get(operation)
    else:
        model = Session().get_service_model({"s3api": "s3"}.get(service, service))
        names = {xform_name(name, "-"): name for name in model.operation_names}
        shape = model.operation_model(names[operation]).input_shape if operation in names else None
        known = {f"--{xform_name(name, '-')}" for name in shape.members} if shape is not None else None
    if known is None:
        return [f"aws {service}: no operation {operation}"]
    return [f"aws {service} {operation}: no option {one}" for one in sorted(options - known)]


def _make(arguments: list[str]) -> list[str]:
    done = subprocess.run(["make", "-n", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return [done.stderr] if done.returncode else []


def _docker(arguments: list[str]) -> list[str]:
    sub, *rest = arguments
    if sub == "push":
        return []
    if sub != "build":
        return [f"docker {sub}: no check here knows it; teach one"]
    made_of = ROOT / rest[-1] / "Containerfile"
    given = [rest[at + 1].partition("=")[0] for at, one in enumerate(rest) if one == "--build-arg"]
    if not made_of.is_file() or f"--file {rest[-1]}/Containerfile" not in " ".join(rest):
        return [f"docker build: no {rest[-1]}/Containerfile, or no --file for it"]
    return [f"docker build: no argument {one}" for one in given if f"ARG {one}" not in made_of.read_text()]


@functools.cache
def _help(*command: str, option: str = "--help") -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    done = subprocess.run([*command, option], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


_PROGRAMS: dict[str, Callable[[list[str]], list[str]]] = {
    "terraform": _terraform,
    "aws": _aws,
    "make": _make,
    "docker": _docker,
    "smlops": _smlops,
    "pipx": lambda arguments: [] if arguments[0] == "install" else [f"pipx: {arguments[0]}"],
    "uvx": lambda arguments: _wrong(arguments[2:]) if arguments[0] == "--from" else _wrong(arguments),
}
