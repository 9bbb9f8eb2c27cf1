"""Names that must be unique."""

from collections import defaultdict
from functools import lru_cache

from sustainable_mlops.plan import UNKNOWN, Plan, Resource
from sustainable_mlops.rules.attributes import ConfiguredAttributes, list_texts
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule

#: Types whose name must be unique in an account and Region, and the attribute with the name.
UNIQUE_NAMES = {
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
#: Scopes of a name: a security group's is its VPC, a space's is its domain, and the Region is one for all.
SCOPES = ("vpc_id", "domain_id", "group_name", "region")
#: Prefixes of types whose names must be unique in all Regions.
_GLOBAL = ("aws_budgets_", "aws_iam_", "aws_s3_bucket")


@rule(
    id="SUS_NAME_TAKEN",
    severity=Severity.FAIL,
    title="Two resources of a plan must not have the same unique name",
    problem="Two resources of the plan have the same unique name",
    practices=("47",),
    fix="Build the name from a value that differs, such as each.key, or omit it.",
    types=tuple(UNIQUE_NAMES),
    is_about_change=True,
)
def duplicate_names(plan: Plan, resource: Resource) -> RuleResults:
    """Report resources whose name another resource of the plan also has; AWS refuses the second one.

    The rule applies to known names, and only if account and Region are certainly the same.
    """
    duplicate = _find_duplicates(plan).get(resource.address)
    if duplicate is not None:
        attribute = UNIQUE_NAMES[resource.type]
        name = resource.new.text(attribute)
        yield failure(f"{duplicate} has the same name {name}, and AWS refuses the second one", attribute)


@lru_cache(maxsize=2)
def _find_duplicates(plan: Plan) -> dict[str, str]:
    """Return another resource with the same name, by address, if the plan creates at least one of them."""
    resources_by_name: dict[tuple[object, ...], list[Resource]] = defaultdict(list)
    for resource in plan.list_by_type(*UNIQUE_NAMES):
        if resource.deposed is None and resource.exists():
            name = resource.new.text(UNIQUE_NAMES[resource.type])
            if isinstance(name, str) and name:
                resources_by_name[resource.type, name].append(resource)
    duplicates: dict[str, str] = {}
    for group in resources_by_name.values():
        for same in _group_by_scope(plan, group) if len(group) > 1 else ():
            if any(resource_.action not in ("no-op", "update") for resource_ in same):
                duplicates |= {resource_.address: same[1 if resource_ is same[0] else 0].address for resource_ in same}
    return duplicates


def _group_by_scope(plan: Plan, resources: list[Resource]) -> list[list[Resource]]:
    """Group resources with the same name by account, Region and scope of the name."""
    resources_by_scope: dict[tuple[object, ...], list[Resource]] = defaultdict(list)
    for resource in resources:
        scope = _find_scope(plan, resource)
        if scope[0] is not None and UNKNOWN not in scope:
            resources_by_scope[scope].append(resource)
    return [same for same in resources_by_scope.values() if len(same) > 1]


def _find_scope(plan: Plan, resource: Resource) -> tuple[object, ...]:
    """Return the provider configuration, the Region and the other scopes of a resource's name.

    The provider configuration is None if it may stand for several accounts.
    """
    key = plan.configuration.find_resource(resource).get("provider_config_key")
    provider = plan.configuration.providers.get(str(key))
    several = any(text.startswith("each.") for text in list_texts(provider))
    region = "" if resource.type.startswith(_GLOBAL) else plan.find_region(resource)
    settings = ConfiguredAttributes(plan, resource)
    return (None if several else key, region, *(settings.text(path) for path in SCOPES if path != "region"))
