"""Notebook instances and Studio: what stops by itself, and disks of a size that is used.

The largest disks and the longest idle time are choices of this project; a waiver says why more is needed.
"""

from sustainable_mlops.catalogue import instances
from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules.reading import Settings, judge
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown

DOMAIN = "aws_sagemaker_domain"
USER_PROFILE = "aws_sagemaker_user_profile"
SPACE = "aws_sagemaker_space"
NOTEBOOK = "aws_sagemaker_notebook_instance"

LARGEST_DISK_GB = 100
MOST_DISK_GB = 500
LONGEST_IDLE_MINUTES = 180

_APPS = ("jupyter_lab_app_settings", "code_editor_app_settings")
_IDLE = "app_lifecycle_management.0.idle_settings.0"


@rule(
    id="SUS_STUDIO_IDLE_SHUTDOWN",
    severity=Severity.WARN,
    title="Studio apps stop when nobody uses them",
    practices=("46",),
    fix='Set idle_settings { lifecycle_management = "ENABLED", idle_timeout_in_minutes = 60 } for JupyterLab and Code '
    "Editor (SageMaker Distribution 2.0 and later).",
    types=(DOMAIN,),
)
def apps_stop(plan: Plan, domain: Resource) -> Verdicts:
    """Of both app types: whoever cannot use one uses the other. Of shared spaces, which have settings of their own
    and JupyterLab alone, where they are set up."""
    settings = Settings(plan, domain)
    apps = [f"default_user_settings.0.{app}" for app in _APPS]
    shared = settings.block("default_space_settings")
    if shared is UNKNOWN:
        yield unknown("whether there are shared spaces is not known until apply", "default_space_settings")
    elif shared is not None:
        apps.append(f"default_space_settings.0.{_APPS[0]}")
    for app in apps:
        path = f"{app}.0.{_IDLE}"
        managed, minutes = (
            settings.text(f"{path}.lifecycle_management"),
            settings.number(f"{path}.idle_timeout_in_minutes"),
        )
        if managed is UNKNOWN:
            yield unknown("whether idle apps stop is not known until apply", path)
        elif managed != "ENABLED":
            yield failed("apps that nobody uses run on", path)
        else:
            yield judge(minutes, f"{path}.idle_timeout_in_minutes", _soon, f"idle apps run for {minutes} min")


def _soon(minutes: float | None) -> bool:
    return minutes is None or minutes <= LONGEST_IDLE_MINUTES


@rule(
    id="SUS_STUDIO_IDLE_OVERRIDE",
    severity=Severity.WARN,
    title="No user or space keeps apps running that the domain would stop",
    practices=("46",),
    fix=f"Leave idle_settings to the domain, or keep idle_timeout_in_minutes at {LONGEST_IDLE_MINUTES} or less.",
    types=(USER_PROFILE, SPACE),
)
def no_override(plan: Plan, resource: Resource) -> Verdicts:
    """Only of those that say something about it."""
    base = "user_settings.0" if resource.type == USER_PROFILE else "space_settings.0"
    settings = Settings(plan, resource)
    for app in _APPS:
        path = f"{base}.{app}.0.{_IDLE}"
        if settings.get(path) is None:
            continue
        managed, minutes = (
            settings.text(f"{path}.lifecycle_management"),
            settings.number(f"{path}.idle_timeout_in_minutes"),
        )
        if managed is UNKNOWN:
            yield unknown("whether idle apps stop is not known until apply", path)
        elif managed == "DISABLED":
            yield failed("apps that nobody uses run on", f"{path}.lifecycle_management")
        else:
            yield judge(minutes, f"{path}.idle_timeout_in_minutes", _soon, f"idle apps run for {minutes} min")


@rule(
    id="SUS_NOTEBOOK_IDLE_SHUTDOWN",
    severity=Severity.WARN,
    title="A notebook instance stops when nobody uses it",
    practices=("46",),
    fix="Name a lifecycle configuration that stops it when idle, or use Studio with idle_settings.",
    types=(NOTEBOOK,),
)
def notebook_stops(_: Plan, notebook: Resource) -> Verdicts:
    """Any lifecycle configuration counts: what its script does cannot be judged here."""
    if notebook.get("lifecycle_config_name") is None:
        yield failed("nothing stops the instance", "lifecycle_config_name")
    else:
        yield passed()


@rule(
    id="SUS_NOTEBOOK_ACCELERATOR",
    severity=Severity.WARN,
    title="A notebook instance has no GPU",
    practices=("46",),
    fix="Train in a job, which ends, or use a Studio app with idle_settings; a notebook that starts jobs needs no GPU.",
    types=(NOTEBOOK,),
)
def notebook_without_accelerator(_: Plan, notebook: Resource) -> Verdicts:
    """Nor another accelerator. It is on, and mostly idle, for as long as the notebook is open."""
    kind = notebook.text("instance_type")
    found = instances.find(kind) if isinstance(kind, str) else None
    if kind is UNKNOWN:
        yield unknown("its instance type is not known until apply", "instance_type")
    elif found is not None and found.accelerator is not None:
        name = f"{found.accelerators} x {found.accelerator.name}"
        yield failed(f"{kind} has {name}, which idle while somebody writes", "instance_type")
    elif found is not None:
        yield passed()
    elif kind:
        yield unknown(instances.why_unknown(kind), "instance_type")


@rule(
    id="SUS_NOTEBOOK_DISK",
    severity=Severity.WARN,
    title="The disks of notebooks and spaces are of a size that is used",
    practices=("22",),
    fix=f"Keep disks at {LARGEST_DISK_GB} GB or less, let nobody take more than {MOST_DISK_GB} GB, leave data in S3.",
    types=(NOTEBOOK, DOMAIN, USER_PROFILE, SPACE),
)
def disks_are_small(plan: Plan, resource: Resource) -> Verdicts:
    """Only of sizes that somebody set: SageMaker's own default is 5 GB."""
    settings = Settings(plan, resource)
    for path in _DISKS[resource.type]:
        size = settings.number(path)
        if size is not None:
            yield judge(size, path, lambda gb: gb <= LARGEST_DISK_GB, f"each disk has {size} GB, used or not")
        most = path.replace("default_ebs_volume", "maximum_ebs_volume")
        if most != path and (size := settings.number(most)) is not None:
            yield judge(size, most, lambda gb: gb <= MOST_DISK_GB, f"anybody may take a disk of {size} GB")


_STORAGE = "space_storage_settings.0.default_ebs_storage_settings.0.default_ebs_volume_size_in_gb"
_DISKS = {
    NOTEBOOK: ("volume_size",),
    DOMAIN: (f"default_user_settings.0.{_STORAGE}", f"default_space_settings.0.{_STORAGE}"),
    USER_PROFILE: (f"user_settings.0.{_STORAGE}",),
    SPACE: ("space_settings.0.space_storage_settings.0.ebs_storage_settings.0.ebs_volume_size_in_gb",),
}
