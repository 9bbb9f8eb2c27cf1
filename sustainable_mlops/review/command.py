"""The command `smlops review`.

It uses argparse instead of typer, because the import of typer takes as long as a whole review.
"""

import argparse
import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.files import write_file
from sustainable_mlops.base.program import close_stdout, get_exit_code
from sustainable_mlops.review.formats import FORMATS, render
from sustainable_mlops.review.gates import DEFAULT_GATES, GATES
from sustainable_mlops.review.plan_names import STDIN, get_label, name_plans

if TYPE_CHECKING:
    from concurrent.futures import Future

    from sustainable_mlops.review import Review
    from sustainable_mlops.review.checkov import CheckovResult
    from sustainable_mlops.review.cost_limit import CostLimit

_DESCRIPTION = """\
Review Terraform plans: data at risk, privileges, safeguards, rules, budgets, and carbon and cost.

  terraform plan -out plan.tfplan && terraform show -json plan.tfplan > plan.json

  smlops review plan.json                                   print a report to the terminal
  smlops review plan.json --write comment.md report.html    write files; the suffix selects the format
  smlops review plan.json --usage usage.yaml --budgets budgets.yaml
  smlops review plan.json --limit 500USD,10%                set the limit of the cost increase
  smlops review plan.json --base main.json                  compare with another plan instead of the state
  terraform show -json plan.tfplan | smlops review - --format markdown

  smlops review envs/*/plan.json --write comment.md         several plans in one report; the worst verdict counts
  smlops review plan.json --only 'module.*_endpoint*'       fail if anything else changes
  smlops review plan.json --write-baseline baseline.json    record the current findings; commit the file
  smlops review plan.json --baseline baseline.json          assess only findings that are not in the baseline
"""
_EPILOG = """\
exit codes: 0 no gate failed (the verdict may still be "look"), 1 a gate failed, 2 an input is invalid or the
reviewer itself failed, 130 interrupted, 141 the reader of the output closed it
"""
_SUFFIXES = {suffix: form for form, suffix in FORMATS.items()}
#: Columns of the help. With the width of the terminal, argparse would import `shutil` even without `--help`.
_HELP_WIDTH = 118
_BASELINES = (".json", ".yaml", ".yml")


class CommandOption(NamedTuple):
    """An option of the command. Shell completion reads the same table as the parser."""

    flags: tuple[str, ...]
    help: str
    arguments: Mapping[str, Any]  # further arguments of `add_argument`

    @property
    def takes_value(self) -> bool:
        """True unless the option is a switch."""
        return self.arguments.get("action", "store") in ("store", "append")


_FILE: Mapping[str, Any] = {"type": Path, "metavar": "FILE"}
_REPEATABLE: Mapping[str, Any] = {"action": "append", "default": []}
OPTIONS = (
    CommandOption(("-h", "--help"), "show this help and exit", {"action": "help"}),
    CommandOption(
        ("--name",),
        "name of the plan in reports (default: its path); repeatable, in the order of the plans",
        _REPEATABLE,
    ),
    CommandOption(
        ("--base",),
        "plan to compare with if there is no state; only with one plan",
        {"type": Path, "metavar": "PLAN"},
    ),
    CommandOption(("--usage",), "usage.yaml: usage of resources, which a plan does not contain", _FILE),
    CommandOption(
        ("--calibration",),
        "calibration.yaml: factors of the carbon figures, which smlops reconcile writes",
        _FILE,
    ),
    CommandOption(("--budgets",), "budgets.yaml: limits of carbon and cost, for all resources or by tags", _FILE),
    CommandOption(
        ("--limit",),
        'largest cost increase a month that is not "look", such as 500, 10% or 500USD,10%;\n'
        "0 turns the limit off (default: 100USD,20%, without resources whose cost a budget limits)",
        {"metavar": "LIMIT"},
    ),
    CommandOption(("--accepted",), "accepted.yaml: accepted risks, each with a reason and an expiry date", _FILE),
    CommandOption(("--baseline",), "baseline.json: findings that are already known, reported for the record", _FILE),
    CommandOption(("--write-baseline",), "write a baseline of all current findings (.json or .yaml)", _FILE),
    CommandOption(
        ("--only",),
        "fail if anything else changes; * matches any text; dev:ADDRESS is for the plan dev; repeatable",
        {**_REPEATABLE, "metavar": "ADDRESS"},
    ),
    CommandOption(
        ("--region",),
        "Region of resources without a Region in the plan (the AWS_REGION of the terraform plan command)",
        {},
    ),
    CommandOption(("--format",), "format to print (default: text, or nothing with --write)", {"choices": FORMATS}),
    CommandOption(
        ("--write",),
        f"files to write: {', '.join(_SUFFIXES)}\n(if the review fails, .md files contain the error)",
        {**_FILE, "nargs": "+", "default": []},
    ),
    CommandOption(
        ("--json",), "the same as --format json", {"action": "store_const", "const": "json", "dest": "format"}
    ),
    CommandOption(
        ("--fail-on",),
        f"gates that give exit code 1, or none: {','.join(GATES)}\n(default: all except limit and unknown)",
        {"default": ",".join(DEFAULT_GATES), "metavar": "GATES"},
    ),
    CommandOption(("--checkov",), "also run the built-in checks of checkov, in parallel", {"action": "store_true"}),
)


class _UserErrorParser(argparse.ArgumentParser):
    """A parser that raises UserError, so that a wrong argument becomes one line on stderr."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see --help")


def run_review(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command as a process of its own and exit.

    Garbage collection is off: the process is short, and collection would take a third of its time. For the same reason
    the process ends without freeing its memory.
    """
    gc.disable()
    code = main(arguments)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()
    os._exit(code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    namespace = argparse.Namespace(write=[], plans=(), carbon_ratios=())
    try:
        build_parser().parse_intermixed_args(arguments, namespace)
        return _run_command(namespace)
    except UserError as error:
        return _report_error(namespace, " ".join(str(error).split()))
    except KeyboardInterrupt as end:
        print("interrupted", file=sys.stderr)
        return get_exit_code(end)
    except BrokenPipeError:
        close_stdout()
        return 141
    except Exception as error:
        # Exit code 1 would mean that a gate failed. The text of the error may contain sensitive values of the plan.
        from traceback import extract_tb

        frame = extract_tb(error.__traceback__)[-1]
        location = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
        return _report_error(
            namespace, f"the reviewer itself failed ({location}): report this error, with the plan if you can share it"
        )


def _report_error(arguments: argparse.Namespace, reason: str) -> int:
    print(f"error: {reason}", file=sys.stderr)
    for path in arguments.write:
        if path.suffix == ".md" and arguments.plans:
            with suppress(UserError):
                write_file(path, _render_failure(arguments, reason))
    return 2


def _render_failure(arguments: argparse.Namespace, reason: str) -> str:
    from sustainable_mlops.review.formats.markdown import render_not_reviewed

    try:
        plan_names = name_plans(arguments.plans, arguments.name)
    except UserError:
        plan_names = name_plans(arguments.plans, [])
    return render_not_reviewed(plan_names, reason)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    parser = _UserErrorParser(
        "smlops review",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=partial(argparse.RawTextHelpFormatter, width=_HELP_WIDTH),
        add_help=False,
    )
    parser.add_argument("plans", nargs="+", metavar="plan", help="output of `terraform show -json`; - for stdin")
    for option in OPTIONS:
        parser.add_argument(*option.flags, help=option.help.replace("%", "%%"), **option.arguments)
    return parser


def _parse_gates(text: str) -> frozenset[str]:
    gates = frozenset(filter(None, (part.strip() for part in text.split(",")))) - {"none"}
    if unknown := sorted(gates - set(GATES)):
        raise UserError(f"--fail-on: {unknown[0]} is not one of {', '.join(GATES)}, none")
    return gates


def _parse_limit(text: str | None) -> "CostLimit | None":
    from sustainable_mlops.review.cost_limit import DEFAULT_COST_LIMIT, parse_cost_limit

    return DEFAULT_COST_LIMIT if text is None else parse_cost_limit(text)


def _run_command(arguments: argparse.Namespace) -> int:
    _check_arguments(arguments)
    if arguments.calibration is None:
        return _review_and_report(arguments)
    from sustainable_mlops.footprint import apply_calibration, read_calibration

    arguments.carbon_ratios = read_calibration(arguments.calibration)
    with apply_calibration(arguments.carbon_ratios):
        return _review_and_report(arguments)


def _review_and_report(arguments: argparse.Namespace) -> int:
    reviews = _review_plans(arguments)
    texts = {path: render(reviews, _SUFFIXES[path.suffix]) for path in arguments.write}
    if arguments.write_baseline:
        from sustainable_mlops.review.baseline import render_baseline

        texts[arguments.write_baseline] = render_baseline(reviews, arguments.write_baseline.suffix)
    for path, text in texts.items():
        write_file(path, text)
    if arguments.write_baseline:
        print(f"Baseline: {arguments.write_baseline}", file=sys.stderr)
    report_format = arguments.format or (None if arguments.write else "text")
    if report_format is not None:
        _print_report(reviews, report_format)
    return max(review.exit_code for review in reviews)


def _check_arguments(arguments: argparse.Namespace) -> None:
    """Raise UserError for invalid arguments.

    argparse could check them, but then the plans are unknown and no `.md` file can be written that says why.
    """
    for path in arguments.write:
        if path.suffix not in _SUFFIXES:
            raise UserError(f"--write {path}: must end in one of {', '.join(_SUFFIXES)}")
    baseline = arguments.write_baseline
    if baseline and baseline.suffix not in _BASELINES:
        raise UserError(f"--write-baseline {baseline}: must end in one of {', '.join(_BASELINES)}")
    if arguments.base and len(arguments.plans) > 1:
        raise UserError(f"--base: works with one plan, not with {len(arguments.plans)}; review each plan by itself")
    if not all(address.strip() for address in arguments.only):
        raise UserError("--only: is empty; pass an address, with * for any text")
    _parse_gates(arguments.fail_on)
    _parse_limit(arguments.limit)
    if arguments.region is not None:
        _check_region(arguments.region)


def _check_region(name: str) -> None:
    from sustainable_mlops.catalogue import regions

    if regions.find(name) is None:
        from difflib import get_close_matches

        close = get_close_matches(name, regions.load_all(), 1)
        hint = f"; did you mean {close[0]}?" if close else ", such as eu-north-1"
        raise UserError(f"--region: {name} is not a Region of the catalogue{hint}")


def _review_plans(arguments: argparse.Namespace) -> "list[Review]":
    """Return the review of each plan. With --checkov, checkov starts before any plan is read."""
    from sustainable_mlops.review.scope import list_unknown_plans

    plan_names = name_plans(arguments.plans, arguments.name)
    if unknown := list_unknown_plans(arguments.only, plan_names):
        raise UserError(f"--only: no plan is named {', '.join(unknown)}; the plans are {', '.join(plan_names)}")
    if not arguments.checkov:
        return _review_contents(arguments, plan_names, [_read_plan(plan) for plan in arguments.plans])
    from sustainable_mlops.review.checkov_pool import CheckovPool

    with CheckovPool(len(plan_names)) as pool:
        plan_contents = [_read_plan(plan) for plan in arguments.plans]
        message_names = plan_names if len(plan_names) > 1 else [""]
        results = [
            pool.submit(_convert_to_utf8(data), name) for data, name in zip(plan_contents, message_names, strict=True)
        ]
        return _review_contents(arguments, plan_names, plan_contents, list(map(_build_checkov_waiter, results)))


def _convert_to_utf8(data: bytes) -> bytes:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace").encode()
    return data.removeprefix(b"\xef\xbb\xbf")


def _read_plan(plan: str) -> bytes:
    if plan == STDIN:
        try:
            return sys.stdin.buffer.read()
        except (AttributeError, OSError) as error:  # sys.stdin is None if it is closed
            reason = error.strerror if isinstance(error, OSError) else "it is closed"
            raise UserError(f"stdin: cannot be read: {reason}; pass the plan's file or pipe it in") from None
    from sustainable_mlops.plan.document import read_file

    return read_file(Path(plan))


def _review_contents(
    arguments: argparse.Namespace,
    plan_names: Sequence[str],
    plan_contents: Sequence[bytes],
    checkov: "Sequence[Callable[[], CheckovResult]]" = (),
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
        limit=_parse_limit(arguments.limit),
        accepted=read_acceptances(arguments.accepted) if arguments.accepted else (),
        fail_on=_parse_gates(arguments.fail_on),
        only=arguments.only,
        checkov=checkov,
        calibration=arguments.carbon_ratios,
        two_processes=not checkov and hasattr(os, "fork"),  # checkov uses both cores, and threads
    )
    return apply_baseline(reviews, baseline) if baseline is not None else reviews


def _build_checkov_waiter(checkov: "Future[CheckovResult]") -> "Callable[[], CheckovResult]":
    def wait() -> "CheckovResult":
        if not checkov.done() and sys.stderr.isatty():
            print("waiting for checkov …", file=sys.stderr)
        return checkov.result()

    return wait


def _print_report(reviews: "Sequence[Review]", report_format: str) -> None:
    if sys.stdout is None:
        raise UserError("stdout: is closed; write files with --write instead")
    try:
        _write_to_stdout(reviews, report_format)
    except BrokenPipeError:
        raise
    except OSError as error:
        close_stdout()
        raise UserError(
            f"stdout: cannot be written: {error.strerror or error}; write files with --write instead"
        ) from None


def _write_to_stdout(reviews: "Sequence[Review]", report_format: str) -> None:
    if report_format == "text" and sys.stdout.isatty():
        from sustainable_mlops.review.formats.text import print_to_terminal

        print_to_terminal(reviews)
        return
    sys.stdout.buffer.write(render(reviews, report_format).encode())
    sys.stdout.flush()
