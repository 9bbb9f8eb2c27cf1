"""Location of data: one Region, and a direct path from the VPC to S3."""

from collections.abc import Iterator

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.rules import ml_evidence
from sustainable_mlops.rules.attributes import check_value
from sustainable_mlops.rules.rule import RuleResults, Severity, failure, rule, success, unknown_result

REPLICATION = "aws_s3_bucket_replication_configuration"
_SUBNETS = {
    "aws_sagemaker_model": "vpc_config.0.subnets",
    "aws_sagemaker_training_job": "vpc_config.0.subnets",
    "aws_sagemaker_domain": "subnet_ids",
    "aws_sagemaker_notebook_instance": "subnet_id",
}


@rule(
    id="SUS_ONE_REGION",
    severity=Severity.WARN,
    title="SageMaker resources and their buckets should be in one Region",
    problem="SageMaker resources and their buckets are in different Regions",
    practices=("5",),
    fix="Keep the bucket in the Region that uses it, or run the workload in the Region of the data.",
    types=(
        "aws_sagemaker_model",
        "aws_sagemaker_endpoint_configuration",
        "aws_sagemaker_feature_group",
        "aws_sagemaker_training_job",
        "aws_sagemaker_hyper_parameter_tuning_job",
        "aws_sagemaker_pipeline",
        "aws_sagemaker_mlflow_tracking_server",
        "aws_sagemaker_mlflow_app",
        "aws_sagemaker_data_quality_job_definition",
    ),
)
def one_region(plan: Plan, resource: Resource) -> RuleResults:
    """Check buckets in this plan. The name of another bucket does not tell its Region."""
    for bucket in ml_evidence.list_buckets(plan, resource):
        own_region, other_region = plan.find_region(resource), plan.find_region(bucket)
        apart = _is_apart(plan, resource, bucket, own_region, other_region)
        yield check_value(
            apart,
            "region",
            lambda away: not away,
            f"{bucket.address} is in {other_region}, but this resource is in {own_region}",
        )


def _is_apart(
    plan: Plan, first: Resource, second: Resource, own_region: str | Unknown, other_region: str | Unknown
) -> bool | Unknown:
    if own_region is not UNKNOWN and other_region is not UNKNOWN:
        return own_region != other_region
    # Resources with the same provider configuration are in one Region, unless a resource sets its own.
    key, same = (plan.configuration.find_resource(r).get("provider_config_key") for r in (first, second))
    own = [plan.is_configured(r, "region") for r in (first, second)]
    return False if key == same is not None and own == [False, False] else UNKNOWN


@rule(
    id="SUS_REPLICATION_ONE_REGION",
    severity=Severity.WARN,
    title="Machine learning data should not be replicated to another Region",
    problem="Machine learning data is replicated to another Region",
    practices=("5",),
    fix="Use versioning, or replicate within the Region. Use a second Region only if a recovery plan requires it.",
    types=(REPLICATION,),
)
def replicates_nearby(plan: Plan, replication: Resource) -> RuleResults:
    """Check buckets for machine learning. Each copy is stored and transferred once more."""
    source = plan.joins.find_bucket(replication, "bucket")
    if not isinstance(source, Resource) or not ml_evidence.is_ml(plan, source):
        return
    rules = replication.blocks("rule")
    if rules is UNKNOWN:
        yield unknown_result("the rules are not known until apply", "rule")
        return
    for block in rules:
        status, path = block.text("status"), f"{block.path}.destination.0.bucket"
        if status == "Disabled":
            continue
        copy = plan.joins.find_bucket(replication, path)
        if not isinstance(copy, Resource):
            yield unknown_result("this plan does not show the Region of the destination", path)
            continue
        own_region, other_region = plan.find_region(source), plan.find_region(copy)
        apart = _is_apart(plan, source, copy, own_region, other_region)
        if status is UNKNOWN and apart is not False:
            yield unknown_result("it is not known until apply whether the rule is enabled", f"{block.path}.status")
        else:
            yield check_value(
                apart, path, lambda away: not away, f"every object is copied from {own_region} to {other_region}"
            )


@rule(
    id="SUS_S3_GATEWAY_ENDPOINT",
    severity=Severity.WARN,
    title="A VPC with SageMaker should have a gateway endpoint for S3",
    problem="A VPC with SageMaker has no gateway endpoint for S3",
    practices=("5",),
    fix='Add an aws_vpc_endpoint of type "Gateway" for com.amazonaws.<region>.s3. It is free of charge.',
    types=("aws_vpc",),
)
def reaches_s3_directly(plan: Plan, vpc: Resource) -> RuleResults:
    """Check VPCs of this plan in which SageMaker has a network interface.

    Without a gateway endpoint, training data goes through a NAT gateway or an interface endpoint. Both are billed by
    the hour and the gigabyte.
    """
    if not any(vpc in _list_vpcs(plan, user) for user in plan.joins.list_existing(*_SUBNETS)):
        return
    endpoints = plan.joins.find_sources(vpc, "aws_vpc_endpoint", "vpc_id")
    gateways = [_is_s3_gateway(endpoint) for endpoint in endpoints.certain]
    if True in gateways:
        yield success()
    elif UNKNOWN in gateways or endpoints.possible:
        yield unknown_result(
            "it is not known until apply whether one of its endpoints is a gateway for S3", "vpc_endpoint"
        )
    else:
        yield failure("the VPC has no gateway endpoint for S3", "vpc_endpoint")


def _is_s3_gateway(endpoint: Resource) -> bool | Unknown:
    """Return whether a VPC endpoint is a gateway for S3. Gateway is the default type."""
    service, kind = endpoint.text("service_name"), endpoint.text("vpc_endpoint_type")
    conditions = [
        service if service is UNKNOWN else (service or "").endswith(".s3"),
        kind if kind is UNKNOWN else kind in (None, "Gateway"),
    ]
    return False if False in conditions else UNKNOWN if UNKNOWN in conditions else True


def _list_vpcs(plan: Plan, user: Resource) -> Iterator[Resource]:
    path = _SUBNETS[user.type]
    joins = plan.joins
    if user.type == "aws_sagemaker_notebook_instance":
        single_subnet = joins.find_target(user, path, "aws_subnet")
        subnets = [single_subnet] if isinstance(single_subnet, Resource) else []
    else:
        subnets = list(joins.find_targets(user, path, "aws_subnet").certain)
    for subnet in subnets:
        vpc = joins.find_target(subnet, "vpc_id", "aws_vpc")
        if isinstance(vpc, Resource):
            yield vpc
