"""Names that only one object can have."""

from collections import defaultdict
from functools import lru_cache

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules.reading import Settings, texts_in
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, rule

#: Types whose name only one object can have in an account and Region, a second being refused, and what holds the name.
UNIQUE = {
    "aws_budgets_budget": "name",
    "aws_cloudwatch_log_group": "name",
    "aws_codebuild_project": "name",
    "aws_codepipeline": "name",
    "aws_dynamodb_table": "name",
    "aws_ecr_repository": "name",
    "aws_glue_crawler": "name",
    "aws_glue_job": "name",
    "aws_iam_group": "name",
    "aws_iam_instance_profile": "name",
    "aws_iam_policy": "name",
    "aws_iam_role": "name",
    "aws_iam_user": "name",
    "aws_kms_alias": "name",
    "aws_lambda_function": "function_name",
    "aws_s3_bucket": "bucket",
    "aws_sagemaker_algorithm": "algorithm_name",
    "aws_sagemaker_app_image_config": "app_image_config_name",
    "aws_sagemaker_code_repository": "code_repository_name",
    "aws_sagemaker_data_quality_job_definition": "name",
    "aws_sagemaker_endpoint": "name",
    "aws_sagemaker_endpoint_configuration": "name",
    "aws_sagemaker_feature_group": "feature_group_name",
    "aws_sagemaker_flow_definition": "flow_definition_name",
    "aws_sagemaker_human_task_ui": "human_task_ui_name",
    "aws_sagemaker_image": "image_name",
    "aws_sagemaker_mlflow_tracking_server": "tracking_server_name",
    "aws_sagemaker_model": "name",
    "aws_sagemaker_model_package_group": "model_package_group_name",
    "aws_sagemaker_monitoring_schedule": "name",
    "aws_sagemaker_notebook_instance": "name",
    "aws_sagemaker_notebook_instance_lifecycle_configuration": "name",
    "aws_sagemaker_pipeline": "pipeline_name",
    "aws_sagemaker_project": "project_name",
    "aws_sagemaker_space": "space_name",
    "aws_sagemaker_studio_lifecycle_config": "studio_lifecycle_config_name",
    "aws_sagemaker_training_job": "training_job_name",
    "aws_sagemaker_user_profile": "user_profile_name",
    "aws_sagemaker_workteam": "workteam_name",
    "aws_scheduler_schedule": "name",
    "aws_secretsmanager_secret": "name",
    "aws_security_group": "name",
    "aws_sfn_state_machine": "name",
    "aws_ssm_parameter": "name",
}
#: Within which a name is taken: a security group's in its VPC, a space's in its domain, and everything's in a Region.
WITHIN = ("vpc_id", "domain_id", "group_name", "region")
#: Whose names are taken in every Region.
_GLOBAL = ("aws_budgets_", "aws_iam_", "aws_s3_bucket")


@rule(
    id="SUS_NAME_TAKEN",
    severity=Severity.FAIL,
    title="No two resources of a plan have one name that only one can have",
    practices=("47",),
    fix="Make the name of what tells them apart, such as each.key, or leave it out.",
    types=tuple(UNIQUE),
    of_change=True,
)
def name_taken(plan: Plan, resource: Resource) -> Verdicts:
    """The second is refused when the first is there, and the apply ends half-way.

    Of names that are known, and where account and Region are surely the same: nothing is said of any other.
    """
    other = _taken(plan).get(resource.address)
    if other is not None:
        attribute = UNIQUE[resource.type]
        name = resource.new.text(attribute)
        yield failed(f"{name} is the name of {other} too: the second to be made is refused", attribute)


@lru_cache(maxsize=2)
def _taken(plan: Plan) -> dict[str, str]:
    """Another resource of the same name, by address; where at least one of them is made by this plan."""
    alike: dict[tuple[object, ...], list[Resource]] = defaultdict(list)
    for resource in plan.by_type(*UNIQUE):
        if resource.deposed is None and resource.exists():
            name = resource.new.text(UNIQUE[resource.type])
            if isinstance(name, str) and name:
                alike[resource.type, name].append(resource)
    found: dict[str, str] = {}
    for group in alike.values():
        for same in _in_one_place(plan, group) if len(group) > 1 else ():
            if any(one.action not in ("no-op", "update") for one in same):
                found |= {one.address: same[1 if one is same[0] else 0].address for one in same}
    return found


def _in_one_place(plan: Plan, resources: list[Resource]) -> list[list[Resource]]:
    """Those of several of one name that are in the same account, Region and what else a name is taken within."""
    found: dict[tuple[object, ...], list[Resource]] = defaultdict(list)
    for resource in resources:
        place = _place(plan, resource)
        if place[0] is not None and UNKNOWN not in place:
            found[place].append(resource)
    return [same for same in found.values() if len(same) > 1]


def _place(plan: Plan, resource: Resource) -> tuple[object, ...]:
    """The provider's configuration, None where it may stand for several accounts; the Region; the rest."""
    key = plan.configuration.resource(resource).get("provider_config_key")
    provider = plan.configuration.providers.get(str(key))
    several = any(text.startswith("each.") for text in texts_in(provider))
    region = "" if resource.type.startswith(_GLOBAL) else plan.region(resource)
    settings = Settings(plan, resource)
    return (None if several else key, region, *(settings.text(path) for path in WITHIN if path != "region"))
