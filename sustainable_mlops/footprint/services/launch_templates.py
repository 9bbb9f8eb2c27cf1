"""Launch templates and launch configurations of instances."""

from typing import NamedTuple

from sustainable_mlops.footprint.services.ec2_fleets import (
    NO_VOLUMES,
    InstanceOption,
    InstanceVolumes,
    read_instance_volumes,
    read_template_volumes,
)
from sustainable_mlops.footprint.services.plan_side import PlanSide, explain_missing, to_known_number
from sustainable_mlops.plan import UNKNOWN, Block, Resource
from sustainable_mlops.plan import Unknown as Unsure

TEMPLATE = "aws_launch_template"
_CONFIGURATION = "aws_launch_configuration"
_DEFAULT = "$Default"
_REQUIREMENTS_REASON = "any type that meets instance_requirements may be chosen"


class LaunchSettings(NamedTuple):
    """Type, volumes and capacity of the launched instances. `reason` explains a missing type."""

    instance_type: str | None = None
    #: Reason why there is no type.
    reason: str = ""
    volumes: InstanceVolumes = NO_VOLUMES
    spot: bool = False


def read_template(resource: Resource, path: str, side: PlanSide) -> LaunchSettings:
    """Return the settings of the launch template that the block at `path` names, in the version that it names."""
    template = _find_template(resource, path, side)
    if not isinstance(template, Resource):
        reason = "is not known until apply" if template is UNKNOWN else "is not in this plan"
        return LaunchSettings(reason=f"its launch template {reason}")
    version = side.get_values(resource).text(f"{path}.version")
    if version is UNKNOWN and side.joins.is_configured(resource, f"{path}.version") is False:
        version = _DEFAULT
    values = _find_version(template, version, side)
    if values is None:
        return LaunchSettings(reason=f"version {version} of {template.address} is not in this plan")
    return _make_launch(values, template.address)


def read_launch_configuration(resource: Resource, path: str, side: PlanSide) -> LaunchSettings:
    """Return the settings of the launch configuration that the attribute at `path` names."""
    configuration = side.joins.find_target(resource, path, _CONFIGURATION)
    if not isinstance(configuration, Resource):
        reason = "is not known until apply" if configuration is UNKNOWN else "is not in this plan"
        return LaunchSettings(reason=f"its launch configuration {reason}")
    values = side.get_values(configuration)
    instance_type = values.text("instance_type")
    volumes, spot = read_instance_volumes(configuration, values, side), values.text("spot_price") not in (None, "")
    if not isinstance(instance_type, str):
        return LaunchSettings(
            None, f"of {configuration.address}, {explain_missing(instance_type, 'instance_type')}", volumes, spot
        )
    return LaunchSettings(instance_type, "", volumes, spot)


def list_options(blocks: list[Block], launch: LaunchSettings) -> tuple[InstanceOption, ...] | str:
    """Return the types of a list of overrides with their weights, else the type of the template.

    Return the reason as text if they are unknown.
    """
    if not blocks:
        return (InstanceOption(launch.instance_type),) if launch.instance_type is not None else launch.reason
    options = []
    for block in blocks:
        if block.blocks("instance_requirements") != []:
            return _REQUIREMENTS_REASON
        instance_type, weight = block.text("instance_type"), read_weight(block)
        type_name = launch.instance_type if instance_type in (None, "") else instance_type
        if not isinstance(type_name, str) or weight is None:
            return explain_missing(instance_type if weight is not None else UNKNOWN, "an instance type or its weight")
        options.append(InstanceOption(type_name, weight))
    return tuple(dict.fromkeys(options))


def read_weight(block: Block) -> float | None:
    """Return the weight of one instance, 1 by default; None if unknown."""
    if block.get("weighted_capacity") in (None, "", 0):  # a set contains "" or 0 for missing values
        return 1.0
    weight = to_known_number(block.number("weighted_capacity"))
    return weight or None


def _find_template(resource: Resource, path: str, side: PlanSide) -> Resource | Unsure | None:
    """Return the template by its id or name; AWS fills in the one that is not given."""
    values, is_unknown = side.get_values(resource), False
    for name in (f"{path}.{prefix}{name}" for prefix in ("", "launch_template_") for name in ("id", "name")):
        template = side.joins.find_target(resource, name, TEMPLATE)
        if isinstance(template, Resource):
            return template
        if template is None and isinstance(values.text(name), str):
            return None
        is_unknown = is_unknown or template is UNKNOWN
    # The references of a `dynamic` block are not in the plan.
    return (side.find_single(TEMPLATE, resource.module) or UNKNOWN) if is_unknown else None


def _find_version(template: Resource, version: "str | Unsure | None", side: PlanSide) -> Block | None:
    """Return the attributes of a version, or None if the plan does not contain it.

    A change of the template creates a new version.
    """
    new, old, is_new = side.get_values(template), template.old, template.action in ("create", "replace")
    version_number: object = version
    if version in (None, _DEFAULT):
        # The first version stays the default unless update_default_version is true.
        uses_latest = is_new or new.flag("update_default_version") is True
        version_number = None if uses_latest else new.number("default_version")
    if version_number in (None, UNKNOWN, "$Latest") or new.number("latest_version") is None:
        return new
    for values in (new, old):
        if str(values.number("latest_version")) == str(version_number):
            return values
    return new if is_new else None


def _make_launch(values: Block, address: str) -> LaunchSettings:
    instance_type = values.text("instance_type")
    volumes = read_template_volumes(values)
    spot = values.text("instance_market_options.0.market_type") == "spot"
    if isinstance(instance_type, str):
        return LaunchSettings(instance_type, "", volumes, spot)
    has_requirements = values.blocks("instance_requirements") != []
    reason = (
        _REQUIREMENTS_REASON if has_requirements else f"of {address}, {explain_missing(instance_type, 'instance_type')}"
    )
    return LaunchSettings(None, reason, volumes, spot)
