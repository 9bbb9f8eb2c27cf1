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
from sustainable_mlops.files import write_file
from sustainable_mlops.program import close_stdout
from sustainable_mlops.review.formats import FORMATS, render
from sustainable_mlops.review.plan_names import STDIN, get_label, name_plans

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


class _UserErrorParser(argparse.ArgumentParser):
    """One line for a wrong argument, as for any other bad input."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see --help")


def run_review(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command as a process of its own: it ends before garbage matters, and looking for it takes a third."""
    gc.disable()
    sys.exit(main(arguments))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    namespace = argparse.Namespace(write=[], plans=())
    try:
        build_parser().parse_intermixed_args(arguments, namespace)
        return _run_command(namespace)
    except UserError as error:
        return _report_error(namespace, " ".join(str(error).split()))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        close_stdout()
        return 141
    except Exception as error:
        # Exit code 1 would be read as a gate that failed. The error's own text may hold what the plan hides.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        location = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
        return _report_error(namespace, f"the reviewer itself failed ({location}): report this with the plan if it can be shared")


def _report_error(arguments: argparse.Namespace, reason: str) -> int:
    print(f"error: {reason}", file=sys.stderr)
    for path in arguments.write:
        if path.suffix == ".md" and arguments.plans:
            with suppress(UserError):
                write_file(path, _render_not_reviewed(arguments, reason))
    return 2


def _render_not_reviewed(arguments: argparse.Namespace, reason: str) -> str:
    from sustainable_mlops.review.formats.markdown import not_reviewed

    try:
        plan_names = name_plans(arguments.plans, arguments.name)
    except UserError:
        plan_names = name_plans(arguments.plans, [])
    return not_reviewed(plan_names, reason)


def build_parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = _UserErrorParser(
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


def _parse_gates(text: str) -> frozenset[str]:
    gates = frozenset(filter(None, (part.strip() for part in text.split(",")))) - {"none"}
    if unknown := sorted(gates - set(_GATES)):
        raise UserError(f"--fail-on: {unknown[0]} is none of {', '.join(_GATES)}, none")
    return gates


def _run_command(arguments: argparse.Namespace) -> int:
    _check_arguments(arguments)
    reviews = _review_plans(arguments)
    texts = {path: render(reviews, _SUFFIXES[path.suffix]) for path in arguments.write}
    if arguments.write_baseline:
        from sustainable_mlops.review.baseline import render_baseline

        texts[arguments.write_baseline] = render_baseline(reviews, arguments.write_baseline.suffix)
    for path, text in texts.items():
        write_file(path, text)
    report_format = arguments.format or (None if arguments.write else "text")
    if report_format is not None:
        _print_report(reviews, report_format)
    return max(review.exit_code for review in reviews)


def _check_arguments(arguments: argparse.Namespace) -> None:
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
    _parse_gates(arguments.fail_on)
    if arguments.region is not None:
        _check_region(arguments.region)


def _check_region(name: str) -> None:
    from sustainable_mlops.catalogue import regions

    if regions.find(name) is None:
        from difflib import get_close_matches

        close = get_close_matches(name, regions.load_all(), 1)
        hint = f"; did you mean {close[0]}?" if close else ", such as eu-north-1"
        raise UserError(f"--region: {name} is no Region that the catalogue knows{hint}")


def _review_plans(arguments: argparse.Namespace) -> "list[Review]":
    """The review of each plan. checkov, if asked for, starts before anything is read."""
    plan_names = name_plans(arguments.plans, arguments.name)
    if not arguments.checkov:
        return _review_contents(arguments, plan_names, [_read_plan(plan) for plan in arguments.plans])
    from sustainable_mlops.review.checkov_pool import CheckovPool

    with CheckovPool(len(plan_names)) as pool:
        plan_contents = [_read_plan(plan) for plan in arguments.plans]
        message_names = plan_names if len(plan_names) > 1 else [""]
        results = [pool.submit(_convert_to_utf8(data), name) for data, name in zip(plan_contents, message_names, strict=True)]
        return _review_contents(arguments, plan_names, plan_contents, list(map(_build_checkov_waiter, results)))


def _convert_to_utf8(data: bytes) -> bytes:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace").encode()
    return data.removeprefix(b"\xef\xbb\xbf")


def _read_plan(plan: str) -> bytes:
    if plan == STDIN:
        try:
            return sys.stdin.buffer.read()
        except (AttributeError, OSError) as error:  # there is no stdin where it is closed
            reason = error.strerror if isinstance(error, OSError) else "it is closed"
            raise UserError(f"stdin: cannot be read: {reason}; give the plan's file or pipe it in") from None
    from sustainable_mlops.plan.document import read_file

    return read_file(Path(plan))


def _review_contents(
    arguments: argparse.Namespace,
    plan_names: Sequence[str],
    plan_contents: Sequence[bytes],
    checkov: "Sequence[Callable[[], Result]]" = (),
) -> "list[Review]":
    from sustainable_mlops.footprint.usage import read_usage
    from sustainable_mlops.plan import load
    from sustainable_mlops.review import review_all
    from sustainable_mlops.review.acceptances import read_acceptances
    from sustainable_mlops.review.baseline import apply_baseline, read_baseline
    from sustainable_mlops.review.budgets import read_budgets

    plans = [load(data, get_label(path)) for data, path in zip(plan_contents, arguments.plans, strict=True)]
    base = load(arguments.base) if arguments.base else None
    for loaded_plan, name in zip(plans, plan_names, strict=True):
        loaded_plan.name = name
    for loaded_plan in (*plans, *([base] if base else [])):
        loaded_plan.default_region = arguments.region
    baseline = read_baseline(arguments.baseline) if arguments.baseline else None
    reviews = review_all(
        plans,
        base=base,
        usage=read_usage(arguments.usage) if arguments.usage else None,
        budgets=read_budgets(arguments.budgets) if arguments.budgets else (),
        accepted=read_acceptances(arguments.accepted) if arguments.accepted else (),
        fail_on=_parse_gates(arguments.fail_on),
        only=arguments.only,
        checkov=checkov,
    )
    return apply_baseline(reviews, baseline) if baseline is not None else reviews


def _build_checkov_waiter(checkov: "Future[Result]") -> "Callable[[], Result]":
    def wait() -> "Result":
        if not checkov.done() and sys.stderr.isatty():
            print("waiting for checkov …", file=sys.stderr)
        return checkov.result()

    return wait


def _print_report(reviews: "Sequence[Review]", report_format: str) -> None:
    if sys.stdout is None:
        raise UserError("stdout: is closed; give --write and files instead")
    try:
        _write_to_stdout(reviews, report_format)
    except BrokenPipeError:
        raise
    except OSError as error:
        close_stdout()
        raise UserError(f"stdout: cannot be written: {error.strerror or error}") from None


def _write_to_stdout(reviews: "Sequence[Review]", report_format: str) -> None:
    if report_format == "text" and sys.stdout.isatty():
        from sustainable_mlops.review.formats.text import print_to_terminal

        print_to_terminal(reviews)
        return
    sys.stdout.buffer.write(render(reviews, report_format).encode())
    sys.stdout.flush()
