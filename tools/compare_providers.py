"""Comparison of two AWS provider schemas, for the resource types that the modules and environments use.

    .venv/bin/python -m tools.compare_providers OLD NEW [--changelog CHANGELOG.md]

OLD and NEW are outputs of `terraform providers schema -json`, or archives of the jsii bindings of a provider
(`.jsii.tgz`). A schema lacks validation, defaults, forced replacements and waits: pass the provider's changelog for the
entries on the same types. Bindings also lack deprecations, and do not tell if AWS can set an optional argument.
"""

import argparse
import json
import re
import sys
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sustainable_mlops.base.errors import UserError, describe_missing_file
from sustainable_mlops.base.terraform import PROVIDER, ROOT

BLOCK_START = re.compile(r'(?:dynamic )?"?([a-z_0-9]+)"?(?: "[^"]*")* \{$')
ASSIGNMENT = re.compile(r"([a-z_0-9]+) *= *(.*)")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
HEREDOC = re.compile(r"<<-?(\w+)$")
#: Blocks of Terraform in each resource, and the inner block of a dynamic block.
META_BLOCKS = {"lifecycle", "provisioner", "connection"}
DYNAMIC_CONTENT = "content"
META_ARGUMENTS = {"count", "for_each", "provider", "depends_on", "iterator"}

#: Effects of a change on a plan of the modules, if they set the argument.
EFFECTS_IF_SET = {
    "removed": "validation fails: remove it",
    "computed only": "validation fails: remove it",
    "type": "check the value and its references",
    "deprecated": "warning: replace it before the next major version",
}
#: Effects of a change on a plan of the modules, if none of them sets the argument.
EFFECTS_IF_UNSET = {
    "removed": "none, unless an expression reads it",
    "computed only": "none",
    "type": "none, unless an expression reads it",
    "deprecated": "none",
}


@dataclass(frozen=True)
class Argument:
    """An attribute or nested block of a resource type. Bindings have approximate types, and `computed` can be None."""

    kind: str
    required: bool = False
    optional: bool = False
    computed: bool | None = False
    deprecated: bool = False
    from_bindings: bool = False

    def describe(self) -> str:
        """Return in words who sets the argument."""
        if self.required:
            return "required"
        if self.optional:
            return {True: "optional and computed", None: "optional"}.get(self.computed, "optional")
        return "computed"


Schema = dict[str, dict[str, Argument]]


@dataclass
class Usage:
    """The arguments of one resource type that the modules and environments set, with the files that set them."""

    arguments: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def list_sources(self, path: str) -> str:
        """Return the modules and environments that set an argument, or a part of it."""
        paths = [one for one in self.arguments if one == path or one.startswith(f"{path}.")]
        return ", ".join(sorted({source for one in paths for source in self.arguments[one]}))


@dataclass(frozen=True)
class Change:
    """A row of the table."""

    type: str
    path: str
    change: str
    sources: str
    effect: str


def read_schema(path: Path, kinds: set[str]) -> Schema:
    """Return the arguments of these resource types by their paths. Raises UserError for another file."""
    if not path.is_file():
        raise UserError(describe_missing_file(path))
    if path.name.endswith(".tgz"):
        return read_bindings(path, kinds)
    remedy = "write it with `terraform providers schema -json`"
    try:
        schemas = json.loads(path.read_text(encoding="utf-8"))["provider_schemas"]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a provider schema; {remedy}") from error
    resources = [
        schema.get("resource_schemas")
        for name, schema in schemas.items()
        if name.split("/")[1:] == ["hashicorp", "aws"]
    ]
    if not resources or not resources[0]:
        raise UserError(f"{path}: no schema of {PROVIDER}; {remedy} in a root that requires it")
    return {name: dict(_read_block(one["block"])) for name, one in resources[0].items() if name in kinds}


def _read_block(block: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Argument]]:
    for name, one in block.get("attributes", {}).items():
        nested = one.get("nested_type")
        if nested is not None:
            kind = f"{nested['nesting_mode']} of attributes"
        else:
            kind = f"{one['type'][0]} of objects" if _find_members(one["type"]) else _format_type(one["type"])
        yield (
            prefix + name,
            Argument(
                kind,
                one.get("required", False),
                one.get("optional", False),
                one.get("computed", False),
                one.get("deprecated", False),
            ),
        )
        if nested is not None:
            yield from _read_block(nested, f"{prefix}{name}.")
        elif one.get("optional") and (members := _find_members(one["type"])):
            for member, inner in members.items():
                yield f"{prefix}{name}.{member}", Argument(_format_type(inner), optional=True, computed=None)
    for name, one in block.get("block_types", {}).items():
        required = one.get("min_items", 0) > 0
        kind = f"block, {one['nesting_mode']}{' of one' if one.get('max_items') == 1 else ''}"
        yield prefix + name, Argument(kind, required, not required, False, one["block"].get("deprecated", False))
        yield from _read_block(one["block"], f"{prefix}{name}.")


def _find_members(kind: Any) -> dict[str, Any]:
    """Return the members of a block that the schema writes as a list or set of objects."""
    if isinstance(kind, list) and kind[0] in ("list", "set") and isinstance(kind[1], list) and kind[1][0] == "object":
        return dict(kind[1][1])
    return {}


def _format_type(kind: Any) -> str:
    """Return a Terraform type, such as list(string)."""
    if isinstance(kind, str):
        return kind
    outer, inner = kind
    if outer == "object":
        return f"object({', '.join(f'{name} = {_format_type(one)}' for name, one in sorted(inner.items()))})"
    return f"{outer}({_format_type(inner)})"


def read_bindings(path: Path, kinds: set[str]) -> Schema:
    """Return the arguments of these resource types from the jsii assembly of a provider's bindings."""
    try:
        with tarfile.open(path) as archive:
            member = archive.extractfile("package/.jsii")
            types = json.load(member)["types"] if member else {}
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise UserError(f"{path}: no jsii assembly; pass a .jsii.tgz of the package cdktn_provider_aws") from error
    schema: Schema = {}
    for name, one in types.items():
        label = re.search(r"/docs/resources/\w+ (aws_\w+)}", one.get("docs", {}).get("summary", ""))
        if label and label[1] in kinds and one["kind"] == "class":
            schema[label[1]] = dict(_read_binding(types, f"{name}Config", name, ""))
    if not schema:
        raise UserError(f"{path}: no resource types of the AWS provider in the jsii assembly")
    return schema


def _read_binding(types: dict[str, Any], config: str, output: str, prefix: str) -> Iterator[tuple[str, Argument]]:
    inputs = types.get(config, {}).get("properties", [])
    for one in inputs:
        docs = " ".join(one.get("docs", {}).values())
        label = re.search(r"#(\w+) \w+#", docs)
        if label is None:
            continue
        names = set(re.findall(r'"(?:fqn|primitive)": "([^"]+)"', json.dumps(one["type"])))
        nested = next((name for name in names if name in types and name.startswith("@")), None)
        required = not one.get("optional", False)
        is_block = f"{label[1]} block." in docs
        kind = "block" if is_block else _format_binding_type(one["type"], bool(nested))
        yield prefix + label[1], Argument(kind, required, not required, None, from_bindings=True)
        if nested is not None:
            yield from _read_binding(types, nested, f"{nested}OutputReference", f"{prefix}{label[1]}.")
    properties = types.get(output, {}).get("properties", [])
    hidden = {"internalValue", "fqn", "complexObjectIndex", "complexObjectIsFromSet", *(one["name"] for one in inputs)}
    for one in properties:
        if one["name"] not in hidden and not one["name"].endswith("Input") and not one.get("static"):
            names = set(re.findall(r'"fqn": "([^"]+)"', json.dumps(one["type"])))
            kind = _format_binding_type(one["type"], any(name in types for name in names))
            yield (
                prefix + _to_snake_case(one["name"]),
                Argument(kind, computed=True, from_bindings=True),
            )


def _format_binding_type(kind: dict[str, Any], is_nested: bool) -> str:
    text = json.dumps(kind)
    if is_nested:
        return "attributes"
    outer = "list of " if '"kind": "array"' in text else "map of " if '"kind": "map"' in text else ""
    inner = re.findall(r'"primitive": "(\w+)"', text)
    return outer + (inner[0].replace("boolean", "bool") if inner else "object")


def _to_snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def read_usage(files: list[Path]) -> dict[str, Usage]:
    """Return the arguments that generated Terraform files set, by resource type."""
    usage: dict[str, Usage] = defaultdict(Usage)
    for file in files:
        source = file.relative_to(ROOT).parts[1] if file.is_relative_to(ROOT) else file.parent.name
        for kind, path in _read_arguments(file.read_text(encoding="utf-8")):
            if path:
                usage[kind].arguments[path].add(source)
            else:
                usage[kind]
    return dict(usage)


def _read_arguments(text: str) -> Iterator[tuple[str, str]]:
    """Yield the type and path of each argument of each resource; an empty path stands for the resource itself."""
    blocks: list[str] = []
    kind, depth, heredoc = "", 0, ""
    for line in map(str.strip, text.splitlines()):
        code = STRING.sub('""', line)
        if heredoc:
            heredoc = "" if line == heredoc else heredoc
            continue
        if depth == 0 and (resource := re.match(r'resource "(aws_\w+)"', line)):
            kind, blocks = resource[1], []
            yield kind, ""
        elif kind and depth == 0 and (block := BLOCK_START.fullmatch(line)):
            blocks.append(block[1])
            if not META_BLOCKS & set(blocks) and block[1] != DYNAMIC_CONTENT:
                yield kind, _format_path(blocks)
        elif kind and depth == 0 and line == "}":
            kind, blocks = (kind, blocks[:-1]) if blocks else ("", [])
        elif not kind or line.startswith("#"):
            continue
        else:
            argument = ASSIGNMENT.match(code) if depth == 0 else None
            if argument and argument[1] not in META_ARGUMENTS and not META_BLOCKS & set(blocks):
                yield kind, _format_path([*blocks, argument[1]])
            depth += sum(map(code.count, "([{")) - sum(map(code.count, ")]}"))
            heredoc = end[1] if (end := HEREDOC.search(code)) else ""


def _format_path(names: list[str]) -> str:
    return ".".join(name for name in names if name != DYNAMIC_CONTENT)


def compare_schemas(old: Schema, new: Schema, usage: dict[str, Usage]) -> Iterator[Change]:
    """Yield the changes of the types in use from one schema to the next."""
    for kind in sorted(usage):
        sources = ", ".join(sorted({one for names in usage[kind].arguments.values() for one in names}))
        if kind not in new:
            yield Change(kind, "", "type is absent", sources, "validation fails: keep the older version")
        elif kind not in old:
            yield Change(kind, "", "type is new", sources, "none")
        else:
            yield from _compare_type(kind, _align(old[kind], new[kind]), new[kind], usage[kind])


def _align(old: dict[str, Argument], new: dict[str, Argument]) -> dict[str, Argument]:
    """Return the old arguments by the names of the new ones: bindings write computed names without underscores."""
    names = {path.replace("_", ""): path for path in new}
    return {names.get(path.replace("_", ""), path): one for path, one in old.items()}


def _compare_type(kind: str, old: dict[str, Argument], new: dict[str, Argument], usage: Usage) -> Iterator[Change]:
    for path in sorted(old.keys() | new.keys()):
        parent = path.rpartition(".")[0]
        before, after = old.get(path), new.get(path)
        if parent and (parent not in old or parent not in new):
            continue  # the row of the parent covers it
        sources = usage.list_sources(path)
        effects = EFFECTS_IF_SET if sources else EFFECTS_IF_UNSET
        if before is None and after is not None:
            parent_is_set = not parent or bool(usage.list_sources(parent))
            effect = "validation fails: set it" if after.required and parent_is_set else "none while it is not set"
            if not after.required and after.computed and after.optional:
                effect = "none while it is not set; the state takes AWS's value"
            elif not after.required and not after.optional:
                effect = "none"
            yield Change(kind, path, f"new, {after.describe()} ({after.kind})", sources, effect)
        elif before is not None and after is None:
            yield Change(kind, path, f"removed ({before.describe()})", sources, effects["removed"])
        elif before is not None and after is not None:
            for change, effect in _compare_arguments(before, after, bool(sources)):
                yield Change(kind, path, change, sources, effect)


def _compare_arguments(before: Argument, after: Argument, is_set: bool) -> Iterator[tuple[str, str]]:
    effects = EFFECTS_IF_SET if is_set else EFFECTS_IF_UNSET
    is_known = before.computed is not None and after.computed is not None
    if before.kind != after.kind and before.from_bindings == after.from_bindings:
        yield f"type: {before.kind} → {after.kind}", effects["type"]
    if after.deprecated and not before.deprecated:
        yield "deprecated", effects["deprecated"]
    if not after.required and not after.optional and (before.required or before.optional):
        yield f"{before.describe()} → computed", effects["computed only"]
    elif after.required and not before.required:
        yield f"{before.describe()} → required", "none" if is_set else "validation fails where its block is set"
    elif before.required and not after.required:
        yield f"required → {after.describe()}", "none"
    elif not before.optional and after.optional:
        yield f"computed → {after.describe()}", "none"
    elif is_known and before.optional and after.optional and bool(before.computed) != bool(after.computed):
        drift = "a value that AWS sets becomes a difference in each plan: set it, or ignore its changes"
        appears = "AWS's value stays if it is not set; its removal from the code changes nothing"
        effect = "none" if is_set else (drift if before.computed else appears)
        yield f"{before.describe()} → {after.describe()}", effect


def read_changelog(path: Path, kinds: set[str]) -> Iterator[str]:
    """Yield the entries of a provider's changelog on these types, under the headings of their versions."""
    if not path.is_file():
        raise UserError(describe_missing_file(path))
    heading, entry = "", re.compile(rf"\s*[*•-] (?:provider|(?:resource|data-source)/(?:{'|'.join(sorted(kinds))}))\b")
    for line in path.read_text(encoding="utf-8").splitlines():
        if re.match(r"#+ *v?\d+\.\d+\.\d+", line):
            heading = line
        elif entry.match(line):
            if heading:
                yield f"\n{heading}\n"
            heading = ""
            yield line.strip()


def format_table(changes: list[Change]) -> str:
    """Return the changes as a Markdown table."""
    rows = [
        f"| `{one.type}` | {f'`{one.path}`' if one.path else ''} | {one.change} | {one.sources or '—'} | {one.effect} |"
        for one in changes
    ]
    return "\n".join(["| type | argument | change | set in | effect on a plan |", "|---|---|---|---|---|", *rows])


def list_files() -> list[Path]:
    """Return the Terraform files of the modules and environments."""
    files = [*ROOT.glob("modules/*/*.tf"), *ROOT.glob("envs/**/*.tf")]
    return sorted(file for file in files if not any(part.startswith(".") for part in file.relative_to(ROOT).parts))


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and the changelog's entries. Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.compare_providers", description=__doc__.split("\n")[0])
    parser.add_argument("old", type=Path, help="schema of the version that the project tests")
    parser.add_argument("new", type=Path, help="schema of the other version")
    parser.add_argument("--changelog", type=Path, help="changelog of the provider, or an excerpt")
    options = parser.parse_args(arguments)
    try:
        usage = read_usage(list_files())
        old, new = read_schema(options.old, set(usage)), read_schema(options.new, set(usage))
        changes = list(compare_schemas(old, new, usage))
        print(f"{len(usage)} resource types in use, {len(changes)} changes\n")
        print(format_table(changes))
        if options.changelog:
            print(*read_changelog(options.changelog, set(usage)), sep="\n")
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
