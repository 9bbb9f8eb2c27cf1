"""Cases of rules/account/studio.py."""

from typing import Any

from tests.rules.jobs import UNKNOWN, Resources

_APPS = ("jupyter_lab_app_settings", "code_editor_app_settings")


def _idle(**settings: Any) -> dict[str, Any]:
    return {app: {"app_lifecycle_management": {"idle_settings": settings}} for app in _APPS}


def _domain(**settings: Any) -> Resources:
    return {"aws_sagemaker_domain.d": {"domain_name": "d", "default_user_settings": settings}}


def _profile(**settings: Any) -> Resources:
    return {"aws_sagemaker_user_profile.u": {"user_profile_name": "u", "user_settings": settings}}


def _space(**settings: Any) -> Resources:
    return {"aws_sagemaker_space.s": {"space_name": "s", "space_settings": settings}}


def _notebook(**settings: Any) -> Resources:
    return {"aws_sagemaker_notebook_instance.n": {"name": "n", **settings}}


def _disk(size: Any, maximum: Any = 500) -> dict[str, Any]:
    storage = {"default_ebs_volume_size_in_gb": size, "maximum_ebs_volume_size_in_gb": maximum}
    return {"space_storage_settings": {"default_ebs_storage_settings": storage}}


_ON = "ENABLED"
_HOUR = _idle(lifecycle_management=_ON, idle_timeout_in_minutes=60)


def _share_settings(**settings: Any) -> Resources:
    return {"aws_sagemaker_domain.d": {"default_user_settings": _HOUR, "default_space_settings": settings}}


CASES = {
    "SUS_STUDIO_IDLE_SHUTDOWN": {
        "pass": {
            "an hour": _domain(**_HOUR),
            "an hour in shared spaces": _share_settings(jupyter_lab_app_settings=_HOUR["jupyter_lab_app_settings"]),
        },
        "fail": {
            "not set": _domain(),
            "disabled": _domain(**_idle(lifecycle_management="DISABLED")),
            "a day": _domain(**_idle(lifecycle_management=_ON, idle_timeout_in_minutes=1440)),
            "JupyterLab alone": _domain(jupyter_lab_app_settings=_HOUR["jupyter_lab_app_settings"]),
            "not in shared spaces": _share_settings(),
        },
        "unknown": {
            "unknown": _domain(**_idle(lifecycle_management=UNKNOWN)),
            "unknown shared spaces": {
                "aws_sagemaker_domain.d": {"default_user_settings": _HOUR, "default_space_settings": UNKNOWN}
            },
        },
        "not_applicable": {"no domain": _notebook()},
    },
    "SUS_STUDIO_IDLE_OVERRIDE": {
        "pass": {
            "sooner": _profile(**_idle(idle_timeout_in_minutes=60)),
            "three hours": _profile(**_idle(idle_timeout_in_minutes=180)),
        },
        "fail": {
            "later": _profile(**_idle(idle_timeout_in_minutes=1440)),
            "a minute more than three hours": _profile(**_idle(idle_timeout_in_minutes=181)),
            "never": _profile(**_idle(lifecycle_management="DISABLED")),
            "later in a space": _space(**_idle(idle_timeout_in_minutes=1440)),
        },
        "unknown": {"unknown": _space(**_idle(idle_timeout_in_minutes=UNKNOWN))},
        "not_applicable": {"not set": {**_profile(), **_space()}},
    },
    "SUS_NOTEBOOK_IDLE_SHUTDOWN": {
        "pass": {
            "configuration": _notebook(lifecycle_config_name="stop"),
            "known after apply": _notebook(lifecycle_config_name=UNKNOWN),
        },
        "fail": {"none": _notebook()},
        "unknown": "an unknown configuration counts",
        "not_applicable": {"no notebook": _domain()},
    },
    "SUS_NOTEBOOK_ACCELERATOR": {
        "pass": {"a CPU": _notebook(instance_type="ml.t3.medium")},
        "fail": {
            "a GPU": _notebook(instance_type="ml.g4dn.xlarge"),
            "eight GPUs": _notebook(instance_type="ml.p3.16xlarge"),
            "a Neuron chip": _notebook(instance_type="ml.inf1.xlarge"),
        },
        "unknown": {
            "known after apply": _notebook(instance_type=UNKNOWN),
            "an unknown instance type": _notebook(instance_type="ml.q9.large"),
        },
        "not_applicable": {"no notebook": _domain()},
    },
    "SUS_NOTEBOOK_DISK": {
        "pass": {"20 GB": _notebook(volume_size=20), "domain": _domain(**_disk(50))},
        "fail": {
            "a terabyte": _notebook(volume_size=1000),
            "domain": _domain(**_disk(500)),
            "a large user limit": _domain(**_disk(20, maximum=16_384)),
            "profile": _profile(**_disk(500)),
            "space": _space(space_storage_settings={"ebs_storage_settings": {"ebs_volume_size_in_gb": 500}}),
        },
        "unknown": {
            "unknown": _notebook(volume_size=UNKNOWN),
            "unknown maximum": _domain(**_disk(20, maximum=UNKNOWN)),
        },
        "not_applicable": {"default": {**_notebook(), **_domain(), **_profile(), **_space()}},
    },
}
