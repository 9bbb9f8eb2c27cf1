"""Survey of everything that a plan's API offers, as rules, footprint and review read it."""

from typing import Any

from sustainable_mlops.plan import UNKNOWN, Plan, iam


def read_everything(plan: Plan) -> list[Any]:
    """Return everything that can be read, in a fixed order."""
    values: list[Any] = [plan.is_complete, plan.failed_checks, plan.provider_major]
    values += [plan.unreviewed_resources, plan.commands, plan.is_refresh_only, plan.deleted_outside_terraform]
    for resource in [*plan.resources, *plan.data_sources]:
        values += [resource, resource.before, resource.after, resource.read_tags(), plan.find_region(resource)]
        values += [resource.replacement_paths, resource.is_imported, plan.find_references(resource)]
        values += [
            resource.drift,
            resource.source_type,
            plan.is_configured(resource, "production_variants.0.model_name"),
        ]
        values += [
            plan.find_region(resource, before=True),
            resource.number("max_capacity"),
            resource.flag("force_destroy"),
        ]
        values += [resource.texts("alarm_actions"), resource.blocks("production_variants"), resource.text("name")]
    for joins in (plan.joins, plan.joins_before):
        for endpoint in plan.list_by_type("aws_sagemaker_endpoint"):
            values += [
                joins.find_configuration(endpoint),
                joins.find_endpoint_alarms(endpoint),
                joins.find_scalable_targets(endpoint),
            ]
        for configuration in plan.list_by_type("aws_sagemaker_endpoint_configuration"):
            values += [joins.find_endpoints(configuration), joins.list_variants(configuration)]
        for target in plan.list_by_type("aws_appautoscaling_target"):
            values += [
                joins.find_scaled_variant(target),
                joins.find_scaling_policies(target),
                joins.find_scheduled_actions(target),
            ]
        for policy in plan.list_by_type("aws_appautoscaling_policy"):
            values += [joins.find_scaled_variant(policy), joins.find_alarms_with_action(policy)]
        for bucket in plan.list_by_type("aws_s3_bucket"):
            values += [joins.find_bucket_resources(bucket, "aws_s3_bucket_versioning")]
        values += [iam.read_role_policies(role, joins) for role in plan.list_by_type("aws_iam_role")]
    for pipeline in [*plan.pipelines, *plan.pipelines_before]:
        values += [pipeline, pipeline.unreadable_reason]
        for step in [] if pipeline.steps is UNKNOWN else pipeline.steps:
            values += [step.text("ResourceConfig.InstanceType"), step.is_cached, step.cache_duration, step.depends_on]
            values += [step.parent, step.type, step.name]
    return values


def list_addresses(plan: Plan) -> set[str]:
    """Return the addresses of the managed resources."""
    return {resource.address for resource in plan.resources}
