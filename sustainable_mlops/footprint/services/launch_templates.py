"""What machines are launched from: the launch template or launch configuration that a resource names."""

from typing import NamedTuple

from sustainable_mlops.footprint.services.ec2_machines import NO_VOLUMES, Kind, Volumes, mapped, root_and_others
from sustainable_mlops.footprint.services.plan_side import Side, known_number, says
from sustainable_mlops.plan import UNKNOWN, Block, Resource
from sustainable_mlops.plan import Unknown as Unsure

TEMPLATE = "aws_launch_template"
_CONFIGURATION = "aws_launch_configuration"
_DEFAULT = "$Default"
_REQUIRED = "its instance types are whichever meet instance_requirements"


class Launch(NamedTuple):
    """What is said of the machines. Where nothing is, `reason` says why."""

    instance_type: str | None = None
    #: What takes the type's place, where none is given.
    reason: str = ""
    volumes: Volumes = NO_VOLUMES
    spot: bool = False


def of_template(resource: Resource, path: str, side: Side) -> Launch:
    """The launch template that the block at `path` names by its id or its name, in the version that it names."""
    found = _template(resource, path, side)
    if not isinstance(found, Resource):
        reason = "cannot be told until apply" if found is UNKNOWN else "is not in this plan"
        return Launch(reason=f"its launch template {reason}")
    version = side.values(resource).text(f"{path}.version")
    if version is UNKNOWN and side.joins.configured(resource, f"{path}.version") is False:
        version = _DEFAULT
    values = _version(found, version, side)
    if values is None:
        return Launch(reason=f"version {version} of {found.address} is not in this plan")
    return _launch(values, found.address)


def of_configuration(resource: Resource, path: str, side: Side) -> Launch:
    """The launch configuration that the attribute at `path` names."""
    found = side.joins.target(resource, path, _CONFIGURATION)
    if not isinstance(found, Resource):
        reason = "cannot be told until apply" if found is UNKNOWN else "is not in this plan"
        return Launch(reason=f"its launch configuration {reason}")
    values = side.values(found)
    instance_type = values.text("instance_type")
    volumes, spot = root_and_others(found, values, side), values.text("spot_price") not in (None, "")
    if not isinstance(instance_type, str):
        return Launch(None, f"of {found.address}, {says(instance_type, 'instance_type')}", volumes, spot)
    return Launch(instance_type, "", volumes, spot)


def kinds(blocks: list[Block], launch: Launch) -> tuple[Kind, ...] | str:
    """The types of a list of overrides, each with its weight, else the template's own type; or why nobody knows."""
    if not blocks:
        return (Kind(launch.instance_type),) if launch.instance_type is not None else launch.reason
    found = []
    for block in blocks:
        if block.blocks("instance_requirements") != []:
            return _REQUIRED
        instance_type, weight = block.text("instance_type"), weight_of(block)
        own = launch.instance_type if instance_type in (None, "") else instance_type
        if not isinstance(own, str) or weight is None:
            return says(instance_type if weight is not None else UNKNOWN, "an instance type, or what one counts for,")
        found.append(Kind(own, weight))
    return tuple(dict.fromkeys(found))


def weight_of(block: Block) -> float | None:
    """What one machine counts for, 1 unless it is said; None where nobody knows."""
    if block.get("weighted_capacity") in (None, "", 0):  # a set holds "" or 0 where nothing is set
        return 1.0
    weight = known_number(block.number("weighted_capacity"))
    return weight or None


def _template(resource: Resource, path: str, side: Side) -> Resource | Unsure | None:
    """By its id or its name, as AWS fills in the one that is not given."""
    values, untold = side.values(resource), False
    for name in (f"{path}.{prefix}{name}" for prefix in ("", "launch_template_") for name in ("id", "name")):
        found = side.joins.target(resource, name, TEMPLATE)
        if isinstance(found, Resource):
            return found
        if found is None and isinstance(values.text(name), str):
            return None
        untold = untold or found is UNKNOWN
    # What a block made by `dynamic` refers to is not written down.
    return (side.only(TEMPLATE, resource.module) or UNKNOWN) if untold else None


def _version(template: Resource, version: "str | Unsure | None", side: Side) -> Block | None:
    """Its values in `version`; None where the plan does not hold it. A change of the template makes a new version."""
    new, old, fresh = side.values(template), template.old, template.action in ("create", "replace")
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


def _launch(values: Block, address: str) -> Launch:
    instance_type = values.text("instance_type")
    volumes = mapped(values)
    spot = values.text("instance_market_options.0.market_type") == "spot"
    if isinstance(instance_type, str):
        return Launch(instance_type, "", volumes, spot)
    required = values.blocks("instance_requirements") != []
    reason = _REQUIRED if required else f"of {address}, {says(instance_type, 'instance_type')}"
    return Launch(None, reason, volumes, spot)
