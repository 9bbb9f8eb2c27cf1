"""Generator of the architecture pictures, as SVG without scripts, from the code that they show.

- `python -m tools.pictures`: write `environment.svg`, `accounts.svg` and `layout.svg` in `docs/images/`

The picture of an environment comes from the synthesized HCL of one with a network and all kinds of endpoints, and from
the resources of each module. The picture of the accounts comes from the settings of the environments and from the
resources of the module bootstrap. The picture of the layout comes from the imports.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from clone import synth
from envs import settings
from envs.environment import COMPONENTS
from envs.settings import EnvironmentSettings
from sustainable_mlops.base import program
from sustainable_mlops.base.terraform import ROOT
from tools.layout import list_layers

IMAGES = ROOT / "docs" / "images"
#: Environments in the order of a promotion.
ORDER = ("dev", "staging", "prod")
#: Width of a picture, which fits a phone without smaller text.
WIDTH = 440
_LINE = 18  # height of a line of text
#: Variable of an environment with the package of each endpoint, which `smlops promote` takes from the registry.
_PACKAGES = "model_packages"
#: Values of the composition that are drawn as lines: their source, and their name with the colors of the light and the
#: dark mode.
_LANES: Mapping[tuple[str, str], tuple[str, str, str]] = {
    ("storage", "buckets"): ("buckets", "#0b6e4f", "#4fd1a5"),
    ("storage", "kms_key_arn"): ("key", "#8a5a00", "#f0b849"),
    ("network", "vpc_config"): ("VPC", "#5b3fa8", "#b9a3ff"),
    ("access", "role_arns"): ("roles", "#a3245f", "#ff8fc0"),
    ("model_registry", "model_package_groups"): ("package groups", "#1f5fbf", "#7db4ff"),
    ("model_registry", _PACKAGES): ("approved packages", "#b3261e", "#ff9d94"),
}
#: Types of resources that say most about a module, by the start of their names, in order.
_HEADLINES = (
    "aws_sagemaker_endpoint", "aws_sagemaker_", "aws_s3_bucket", "aws_kms_key", "aws_cloudwatch_dashboard",
    "aws_iam_role", "aws_vpc_endpoint", "aws_security_group",
)  # fmt: skip
_STYLE = """\
  text { font: 14px system-ui, sans-serif; fill: #1b1f24 }
  .title { font-weight: 700 }
  .small { font-size: 13px; fill: #434a54 }
  .box { fill: #f4f6f8; stroke: #8b95a1 }
  .back { fill: #ffffff }
  .arrow { stroke: #434a54; fill: none; stroke-width: 2 }
  .head { fill: #434a54 }
"""
_DARK = """\
    text { fill: #eceff4 }
    .small { fill: #c3cad5 }
    .box { fill: #262b36; stroke: #77808f }
    .back { fill: #1a1d25 }
    .arrow { stroke: #c3cad5 }
    .head { fill: #c3cad5 }
"""


@dataclass(frozen=True)
class Box:
    """Module of an environment: its name, its resources, and the values that it takes, by lane."""

    name: str
    resources: str
    uses: Mapping[tuple[str, str], tuple[str, ...]]


def compose() -> dict[str, Any]:
    """Return the root module of an environment with a network and all kinds of endpoints, as JSON."""
    from envs.root import EnvironmentRoot

    values = settings.load(ROOT / "envs" / "dev").model_dump(exclude_unset=True)
    endpoint = {"latency_slo_ms": 1000, "silicon": "x86", "instance_type": "ml.m5.large"}
    values["models"] = {
        "churn": {"realtime_endpoint": endpoint, "async_endpoint": {"instance_type": "ml.c7g.large"}},
        "flight_delay": {"vpc": False, "serverless_endpoint": {"memory_mb": 2048}},
    }
    values["network"] = {
        "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "vpc_endpoints": {"vpc_id": "vpc-0123456789abcdef0", "route_table_ids": ["rtb-0123456789abcdef0"]},
    }
    root = EnvironmentRoot(
        EnvironmentSettings.model_validate(values), synth.load_all_modules(), COMPONENTS
    ).synthesize()
    body: dict[str, Any] = json.loads(json.dumps(root.to_json()))
    return body


def list_boxes(body: Mapping[str, Any]) -> list[Box]:
    """Return the modules of an environment in the order of its components."""
    calls = body["module"]
    boxes = {}
    for call in calls.values():
        module = call["source"].rpartition("/")[2]
        boxes[module] = Box(module, describe_resources(module), find_uses(call, body.get("locals", {})))
    order = [re.sub(r"(?<!^)(?=[A-Z])", "_", component.__name__).lower().rstrip("s") for component in COMPONENTS]
    position = {name.rstrip("s"): order.index(name.rstrip("s")) for name in boxes}
    assert all(call["source"].startswith("../../modules/") for call in calls.values())
    return sorted(boxes.values(), key=lambda box: position[box.name.rstrip("s")])


def find_uses(call: object, local_values: Mapping[str, Any]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the values of other modules that a call takes, with their keys, such as the phases of roles."""
    text = json.dumps(call)
    for name in re.findall(r"\blocal\.(\w+)", text):
        text += json.dumps(local_values.get(name, ""))
    uses: dict[tuple[str, str], set[str]] = {}
    if "model_package_arn" in json.dumps(call):
        uses["model_registry", _PACKAGES] = {""}
    for module, output, key in re.findall(r"module\.(\w+)(?:\[[^\]]*\])?\.(\w+)(?:\[\\\"(\w+)\\\"\])?", text):
        if (module, output) in _LANES:
            uses.setdefault((module, output), set()).add(key)
    return {lane: () if "" in uses[lane] else tuple(sorted(uses[lane])) for lane in _LANES if lane in uses}


def describe_resources(module: str) -> str:
    """Return the main types of a module's resources, and the number of the others."""
    types = list(dict.fromkeys(re.findall(r'^resource "(aws_\w+)"', _read_hcl(module), re.M)))
    main = list(
        dict.fromkeys(
            one for start in _HEADLINES for one in types if one == start or (start[-1] == "_" and one.startswith(start))
        )
    )
    headlines = [one.removeprefix("aws_").removeprefix("sagemaker_") for one in main[:2]]
    headlines = headlines if len(", ".join(headlines)) < 30 else headlines[:1]
    rest = len(types) - len(headlines)
    return ", ".join(headlines) + (f" and {rest} more" if rest else "")


def draw_environment(boxes: Iterable[Box]) -> str:
    """Return the picture of an environment: its modules, and the values that they pass to each other."""
    boxes = list(boxes)
    gutter = 16 * len(_LANES) + 12
    parts: list[str] = []
    middles: dict[str, float] = {}
    top = 8
    for box in boxes:
        lines = _wrap_uses(box)
        height = _LINE * (2 + len(lines)) + 14
        parts.append(
            f'<rect class="box" x="{gutter}" y="{top}" width="{WIDTH - gutter - 4}" height="{height}" rx="6"/>'
        )
        parts += _draw_lines(gutter + 10, top, box.name, [box.resources, *lines])
        middles[box.name] = top + height / 2
        top += height + 12
    for number, (lane, (name, *_)) in enumerate(_LANES.items()):
        users = [box.name for box in boxes if lane in box.uses]
        parts += _draw_lane(number, 10 + 16 * number, gutter, middles[lane[0]], [middles[user] for user in users])
        parts.append(f'<circle class="lane{number}" cx="{10 + 16 * number}" cy="{top + 10 + _LINE * number}" r="5"/>')
        label = f"{name}, from {lane[0]}"
        parts.append(f'<text x="{gutter}" y="{top + 15 + _LINE * number}">{escape(label)}</text>')
    description = "; ".join(f"{box.name}: {' '.join(_wrap_uses(box))}" for box in boxes)
    return _render_frame("Modules of an environment", description, top + _LINE * len(_LANES) + 12, parts)


def _wrap_uses(box: Box) -> list[str]:
    """Return one line for each lane with keys, and one line for all others."""
    plain = [_LANES[lane][0] for lane, keys in box.uses.items() if not keys]
    keyed = [f"{_LANES[lane][0]}: {', '.join(keys)}" for lane, keys in box.uses.items() if keys]
    return [f"← {text}" for text in [*keyed, ", ".join(plain)] if text]


def _draw_lane(number: int, x: int, gutter: int, source: float, users: list[float]) -> Iterator[str]:
    """Yield a vertical line from the source, with an arrow to each user."""
    begin, end = min([source, *users]), max([source, *users])
    shift = 3 * number - 6
    yield f'<path class="lane{number} line" d="M{gutter} {source + shift}H{x}M{x} {begin + shift}V{end + shift}"/>'
    yield f'<circle class="lane{number}" cx="{gutter - 1}" cy="{source + shift}" r="4"/>'
    for user in users:
        y = user + shift
        yield f'<path class="lane{number} line" d="M{x} {y}H{gutter - 6}"/>'
        yield f'<path class="lane{number}" d="M{gutter} {y}l-8 -4v8z"/>'


def draw_accounts(environments: Iterable[Mapping[str, Any]], roles: Iterable[str]) -> str:
    """Return the picture of the accounts, and the path of a change and of a model through them."""
    parts: list[str] = []
    left, width = 8, WIDTH - 16
    first = [
        "envs/: settings and HCL of every environment",
        "models.auto.tfvars.json: pinned package of each model",
    ]
    top = _draw_box(parts, left, 8, width, "One repository", first)
    environments = list(environments)
    top = _draw_arrow(parts, top, ["A pull request: plan and review; a merge: apply"])
    for index, values in enumerate(environments):
        protection = "data protected" if values.get("deletion_protection", True) else "data removable"
        lines = [
            f"account {values['account_id']}, {values['region']}",
            f"names {values['name_prefix']}-…, {protection}",
            f"state {values['state']['bucket']}",
            f"CI roles, by bootstrap: {', '.join(roles)}",
        ]
        top = _draw_box(parts, left, top, width, values["environment"], lines)
        if index + 1 < len(environments):
            names = f"--from {values['environment']} --to {environments[index + 1]['environment']}"
            top = _draw_arrow(
                parts, top, [f"smlops promote MODEL {names}", "approved package; pull request, plan, review, apply"]
            )
    back = "Back: smlops rollback MODEL --environment NAME"
    parts.append(f'<text class="small" x="{left + 4}" y="{top + 18}">{escape(back)}</text>')
    description = ", then ".join(f"{one['environment']} in account {one['account_id']}" for one in environments)
    return _render_frame("Accounts and promotion", f"A change and a model go through {description}.", top + 30, parts)


def list_ci_roles() -> list[str]:
    """Return the roles that the module bootstrap creates in an account."""
    return re.findall(r'^resource "aws_iam_role" "(\w+)"', _read_hcl("bootstrap"), re.M)


def draw_layout(library: list[list[str]], sandbox: list[list[str]]) -> str:
    """Return the picture of the folders by layer: each imports only folders of lower layers."""
    parts: list[str] = []
    left, width = 8, WIDTH - 16
    top = _draw_box(parts, left, 8, width, "clone/", ["synth, new, deploy, promote, prove: not in the wheel"])
    top = _draw_arrow(parts, top, [])
    top = _draw_box(parts, left, top, width, "envs/, then modules/", ["settings and components; inputs and resources"])
    for folder, layers in (("sustainable_mlops/", library), ("sagemaker_sandbox/", sandbox)):
        top = _draw_arrow(parts, top, [])
        top = _draw_box(parts, left, top, width, folder, [", ".join(names) for names in reversed(layers)])
    return _render_frame(
        "Layout", "Each line is a layer: its folders import only folders of lower lines.", top + 8, parts
    )


def _read_hcl(module: str) -> str:
    return "".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "modules" / module).glob("*.tf")))


def _draw_box(parts: list[str], left: int, top: int, width: int, title: str, lines: list[str]) -> int:
    height = _LINE * (1 + len(lines)) + 14
    parts.append(f'<rect class="box" x="{left}" y="{top}" width="{width}" height="{height}" rx="6"/>')
    parts += _draw_lines(left + 10, top, title, lines)
    return top + height


def _draw_arrow(parts: list[str], top: int, lines: list[str]) -> int:
    """Add an arrow down with its text, and return the position below it."""
    height = _LINE * len(lines) + 18
    parts.append(f'<path class="arrow" d="M28 {top}V{top + height - 8}"/>')
    parts.append(f'<path class="head" d="M28 {top + height}l-6 -10h12z"/>')
    parts += [
        f'<text class="small" x="44" y="{top + 20 + _LINE * number}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    ]
    return top + height


def _draw_lines(x: int, top: int, title: str, lines: Iterable[str]) -> Iterator[str]:
    yield f'<text class="title" x="{x}" y="{top + 20}">{escape(title)}</text>'
    for number, line in enumerate(lines, start=1):
        yield f'<text class="small" x="{x}" y="{top + 20 + _LINE * number}">{escape(line)}</text>'


def _render_frame(title: str, description: str, height: float, parts: Iterable[str]) -> str:
    colors = [(light, dark) for _, light, dark in _LANES.values()]
    light_lanes = "".join(_style_lane(number, light) for number, (light, _) in enumerate(colors))
    dark_lanes = "".join("  " + _style_lane(number, dark) for number, (_, dark) in enumerate(colors))
    style = f"{_STYLE}{light_lanes}  @media (prefers-color-scheme: dark) {{\n{_DARK}{dark_lanes}  }}\n"
    size = f'width="{WIDTH}" height="{height:g}" viewBox="0 0 {WIDTH} {height:g}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title description">\n'
        f'<title id="title">{escape(title)}</title>\n<desc id="description">{escape(description)}</desc>\n'
        f"<style>\n{style}</style>\n"
        f'<rect class="back" width="{WIDTH}" height="{height:g}" rx="8"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _style_lane(number: int, color: str) -> str:
    return (
        f"  .lane{number} {{ fill: {color} }}\n"
        f"  .lane{number}.line {{ fill: none; stroke: {color}; stroke-width: 2 }}\n"
    )


def render_pictures() -> dict[str, str]:
    """Return the pictures by file name."""
    values = [settings.load(ROOT / "envs" / name).model_dump() for name in ORDER]
    return {
        "environment.svg": draw_environment(list_boxes(compose())),
        "accounts.svg": draw_accounts(values, list_ci_roles()),
        "layout.svg": draw_layout(list_layers("sustainable_mlops"), list_layers("sagemaker_sandbox")),
    }


def main() -> None:
    """Write the pictures."""
    for name, text in render_pictures().items():
        (IMAGES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    program.run(main)
