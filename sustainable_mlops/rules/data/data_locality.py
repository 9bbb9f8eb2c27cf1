"""Data stays where it is used: in one Region, and inside the VPC's own way to S3."""

from collections.abc import Iterator

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Unknown
from sustainable_mlops.rules import relation
from sustainable_mlops.rules.reading import judge
from sustainable_mlops.rules.rule import Severity, Verdicts, failed, passed, rule, unknown

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
    title="SageMaker and its buckets are in one Region",
    practices=("5",),
    fix="Keep the bucket in the Region that works on it, or move the work to the data.",
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
def one_region(plan: Plan, resource: Resource) -> Verdicts:
    """Of buckets in this plan: the Region of any other cannot be read from its name."""
    for bucket in relation.buckets_of(plan, resource):
        ours, theirs = plan.region(resource), plan.region(bucket)
        apart = _apart(plan, resource, bucket, ours, theirs)
        yield judge(apart, "region", lambda away: not away, f"{bucket.address} is in {theirs}, this is in {ours}")


def _apart(plan: Plan, one: Resource, other: Resource, ours: str | Unknown, theirs: str | Unknown) -> bool | Unknown:
    if ours is not UNKNOWN and theirs is not UNKNOWN:
        return ours != theirs
    # The same provider configuration is one Region, whichever that is, unless a resource names its own.
    key, same = (plan.configuration.resource(r).get("provider_config_key") for r in (one, other))
    own = [plan.configured(r, "region") for r in (one, other)]
    return False if key == same is not None and own == [False, False] else UNKNOWN


@rule(
    id="SUS_REPLICATION_ONE_REGION",
    severity=Severity.WARN,
    title="Data of machine learning is not copied to another Region",
    practices=("5",),
    fix="Rely on versioning, or replicate within the Region; keep a second Region for what a recovery plan asks for.",
    types=(REPLICATION,),
)
def replicates_nearby(plan: Plan, replication: Resource) -> Verdicts:
    """Each copy is stored and moved once more. Only of buckets that serve machine learning."""
    source = plan.joins.bucket(replication, "bucket")
    if not isinstance(source, Resource) or not relation.is_ml(plan, source):
        return
    rules = replication.blocks("rule")
    if rules is UNKNOWN:
        yield unknown("the rules are not known until apply", "rule")
        return
    for block in rules:
        status, path = block.text("status"), f"{block.path}.destination.0.bucket"
        if status == "Disabled":
            continue
        copy = plan.joins.bucket(replication, path)
        if not isinstance(copy, Resource):
            yield unknown("the Region of the destination cannot be told from this plan", path)
            continue
        ours, theirs = plan.region(source), plan.region(copy)
        apart = _apart(plan, source, copy, ours, theirs)
        if status is UNKNOWN and apart is not False:
            yield unknown("whether the rule is at work is not known until apply", f"{block.path}.status")
        else:
            yield judge(apart, path, lambda away: not away, f"every object is copied from {ours} to {theirs}")


@rule(
    id="SUS_S3_GATEWAY_ENDPOINT",
    severity=Severity.WARN,
    title="SageMaker in a VPC reaches S3 by a gateway endpoint",
    practices=("5",),
    fix='Add an aws_vpc_endpoint of type "Gateway" for com.amazonaws.<region>.s3, which costs nothing.',
    types=("aws_vpc",),
)
def reaches_s3_directly(plan: Plan, vpc: Resource) -> Verdicts:
    """Else training data takes the way through a NAT gateway or an interface endpoint, which are billed by the hour
    and the gigabyte. Only of VPCs of this plan in which SageMaker has a network interface."""
    if not any(vpc in _vpcs(plan, user) for user in plan.joins.all(*_SUBNETS)):
        return
    endpoints = plan.joins.sources(vpc, "aws_vpc_endpoint", "vpc_id")
    answers = [_is_s3_gateway(endpoint) for endpoint in endpoints.sure]
    if True in answers:
        yield passed()
    elif UNKNOWN in answers or endpoints.maybe:
        yield unknown("whether one of its endpoints is a gateway to S3 is not known until apply", "vpc_endpoint")
    else:
        yield failed("no gateway endpoint of the VPC leads to S3", "vpc_endpoint")


def _is_s3_gateway(endpoint: Resource) -> bool | Unknown:
    """The type is Gateway where nothing is said."""
    service, kind = endpoint.text("service_name"), endpoint.text("vpc_endpoint_type")
    answers = [
        service if service is UNKNOWN else (service or "").endswith(".s3"),
        kind if kind is UNKNOWN else kind in (None, "Gateway"),
    ]
    return False if False in answers else UNKNOWN if UNKNOWN in answers else True


def _vpcs(plan: Plan, user: Resource) -> Iterator[Resource]:
    path = _SUBNETS[user.type]
    joins = plan.joins
    if user.type == "aws_sagemaker_notebook_instance":
        only = joins.target(user, path, "aws_subnet")
        subnets = [only] if isinstance(only, Resource) else []
    else:
        subnets = list(joins.targets(user, path, "aws_subnet").sure)
    for subnet in subnets:
        vpc = joins.target(subnet, "vpc_id", "aws_vpc")
        if isinstance(vpc, Resource):
            yield vpc
