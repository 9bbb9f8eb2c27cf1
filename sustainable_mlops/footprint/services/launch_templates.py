"""What machines are launched from: the launch template or launch configuration that a resource names."""

from typing import NamedTuple

from sustainable_mlops.footprint.services.ec2_machines import (
    NO_VOLUMES,
    InstanceOption,
    MachineVolumes,
    read_instance_volumes,
    read_template_volumes,
)
from sustainable_mlops.footprint.services.plan_side import PlanSide, explain_missing, to_known_number
from sustainable_mlops.plan import UNKNOWN, Block, Resource
from sustainable_mlops.plan import Unknown as Unsure

TEMPLATE = "aws_launch_template"
_CONFIGURATION = "aws_launch_configuration"
_DEFAULT = "$Default"
_REQUIREMENTS_REASON = "its instance types are whichever meet instance_requirements"


class LaunchSettings(NamedTuple):
    """What is said of the machines. Where nothing is, `reason` says why."""

    instance_type: str | None = None
    #: What takes the type's place, where none is given.
    reason: str = ""
    volumes: MachineVolumes = NO_VOLUMES
    spot: bool = False


def read_template(resource: Resource, path: str, side: PlanSide) -> LaunchSettings:
    """The launch template that the block at `path` names by its id or its name, in the version that it names."""
    found = _find_template(resource, path, side)
    if not isinstance(found, Resource):
        reason = "cannot be told until apply" if found is UNKNOWN else "is not in this plan"
        return LaunchSettings(reason=f"its launch template {reason}")
    version = side.get_values(resource).text(f"{path}.version")
    if version is UNKNOWN and side.joins.is_configured(resource, f"{path}.version") is False:
        version = _DEFAULT
    values = _find_version(found, version, side)
    if values is None:
        return LaunchSettings(reason=f"version {version} of {found.address} is not in this plan")
    return _make_launch(values, found.address)


def read_launch_configuration(resource: Resource, path: str, side: PlanSide) -> LaunchSettings:
    """The launch configuration that the attribute at `path` names."""
    found = side.joins.find_target(resource, path, _CONFIGURATION)
    if not isinstance(found, Resource):
        reason = "cannot be told until apply" if found is UNKNOWN else "is not in this plan"
        return LaunchSettings(reason=f"its launch configuration {reason}")
    values = side.get_values(found)
    instance_type = values.text("instance_type")
    volumes, spot = read_instance_volumes(found, values, side), values.text("spot_price") not in (None, "")
    if not isinstance(instance_type, str):
        return LaunchSettings(
            None, f"of {found.address}, {explain_missing(instance_type, 'instance_type')}", volumes, spot
        )
    return LaunchSettings(instance_type, "", volumes, spot)


def list_options(blocks: list[Block], launch: LaunchSettings) -> tuple[InstanceOption, ...] | str:
    """The types of a list of overrides, each with its weight, else the template's own type; or why nobody knows."""
    if not blocks:
        return (InstanceOption(launch.instance_type),) if launch.instance_type is not None else launch.reason
    found = []
    for block in blocks:
        if block.blocks("instance_requirements") != []:
            return _REQUIREMENTS_REASON
        instance_type, weight = block.text("instance_type"), read_weight(block)
        own = launch.instance_type if instance_type in (None, "") else instance_type
        if not isinstance(own, str) or weight is None:
            return explain_missing(
                instance_type if weight is not None else UNKNOWN, "an instance type, or what one counts for,"
            )
        found.append(InstanceOption(own, weight))
    return tuple(dict.fromkeys(found))


def read_weight(block: Block) -> float | None:
    """What one machine counts for, 1 unless it is said; None where nobody knows."""
    if block.get("weighted_capacity") in (None, "", 0):  # a set holds "" or 0 where nothing is set
        return 1.0
    weight = to_known_number(block.number("weighted_capacity"))
    return weight or None


def _find_template(resource: Resource, path: str, side: PlanSide) -> Resource | Unsure | None:
    """By its id or its name, as AWS fills in the one that is not given."""
    values, untold = side.get_values(resource), False
    for name in (f"{path}.{prefix}{name}" for prefix in ("", "launch_template_") for name in ("id", "name")):
        found = side.joins.find_target(resource, name, TEMPLATE)
        if isinstance(found, Resource):
            return found
        if found is None and isinstance(values.text(name), str):
            return None
        untold = untold or found is UNKNOWN
    # What a block made by `dynamic` refers to is not written down.
    return (side.find_single(TEMPLATE, resource.module) or UNKNOWN) if untold else None


def _find_version(template: Resource, version: "str | Unsure | None", side: PlanSide) -> Block | None:
    """Its values in `version`; None where the plan does not hold it. A change of the template makes a new version."""
    new, old, fresh = side.get_values(template), template.old, template.action in ("create", "replace")
    wanted: object = version
    if version in (None, _DEFAULT):
        # The first version stays the default unless the template says that each new one becomes it.
        follows = fresh or new.flag("update_default_version") is True
        wanted = None if follows else new.number("default_version")
    if wanted in (None, UNKNOWN, "$Latest") or new.number("latest_version") is None:
        return new
    for values in (new, old):
        if str(values.number("latest_version")) == str(wanted):
            return values
    return new if fresh else None


def _make_launch(values: Block, address: str) -> LaunchSettings:
    instance_type = values.text("instance_type")
    volumes = read_template_volumes(values)
    spot = values.text("instance_market_options.0.market_type") == "spot"
    if isinstance(instance_type, str):
        return LaunchSettings(instance_type, "", volumes, spot)
    required = values.blocks("instance_requirements") != []
    reason = _REQUIREMENTS_REASON if required else f"of {address}, {explain_missing(instance_type, 'instance_type')}"
    return LaunchSettings(None, reason, volumes, spot)
