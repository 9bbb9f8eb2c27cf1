"""The command `review_plan`: arguments, files, the review, and where it goes.

argparse instead of typer, which the other commands use: importing typer takes as long as a whole review may.
"""

import argparse
import gc
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from sustainable_mlops.errors import UserError

if TYPE_CHECKING:
    from sustainable_mlops.checkov import Result
    from sustainable_mlops.review import Review

_DESCRIPTION = """\
Review a Terraform plan: data at risk, privileges widened, policies, carbon and cost before and after, budgets.

  terraform plan -out plan.tfplan && terraform show -json plan.tfplan > plan.json

  review_plan.py plan.json                                   for a terminal
  review_plan.py plan.json --write comment.md report.html    files, the format by their suffix
  review_plan.py plan.json --usage usage.yaml --budgets budgets.yaml
  review_plan.py plan.json --base main.json                  against another plan instead of the state
  terraform show -json plan.tfplan | review_plan.py - --format markdown

From a clone, review_plan.py is `.venv/bin/python scripts/review_plan.py` (after `make setup`); where the package is
installed, `python -m sustainable_mlops.review`.
"""
_EPILOG = """\
exit codes: 0 no gate failed (the verdict may still be to look), 1 a gate failed, 2 an input cannot be used or the
reviewer itself failed, 130 interrupted, 141 whoever read the output stopped
"""
_FORMATS = ("text", "markdown", "html", "json", "sarif")
_SUFFIXES = {".txt": "text", ".md": "markdown", ".html": "html", ".json": "json", ".sarif": "sarif"}
_GATES = ("data", "privileges", "rules", "budgets", "checkov", "unknown")


class _Parser(argparse.ArgumentParser):
    """One line for a wrong argument, as for any other bad input."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see --help")


def start() -> NoReturn:
    """Run the command as a process of its own: it ends before garbage matters, and looking for it takes a third."""
    gc.disable()
    sys.exit(main())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    given = argparse.Namespace(write=[])
    try:
        _parser().parse_args(arguments, given)
        return _run(given)
    except UserError as error:
        return _refuse(given, " ".join(str(error).split()))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _close_stdout()
        return 141
    except Exception as error:
        # Exit code 1 would be read as a gate that failed. The error's own text may hold what the plan hides.
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
        return _refuse(given, f"the reviewer itself failed ({where}): report this with the plan if it can be shared")


def _refuse(arguments: argparse.Namespace, why: str) -> int:
    print(f"error: {why}", file=sys.stderr)
    for path in arguments.write:
        if path.suffix == ".md":
            from sustainable_mlops.review.formats.markdown import not_reviewed

            with suppress(UserError):
                _write(path, not_reviewed(_name(arguments), why))
    return 2


def _name(arguments: argparse.Namespace) -> str:
    """What the reports call the plan. What is no UTF-8 in an argument cannot be written either."""
    name: str = arguments.name or ("stdin" if arguments.plan == "-" else arguments.plan)
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _close_stdout() -> None:
    """What is left in the buffer goes nowhere: Python would complain of it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        "review_plan.py", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("plan", help="output of `terraform show -json`; - for stdin")
    add("--base", type=Path, metavar="PLAN", help="the plan to compare with, where there is no state")
    add("--usage", type=Path, metavar="FILE", help="usage.yaml: how resources are used, which no plan says")
    add("--budgets", type=Path, metavar="FILE", help="budgets.yaml: the most carbon and cost, for all or by tags")
    add("--accepted", type=Path, metavar="FILE", help="accepted.yaml: risks that somebody accepts, why, until when")
    add("--format", choices=_FORMATS, help="what to print (text, unless --write is given: then nothing)")
    add(
        "--write",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help=f"files to write: {', '.join(_SUFFIXES)}\n(.md also where there is no review: why)",
    )
    add("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    add("--name", help="what the reports call the plan, instead of the file's name")
    add("--fail-on", type=_gates, default=frozenset(_GATES[:-1]), metavar="GATES",
        help=f"gates that give exit code 1, or none: {','.join(_GATES)}\n(all but unknown by default)")  # fmt: skip
    add("--checkov", action="store_true", help="run checkov's built-in checks as well, at the same time")
    return parser


def _gates(text: str) -> frozenset[str]:
    gates = frozenset(filter(None, (part.strip() for part in text.split(",")))) - {"none"}
    if unknown := sorted(gates - set(_GATES)):
        raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(_GATES)}, none")
    return gates


def _run(arguments: argparse.Namespace) -> int:
    for path in arguments.write:
        if path.suffix not in _SUFFIXES:
            raise UserError(f"--write {path}: must end in one of {', '.join(_SUFFIXES)}")
    from sustainable_mlops.review.formats import render

    review = _with_checkov(arguments) if arguments.checkov else _review(arguments, _read(arguments.plan))
    for path in arguments.write:
        _write(path, render(review, _SUFFIXES[path.suffix]))
    form = arguments.format or (None if arguments.write else "text")
    if form is not None:
        _print(review, form)
    return review.exit_code


def _with_checkov(arguments: argparse.Namespace) -> "Review":
    """The review with checkov beside it, which starts at once: its imports take longer than the whole rest."""
    from sustainable_mlops.checkov import Checkov

    with ThreadPoolExecutor(1) as beside:
        checkov = Checkov()
        try:
            data = _read(arguments.plan)
            return _review(arguments, data, beside.submit(checkov.check, _utf8(data)))
        finally:
            checkov.stop()


def _utf8(data: bytes) -> bytes:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace").encode()
    return data.removeprefix(b"\xef\xbb\xbf")


def _read(plan: str) -> bytes:
    if plan == "-":
        try:
            return sys.stdin.buffer.read()
        except (AttributeError, OSError) as error:  # there is no stdin where it is closed
            why = error.strerror if isinstance(error, OSError) else "it is closed"
            raise UserError(f"stdin: cannot be read: {why}; give the plan's file or pipe it in") from None
    from sustainable_mlops.plan.document import read

    return read(Path(plan))


def _review(arguments: argparse.Namespace, data: bytes, checkov: "Future[Result] | None" = None) -> "Review":
    from sustainable_mlops.footprint.usage import read_usage
    from sustainable_mlops.plan import load
    from sustainable_mlops.review import review
    from sustainable_mlops.review.accepted import read_accepted
    from sustainable_mlops.review.budgets import read_budgets

    plan = load(data, "stdin" if arguments.plan == "-" else arguments.plan)
    plan.name = _name(arguments)
    return review(
        plan,
        base=load(arguments.base) if arguments.base else None,
        usage=read_usage(arguments.usage) if arguments.usage else None,
        budgets=read_budgets(arguments.budgets) if arguments.budgets else (),
        accepted=read_accepted(arguments.accepted) if arguments.accepted else (),
        fail_on=arguments.fail_on,
        checkov=_waiting(checkov) if checkov is not None else None,
    )


def _waiting(checkov: "Future[Result]") -> "Callable[[], Result]":
    def wait() -> "Result":
        if not checkov.done() and sys.stderr.isatty():
            print("waiting for checkov …", file=sys.stderr)
        return checkov.result()

    return wait


def _write(path: Path, text: str) -> None:
    """Write a report whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None


def _print(review: "Review", form: str) -> None:
    if sys.stdout is None:
        raise UserError("stdout: is closed; give --write and files instead")
    try:
        _show(review, form)
    except BrokenPipeError:
        raise
    except OSError as error:
        _close_stdout()
        raise UserError(f"stdout: cannot be written: {error.strerror or error}") from None


def _show(review: "Review", form: str) -> None:
    if form == "text" and sys.stdout.isatty():
        from sustainable_mlops.review.formats.text import print_to_terminal

        print_to_terminal(review)
        return
    from sustainable_mlops.review.formats import render

    sys.stdout.buffer.write(render(review, form).encode())
    sys.stdout.flush()
