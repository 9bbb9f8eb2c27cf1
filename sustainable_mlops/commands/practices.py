"""List the practices with their states, or write them as a custom lens of the AWS Well-Architected Tool.

`--lens` writes the lens. Import and publish it, and add it to a workload; AWS returns its ARN:

```
aws wellarchitected import-lens --json-string file://lens.json
aws wellarchitected create-lens-version --lens-alias ARN --lens-version 1 --is-major-version
aws wellarchitected associate-lenses --workload-id ID --lens-aliases ARN
```

`--answers` answers its questions for a plan. A practice is selected if its rules passed, unselected if one failed or is
waived, and not applicable if no rule applies. A practice is open if it has no rule, or if values are known only after
apply. With `--workload`, `--lens-arn` and `--out`, it writes a JSON array of UpdateAnswer requests. A request replaces
the selected choices of its question, so answer the open practices after you have sent it:

```
jq -c '.[]' answers.json | while read -r answer; do
  aws wellarchitected update-answer --cli-input-json "$answer"
done
```

Exit codes: 0 done, 2 the input is not valid.

Examples:

* `smlops practices`
* `smlops practices --json | jq '.[] | select(.state == "partly") | .title'`
* `smlops practices --lens lens.json`
* `smlops practices --answers plan.json`
* `smlops practices --answers plan.json --workload ID --lens-arn ARN --out answers.json`
"""

import json
import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops.base import cli
from sustainable_mlops.base.errors import UserError

app = cli.create_app()

_WORKLOAD_ID = re.compile(r"[0-9a-f]{32}")
_LENS_ARN = re.compile(r"arn:aws[a-z-]*:wellarchitected:[a-z0-9-]+:[0-9]{12}:lens/[0-9a-z-]+")


@app.command(help=__doc__)
def practices(
    lens: Annotated[Path | None, typer.Option(help="File to write the custom lens to.")] = None,
    source_url: Annotated[
        str, typer.Option(help="Address of this project's files on the web, for links.", show_default="none")
    ] = "",
    answers: Annotated[
        Path | None, typer.Option(help="Plan (`terraform show -json`) that answers the questions of the lens.")
    ] = None,
    workload: Annotated[str, typer.Option(help="ID of the workload, for --answers.", show_default="none")] = "",
    lens_arn: Annotated[str, typer.Option(help="ARN of the imported lens, for --answers.", show_default="none")] = "",
    out: Annotated[Path | None, typer.Option(help="File to write the requests to, for --answers.")] = None,
    as_json: cli.AsJson = False,
) -> None:
    """List the practices, write the lens, or answer its questions."""
    if lens is not None and answers is not None:
        raise UserError("--lens, --answers: pass only one of them")
    if answers is None and (option := _find_first({"--workload": workload, "--lens-arn": lens_arn, "--out": out})):
        raise UserError(f"{option}: belongs to --answers; pass --answers PLAN too")
    if lens is None and source_url:
        raise UserError("--source-url: belongs to --lens; pass --lens FILE too")
    if lens is not None:
        _write_lens(lens, source_url, as_json=as_json)
    elif answers is not None:
        _write_answers(answers, workload, lens_arn, out, as_json=as_json)
    else:
        _list_practices(as_json=as_json)


def _find_first(options: dict[str, object]) -> str:
    """Return the first option with a value; empty if none has one."""
    return next((name for name, value in options.items() if value), "")


def _list_practices(*, as_json: bool) -> None:
    from sustainable_mlops.practices import load_practices

    loaded = load_practices().values()
    if as_json:
        print(json.dumps([practice.to_dict() for practice in loaded], indent=2, ensure_ascii=False))
        return
    from sustainable_mlops.practices import display

    display.print_practices(loaded, cli.make_stdout_console())


def _write_lens(path: Path, source_url: str, *, as_json: bool) -> None:
    from sustainable_mlops.base.files import write_file
    from sustainable_mlops.practices.lens import build_lens

    if as_json:
        raise UserError("--json: --lens writes JSON to its file; remove --json")
    if source_url and not re.match(r"https?://[^/\s]+\S*$", source_url):
        raise UserError(f"--source-url: '{source_url}' must be an address that starts with http:// or https://")
    document = build_lens(source_url)
    write_file(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    questions = sum(len(pillar["questions"]) for pillar in document["pillars"])
    cli.say(f"wrote {path}: a lens of {len(document['pillars'])} pillars and {questions} questions")
    cli.say(f"import it: aws wellarchitected import-lens --json-string {shlex.quote(f'file://{path}')}")


def _write_answers(path: Path, workload: str, lens_arn: str, out: Path | None, *, as_json: bool) -> None:
    from sustainable_mlops.base.files import write_file
    from sustainable_mlops.plan import load
    from sustainable_mlops.practices import display
    from sustainable_mlops.practices.answers import answer_questions, build_requests

    if as_json and out is not None:
        raise UserError("--json, --out: pass only one of them")
    builds_requests = as_json or out is not None
    if builds_requests:
        _check_identifiers(workload, lens_arn)
    elif option := _find_first({"--workload": workload, "--lens-arn": lens_arn}):
        raise UserError(f"{option}: belongs to requests; pass --out FILE or --json too")
    answers = answer_questions(load(path))
    if not builds_requests:
        display.print_answers(answers, cli.make_stdout_console())
        return
    text = json.dumps(build_requests(answers, path.name, workload, lens_arn), indent=2, ensure_ascii=False)
    if out is None:
        print(text)
        return
    write_file(out, text + "\n")
    cli.say(display.format_counts(answers))
    cli.say(f"wrote {out}: {len(answers)} requests of UpdateAnswer; smlops practices --help shows how to send them")


def _check_identifiers(workload: str, lens_arn: str) -> None:
    """Raise UserError unless a request can be made with the workload and the lens."""
    if not _WORKLOAD_ID.fullmatch(workload):
        current_value = f", not '{workload}'" if workload else ""
        raise UserError(
            f"--workload: pass the ID of the workload (32 hexadecimal digits){current_value}; "
            "`aws wellarchitected list-workloads` lists the IDs"
        )
    if not _LENS_ARN.fullmatch(lens_arn):
        current_value = f", not '{lens_arn}'" if lens_arn else ""
        raise UserError(
            f"--lens-arn: pass the ARN of the custom lens{current_value}; "
            "`aws wellarchitected list-lenses --lens-type CUSTOM_SELF` lists the ARNs"
        )
