"""The command `smlops review`: arguments, files, the review, and where it goes.

argparse instead of typer, which the other commands use: importing typer takes as long as a whole review may.
"""

import argparse
import gc
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from sustainable_mlops.errors import UserError
from sustainable_mlops.files import write_whole
from sustainable_mlops.program import close_stdout
from sustainable_mlops.review.formats import FORMATS, render
from sustainable_mlops.review.plan_names import STDIN, label, names

if TYPE_CHECKING:
    from concurrent.futures import Future

    from sustainable_mlops.checkov import Result
    from sustainable_mlops.review import Review

_DESCRIPTION = """\
Review Terraform plans: data at risk, privileges widened, policies, carbon and cost before and after, budgets.

  terraform plan -out plan.tfplan && terraform show -json plan.tfplan > plan.json

  smlops review plan.json                                   for a terminal
  smlops review plan.json --write comment.md report.html    files, the format by their suffix
  smlops review plan.json --usage usage.yaml --budgets budgets.yaml
  smlops review plan.json --base main.json                  against another plan instead of the state
  terraform show -json plan.tfplan | smlops review - --format markdown

  smlops review envs/*/plan.json --write comment.md         several plans, one report: the worst verdict counts
  smlops review plan.json --only 'module.*_endpoint*'       stops where anything else changes, too
  smlops review plan.json --write-baseline baseline.json    what is there now; commit it, and from then on
  smlops review plan.json --baseline baseline.json          judges what is new
"""
_EPILOG = """\
exit codes: 0 no gate failed (the verdict may still be to look), 1 a gate failed, 2 an input cannot be used or the
reviewer itself failed, 130 interrupted, 141 whoever read the output stopped
"""
_SUFFIXES = {suffix: form for form, suffix in FORMATS.items()}
_BASELINES = (".json", ".yaml", ".yml")
_GATES = ("data", "privileges", "rules", "budgets", "checkov", "unknown")


class _Parser(argparse.ArgumentParser):
    """One line for a wrong argument, as for any other bad input."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see --help")


def start(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command as a process of its own: it ends before garbage matters, and looking for it takes a third."""
    gc.disable()
    sys.exit(main(arguments))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    given = argparse.Namespace(write=[], plans=())
    try:
        parser().parse_intermixed_args(arguments, given)
        return _run(given)
    except UserError as error:
        return _refuse(given, " ".join(str(error).split()))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        close_stdout()
        return 141
    except Exception as error:
        # Exit code 1 would be read as a gate that failed. The error's own text may hold what the plan hides.
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
        return _refuse(given, f"the reviewer itself failed ({where}): report this with the plan if it can be shared")


def _refuse(arguments: argparse.Namespace, why: str) -> int:
    print(f"error: {why}", file=sys.stderr)
    for path in arguments.write:
        if path.suffix == ".md" and arguments.plans:
            with suppress(UserError):
                write_whole(path, _not_reviewed(arguments, why))
    return 2


def _not_reviewed(arguments: argparse.Namespace, why: str) -> str:
    from sustainable_mlops.review.formats.markdown import not_reviewed

    try:
        called = names(arguments.plans, arguments.name)
    except UserError:
        called = names(arguments.plans, [])
    return not_reviewed(called, why)


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = _Parser(
        "smlops review",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    add = parser.add_argument
    add("plans", nargs="+", metavar="plan", help="output of `terraform show -json`; - for stdin")
    add("--name", action="append", default=[],
        help="what the reports call the plan, instead of its path; of several, once for each, in order")  # fmt: skip
    add("--base", type=Path, metavar="PLAN", help="the plan to compare with, where there is no state; of one plan only")
    add("--usage", type=Path, metavar="FILE", help="usage.yaml: how resources are used, which no plan says")
    add("--budgets", type=Path, metavar="FILE", help="budgets.yaml: the most carbon and cost, for all or by tags")
    add("--accepted", type=Path, metavar="FILE", help="accepted.yaml: risks that somebody accepts, why, until when")
    add("--baseline", type=Path, metavar="FILE", help="baseline.json: what was there before, which is for the record")
    add("--write-baseline", type=Path, metavar="FILE", help="write it anew: all that is there now (.json or .yaml)")
    add("--only", action="append", default=[], metavar="ADDRESS",
        help="stop where anything else changes; * stands for anything; may be given again")  # fmt: skip
    add("--region", help="the Region of whoever planned (AWS_REGION), where the plan does not tell it")
    add("--format", choices=FORMATS, help="what to print (text, unless --write is given: then nothing)")
    add(
        "--write",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help=f"files to write: {', '.join(_SUFFIXES)}\n(.md also where there is no review: why)",
    )
    add("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    add("--fail-on", default=",".join(_GATES[:-1]), metavar="GATES",
        help=f"gates that give exit code 1, or none: {','.join(_GATES)}\n(all but unknown by default)")  # fmt: skip
    add("--checkov", action="store_true", help="run checkov's built-in checks as well, at the same time")
    return parser


def _gates(text: str) -> frozenset[str]:
    gates = frozenset(filter(None, (part.strip() for part in text.split(",")))) - {"none"}
    if unknown := sorted(gates - set(_GATES)):
        raise UserError(f"--fail-on: {unknown[0]} is none of {', '.join(_GATES)}, none")
    return gates


def _run(arguments: argparse.Namespace) -> int:
    _check(arguments)
    reviews = _reviews(arguments)
    texts = {path: render(reviews, _SUFFIXES[path.suffix]) for path in arguments.write}
    if arguments.write_baseline:
        from sustainable_mlops.review.baseline import baseline_text

        texts[arguments.write_baseline] = baseline_text(reviews, arguments.write_baseline.suffix)
    for path, text in texts.items():
        write_whole(path, text)
    form = arguments.format or (None if arguments.write else "text")
    if form is not None:
        _print(reviews, form)
    return max(review.exit_code for review in reviews)


def _check(arguments: argparse.Namespace) -> None:
    """Refuse what cannot be used. argparse could, but knows no plans yet for which to write that there is no review."""
    for path in arguments.write:
        if path.suffix not in _SUFFIXES:
            raise UserError(f"--write {path}: must end in one of {', '.join(_SUFFIXES)}")
    baseline = arguments.write_baseline
    if baseline and baseline.suffix not in _BASELINES:
        raise UserError(f"--write-baseline {baseline}: must end in one of {', '.join(_BASELINES)}")
    if arguments.base and len(arguments.plans) > 1:
        raise UserError(f"--base: compares one plan, and {len(arguments.plans)} are given; review each by itself")
    if not all(address.strip() for address in arguments.only):
        raise UserError("--only: is empty; give an address, in which * stands for anything")
    _gates(arguments.fail_on)
    if arguments.region is not None:
        _check_region(arguments.region)


def _check_region(name: str) -> None:
    from sustainable_mlops.catalogue import regions

    if regions.find(name) is None:
        from difflib import get_close_matches

        close = get_close_matches(name, regions.everything(), 1)
        hint = f"; did you mean {close[0]}?" if close else ", such as eu-north-1"
        raise UserError(f"--region: {name} is no Region that the catalogue knows{hint}")


def _reviews(arguments: argparse.Namespace) -> "list[Review]":
    """The review of each plan. checkov, if asked for, starts before anything is read."""
    called = names(arguments.plans, arguments.name)
    if not arguments.checkov:
        return _reviewed(arguments, called, [_read(plan) for plan in arguments.plans])
    from sustainable_mlops.review.checkov_pool import Beside

    with Beside(len(called)) as beside:
        read = [_read(plan) for plan in arguments.plans]
        told = called if len(called) > 1 else [""]
        results = [beside.check(_utf8(data), name) for data, name in zip(read, told, strict=True)]
        return _reviewed(arguments, called, read, list(map(_waiting, results)))


def _utf8(data: bytes) -> bytes:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace").encode()
    return data.removeprefix(b"\xef\xbb\xbf")


def _read(plan: str) -> bytes:
    if plan == STDIN:
        try:
            return sys.stdin.buffer.read()
        except (AttributeError, OSError) as error:  # there is no stdin where it is closed
            why = error.strerror if isinstance(error, OSError) else "it is closed"
            raise UserError(f"stdin: cannot be read: {why}; give the plan's file or pipe it in") from None
    from sustainable_mlops.plan.document import read

    return read(Path(plan))


def _reviewed(
    arguments: argparse.Namespace,
    called: Sequence[str],
    read: Sequence[bytes],
    checkov: "Sequence[Callable[[], Result]]" = (),
) -> "list[Review]":
    from sustainable_mlops.footprint.usage import read_usage
    from sustainable_mlops.plan import load
    from sustainable_mlops.review import review_all
    from sustainable_mlops.review.acceptances import read_accepted
    from sustainable_mlops.review.baseline import read_baseline, with_baseline
    from sustainable_mlops.review.budgets import read_budgets

    plans = [load(data, label(path)) for data, path in zip(read, arguments.plans, strict=True)]
    base = load(arguments.base) if arguments.base else None
    for plan, name in zip(plans, called, strict=True):
        plan.name = name
    for plan in (*plans, *([base] if base else [])):
        plan.default_region = arguments.region
    baseline = read_baseline(arguments.baseline) if arguments.baseline else None
    found = review_all(
        plans,
        base=base,
        usage=read_usage(arguments.usage) if arguments.usage else None,
        budgets=read_budgets(arguments.budgets) if arguments.budgets else (),
        accepted=read_accepted(arguments.accepted) if arguments.accepted else (),
        fail_on=_gates(arguments.fail_on),
        only=arguments.only,
        checkov=checkov,
    )
    return with_baseline(found, baseline) if baseline is not None else found


def _waiting(checkov: "Future[Result]") -> "Callable[[], Result]":
    def wait() -> "Result":
        if not checkov.done() and sys.stderr.isatty():
            print("waiting for checkov …", file=sys.stderr)
        return checkov.result()

    return wait


def _print(reviews: "Sequence[Review]", form: str) -> None:
    if sys.stdout is None:
        raise UserError("stdout: is closed; give --write and files instead")
    try:
        _show(reviews, form)
    except BrokenPipeError:
        raise
    except OSError as error:
        close_stdout()
        raise UserError(f"stdout: cannot be written: {error.strerror or error}") from None


def _show(reviews: "Sequence[Review]", form: str) -> None:
    if form == "text" and sys.stdout.isatty():
        from sustainable_mlops.review.formats.text import print_to_terminal

        print_to_terminal(reviews)
        return
    sys.stdout.buffer.write(render(reviews, form).encode())
    sys.stdout.flush()
