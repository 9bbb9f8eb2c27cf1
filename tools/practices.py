"""Writer of docs/practices.md: every practice, the part of the project that implements it, and the rules that check it.

- `python -m tools.practices`: write the page
- `python -m tools.practices --check`: exit with 1 if it is stale

It joins `catalogue/practices.yaml` with the rules. A rule names its practices, so this relation cannot go stale.
"""

from collections.abc import Iterator
from typing import Annotated

import typer

from sustainable_mlops import rules
from sustainable_mlops.base import cli, program
from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.practices.practice import SECTIONS, STATES, Implementation, load_practices
from sustainable_mlops.rules.fix_code import find_file

app = cli.create_app()


def render_page() -> str:
    """Return the page `docs/practices.md`."""
    return "\n".join([*_render_head(), *_render_lens(), *_render_practices(), *_render_rules(), ""])


def _render_head() -> Iterator[str]:
    practices = list(load_practices().values())
    counts = {state: sum(p.state == state for p in practices) for state in STATES}
    yield "<!-- Written by tools/practices.py from sustainable_mlops/catalogue/practices.yaml and the rules. -->"
    yield "# Practices and their implementation"
    yield ""
    yield f"This page lists {len(practices)} practices of AWS's"
    yield "[Guidance for Optimizing MLOps for Sustainability](https://aws.amazon.com/solutions/guidance/optimizing-mlops-for-sustainability/)"
    yield "(steps 1 to 14) and of the"
    yield "[Well-Architected Machine Learning Lens](https://docs.aws.amazon.com/wellarchitected/latest/machine-learning-lens/)"
    yield "(MLSUS…). For each practice, it shows the part of the project that implements it, and the"
    yield "[rules](#rules) that check it in any Terraform plan."
    yield ""
    yield "| state | practices | meaning |"
    yield "|---|---|---|"
    for state, meaning in STATES.items():
        yield f"| {state} | {counts[state]} | {meaning} |"
    yield ""
    yield "The command `smlops practices` prints the list, and `--json` prints all fields."


def _render_lens() -> Iterator[str]:
    yield from ("", "## The practices in the AWS Well-Architected Tool", "")
    yield _LENS


_LENS = """\
`smlops practices --lens` writes the practices as a custom lens. A question groups the practices of one concern, and its
choices are the practices. The improvement plan of a choice names the module, the command and the remedies of the rules.
`--source-url` adds links to your copy of this repository on the web.

```console
$ smlops practices --lens lens.json
```

Import the lens, publish it, and add it to a workload. `import-lens` returns the ARN of the lens:

```console account
$ aws wellarchitected import-lens --json-string file://lens.json
$ aws wellarchitected create-lens-version --lens-alias $LENS --lens-version 1 --is-major-version
$ aws wellarchitected associate-lenses --workload-id $WORKLOAD --lens-aliases $LENS
```

A plan answers the questions. The first command prints the answers with their evidence. The second command writes
the answers as requests of UpdateAnswer; `smlops practices --help` shows how to send the requests:

```console account
$ smlops practices --answers plan.json
$ smlops practices --answers plan.json --workload $WORKLOAD --lens-arn $LENS --out answers.json
```

| result of the rules of a practice | answer | notes |
|---|---|---|
| all passed | selected | the rules and the addresses |
| a rule failed or is waived | unselected | these rules and their addresses |
| no rule applies to a resource of the plan | not applicable | the rules |
| a rule depends on a value known after apply | open: answer it yourself | the rule and the addresses |
| the practice has no rule | open: answer it yourself | |

If a question has no selected and no open practice, the answer is *None of these*. A plan shows only a part of a
workload, so check each *not applicable* before you send the requests. A request replaces the selected choices of its
question, so answer the open practices after you have sent the requests.

Risk of a question: none if all practices are selected, medium if some are, high if none is. A practice that is not
possible does not count."""


def _render_practices() -> Iterator[str]:
    for practice in load_practices().values():
        if practice.row in SECTIONS:
            yield from ("", f"## {SECTIONS[practice.row]}", "")
            yield "| no | practice | ML Lens | step | state | implemented by | checked by |"
            yield "|---|---|---|---|---|---|---|"
        yield _render_row(
            str(practice.row),
            practice.title,
            ", ".join(practice.lens),
            ", ".join(map(str, practice.guidance)),
            f"{practice.state}: {practice.reason}" if practice.reason else practice.state,
            ", ".join(map(_link, practice.implementations)),
            ", ".join(f"[{rule}](#{rule.lower()})" for rule in practice.checked_by),
        )


def _link(part: Implementation) -> str:
    return f"[{f'{part.name}: `{part.input}`' if part.input else part.name}](../{part.path})"


def _render_rules() -> Iterator[str]:
    yield from ("", "## Rules", "")
    yield "Severity: `fail`: AWS refuses it, or it cannot work. `warn`: a choice that needs a reason. `info`: advice."
    yield "The tag `sust_waiver:<rule>` = `<reason> until <yyyy-mm-dd>` accepts a finding until that day."
    yield ""
    yield "*Code* is Terraform code that satisfies the rule: tests plan it with the AWS provider. Names such as"
    yield "`aws_s3_bucket.this` stand for your resources."
    yield ""
    yield "| rule | severity | requirement | remedy | practices |"
    yield "|---|---|---|---|---|"
    for rule in sorted(rules.ALL, key=lambda rule: rule.id):
        anchor = f'<a id="{rule.id.lower()}"></a>{rule.id}'
        file = find_file(rule.id)
        remedy = f"{rule.fix} [Code](../{file.relative_to(ROOT)})" if file.is_file() else rule.fix
        yield _render_row(anchor, rule.severity, rule.title, remedy, ", ".join(rule.practices))


def _render_row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


@app.command(help=__doc__)
def write_page(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if the page is stale.")] = False,
) -> None:
    """Write the page, or check it."""
    page, text = ROOT / "docs" / "practices.md", render_page()
    if page.is_file() and page.read_text(encoding="utf-8") == text:
        return
    if check:
        cli.say("docs/practices.md is stale: run python -m tools.practices")
        raise typer.Exit(1)
    page.write_text(text, encoding="utf-8")
    cli.say("wrote docs/practices.md")


if __name__ == "__main__":
    program.run(app)
