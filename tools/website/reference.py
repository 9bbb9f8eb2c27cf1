"""Pages of the reference: commands, rules, settings and job files, each made from the code that defines it."""

import enum
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from sustainable_mlops import rules
from sustainable_mlops.commands import _group
from sustainable_mlops.practices.practice import load_practices
from sustainable_mlops.review.command import OPTIONS
from sustainable_mlops.rules import Rule
from sustainable_mlops.rules.fix_code import find_file
from tools.website.schemas import render_job_files, render_settings

#: Title of each part of the rules, by its folder.
_PARTS = {
    "account": "Account",
    "data": "Data",
    "training": "Training",
    "serving": "Serving",
    "monitoring": "Monitoring",
}


def write_reference(folder: Path) -> None:
    """Write the pages of the reference to the new folder."""
    folder.mkdir(parents=True)
    pages = {
        "commands": render_commands(),
        "rules": render_rules(),
        "settings": render_settings(),
        "job_files": render_job_files(),
    }
    for name, lines in pages.items():
        (folder / f"{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def render_row(*cells: str) -> str:
    """Return a row of a Markdown table."""
    texts = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(texts)} |"


def render_commands() -> Iterator[str]:
    """Yield the page of all commands."""
    yield "# Commands"
    yield ""
    yield "Exit code 2 means that an argument or an input is not valid. `smlops COMMAND --help` prints the same text."
    for name in _group.MODULES:
        command = _group.load_command(name)
        yield from _render_command(f"smlops {name}", command, level=2)


def _render_command(name: str, command: Any, level: int) -> Iterator[str]:
    arguments = [one for one in command.params if not one.opts[0].startswith("-")]
    options = [one for one in command.params if one.opts[0].startswith("-") and not one.hidden]
    subcommands: Mapping[str, Any] = getattr(command, "commands", {})
    usage = [name, "COMMAND" if subcommands else "", *(one.metavar or one.name.upper() for one in arguments)]
    if name == "smlops review":
        usage = [name, "PLAN..."]
    yield from ("", f"{'#' * level} {name}", "", f"`{' '.join([*filter(None, usage), '[OPTIONS]'])}`", "")
    yield (command.help or "").replace("\n- ", "\n\n- ", 1)
    rows = [(one.metavar or one.name.upper(), one.help or "") for one in arguments]
    rows += [_describe_option(one) for one in options]
    if name == "smlops review":
        rows = [
            (f"{', '.join(one.flags)} {_read_value(one)}", one.help) for one in OPTIONS if "--help" not in one.flags
        ]
    if rows:
        yield from ("", "| argument or option | meaning |", "|---|---|")
        yield from (render_row(f"`{flag.strip()}`", help_text) for flag, help_text in rows)
    for word, subcommand in subcommands.items():
        yield from _render_command(f"{name} {word}", subcommand, level + 1)


def _describe_option(option: Any) -> tuple[str, str]:
    flags = ", ".join([*option.opts, *option.secondary_opts])
    annotation = option.type_descriptor.annotation
    choices = isinstance(annotation, type) and issubclass(annotation, enum.Enum)
    value = "" if option.is_flag else option.metavar or ("" if choices else option.name.upper())
    text = option.help or ""
    if choices:
        text += f" One of {', '.join(f'`{one.value}`' for one in annotation)}."
    if option.default not in (None, False, [], ()) and not callable(option.default):
        text += f" Default: `{getattr(option.default, 'value', option.default)}`."
    return f"{flags} {value}", text


def _read_value(option: Any) -> str:
    if not option.takes_value:
        return ""
    choices = option.arguments.get("choices")
    return "|".join(choices) if choices else str(option.arguments.get("metavar", "VALUE"))


def render_rules() -> Iterator[str]:
    """Yield the page of all rules."""
    parts = _find_parts()
    titles = {str(row): practice.title for row, practice in load_practices().items()}
    yield "# Rules"
    yield ""
    yield f"`smlops review` checks {len(rules.ALL)} rules in any Terraform plan. The same rules run in plain checkov."
    yield ""
    yield "| severity | meaning |"
    yield "|---|---|"
    yield "| fail | AWS refuses it, or it cannot work. |"
    yield "| warn | It is a choice that needs a reason. |"
    yield "| info | It is advice. |"
    yield ""
    yield "The tag `sust_waiver:RULE` = `REASON until YYYY-MM-DD` accepts a finding until that day. Tests plan the"
    yield "Terraform code of each rule with the AWS provider. Names such as `aws_s3_bucket.this` stand for your own."
    for part, title in _PARTS.items():
        yield from ("", f"## {title}")
        for rule in sorted(rules.ALL, key=lambda rule: rule.id):
            if parts.get(rule.id, "account") == part:  # the rules of several parts are beside the folders
                yield from _render_rule(rule, titles)


def _find_parts() -> dict[str, str]:
    """Return the part of each rule, which is the folder of its file."""
    packages = {part: import_module(f"{rules.__name__}.{part}") for part in _PARTS}
    return {
        rule.id: part
        for part, package in packages.items()
        for module in iter_modules(package.__path__, f"{package.__name__}.")
        for rule in vars(import_module(module.name)).values()
        if isinstance(rule, Rule)
    }


def _render_rule(rule: Rule, titles: Mapping[str, str]) -> Iterator[str]:
    yield from ("", f"### {rule.id}", "")
    yield f"**{rule.severity}**: {rule.title}."
    yield ""
    yield f"- Problem: {rule.problem}."
    yield f"- Remedy: {rule.fix}"
    yield f"- Checked types: {', '.join(f'`{one}`' if one != '*' else 'all' for one in rule.types)}"
    practices = "; ".join(f"{row} ({titles[row]})" for row in rule.practices)
    yield f"- [Practices](../docs/practices.md): {practices}" if practices else "- Practices: none of the list"
    file = find_file(rule.id)
    if file.is_file():
        yield from ("", "```hcl", file.read_text(encoding="utf-8").rstrip(), "```")
