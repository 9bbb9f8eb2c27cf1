"""Reads everything that a plan's API offers, as rules, footprint and review together do."""

from typing import Any

from sustainable_mlops.plan import UNKNOWN, Plan, iam


def survey(plan: Plan) -> list[Any]:
    """All there is to read, in a fixed order."""
    found: list[Any] = [plan.whole, plan.failed_checks, plan.provider_major]
    found += [plan.foreign, plan.commands, plan.refresh_only, plan.vanished]
    for resource in [*plan.resources, *plan.data]:
        found += [resource, resource.before, resource.after, resource.tags(), plan.region(resource)]
        found += [resource.replaced_because, resource.imported, plan.references(resource)]
        found += [resource.drift, resource.written_type, plan.configured(resource, "production_variants.0.model_name")]
        found += [plan.region(resource, before=True), resource.number("max_capacity"), resource.flag("force_destroy")]
        found += [resource.texts("alarm_actions"), resource.blocks("production_variants"), resource.text("name")]
    for joins in (plan.joins, plan.joins_before):
        for endpoint in plan.by_type("aws_sagemaker_endpoint"):
            found += [joins.configuration(endpoint), joins.alarms_on(endpoint), joins.scalable_targets(endpoint)]
        for configuration in plan.by_type("aws_sagemaker_endpoint_configuration"):
            found += [joins.endpoints(configuration), joins.variants(configuration)]
        for target in plan.by_type("aws_appautoscaling_target"):
            found += [joins.scaled(target), joins.scaling_policies(target), joins.scheduled_actions(target)]
        for policy in plan.by_type("aws_appautoscaling_policy"):
            found += [joins.scaled(policy), joins.alarms_of(policy)]
        for bucket in plan.by_type("aws_s3_bucket"):
            found += [joins.of_bucket(bucket, "aws_s3_bucket_versioning")]
        found += [iam.of_role(role, joins) for role in plan.by_type("aws_iam_role")]
    for pipeline in [*plan.pipelines, *plan.pipelines_before]:
        found += [pipeline, pipeline.unknown]
        for step in [] if pipeline.steps is UNKNOWN else pipeline.steps:
            found += [step.text("ResourceConfig.InstanceType"), step.cached, step.cached_for, step.depends_on]
            found += [step.parent, step.type, step.name]
    return found


def addresses(plan: Plan) -> set[str]:
    """The addresses of the managed resources."""
    return {resource.address for resource in plan.resources}
