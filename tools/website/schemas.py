"""Tables of the fields of JSON schemas."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sustainable_mlops.base.terraform import ROOT
from sustainable_mlops.jobs.kinds import KINDS
from sustainable_mlops.jobs.schemas import find_schema_file

_CATALOGUE = {
    "models": "Model of the catalogue",
    "features": "Feature group of the catalogue",
    "pipelines": "Pipeline of the catalogue",
}


def render_settings() -> Iterator[str]:
    """Yield the page of `settings.yaml` and of the files of the catalogue."""
    yield "# Settings"
    yield ""
    yield "`envs/NAME/settings.yaml` describes an environment. `envs/catalogue/` has one file for each model, feature"
    yield "group and pipeline of every environment. Editors check both by the schemas."
    yield "[Environments](../docs/environments.md) shows their use."
    yield from _render_schema(ROOT / "envs" / "settings.schema.json", "settings.yaml", "settings")
    for kind, title in _CATALOGUE.items():
        yield from _render_schema(ROOT / "envs" / "catalogue" / f"{kind}.schema.json", title, kind)


def render_job_files() -> Iterator[str]:
    """Yield the page of all kinds of job files."""
    yield "# Job files"
    yield ""
    yield "A job file describes one job. [Jobs and pipelines](../docs/jobs.md) explains the launch and the records."
    for kind in KINDS:
        yield from _render_schema(find_schema_file(kind), f"{kind.capitalize()} job", kind)


def _render_schema(file: Path, title: str, prefix: str) -> Iterator[str]:
    """Yield the tables of one schema: its fields, and each object that a field refers to."""
    schema = json.loads(file.read_text(encoding="utf-8"))
    yield from ("", f"## {title}", "")
    yield from _render_object(schema, prefix)
    for name, definition in sorted(schema.get("$defs", {}).items()):
        if "properties" in definition:
            yield from ("", f'### {name} {{ #{_anchor(prefix, name)} data-toc-label="{name}" }}', "")
            yield from _render_object(definition, prefix)


def _anchor(prefix: str, name: str) -> str:
    return f"{prefix}-{name}".lower()


def _render_object(definition: Mapping[str, Any], prefix: str) -> Iterator[str]:
    if "description" in definition:
        yield from (definition["description"], "")
    yield from ("| field | type | default | description |", "|---|---|---|---|")
    required = definition.get("required", ())
    for name, field in definition.get("properties", {}).items():
        default = "required" if name in required else _render_default(field)
        text = field.get("description", "")
        if must := _find_must(field):
            text += f" It must {must}."
        cells = (f"`{name}`", _render_type(field, prefix), default, text)
        yield f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"


def _render_default(field: Mapping[str, Any]) -> str:
    text = json.dumps(field.get("default"), ensure_ascii=False)
    if text in ("null", "{}", "[]"):
        return ""
    return f"`{text}`" if len(text) <= 40 else "see the type"


def _find_must(field: Mapping[str, Any]) -> str:
    """Return the requirement of a field or of the only value that it has."""
    inner = field.get("anyOf", ())
    musts = [one["must"] for one in (field, *inner) if "must" in one]
    return str(musts[0]) if musts else ""


def _render_type(field: Mapping[str, Any], prefix: str) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{_anchor(prefix, name)})"
    if "anyOf" in field:
        return " or ".join(_render_type(one, prefix) for one in field["anyOf"] if one.get("type") != "null")
    if "enum" in field:
        values = [f"`{one}`" for one in field["enum"]]
        return ", ".join(values) if len(values) <= 12 else f"one of {len(values)} values"
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        return f"list of {_render_type(field.get('items', {}), prefix)}"
    entries = [*field.get("patternProperties", {}).values(), field.get("additionalProperties")]
    if field.get("type") == "object" and isinstance(entries[0], dict):
        return f"map of {_render_type(entries[0], prefix)}"
    return str(field.get("type", "any"))
