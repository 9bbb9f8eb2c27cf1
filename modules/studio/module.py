"""SageMaker Studio: a domain whose idle apps stop, with users and spaces."""

from typing import Any

from cdktn_provider_aws.sagemaker_domain import SagemakerDomain
from cdktn_provider_aws.sagemaker_space import SagemakerSpace
from cdktn_provider_aws.sagemaker_studio_lifecycle_config import SagemakerStudioLifecycleConfig
from cdktn_provider_aws.sagemaker_user_profile import SagemakerUserProfile

from modules.location_check import check_location
from modules.protection import protect
from modules.studio.inputs import AppType, Inputs
from modules.studio.tracking_server import add_tracking_server
from sustainable_mlops.authoring.expressions import (
    Dynamic,
    base64encode,
    coalesce,
    each_of,
    length,
    list_of,
    map_of,
    merge,
    one_or_null,
    optional,
    sha256,
    truncate,
    when,
)
from sustainable_mlops.authoring.resources import Module, Output, Outputs

#: The shortest timeout that SageMaker supports, in minutes. Users cannot choose a longer one.
IDLE_MINUTES = 60
_IDLE_SETTINGS = {
    "idle_settings": {
        "lifecycle_management": "ENABLED",
        "idle_timeout_in_minutes": IDLE_MINUTES,
        "min_idle_timeout_in_minutes": IDLE_MINUTES,
        "max_idle_timeout_in_minutes": IDLE_MINUTES,
    }
}
#: Types of apps that stop when they are idle, by the name of their settings.
_APP_TYPES: dict[str, AppType] = {"jupyter_lab_app_settings": "JupyterLab", "code_editor_app_settings": "CodeEditor"}


class StudioModule(Module[Inputs]):
    """Domain with idle shutdown and limited disks."""

    def build(self, var: Inputs) -> Outputs:
        script = each_of(var.lifecycle_scripts)
        scripts = self.add(
            SagemakerStudioLifecycleConfig,
            "this",
            why="No API changes a script, so a new script has a new name.",
            for_each=script,
            studio_lifecycle_config_name=f"{var.name_prefix}-{script.key}-{truncate(sha256(script.value.script), 8)}",
            studio_lifecycle_config_app_type=script.value.app_type,
            studio_lifecycle_config_content=base64encode(script.value.script),
            tags=var.tags,
            notes={"lifecycle": "AWS refuses to delete a script that a user profile lists."},
            lifecycle={"create_before_destroy": True},
        )
        domain = self._add_domain(var)
        user = each_of(var.users)
        users = self.add(
            SagemakerUserProfile,
            "this",
            for_each=user,
            domain_id=domain.id,
            user_profile_name=user.key,
            single_sign_on_user_identifier=one_or_null(
                list_of(optional(user.value.sso_user_name), lambda _name: "UserName")
            ),
            single_sign_on_user_value=user.value.sso_user_name,
            user_settings={
                "execution_role": coalesce(user.value.role_arn, var.role_arn),
                **{
                    settings: {
                        "app_lifecycle_management": _IDLE_SETTINGS,
                        "lifecycle_config_arns": _list_arns(var, scripts, app_type),
                    }
                    for settings, app_type in _APP_TYPES.items()
                },
            },
            tags=var.tags,
        )
        space = each_of(var.spaces)
        spaces = self.add(
            SagemakerSpace,
            "this",
            for_each=space,
            domain_id=domain.id,
            space_name=space.key,
            ownership_settings={"owner_user_profile_name": users[space.value.user].user_profile_name},
            space_sharing_settings={"sharing_type": "Private"},
            space_settings={
                "app_type": space.value.app_type,
                "space_storage_settings": {"ebs_storage_settings": {"ebs_volume_size_in_gb": space.value.disk_gb}},
            },
            tags=var.tags,
            notes={
                "lifecycle": "Studio writes its settings when a user starts an app. AWS refuses each update of the "
                "provider, because it has the type of the app."
            },
            lifecycle={"ignore_changes": ["space_settings"]},
        )
        servers = add_tracking_server(self)
        protect(
            self,
            merge(
                {"home_directories": domain.arn},
                map_of(spaces, lambda one: one.arn),
                map_of(servers, lambda one: one.arn),
            ),
        )
        check_location(self)
        return {
            "domain_arn": Output(domain.arn, "ARN of the domain."),
            "domain_id": Output(domain.id, "ID of the domain."),
            "file_system_id": Output(domain.home_efs_file_system_id, "File system with the home directories."),
            "tracking_server_arn": Output(
                one_or_null(list_of(servers, lambda one: one.arn)),
                "ARN of the tracking server, which MLflow takes as its tracking URI; null without one.",
            ),
            "tracking_server_url": Output(
                one_or_null(list_of(servers, lambda one: one.tracking_server_url)),
                "Address of the tracking server; null without one.",
            ),
            "url": Output(domain.url, "Address of Studio."),
            "user_profile_arns": Output(map_of(users, lambda one: one.arn), "User profiles by name."),
        }

    def _add_domain(self, var: Inputs) -> Any:
        nothing: list[list[str]] = []
        common = {
            "execution_role": var.role_arn,
            "security_groups": var.security_group_ids,
            "space_storage_settings": {
                "default_ebs_storage_settings": {
                    "default_ebs_volume_size_in_gb": var.disk_gb.default,
                    "maximum_ebs_volume_size_in_gb": var.disk_gb.max,
                }
            },
        }
        return self.add(
            SagemakerDomain,
            "this",
            domain_name=f"{var.name_prefix}-studio",
            auth_mode=var.auth_mode,
            vpc_id=var.vpc_id,
            subnet_ids=var.subnet_ids,
            app_network_access_type=var.network_access,
            kms_key_id=var.kms_key_arn,
            tag_propagation="ENABLED",
            default_user_settings={
                **common,
                "default_landing_uri": "studio::",
                "studio_web_portal": "ENABLED",
                "studio_web_portal_settings": Dynamic(
                    when(length(var.hidden_instance_types) > 0, [var.hidden_instance_types], nothing),
                    lambda hidden: {"hidden_instance_types": hidden.value},
                ),
                **{settings: {"app_lifecycle_management": _IDLE_SETTINGS} for settings in _APP_TYPES},
            },
            default_space_settings={
                **common,
                "jupyter_lab_app_settings": {"app_lifecycle_management": _IDLE_SETTINGS},
            },
            retention_policy={"home_efs_file_system": when(var.keep_home_directories, "Retain", "Delete")},
            tags=var.tags,
            notes={"tag_propagation": "Apps get the tags of the domain, so their cost has an owner."},
        )


def _list_arns(var: Inputs, scripts: Any, app_type: AppType) -> list[str]:
    """Return the ARNs of the scripts for a type of apps."""
    return list_of(
        var.lifecycle_scripts,
        lambda name, _script: scripts[name].arn,
        where=lambda _name, script: script.app_type == app_type,
    )
