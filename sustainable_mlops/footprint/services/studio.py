"""Notebooks and Studio apps, and the volumes that stay when they stop."""

import re
from base64 import b64decode
from contextlib import suppress
from dataclasses import replace

from sustainable_mlops.footprint.activities import ALWAYS, ONE, Fleet, Storage
from sustainable_mlops.footprint.coefficients import assumptions
from sustainable_mlops.footprint.figures import Lack, Unknown
from sustainable_mlops.footprint.quantities import Quantity
from sustainable_mlops.footprint.resource_parts import Part, known, unknown
from sustainable_mlops.footprint.services.plan_side import Side, default, known_number, says
from sustainable_mlops.footprint.usage import Keys
from sustainable_mlops.plan import UNKNOWN, Block, Resource
from sustainable_mlops.plan import Unknown as Maybe

#: The types of apps that a domain can stop when idle, and their settings.
_APPS = {"JupyterLab": "jupyter_lab_app_settings", "CodeEditor": "code_editor_app_settings"}
#: What is in a script that stops an idle notebook, as in AWS's samples ("auto-stop-idle", autostop.py).
_STOPS_IDLE = re.compile(r"auto[-_]?stop|idle", re.IGNORECASE)
_LIFECYCLE = "aws_sagemaker_notebook_instance_lifecycle_configuration"
#: The API's own default for a notebook, and its least for a space.
_SMALLEST_GB = 5.0


def of_notebook(resource: Resource, side: Side) -> list[Part]:
    """A notebook instance: on all the time, unless its lifecycle script stops it when idle. Its volume stays on."""
    values, keys, region = side.values(resource), side.usage(resource.address), side.region(resource)
    volume = _volume(values.number("volume_size"), region)
    instance_type = values.text("instance_type")
    if not isinstance(instance_type, str):
        return [unknown("notebook", "notebook", says(instance_type, "instance_type")), volume]
    stops = _stopped_by_script(resource, side)
    fleet = Fleet(
        instance_type=instance_type,
        region=region,
        hours=_hours(keys, stops is not False),
        duty=default(keys, "duty", "notebook_load"),
    )
    note = Unknown("idle stop", "what its lifecycle script does is not in this plan; it is taken to stop the notebook")
    unsure = stops is UNKNOWN and keys.get("hours_per_month") is None
    return [known("notebook", "notebook", fleet, (note,) if unsure else ()), volume]


def _stopped_by_script(resource: Resource, side: Side) -> bool | Maybe:
    """Whether its lifecycle configuration stops it when idle."""
    if side.values(resource).text("lifecycle_config_name") in (None, ""):  # the provider stores "" where there is none
        return False
    found = side.joins.target(resource, "lifecycle_config_name", _LIFECYCLE)
    if not isinstance(found, Resource):
        return UNKNOWN
    scripts = [side.values(found).text(key) for key in ("on_start", "on_create")]
    if any(isinstance(script, str) and _STOPS_IDLE.search(_decoded(script)) for script in scripts):
        return True
    return UNKNOWN if UNKNOWN in scripts else False


def _decoded(script: str) -> str:
    with suppress(ValueError):
        return b64decode(script, validate=True).decode()
    return script


def _hours(keys: Keys, stops: bool) -> Quantity:
    return keys.get("hours_per_month") or (assumptions()["notebook_hours_with_idle_stop"] if stops else ALWAYS)


def _volume(gb: object, region: str | None, count: Quantity = ONE) -> Part:
    """The volumes of `count` notebooks or spaces, which are there all month, on or off."""
    size = _SMALLEST_GB if gb is None else known_number(gb)
    if size is None:
        return unknown("volume", "storage", says(gb, "the size of its volume"), lack=Lack.USE)
    return known("volume", "storage", Storage("volume", region, count * size))


def of_app(resource: Resource, side: Side) -> list[Part]:
    """An app that Terraform starts: on until it is deleted, unless its domain stops idle apps of its type."""
    values, keys = side.values(resource), side.usage(resource.address)
    instance_type = values.text("resource_spec.0.instance_type")
    if not isinstance(instance_type, str):
        return [unknown("app", "app", says(instance_type, "resource_spec.instance_type"))]
    domain = side.joins.target(resource, "domain_id", "aws_sagemaker_domain")
    settings = _APPS.get(str(values.text("app_type")))
    stops = settings is not None and isinstance(domain, Resource) and _stops_idle(side.values(domain), settings)
    fleet = Fleet(
        instance_type=instance_type,
        region=side.region(resource),
        hours=_hours(keys, stops),
        duty=default(keys, "duty", "notebook_load"),
    )
    return [known("app", "app", fleet)]


def _stops_idle(domain: Block, settings: str) -> bool:
    idle = "app_lifecycle_management.0.idle_settings.0.lifecycle_management"
    return domain.text(f"default_user_settings.0.{settings}.0.{idle}") == "ENABLED"


def of_domain(resource: Resource, side: Side) -> list[Part]:
    """The apps that people start in a domain, and their volumes: as the usage file says, as no plan does."""
    storage = "space_storage_settings.0.default_ebs_storage_settings.0.default_ebs_volume_size_in_gb"
    apps, keys = _apps(resource, side, "default_user_settings.0"), side.usage(resource.address)
    if apps.activity is None:
        return [replace(apps, whole=True)]
    gb = side.values(resource).number(f"default_user_settings.0.{storage}")
    return [apps, _volume(gb, side.region(resource), keys.get("instances") or ONE)]


def of_space(resource: Resource, side: Side) -> list[Part]:
    """The app that someone starts in a space, and its volume, which is there before and after."""
    values = side.values(resource)
    gb = values.number("space_settings.0.space_storage_settings.0.ebs_storage_settings.0.ebs_volume_size_in_gb")
    apps = _apps(resource, side, "space_settings.0")
    has_volume = gb is not None or values.text("space_settings.0.app_type") in tuple(_APPS)
    return [apps, _volume(gb, side.region(resource))] if has_volume else [apps]


def _apps(resource: Resource, side: Side, settings: str) -> Part:
    values, keys = side.values(resource), side.usage(resource.address)
    hours = keys.get("hours_per_month")
    if hours is None:
        reason = "a plan does not say which apps people start, and for how long; give hours_per_month in the usage file"
        return unknown("apps", "app", reason, lack=Lack.USE)
    found = [values.text(f"{settings}.{app}.0.default_resource_spec.0.instance_type") for app in _APPS.values()]
    instance_type = next((one for one in found if isinstance(one, str)), None)
    if instance_type is None:
        return unknown("apps", "app", "default_resource_spec.instance_type is not given")
    fleet = Fleet(
        instance_type=instance_type,
        region=side.region(resource),
        count=keys.get("instances") or ONE,
        hours=hours,
        duty=default(keys, "duty", "notebook_load"),
    )
    return known("apps", "app", fleet)
