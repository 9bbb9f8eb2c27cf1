"""Check of a documented command that no test runs: its program, files, sub-commands and options exist."""

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

from sustainable_mlops.base.terraform import ROOT, find_engine
from sustainable_mlops.commands._group import MODULES

#: Options of the AWS CLI itself, and the options of its S3 commands.
_AWS_OPTIONS = {"--cli-input-json", "--region", "--profile", "--output", "--query"}
_S3 = {"mb": {"--region"}, "cp": {"--recursive"}, "sync": {"--delete"}}
#: Folders that a command of a page writes.
_WRITTEN = re.compile(r"(adopted|envs/lab)(/|$)")
_GIT = ("add", "clean", "clone", "diff", "reset", "restore")
_ENVIRONMENT = re.compile(r"^(\.venv|review|kernel)/bin/")
_VARIABLE = re.compile(r"\w+=")
_SHELL = {"cd", "cp", "echo", "export", "head", "mkdir", "printf", "rm", "sed", "source"}


def list_problems(command: str) -> list[str]:
    """Return the problems of a line of shell; empty if it could run."""
    syntax = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True, check=False)
    if syntax.returncode:
        return [syntax.stderr]
    return [problem for words in _split_commands(command) for problem in _check_command(words)]


def _split_commands(line: str) -> Iterator[list[str]]:
    """Yield the words of each command of a line, without variables and redirections."""
    words: list[str] = []
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    for word in lexer:
        if word in ("&&", "||", ";", "|"):
            yield words
            words = []
        elif words or not _VARIABLE.match(word):
            words.append(word)
    yield words[: words.index(">")] if ">" in words else words


def is_program(word: str) -> bool:
    """Return True if the check knows a program, with or without the folder of an environment."""
    return _find_name(word) in _PROGRAMS


def list_key_words(command: str) -> Iterator[str]:
    """Yield the sub-commands and the options of a line, which a test of the line must contain."""
    for words in _split_commands(command):
        while words and is_program(words[0]):
            end = words.index("--") if "--" in words else len(words)
            yield from _list_own_words(_find_name(words[0]), words[1:end])
            words = words[end + 1 :]


def _list_own_words(program: str, arguments: list[str]) -> Iterator[str]:
    """Yield the key words of one command."""
    names = [one for one in arguments if not one.startswith("-") and "://" not in one]
    if program == "make":
        yield f"make {names[0]}"
    elif program.startswith("python"):
        yield re.split(r"[./]", names[0].removesuffix(".py"))[-1]
    else:
        yield from [program] if program in ("aws", "docker", "pipx", "uvx") else []
        yield from names[: 2 if program == "aws" or names[:1] in (["sandbox"], ["new"], ["pipeline"]) else 1]
    yield from (one.partition("=")[0] for one in arguments if re.match("--?[a-z]", one) and one != "-m")


def _find_name(program: str) -> str:
    return _ENVIRONMENT.sub("", program)


def _check_command(words: list[str]) -> list[str]:
    program, *arguments = words
    check = _PROGRAMS.get(_find_name(program))
    if check is None:
        return [] if program in _SHELL else [f"{program}: no check knows this program; add one to _PROGRAMS"]
    return check(arguments)


def _check_python(arguments: list[str]) -> list[str]:
    if arguments[0] == "-m":
        return [] if importlib.util.find_spec(arguments[1]) else [f"no module {arguments[1]}"]
    return (
        _check_program([arguments[0]], arguments[1:])
        if (ROOT / arguments[0]).is_file()
        else [f"no file {arguments[0]}"]
    )


def _check_program(program: list[str], arguments: list[str]) -> list[str]:
    if "--" in arguments:
        index = arguments.index("--")
        return _check_options(program, arguments[:index]) + _check_command(arguments[index + 1 :])
    return _check_options(program, arguments)


def _check_smlops(arguments: list[str]) -> list[str]:
    name = arguments[0]
    if name.startswith("-"):
        return []
    if name not in MODULES:
        return [f"smlops has no command {name}"]
    return _check_program(["-m", "sustainable_mlops", name], arguments[1:])


def _check_options(program: list[str], arguments: list[str]) -> list[str]:
    word = next(iter(arguments), "-")
    sub = [word] if word[0] != "-" and f" {word} " in _help(sys.executable, *program) else []
    text = _help(sys.executable, *program, *sub)
    options = {one.partition("=")[0] for one in arguments if one.startswith("--")}
    files = {
        one
        for one in arguments
        if re.match(r"(envs|workloads|modules|policies)/", one) and "*" not in one and not _WRITTEN.match(one)
    }
    return [f"{program[-1]}: no option {one}" for one in sorted(options) if not re.search(rf"{one}\b", text)] + [
        f"no file {one}" for one in sorted(files) if not (ROOT / one).exists()
    ]


def _check_terraform(arguments: list[str]) -> list[str]:
    folders = [one.partition("=")[2] for one in arguments if one.startswith("-chdir=")]
    sub, *rest = (one for one in arguments if not one.startswith("-chdir="))
    words = [sub, *rest[:1]] if sub == "state" else [sub]
    text = _help(find_engine().path, *words, option="-help")
    text += _help(find_engine().path, "plan", option="-help") if sub == "apply" else ""  # it has the options of plan
    options = {one.partition("=")[0] for one in rest if one.startswith("-")}
    folders = [one for one in folders if not _WRITTEN.match(one)]
    return [f"no folder {one}" for one in folders if not (ROOT / one).is_dir()] + [
        f"terraform {sub}: no option {one}" for one in sorted(options) if not re.search(rf"{one}\b", text)
    ]


def _check_aws(arguments: list[str]) -> list[str]:
    service, operation, *rest = arguments
    options = {one.partition("=")[0] for one in rest if one.startswith("--")} - _AWS_OPTIONS
    if operation == "wait":
        return []
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


def _check_make(arguments: list[str]) -> list[str]:
    process = subprocess.run(["make", "-n", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return [process.stderr] if process.returncode else []


def _check_docker(arguments: list[str]) -> list[str]:
    sub, *rest = arguments
    if sub == "push":
        return []
    if sub != "build":
        return [f"docker {sub}: no check knows this command; add one"]
    containerfile = ROOT / rest[-1] / "Containerfile"
    arguments = [rest[index + 1].partition("=")[0] for index, one in enumerate(rest) if one == "--build-arg"]
    if not containerfile.is_file() or f"--file {rest[-1]}/Containerfile" not in " ".join(rest):
        return [f"docker build: no {rest[-1]}/Containerfile, or no --file for it"]
    return [f"docker build: no argument {one}" for one in arguments if f"ARG {one}" not in containerfile.read_text()]


def _check_jq(arguments: list[str]) -> list[str]:
    command = ["jq", "--null-input", *arguments]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    return [process.stderr] if process.returncode else []


@functools.cache
def _help(*command: str, option: str = "--help") -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    process = subprocess.run([*command, option], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout


def _check_pytest(arguments: list[str]) -> list[str]:
    return [f"no file {one}" for one in arguments if one.startswith("tests/") and not (ROOT / one).exists()]


def _check_env(arguments: list[str]) -> list[str]:
    return _check_command([one for one in arguments if "=" not in one])


_PROGRAMS: dict[str, Callable[[list[str]], list[str]]] = {
    "terraform": _check_terraform,
    "aws": _check_aws,
    "jq": _check_jq,
    "make": _check_make,
    "docker": _check_docker,
    "env": _check_env,
    "pytest": _check_pytest,
    "python": _check_python,
    "python3": _check_python,
    "git": lambda arguments: [] if arguments[0] in _GIT else [f"git: {arguments[0]}"],
    "pip": lambda arguments: [] if arguments[0] == "install" else [f"pip: {arguments[0]}"],
    "smlops": _check_smlops,
    "pipx": lambda arguments: [] if arguments[0] == "install" else [f"pipx: {arguments[0]}"],
    "uvx": lambda arguments: _check_command(arguments[2:]) if arguments[0] == "--from" else _check_command(arguments),
}
