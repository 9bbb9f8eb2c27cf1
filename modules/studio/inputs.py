"""Inputs of `studio`."""

from typing import Annotated, Literal

from modules.common import (
    EntityName,
    KmsKeyArn,
    LocatedInputs,
    ProtectedInputs,
    RoleArn,
    RoleInputs,
    SecurityGroupId,
    SubnetId,
    VpcId,
    make_instance_type_field,
    make_prefix_field,
)
from modules.location import require_key_in_region, require_role_of_account
from modules.schedules import Cron, has_valid_fields, is_time_zone, join_invalid_fields
from sustainable_mlops.authoring import Field, ModuleInputs, must, rule
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    base64encode,
    contains,
    every,
    flatten,
    is_null,
    keys,
    length,
    list_of,
    optional,
)
from sustainable_mlops.catalogue.limits import make_name_pattern

ScriptName = Annotated[
    str,
    Field(
        pattern=make_name_pattern(29),
        json_schema_extra=must("be 1 to 29 letters, digits and hyphens, such as private-index"),
    ),
]
InstanceType = Annotated[str, make_instance_type_field("ml.t3.medium")]
AppType = Literal["JupyterLab", "CodeEditor"]
#: Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateStudioLifecycleConfig.html
LONGEST_SCRIPT = 16384
#: Limits of an EBS volume of a space, in GB:
#: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DefaultEbsStorageSettings.html
SMALLEST_GB, LARGEST_GB = 5, 16384


class LifecycleScript(ModuleInputs):
    app_type: AppType = Field("JupyterLab", description="Type of the apps: JupyterLab or CodeEditor.")
    script: str = Field(description="Shell script that runs when an app starts.", min_length=1)


class Space(ModuleInputs):
    """Private space of a user."""

    app_type: AppType = Field(
        "JupyterLab",
        description="Type of the app of a new space: JupyterLab or CodeEditor. A change has no effect on a space.",
    )
    disk_gb: int = Field(
        SMALLEST_GB,
        ge=SMALLEST_GB,
        description="Disk of a new space, in GB; at most disk_gb.max. A change has no effect on a space.",
    )
    user: EntityName = Field(description="Owner of the space: a key of users.")


class Disk(ModuleInputs):
    default: int = Field(SMALLEST_GB, ge=SMALLEST_GB, le=LARGEST_GB, description="Disk of a new space, in GB.")
    max: int = Field(50, ge=SMALLEST_GB, le=LARGEST_GB, description="Largest disk that a user can choose, in GB.")


class TrackingServerOffHours(ModuleInputs):
    """Schedule in which a tracking server is stopped."""

    begin: Cron = Field(description="Time at which the server stops, such as cron(0 20 ? * MON-FRI *).")
    end: Cron | None = Field(
        None, description="Time at which it starts, such as cron(0 7 ? * MON-FRI *). Default: its users start it."
    )
    timezone: str = Field(description="Time zone of begin and end, such as Europe/Stockholm.")

    rules = (
        rule(
            "begin",
            lambda v: has_valid_fields(v.begin),
            lambda v: f"{v.begin} has invalid {join_invalid_fields(v.begin)}.",
        ),
        rule(
            "end",
            lambda v: every(optional(v.end), has_valid_fields),
            lambda v: f"{v.end} has invalid {join_invalid_fields(assume_not_null(v.end))}.",
        ),
        rule(
            "timezone",
            lambda v: is_time_zone(v.timezone),
            lambda v: f"{v.timezone} is not the name of a time zone; use one such as Europe/Stockholm, or UTC.",
        ),
    )


class TrackingServer(ModuleInputs):
    """MLflow tracking server."""

    artifacts_s3_uri: Annotated[str, make_prefix_field("s3://bucket/mlflow")] = Field(
        description="S3 prefix of the artifacts: s3://bucket/prefix."
    )
    automatic_model_registration: bool = Field(
        False, description="Copy models that users register in MLflow to the SageMaker model registry."
    )
    mlflow_version: str | None = Field(
        None,
        description="Version of MLflow, such as 3.0. Default: the version that SageMaker chooses. A change "
        "replaces the server.",
        pattern=r"^[0-9]+\.[0-9]+$",
        json_schema_extra=must("be two numbers such as 3.0, because AWS refuses a third, as in 3.0.1"),
    )
    off_hours: TrackingServerOffHours = Field(description="Schedule in which the server is stopped.")
    role_arn: RoleArn | None = Field(
        None,
        description="Role with which the server uses the artifacts. Default: role_arn of the domain. A change replaces "
        "the server.",
    )
    size: Literal["Small", "Medium", "Large"] = Field(
        "Small", description="Size of the server: Small for about 25 users, Medium for 50, Large for 100."
    )


class User(ModuleInputs):
    role_arn: RoleArn | None = Field(None, description="Role of the user's apps. Default: role_arn of the domain.")
    sso_user_name: str | None = Field(
        None, min_length=1, description="Name of the user in IAM Identity Center; required with auth_mode SSO."
    )


class Inputs(LocatedInputs, ProtectedInputs, RoleInputs):
    auth_mode: Literal["IAM", "SSO"] = Field(
        "IAM", description="Sign-in with IAM, or with IAM Identity Center (SSO). It cannot change later."
    )
    disk_gb: Disk = Field(default_factory=Disk, description="Disks of the spaces that users create, in GB.")
    hidden_instance_types: list[InstanceType] = Field(
        default_factory=list, description="Instance types that Studio does not offer, such as those with a GPU."
    )
    keep_home_directories: bool = Field(
        True, description="Keep the file system with the home directories when the domain is deleted."
    )
    kms_key_arn: KmsKeyArn = Field(description="KMS key of the file system and of the disks. It cannot change later.")
    lifecycle_scripts: dict[ScriptName, LifecycleScript] = Field(
        default_factory=dict, description="Scripts that users can choose for their apps, by name."
    )
    network_access: Literal["VpcOnly", "PublicInternetOnly"] = Field(
        "VpcOnly", description="VpcOnly, or PublicInternetOnly for apps with access to the internet."
    )
    role_arn: RoleArn = Field(description="Role of the apps.")
    security_group_ids: list[SecurityGroupId] = Field(
        min_length=1, max_length=3, description="Security groups of the apps. They must allow traffic between the apps."
    )
    spaces: dict[EntityName, Space] = Field(
        default_factory=dict, description="Private spaces by name. Users can create more."
    )
    subnet_ids: list[SubnetId] = Field(
        min_length=1, max_length=16, description="Subnets of the apps. A change replaces the domain."
    )
    tracking_server: TrackingServer | None = Field(
        None, description="MLflow tracking server, which is stopped in off hours. Default: none."
    )
    users: dict[EntityName, User] = Field(default_factory=dict, description="User profiles by name.")
    vpc_id: VpcId = Field(description="VPC of the subnets. A change replaces the domain.")

    rules = (
        require_key_in_region(),
        rule(
            "users",
            lambda v: every(v.users, lambda user: is_null(user.sso_user_name) == (v.auth_mode == "IAM")),
            "each user needs sso_user_name with auth_mode SSO, and none may have it with auth_mode IAM.",
        ),
        rule(
            "lifecycle_scripts",
            lambda v: every(v.lifecycle_scripts, lambda one: length(base64encode(one.script)) <= LONGEST_SCRIPT),
            f"a script may have at most {LONGEST_SCRIPT // 4 * 3} bytes; let it download the rest.",
        ),
        require_role_of_account(),
        require_role_of_account(
            "tracking_server",
            lambda v: flatten(list_of(optional(v.tracking_server), lambda server: optional(server.role_arn))),
        ),
        require_role_of_account("users", lambda v: flatten(list_of(v.users, lambda user: optional(user.role_arn)))),
        rule("disk_gb", lambda v: v.disk_gb.default <= v.disk_gb.max, "default must be at most max."),
        rule(
            "spaces",
            lambda v: every(v.spaces, lambda space: contains(keys(v.users), space.user)),
            "user must be a key of users; add the user, or correct its name.",
        ),
        rule(
            "spaces",
            lambda v: every(v.spaces, lambda space: space.disk_gb <= v.disk_gb.max),
            lambda v: (
                f"disk_gb must be at most {v.disk_gb.max}, the value of disk_gb.max; lower it, or raise disk_gb.max."
            ),
        ),
    )
