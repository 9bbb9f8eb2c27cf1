"""Notebook instances and Studio: idle shutdown and disk sizes.

The limits for disks and idle time are choices of this project. A waiver can give a reason for more.
"""

from sustainable_mlops.catalogue import instances
from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules.attributes import ConfiguredAttributes, check_value
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result

DOMAIN = "aws_sagemaker_domain"
USER_PROFILE = "aws_sagemaker_user_profile"
SPACE = "aws_sagemaker_space"
NOTEBOOK = "aws_sagemaker_notebook_instance"

MAX_DISK_GB = 100
MAX_USER_DISK_GB = 500
MAX_IDLE_MINUTES = 180

_APPS = {"jupyter_lab_app_settings": "JupyterLab", "code_editor_app_settings": "Code Editor"}
_IDLE = "app_lifecycle_management.0.idle_settings.0"


@rule(
    id="SUS_STUDIO_IDLE_SHUTDOWN",
    severity=Severity.WARN,
    title="Idle Studio apps should stop",
    problem="Idle Studio apps do not stop",
    practices=("46",),
    fix=(
        'Set idle_settings { lifecycle_management = "ENABLED", idle_timeout_in_minutes = 60 } for JupyterLab '
        "and Code Editor (SageMaker Distribution 2.0 and later)."
    ),
    types=(DOMAIN,),
)
def studio_idle_shutdown(plan: Plan, domain: Resource) -> RuleResults:
    """Check both app types, because a user can use either of them.

    In shared spaces with settings of their own, check JupyterLab, the only app type there.
    """
    settings = ConfiguredAttributes(plan, domain)
    apps = [(f"default_user_settings.0.{app}", f"{name} apps") for app, name in _APPS.items()]
    shared = settings.block("default_space_settings")
    if shared is UNKNOWN:
        yield unknown_result("it is not known until apply whether there are shared spaces", "default_space_settings")
    elif shared is not None:
        apps.append(("default_space_settings.0.jupyter_lab_app_settings", "JupyterLab apps of shared spaces"))
    for app, name in apps:
        path = f"{app}.0.{_IDLE}"
        managed, minutes = (
            settings.text(f"{path}.lifecycle_management"),
            settings.number(f"{path}.idle_timeout_in_minutes"),
        )
        if managed is UNKNOWN:
            yield unknown_result(f"it is not known until apply whether idle {name} stop", path)
        elif managed != "ENABLED":
            yield failure(f"idle {name} do not stop", path)
        else:
            problem = f"idle {name} run for {minutes} min"
            yield check_value(minutes, f"{path}.idle_timeout_in_minutes", _is_short, problem)


def _is_short(minutes: float | None) -> bool:
    return minutes is None or minutes <= MAX_IDLE_MINUTES


@rule(
    id="SUS_STUDIO_IDLE_OVERRIDE",
    severity=Severity.WARN,
    title="A user profile or space should not disable the idle shutdown of the domain",
    problem="A user profile or space disables the idle shutdown of the domain",
    practices=("46",),
    fix=f"Leave idle_settings to the domain, or keep idle_timeout_in_minutes at {MAX_IDLE_MINUTES} or less.",
    types=(USER_PROFILE, SPACE),
)
def studio_idle_override(plan: Plan, resource: Resource) -> RuleResults:
    """Check only profiles and spaces that set the idle settings."""
    base = "user_settings.0" if resource.type == USER_PROFILE else "space_settings.0"
    settings = ConfiguredAttributes(plan, resource)
    for app in _APPS:
        path = f"{base}.{app}.0.{_IDLE}"
        if settings.get(path) is None:
            continue
        managed, minutes = (
            settings.text(f"{path}.lifecycle_management"),
            settings.number(f"{path}.idle_timeout_in_minutes"),
        )
        if managed is UNKNOWN:
            yield unknown_result("it is not known until apply whether idle apps stop", path)
        elif managed == "DISABLED":
            yield failure("idle apps do not stop", f"{path}.lifecycle_management")
        else:
            yield check_value(minutes, f"{path}.idle_timeout_in_minutes", _is_short, f"idle apps run for {minutes} min")


@rule(
    id="SUS_NOTEBOOK_IDLE_SHUTDOWN",
    severity=Severity.WARN,
    title="An idle notebook instance should stop",
    problem="An idle notebook instance does not stop",
    practices=("46",),
    fix="Set a lifecycle configuration that stops the instance when it is idle, or use Studio with idle_settings.",
    types=(NOTEBOOK,),
)
def notebook_idle_shutdown(_: Plan, notebook: Resource) -> RuleResults:
    """Check for a lifecycle configuration. Any counts, because its script cannot be checked here."""
    if notebook.get("lifecycle_config_name") is None:
        yield failure("nothing stops the instance", "lifecycle_config_name")
    else:
        yield success()


@rule(
    id="SUS_NOTEBOOK_ACCELERATOR",
    severity=Severity.WARN,
    title="A notebook instance should not have a GPU",
    problem="A notebook instance has a GPU or another accelerator",
    practices=("46",),
    fix=(
        "Train in a job, which ends, or use a Studio app with idle_settings. A notebook that starts jobs needs no GPU."
    ),
    types=(NOTEBOOK,),
)
def notebook_without_accelerator(_: Plan, notebook: Resource) -> RuleResults:
    """Check for a GPU or another accelerator. It is mostly idle while the notebook is open."""
    kind = notebook.text("instance_type")
    instance = instances.find(kind) if isinstance(kind, str) else None
    if kind is UNKNOWN:
        yield unknown_result("its instance type is not known until apply", "instance_type")
    elif instance is not None and instance.accelerator is not None:
        name = f"{instance.accelerators} x {instance.accelerator.name}"
        yield failure(f"{kind} has {name}, idle most of the time", "instance_type")
    elif instance is not None:
        yield success()
    elif kind:
        yield unknown_result(instances.explain_unknown(kind), "instance_type")


@rule(
    id="SUS_NOTEBOOK_DISK",
    severity=Severity.WARN,
    title="The disks of notebooks and spaces should be small",
    problem="The disk of a notebook or space is large",
    practices=("22",),
    fix=f"Keep disks at {MAX_DISK_GB} GB or less, limit user disks to {MAX_USER_DISK_GB} GB, and leave data in S3.",
    types=(NOTEBOOK, DOMAIN, USER_PROFILE, SPACE),
)
def disks_are_small(plan: Plan, resource: Resource) -> RuleResults:
    """Check sizes that the configuration sets: SageMaker's own default is 5 GB."""
    settings = ConfiguredAttributes(plan, resource)
    for path in _DISKS[resource.type]:
        size = settings.number(path)
        if size is not None:
            yield check_value(size, path, lambda gb: gb <= MAX_DISK_GB, f"each disk has {size} GB")
        maximum = path.replace("default_ebs_volume", "maximum_ebs_volume")
        if maximum != path and (size := settings.number(maximum)) is not None:
            yield check_value(
                size, maximum, lambda gb: gb <= MAX_USER_DISK_GB, f"each user may create a disk of {size} GB"
            )


_STORAGE = "space_storage_settings.0.default_ebs_storage_settings.0.default_ebs_volume_size_in_gb"
_DISKS = {
    NOTEBOOK: ("volume_size",),
    DOMAIN: (f"default_user_settings.0.{_STORAGE}", f"default_space_settings.0.{_STORAGE}"),
    USER_PROFILE: (f"user_settings.0.{_STORAGE}",),
    SPACE: ("space_settings.0.space_storage_settings.0.ebs_storage_settings.0.ebs_volume_size_in_gb",),
}
