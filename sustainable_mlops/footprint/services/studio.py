"""Notebooks and Studio apps, and their volumes, which remain when they stop."""

import re
from base64 import b64decode
from contextlib import suppress

from sustainable_mlops.base.lazy_pattern import LazyPattern
from sustainable_mlops.footprint.activities import ALWAYS, ONE, FleetActivity, StorageActivity
from sustainable_mlops.footprint.coefficients import load_assumptions
from sustainable_mlops.footprint.figures import UnknownItem, UnknownKind
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import ResourcePart, make_part, make_unknown_part
from sustainable_mlops.footprint.services.plan_side import (
    PlanSide,
    explain_missing,
    get_usage_or_default,
    to_known_number,
)
from sustainable_mlops.footprint.usage import UsageKeys
from sustainable_mlops.plan import UNKNOWN, Block, Resource
from sustainable_mlops.plan import Unknown as Maybe

#: App types that a domain can stop when idle, and their settings.
_APP_SETTINGS = {"JupyterLab": "jupyter_lab_app_settings", "CodeEditor": "code_editor_app_settings"}
#: Pattern of a script that stops an idle notebook, as in the samples of AWS ("auto-stop-idle", autostop.py).
_IDLE_STOP_PATTERN = LazyPattern(r"auto[-_]?stop|idle", re.IGNORECASE)
_LIFECYCLE = "aws_sagemaker_notebook_instance_lifecycle_configuration"
#: Default volume size of a notebook and minimum of a space in the API.
_SMALLEST_GB = 5.0


def read_notebook(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return a notebook instance and its volume.

    The instance is always on unless its lifecycle script stops it when idle. The volume remains.
    """
    values, keys, region = side.get_values(resource), side.get_usage(resource.address), side.find_region(resource)
    volume = _make_volume(values.number("volume_size"), region)
    instance_type = values.text("instance_type")
    if not isinstance(instance_type, str):
        return [make_unknown_part("notebook", "notebook", explain_missing(instance_type, "instance_type")), volume]
    stops = _is_stopped_by_script(resource, side)
    fleet = FleetActivity(
        instance_type=instance_type,
        region=region,
        hours=_get_hours(keys, stops is not False),
        duty=get_usage_or_default(keys, "duty", "notebook_load"),
    )
    note = UnknownItem(
        "idle stop", "its lifecycle script is not in this plan; the estimate assumes that it stops the notebook"
    )
    unsure = stops is UNKNOWN and keys.get("hours_per_month") is None
    return [make_part("notebook", "notebook", fleet, (note,) if unsure else ()), volume]


def _is_stopped_by_script(resource: Resource, side: PlanSide) -> bool | Maybe:
    """Return whether the lifecycle configuration stops the notebook when idle; UNKNOWN if it cannot be read."""
    if side.get_values(resource).text("lifecycle_config_name") in (None, ""):  # the provider stores "" for none
        return False
    configuration = side.joins.find_target(resource, "lifecycle_config_name", _LIFECYCLE)
    if not isinstance(configuration, Resource):
        return UNKNOWN
    scripts = [side.get_values(configuration).text(key) for key in ("on_start", "on_create")]
    if any(isinstance(script, str) and _IDLE_STOP_PATTERN.search(_decode(script)) for script in scripts):
        return True
    return UNKNOWN if UNKNOWN in scripts else False


def _decode(script: str) -> str:
    with suppress(ValueError):
        return b64decode(script, validate=True).decode()
    return script


def _get_hours(keys: UsageKeys, stops: bool) -> Quantity:
    return keys.get("hours_per_month") or (load_assumptions()["notebook_hours_with_idle_stop"] if stops else ALWAYS)


def _make_volume(gb: object, region: str | None, count: Quantity = ONE) -> ResourcePart:
    """Return the volumes of `count` notebooks or spaces, which exist all month."""
    size = _SMALLEST_GB if gb is None else to_known_number(gb)
    if size is None:
        return make_unknown_part(
            "volume", "storage", explain_missing(gb, "the size of its volume"), unknown_kind=UnknownKind.USAGE
        )
    return make_part("volume", "storage", StorageActivity("volume", region, count * size))


def read_app(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return an app that Terraform starts; it is on until deletion unless its domain stops idle apps of its type."""
    values, keys = side.get_values(resource), side.get_usage(resource.address)
    instance_type = values.text("resource_spec.0.instance_type")
    if not isinstance(instance_type, str):
        return [make_unknown_part("app", "app", explain_missing(instance_type, "resource_spec.instance_type"))]
    domain = side.joins.find_target(resource, "domain_id", "aws_sagemaker_domain")
    settings = _APP_SETTINGS.get(str(values.text("app_type")))
    stops = settings is not None and isinstance(domain, Resource) and _has_idle_stop(side.get_values(domain), settings)
    fleet = FleetActivity(
        instance_type=instance_type,
        region=side.find_region(resource),
        hours=_get_hours(keys, stops),
        duty=get_usage_or_default(keys, "duty", "notebook_load"),
    )
    return [make_part("app", "app", fleet)]


def _has_idle_stop(domain: Block, settings: str) -> bool:
    idle = "app_lifecycle_management.0.idle_settings.0.lifecycle_management"
    return domain.text(f"default_user_settings.0.{settings}.0.{idle}") == "ENABLED"


def read_domain(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the apps that people start in a domain and their volumes, as given in the usage file."""
    storage = "space_storage_settings.0.default_ebs_storage_settings.0.default_ebs_volume_size_in_gb"
    apps, keys = _read_apps(resource, side, "default_user_settings.0"), side.get_usage(resource.address)
    if apps.activity is None:
        return [apps._replace(is_whole_resource=True)]
    gb = side.get_values(resource).number(f"default_user_settings.0.{storage}")
    return [apps, _make_volume(gb, side.find_region(resource), keys.get("instances") or ONE)]


def read_space(resource: Resource, side: PlanSide) -> list[ResourcePart]:
    """Return the app of a space, and its volume, which exists permanently."""
    values = side.get_values(resource)
    gb = values.number("space_settings.0.space_storage_settings.0.ebs_storage_settings.0.ebs_volume_size_in_gb")
    apps = _read_apps(resource, side, "space_settings.0")
    has_volume = gb is not None or values.text("space_settings.0.app_type") in tuple(_APP_SETTINGS)
    return [apps, _make_volume(gb, side.find_region(resource))] if has_volume else [apps]


def _read_apps(resource: Resource, side: PlanSide, settings: str) -> ResourcePart:
    values, keys = side.get_values(resource), side.get_usage(resource.address)
    hours = keys.get("hours_per_month")
    if hours is None:
        reason = "a plan does not contain the hours of apps that people start; set hours_per_month in the usage file"
        return make_unknown_part("apps", "app", reason, unknown_kind=UnknownKind.USAGE)
    instance_types = [
        values.text(f"{settings}.{app}.0.default_resource_spec.0.instance_type") for app in _APP_SETTINGS.values()
    ]
    instance_type = next((one for one in instance_types if isinstance(one, str)), None)
    if instance_type is None:
        return make_unknown_part("apps", "app", "default_resource_spec.instance_type is not given")
    fleet = FleetActivity(
        instance_type=instance_type,
        region=side.find_region(resource),
        count=keys.get("instances") or ONE,
        hours=hours,
        duty=get_usage_or_default(keys, "duty", "notebook_load"),
    )
    return make_part("apps", "app", fleet)
