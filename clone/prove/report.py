"""Report of a run: `proof.md` for people and `proof.json` for programs."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clone.prove.context import ProofRun
from clone.prove.proof import CheckResult, ModuleResult
from sustainable_mlops.base.terraform import find_engine, read_provider_version

_STEPS = ("second_plan_empty", "used", "changed", "rolled_back", "destroyed", "nothing_left")
_WORDS = {True: "yes", False: "**no**", None: "-"}


def mask_account(text: str, account: str) -> str:
    """Replace an account ID with its last four digits."""
    return text.replace(account, f"{'x' * 8}{account[-4:]}")


def write_report(run: ProofRun, estimate: Mapping[str, float], minutes: int) -> Path:
    """Write both files into the run's folder, and return the one for people.

    The estimate is the cost of each item in USD; `minutes` is the assumed duration on AWS.
    """
    document = build_document(run, estimate, minutes)
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    account, folder = run.settings.account, run.settings.folder
    (folder / "proof.json").write_text(mask_account(text, account), encoding="utf-8")
    page = folder / "proof.md"
    page.write_text(mask_account("\n".join(_render_lines(run, document)) + "\n", account), encoding="utf-8")
    return page


def build_document(run: ProofRun, estimate: Mapping[str, float], minutes: int) -> dict[str, Any]:
    """Return the report as plain data."""
    proof, settings = run.proof, run.settings
    return {
        "run": run.name,
        "account": mask_account(settings.account, settings.account),
        "region": settings.region,
        "begin": settings.begin,
        "end": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(run.get_seconds(), 1),
        "estimate_minutes": minutes,
        "engine": str(find_engine()),
        "provider": find_provider_version(settings.folder),
        "estimate_usd": {name: round(usd, 4) for name, usd in estimate.items()},
        "estimate_usd_total": round(sum(estimate.values()), 2),
        "spent_usd_at_list_prices": round(run.spending.get_spending(), 2),
        "result": "failed" if proof.has_failed else "passed",
        "interruption": proof.interruption,
        "modules": [vars(result) for result in proof.modules.values()],
        "checks": [result.to_dict() for result in proof.checks.values()],
        "left": proof.left,
        "notes": proof.notes,
    }


def find_provider_version(folder: Path) -> str:
    """Return the version of the AWS provider that `init` chose for the run."""
    for lock in sorted(folder.glob("*/.terraform.lock.hcl")):
        if version := read_provider_version(lock):
            return version
    return "unknown"


def _render_lines(run: ProofRun, document: Mapping[str, Any]) -> list[str]:
    proof = run.proof
    head = {
        "result": document["result"],
        "account": document["account"],
        "Region": document["region"],
        "begin, end": f"{document['begin']}, {document['end']}",
        "AWS provider": document["provider"],
        "engine": document["engine"],
        "duration": f"{_format_minutes(document['seconds'])}; {document['estimate_minutes']} min assumed on AWS",
        "cost": f"{document['estimate_usd_total']} USD estimated, {document['spent_usd_at_list_prices']} USD at list "
        "prices for the time that instances ran",
        **({"ended early": proof.interruption} if proof.interruption else {}),
        "left in the account": ", ".join(proof.left) or "nothing (AWS deletes the key after seven days)",
        "modules": _count_passed([result.has_passed for result in proof.modules.values()]),
        "checks": _count_verdicts(proof.checks.values()),
    }
    lines = [f"# Proof {run.name}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {_escape_cell(value)} |" for name, value in head.items()]
    lines += ["", "## Modules", "", "| module | apply | " + " | ".join(map(_format_title, _STEPS)) + " | duration |"]
    lines.append("|---|---:|" + "---|" * len(_STEPS) + "---:|")
    lines += [_format_module(result) for result in proof.modules.values()]
    for result in proof.modules.values():
        lines += _format_details(result)
    lines += ["", "## Named checks", "", "| check | answer | question | observation |", "|---|---|---|---|"]
    lines += [_format_check(result) for result in proof.checks.values()]
    lines += _fold("Requests and documentation of each check", map(_format_evidence, proof.checks.values()))
    costs = [f"- {name}: {usd:.2f} USD" for name, usd in document["estimate_usd"].items()]
    lines += _fold("Estimate of the cost", costs)
    return lines + _fold("Notes of the cleanup", [f"- {_escape_cell(note)}" for note in proof.notes])


def _fold(title: str, lines: Iterable[str], *, is_open: bool = False) -> list[str]:
    """Return lines that a reader of the page unfolds; none without lines."""
    content = list(lines)
    if not content:
        return []
    return ["", f"<details{' open' if is_open else ''}><summary>{title}</summary>", "", *content, "", "</details>"]


def _count_passed(results: Collection[bool]) -> str:
    return f"{sum(results)} of {len(results)} passed"


def _count_verdicts(results: Iterable[CheckResult]) -> str:
    counts = Counter(result.verdict for result in results)
    return ", ".join(f"{number} {verdict}" for verdict, number in counts.items()) or "none"


def _format_minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"


def _format_title(step: str) -> str:
    return step.replace("_", " ")


def _format_module(result: ModuleResult) -> str:
    apply, whole = ("-" if one is None else f"{one:.0f} s" for one in (result.apply_seconds, result.seconds))
    steps = " | ".join(_WORDS[getattr(result, step)] for step in _STEPS)
    return f"| {result.module} | {apply} | {steps} | {whole} |"


def _format_details(result: ModuleResult) -> list[str]:
    texts = [*([f"**failed**: {result.error}"] if result.error else []), *result.notes]
    title = f"{result.module}: {'failed' if result.has_failed else 'passed' if result.has_passed else 'not complete'}"
    return _fold(title, [f"- {_escape_cell(text)}" for text in texts], is_open=bool(result.error))


def _format_check(result: CheckResult) -> str:
    answer = f"**{result.verdict}**" if result.has_failed else result.verdict
    return f"| {result.name} | {answer} | {_escape_cell(result.question)} | {_escape_cell(result.text)} |"


def _format_evidence(result: CheckResult) -> str:
    requests = ", ".join(f"{one.operation} `{one.id}`" for one in result.requests) or "no requests"
    return f"- {result.name}: {requests}. {_escape_cell(result.documentation)}"


def _escape_cell(text: str) -> str:
    """Return a text that is safe in a table cell and in a list."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
