"""Wrong inputs of each module, each with the remedy that its message must contain.

`python -m tests.modules.wrong_inputs` prints how many a plan refuses, and the others with their reasons.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.modules.input_cases import CASES

_ACCOUNT, _OTHER_ACCOUNT = "123456789012", "210987654321"
_KEY_ID = "key/1234abcd-12ab-34cd-56ef-1234567890ab"
_KEY_ELSEWHERE = f"arn:aws:kms:eu-west-1:{_ACCOUNT}:{_KEY_ID}"
_ALIAS = f"arn:aws:kms:eu-north-1:{_ACCOUNT}:alias/shop"
_CONNECTION_ELSEWHERE = "arn:aws:events:us-east-1:123456789012:connection/github/1234abcd"
_DELIVERY = {
    "connection_arn": "arn:aws:events:eu-north-1:123456789012:connection/github/1234abcd",
    "github": {"repository": "acme/flights"},
}
_ROLE_ELSEWHERE = f"arn:aws:iam::{_OTHER_ACCOUNT}:role/shop"
_IMAGE_ELSEWHERE = f"{_ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/churn:1-arm64"
_REPOSITORY_ELSEWHERE = f"arn:aws:ecr:eu-west-1:{_ACCOUNT}:repository/churn"
_IMAGE = f"{_ACCOUNT}.dkr.ecr.eu-north-1.amazonaws.com/churn:1-arm64"
_PACKAGE_ELSEWHERE = f"arn:aws:sagemaker:eu-west-1:{_ACCOUNT}:model-package/churn/1"
_STATEMENT = {"sid": "Publish", "actions": ["sns:Publish"], "resources": ["*"]}
_CONDITION = {"test": "StringEquals", "variable": "aws:SourceArn", "values": ["a"]}
_TWICE = {**_STATEMENT, "condition": [_CONDITION, _CONDITION]}
_OFF_HOURS = {"begin": "cron(0 20 ? * MON-FRI *)", "end": "cron(0 6 ? * MON-FRI *)", "timezone": "UTC"}
_GROUP = CASES["feature_store"].arguments["feature_groups"]["orders"]
_EMAIL = {"protocol": "email", "endpoint": "ml-team@example.com"}
_FIFO_QUEUE = f"arn:aws:sqs:eu-north-1:{_ACCOUNT}:alarms.fifo"
_SERVER = CASES["studio"].arguments["tracking_server"]
_SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
_GROUPS = ["sg-0123456789abcdef0"]
_DEFINITION = '{"Version": "2020-12-01", "Parameters": [], "Steps": [%s]}'
_UNKNOWN_KEY_REASON = "Terraform drops unknown attributes of an object before it evaluates any validation"


@dataclass(frozen=True)
class WrongInput:
    """A wrong value of one input. `accepted_because` is the reason why no plan refuses it."""

    module: str
    inputs: dict[str, Any]
    remedy: str
    accepted_because: str = ""

    @property
    def input(self) -> str:
        return next(iter(self.inputs))


def _wrong(module: str, remedy: str, **inputs: Any) -> WrongInput:
    return WrongInput(module, inputs, remedy)


def _unknown_key(module: str, **inputs: Any) -> WrongInput:
    return WrongInput(module, inputs, "", _UNKNOWN_KEY_REASON)


def _ci(**roles: dict[str, Any]) -> dict[str, Any]:
    """Return the environments of `bootstrap` with other fields of these roles."""
    environment = CASES["bootstrap"].arguments["environments"]["dev"]
    return {"dev": {**environment, **{role: {**environment[role], **fields} for role, fields in roles.items()}}}


def _endpoint(**values: Any) -> dict[str, Any]:
    return {"churn": {"name": "shop-churn", "kind": "realtime", "instance_type": "ml.c7g.large", **values}}


def _tracking_server(**off_hours: str) -> dict[str, Any]:
    return {**_SERVER, "off_hours": {**_SERVER["off_hours"], **off_hours}}


def _step(type_: str, arguments: str = "{}") -> str:
    return _DEFINITION % f'{{"Name": "Sort", "Type": "{type_}", "Arguments": {arguments}}}'


_storage = partial(_wrong, "storage")
_access = partial(_wrong, "access")
_bootstrap = partial(_wrong, "bootstrap")
_feature_store = partial(_wrong, "feature_store")
_footprint = partial(_wrong, "footprint")
_images = partial(_wrong, "images")
_model_registry = partial(_wrong, "model_registry")
_network = partial(_wrong, "network")
_observability = partial(_wrong, "observability")
_pipeline = partial(_wrong, "pipeline")
_async_endpoint = partial(_wrong, "async_endpoint")
_realtime_endpoint = partial(_wrong, "realtime_endpoint")
_serverless_endpoint = partial(_wrong, "serverless_endpoint")
_studio = partial(_wrong, "studio")

WRONG_INPUTS = (
    # Names, location and tags, which are alike in all modules.
    _storage("3 to 24 lower-case letters", name_prefix="Shop"),
    _storage("3 to 24 lower-case letters", name_prefix="a-prefix-that-is-longer-than-24"),
    _storage("12 digits", account_id="12345678901"),
    _storage("such as eu-north-1", region="eu-nroth-1"),
    _storage("such as eu-north-1", region="eu-north-9"),
    _storage("aws-us-gov", partition="aws-iso"),
    _storage("set partition to aws", partition="aws-cn"),
    _storage("choose another key", tags={"aws:owner": "me"}),
    _storage("choose another key", tags={"AWS:owner": "me"}),
    _storage("at most 256 characters", tags={"owner": "x" * 257}),
    _storage("1 to 128 characters", tags={"": "me"}),
    # storage
    _storage("not an alias", existing_kms_key={"arn": _ALIAS}),
    _storage("in Region eu-north-1", existing_kms_key={"arn": _KEY_ELSEWHERE}),
    _storage("must be the ARN of a KMS key", existing_kms_key={"arn": None}),
    _storage("lower-case letters", extra_buckets={"Landing": {}}),
    _storage("these buckets exist already", extra_buckets={"logs": {}}),
    _storage("at least 1", extra_buckets={"landing": {"expiration_days": 0}}),
    _storage("shorten name_prefix", extra_buckets={"a-purpose-that-takes-more-words-than-fit": {}}),
    _storage("must not be null", extra_buckets={"landing": None}),
    _unknown_key("storage", extra_buckets={"landing": {"event": True}}),
    _storage("at least 90", intelligent_tiering_archive_days=30),
    _storage("at most 730", intelligent_tiering_archive_days=731),
    _storage("known: artifacts_to_glacier", lifecycle_days={"checkpoint": 7}),
    _storage("at most 7", lifecycle_days={"incomplete_uploads": 8}),
    _storage("at least 30", lifecycle_days={"recreatable_to_one_zone": 10}),
    _storage("more than recreatable_to_one_zone", lifecycle_days={"recreatable": 30}),
    _storage("omit it", lifecycle_days={"captures": None}),
    _storage("12 digits", reader_account_ids=["prod"]),
    _storage("remove it", reader_account_ids=[_ACCOUNT]),
    # access
    _access("ARN of a bucket", buckets={"data": {"arn": "shop-data"}, "artifacts": {"arn": "arn:aws:s3:::a"}}),
    _access("must not be null", buckets={"data": None, "artifacts": {"arn": "arn:aws:s3:::a"}}),
    _access("in Region eu-north-1", kms_key_arn=_KEY_ELSEWHERE),
    _access("in Region eu-north-1", decrypt_key_arns=[_KEY_ELSEWHERE]),
    _access("of account 123456789012", existing_role_arns={"training": _ROLE_ELSEWHERE}),
    _access("data_preparation", existing_role_arns={"serving": f"arn:aws:iam::{_ACCOUNT}:role/a"}),
    _access("without wildcards", feature_group_names=["*"]),
    _access("without wildcards", model_package_group_names=["shop_churn"]),
    _access("ARN of an ECR repository", image_repository_arns=["churn"]),
    _access("in Region eu-north-1", image_repository_arns=[_REPOSITORY_ELSEWHERE]),
    _access("ARN of an IAM policy", permissions_boundary_arn="boundary"),
    _access("must not repeat a test", role_statements=[{"training": [_TWICE]}]),
    _access("be a path that starts and ends with a slash", role_path="mlops"),
    _access("prefix that ends with a slash", s3_paths={"training": {"read": ["data/raw"]}}),
    _access("correct training: lake/", s3_paths={"training": {"read": ["lake/"]}}),
    _access("id of a subnet", vpc={"subnet_ids": ["subnet-1"], "security_group_ids": _GROUPS}),
    _access("id of a security group", vpc={"subnet_ids": _SUBNETS, "security_group_ids": ["default"]}),
    _access("must not be null", vpc={"subnet_ids": None, "security_group_ids": _GROUPS}),
    _access("such as sns:Publish", role_statements=[{"inference": [{**_STATEMENT, "actions": ["Publish"]}]}]),
    _access("letters and digits", role_statements=[{"inference": [{**_STATEMENT, "sid": "to publish"}]}]),
    _access("at least 1", role_statements=[{"inference": [{**_STATEMENT, "resources": []}]}]),
    _access(
        "change the sid", role_statements=[{"inference": [_STATEMENT, {**_STATEMENT, "actions": ["sns:Subscribe"]}]}]
    ),
    _access("must hold at least 1", role_statements=[{"inference": []}]),
    _access(
        "change the sid of training: Publish",
        role_statements=[{"training": [_STATEMENT]}, {"training": [{**_STATEMENT, "actions": ["sns:Subscribe"]}]}],
    ),
    # bootstrap
    _bootstrap("in Region eu-north-1", existing_kms_key={"arn": _KEY_ELSEWHERE}),
    _bootstrap("starts with https://", github={"url": "http://token.actions.githubusercontent.com"}),
    _bootstrap("without wildcards", github={"audience": "*"}),
    _bootstrap("such as acme/platform", environments=_ci(plan={"github": [{"repository": "platform"}]})),
    _bootstrap("such as acme/platform", environments=_ci(plan={"github": [{"repository": "acme/*"}]})),
    _bootstrap("such as acme/ml/platform", environments=_ci(plan={"gitlab": [{"project": "acme"}]})),
    _bootstrap(
        "without wildcards and without refs/heads/",
        environments=_ci(apply={"github": [{"repository": "acme/shop", "branches": ["release-*"]}]}),
    ),
    _bootstrap(
        "at least one of branches, environments and tags",
        environments=_ci(apply={"github": [{"repository": "acme/shop"}]}),
    ),
    _bootstrap("at least one job", environments=_ci(apply={"github": []})),
    _bootstrap("must be JSON with a Statement", environments=_ci(plan={"policies": {"plan-all": "{"}})),
    _bootstrap("a name such as plan-data", environments=_ci(plan={"policies": {"data": "{}"}})),
    _bootstrap(
        "split a longer one", environments=_ci(plan={"policies": {"plan-all": '{"Statement": "%s"}' % ("x" * 6200)}})
    ),
    _bootstrap(
        "merge some of them",
        environments=_ci(plan={"policies": {f"plan-{number}": '{"Statement": []}' for number in range(10)}}),
    ),
    _bootstrap("choose a different one", environments={**_ci(), "qa": _ci()["dev"]}),
    _bootstrap(
        "must not begin with another one and a hyphen",
        environments={**_ci(), "qa": {**_ci()["dev"], "name_prefix": "shop-dev-qa"}},
    ),
    _bootstrap("choose another name", environments={"bootstrap": _ci()["dev"]}),
    _bootstrap(
        "the digits of an ID",
        environments=_ci(plan={"github": [{"repository": "acme/shop", "owner_id": "acme", "repository_id": "2"}]}),
    ),
    _bootstrap(
        "set both owner_id and repository_id",
        environments=_ci(plan={"github": [{"repository": "acme/shop", "owner_id": "1"}]}),
    ),
    _bootstrap(
        "set both owner_id and repository_id",
        environments=_ci(apply={"github": [{"repository": "acme/shop", "branches": ["main"], "repository_id": "2"}]}),
    ),
    # feature_store
    _feature_store("not an alias", kms_key_arn=_ALIAS),
    _feature_store("key in Region eu-north-1", kms_key_arn=_KEY_ELSEWHERE, region="eu-north-1"),
    _feature_store("slash at its end", offline_store_s3_uri="s3://shop-data/features/"),
    _feature_store("ARN of an IAM role", role_arn="data-preparation"),
    _feature_store("2 to 39 lower-case letters", feature_groups={"Orders": _GROUP}),
    _feature_store("must be one of its features", feature_groups={"orders": {**_GROUP, "event_time": "then"}}),
    _feature_store(
        "choose other names",
        feature_groups={"orders": {**_GROUP, "features": {**_GROUP["features"], "write_time": {"type": "String"}}}},
    ),
    _feature_store(
        "Integral",
        feature_groups={"orders": {**_GROUP, "features": {**_GROUP["features"], "size": {"type": "Double"}}}},
    ),
    _feature_store("must not be null", feature_groups={"orders": {**_GROUP, "features": None}}),
    _feature_store("at least 1", feature_groups={"orders": {**_GROUP, "online": {"ttl": {"value": 0}}}}),
    _feature_store("Weeks", feature_groups={"orders": {**_GROUP, "online": {"ttl": {"unit": "Years"}}}}),
    _feature_store("nothing is optimized", table_optimizers={"compaction": False}),
    _feature_store("at least 1", table_optimizers={"retention": {"days": 0}}),
    _feature_store("at least 3", table_optimizers={"orphan_file_deletion": {"days": 2}}),
    _feature_store("of account_id", table_optimizers={"existing_role": {"arn": _ROLE_ELSEWHERE}}),
    _unknown_key("feature_store", feature_groups={"orders": {**_GROUP, "onlin": {}}}),
    # footprint
    _footprint("no carbon figures", partition="aws-cn", region="cn-north-1"),
    _footprint("in Region eu-north-1", existing_kms_key={"arn": _KEY_ELSEWHERE}),
    _footprint("letters, digits", budgets={"orders$": {"monthly_limit_usd": 1}}),
    _footprint("at least 1", budgets={"orders": {"monthly_limit_usd": 0}}),
    _footprint(
        "notifies nobody", budgets={"orders": {"monthly_limit_usd": 1, "actual_percent": [], "forecast_percent": []}}
    ),
    _footprint("an email address", notify_emails=["ml-platform"]),
    _footprint("ARN of an anomaly monitor", anomaly_detection={"existing_monitor": {"arn": "services"}}),
    _footprint("letters, digits", workload_tag_key="a$b"),
    _footprint("remove one", subscribers={"team": _EMAIL, "again": _EMAIL}),
    _unknown_key("footprint", carbon_export={"expire_days": 1}),
    # images
    _images("in Region eu-north-1", kms_key_arn=_KEY_ELSEWHERE),
    _images("at least 1", repositories={}),
    _images("lower-case letters", repositories={"Churn": {}}),
    _images("single underscores", repositories={"a__b": {}}),
    _images("ECR refuses", name_prefix="shop--dev"),
    _images("remove it", repositories={"churn": {"reader_account_ids": [_ACCOUNT]}}),
    _images("tag prefix", repositories={"churn": {"temporary_images": {"tag_prefixes": ["-"]}}}),
    _images("remove it", replicate_to=[{"account_id": _ACCOUNT, "region": "eu-north-1"}]),
    _images("remove it", replicate_from_account_ids=[_ACCOUNT]),
    # model_registry
    _model_registry("in Region eu-north-1", approval_topic={"kms_key_arn": _KEY_ELSEWHERE}),
    _model_registry("must be the ARN of a KMS key", approval_topic={"kms_key_arn": None}),
    _model_registry(
        "of account 123456789012",
        approval_topic={
            "kms_key_arn": CASES["model_registry"].arguments["approval_topic"]["kms_key_arn"],
            "existing_role": {"arn": _ROLE_ELSEWHERE},
        },
    ),
    _model_registry(
        "such as ml-team@example.com",
        approval_topic={
            "kms_key_arn": CASES["model_registry"].arguments["approval_topic"]["kms_key_arn"],
            "subscribers": {"team": {"protocol": "email", "endpoint": "ml-team"}},
        },
    ),
    _model_registry("of account 123456789012", delivery={**_DELIVERY, "connection_arn": _CONNECTION_ELSEWHERE}),
    _model_registry("EventBridge connection", delivery={**_DELIVERY, "connection_arn": "github"}),
    _model_registry("set github or gitlab", delivery={**_DELIVERY, "github": None}),
    _model_registry("exclude each other", delivery={**_DELIVERY, "gitlab": {"project_id": "4711"}}),
    _model_registry("such as acme/flights", delivery={**_DELIVERY, "github": {"repository": "flights"}}),
    _model_registry(
        "starts with https://",
        delivery={**_DELIVERY, "github": {"repository": "acme/flights", "api_url": "http://github.example.com"}},
    ),
    _model_registry("such as 4711", delivery={**_DELIVERY, "github": None, "gitlab": {"project_id": "acme"}}),
    _model_registry("of account 123456789012", delivery={**_DELIVERY, "existing_role": {"arn": _ROLE_ELSEWHERE}}),
    _model_registry("lower-case letters", model_package_groups={"Churn": {}}),
    _model_registry("remove it", model_package_groups={"churn": {"reader_account_ids": [_ACCOUNT]}}),
    _model_registry("must not be null", model_package_groups={"churn": None}),
    # network
    _network("id of a VPC", vpc_id="shop"),
    _network("at least 1", subnet_ids=[]),
    _network("id of a subnet", endpoint_subnet_ids=["eu-north-1a"]),
    _network("id of a route table", route_table_ids=["main"]),
    _network('one of "call_endpoints"', purposes=["training"]),
    _network("free of charge; remove it", services=["s3"]),
    _network("free of charge; remove it", services=["com.amazonaws.eu-north-1.s3"]),
    _network("such as 10.0.0.0/16", client_cidr_blocks=["10.0.0.1"]),
    _network("EC2 refuses", name_prefix="sg-shop"),
    _network("ARN of a bucket", readable_bucket_arns=["jumpstart-cache-prod-eu-north-1"]),
    # observability
    _observability("in Region eu-north-1", kms_key_arn=_KEY_ELSEWHERE),
    _observability("of account 123456789012", existing_publisher_role={"arn": _ROLE_ELSEWHERE}),
    _observability("name_prefix", event_scope="environment"),
    _observability("deployments", events=["deployment"]),
    _observability("report", idle_stop="stop"),
    _observability("name of a log group", log_groups=["/aws/sagemaker/Training Jobs"]),
    _observability("30", log_retention_days=31),
    _observability("cpu_high", thresholds={"cpu": 80}),
    _observability("at most 168", waste_hours=200),
    _observability("lower-case letters", endpoints={"Churn": _endpoint()["churn"]}),
    _observability("serverless", endpoints=_endpoint(kind="batch")),
    _observability("rename one", endpoints=_endpoint(variants=["main", "main"])),
    _observability("a serverless endpoint has no instances", endpoints=_endpoint(kind="serverless")),
    _observability("other endpoints have instances", endpoints=_endpoint(memory_mb=2048)),
    _observability("remove it", endpoints=_endpoint(provisioned_concurrency=1)),
    _observability("the same name", endpoints={**_endpoint(), "again": _endpoint()["churn"]}),
    _observability("kind must not be null", endpoints=_endpoint(kind=None)),
    _unknown_key("observability", endpoints=_endpoint(latency_slo=100)),
    _observability("use off", name_prefix="aws-shop"),
    _observability("lower-case letters", subscribers={"ML team": _EMAIL}),
    _observability("an https:// address", subscribers={"team": {**_EMAIL, "protocol": "https"}}),
    _observability("a standard queue", subscribers={"team": {"protocol": "sqs", "endpoint": _FIFO_QUEUE}}),
    _observability('one of "email"', subscribers={"team": {**_EMAIL, "protocol": "sms"}}),
    _observability("remove one", subscribers={"team": _EMAIL, "again": _EMAIL}),
    _observability('"alarms"', subscribers={"team": {**_EMAIL, "topics": ["pipelines"]}}),
    # pipeline
    _pipeline("lower-case letters", name="Orders"),
    _pipeline("of account 123456789012", role_arn=_ROLE_ELSEWHERE),
    _pipeline("of account 123456789012", existing_starter_role={"arn": _ROLE_ELSEWHERE}),
    _pipeline("in Region eu-north-1", failure_topic={"kms_key_arn": _KEY_ELSEWHERE}),
    _pipeline(
        "of account 123456789012",
        failure_topic={
            "kms_key_arn": CASES["pipeline"].arguments["failure_topic"]["kms_key_arn"],
            "existing_role": {"arn": _ROLE_ELSEWHERE},
        },
    ),
    _pipeline(
        "the ARN of a function",
        failure_topic={
            "kms_key_arn": CASES["pipeline"].arguments["failure_topic"]["kms_key_arn"],
            "subscribers": {"chat": {"protocol": "lambda", "endpoint": "chat"}},
        },
    ),
    _pipeline("must be JSON", definition="Version: 2020-12-01"),
    _pipeline("at least one of Steps", definition='{"Version": "2020-12-01", "Steps": []}'),
    _pipeline("id of a subnet", vpc_config={"subnets": ["a"], "security_group_ids": _GROUPS}),
    _pipeline("use one of AutoML", definition=_step("Process"), data_arrival=None),
    _pipeline("declare it", definition=_step("Training", '{"Get": "Parameters.Days"}'), data_arrival=None),
    _pipeline("declare it there", parameters={"VolumeGB": "10"}),
    _pipeline("whole number", parameters={"VolumeGb": "ten"}),
    _pipeline("without s3://", data_arrival={"bucket": "s3://shop-data", "key_prefix": "raw/"}),
    _pipeline("without wildcards", data_arrival={"bucket": "shop-data", "key_prefix": "raw/*"}),
    _pipeline(
        "must be a parameter of the definition",
        data_arrival={"bucket": "shop-data", "key_prefix": "raw/", "key_parameter": "Key"},
    ),
    _pipeline("without s3://", data_arrival={"bucket": None, "key_prefix": "raw/"}),
    _pipeline("correct reason_parameter", drift={"workload": "orders", "reason_parameter": "Why"}),
    _pipeline("drift.parameters", drift={"workload": "orders", "parameters": {"Days": "1"}}),
    _pipeline("must be above 0", drift={"workload": "orders", "threshold": 0}),
    _pipeline("without wildcards", drift={"workload": "orders", "namespace": "shop/*"}),
    _pipeline("dots, hyphens", drift={"workload": "all orders"}),
    _pipeline("rate(7 days)", schedule={"expression": "rate(0 days)"}),
    _pipeline("minutes, hours or days", schedule={"expression": "rate(1 fortnight)"}),
    _pipeline("six fields", schedule={"expression": "cron(0 3 * * *)"}),
    _pipeline("with ? for the day", schedule={"expression": "cron(0 3 * * * *)"}),
    _pipeline("with ? for the day", schedule={"expression": "cron(0 3 ? * ? *)"}),
    _pipeline("with ? for the day", schedule={"expression": "cron(0 3 1 * MON *)"}),
    _pipeline("six fields", schedule={"expression": "cron(0 3 ? * MON *)*)"}),
    _pipeline("at(2030-01-31T06:00:00)", schedule={"expression": "at(tomorrow)"}),
    _pipeline("Europe/Stockholm", schedule={"expression": "rate(7 days)", "timezone": "CET+1"}),
    _pipeline("schedule.parameters", schedule={"expression": "rate(7 days)", "parameters": {"Days": "1"}}),
    _pipeline("at most", schedule={"expression": "rate(7 days)", "flexible_window_minutes": 10000}),
    _unknown_key("pipeline", schedule={"expression": "rate(7 days)", "time_zone": "Europe/Stockholm"}),
    _pipeline("at least 60", start_retries={"max_age_seconds": 1}),
    # async_endpoint
    _async_endpoint("in Region eu-north-1", kms_key_arn=_KEY_ELSEWHERE),
    _async_endpoint("of account 123456789012", role_arn=_ROLE_ELSEWHERE),
    _async_endpoint("in Region eu-north-1", image_uri=_IMAGE_ELSEWHERE),
    _async_endpoint("other registries are not supported", image_uri="docker.io/library/python:3"),
    _async_endpoint("in Region eu-north-1", model_package_arn=_PACKAGE_ELSEWHERE, image_uri=None),
    _async_endpoint("at most max_instances", min_instances=3),
    _async_endpoint("prefix in a bucket", s3_uri="s3://shop-requests"),
    # realtime_endpoint
    _realtime_endpoint("in Region eu-north-1", kms_key_arn=_KEY_ELSEWHERE),
    _realtime_endpoint("of account 123456789012", role_arn=_ROLE_ELSEWHERE),
    _realtime_endpoint("in Region eu-north-1", image_uri=_IMAGE_ELSEWHERE),
    _realtime_endpoint("in Region eu-north-1", shadow={"image_uri": _IMAGE_ELSEWHERE}),
    _realtime_endpoint("set one of", model_package_arn=None, image_uri=None),
    _realtime_endpoint("variant of shadow", variant_name="shadow"),
    _realtime_endpoint("ml.c7g.large", instance_type="c7g.large"),
    _realtime_endpoint("must be at least 1", latency_slo_ms=0),
    _realtime_endpoint("one_instance_because", min_instances=1),
    _realtime_endpoint("canary", deployment={"strategy": "blue_green"}),
    _realtime_endpoint("use all_at_once", deployment={}, min_instances=1, one_instance_because="It is a test."),
    _realtime_endpoint("at most min_instances", off_hours={**_OFF_HOURS, "instances": 9}),
    _realtime_endpoint("Europe/Stockholm", off_hours={**_OFF_HOURS, "timezone": "Stockholm"}),
    _realtime_endpoint("which Application Auto Scaling", off_hours={**_OFF_HOURS, "timezone": "Etc/UTC"}),
    _realtime_endpoint("? for the day", off_hours={**_OFF_HOURS, "begin": "cron(0 20 ? * ? *)"}),
    _realtime_endpoint("six fields", off_hours={**_OFF_HOURS, "begin": "cron(0 20 ? * MON *)*)"}),
    _realtime_endpoint("has invalid hours", off_hours={**_OFF_HOURS, "begin": "cron(0 25 ? * MON-FRI *)"}),
    _realtime_endpoint("id of a subnet", vpc_config={"subnets": ["a", "b"], "security_group_ids": _GROUPS}),
    _realtime_endpoint("id of a security group", vpc_config={"subnets": _SUBNETS, "security_group_ids": ["x"]}),
    _realtime_endpoint("at least 2", vpc_config={"subnets": _SUBNETS[:1], "security_group_ids": _GROUPS}),
    _realtime_endpoint("for one, set image_uri", containers=[{"hostname": "one", "image_uri": _IMAGE}]),
    # serverless_endpoint
    _serverless_endpoint("1024, 2048", memory_mb=1000),
    _serverless_endpoint("at most max_concurrency", provisioned_concurrency={"min": 2, "max": 50}),
    _serverless_endpoint("min and max must not be null", provisioned_concurrency={"min": None, "max": 2}),
    _serverless_endpoint("use an image for x86", image_uri=_IMAGE),
    _serverless_endpoint("in Region eu-north-1", image_uri=_IMAGE_ELSEWHERE.replace("-arm64", "")),
    _serverless_endpoint("key in Region eu-north-1", kms_key_arn=_KEY_ELSEWHERE, region="eu-north-1"),
    _serverless_endpoint("set memory_mb", instance_type="ml.c7g.large"),
    _serverless_endpoint(
        "real-time endpoint",
        kms_key_arn=f"arn:aws:kms:eu-south-2:{_ACCOUNT}:{_KEY_ID}",
        image_uri=f"{_ACCOUNT}.dkr.ecr.eu-south-2.amazonaws.com/churn:1",
        role_arn=f"arn:aws:iam::{_ACCOUNT}:role/shop",
    ),
    # studio
    _studio("in Region eu-north-1", kms_key_arn=_KEY_ELSEWHERE),
    _studio("of account 123456789012", role_arn=_ROLE_ELSEWHERE),
    _studio("of account 123456789012", users={"anna": {"role_arn": _ROLE_ELSEWHERE}}),
    _studio("letters, digits and hyphens", users={"anna_berg": {}}, spaces={}),
    _studio("letters, digits and hyphens", users={f"anna{60 * '-'}berg": {}}, spaces={}),
    _studio("needs sso_user_name", auth_mode="SSO"),
    _studio("none may have it", users={"anna": {"sso_user_name": "anna@example.com"}}),
    _studio("at most 12288 bytes", lifecycle_scripts={"tools": {"script": "#" * 12289}}),
    _studio("add the user", spaces={"notebooks": {"user": "bjorn"}}),
    _studio("at most 50", spaces={"notebooks": {"user": "anna", "disk_gb": 51}}),
    _studio("default must be at most max", disk_gb={"default": 60}),
    _studio("VpcOnly", network_access="Private"),
    _studio("invalid hours", tracking_server=_tracking_server(begin="cron(0 24 ? * MON-FRI *)")),
    _studio("invalid minutes", tracking_server=_tracking_server(end="cron(60 6 ? * MON-FRI *)")),
    _studio("six fields", tracking_server=_tracking_server(begin="rate(1 day)")),
    _studio("such as Europe/Stockholm", tracking_server=_tracking_server(timezone="Stockholm")),
    _studio("or a slash at its end", tracking_server={**_SERVER, "artifacts_s3_uri": "s3://shop-models"}),
    _studio("of account 123456789012", tracking_server={**_SERVER, "role_arn": _ROLE_ELSEWHERE}),
    _studio("such as 3.0", tracking_server={**_SERVER, "mlflow_version": "newest"}),
    _studio("AWS refuses a third", tracking_server={**_SERVER, "mlflow_version": "2.16.2"}),
    _studio("Medium", tracking_server={**_SERVER, "size": "Tiny"}),
    _studio("such as ml.t3.medium", hidden_instance_types=["g5.xlarge"]),
)


def format_counts() -> Iterator[str]:
    """Yield a line for each module, each accepted input and the total. test_wrong_inputs.py proves them by plans."""
    for module in CASES:
        wrong = [each for each in WRONG_INPUTS if each.module == module]
        yield f"{module}: {sum(not each.accepted_because for each in wrong)} of {len(wrong)} refused"
    accepted = [each for each in WRONG_INPUTS if each.accepted_because]
    yield from (f"accepted: {each.module}.{each.input}: {each.accepted_because}" for each in accepted)
    yield f"total: {len(WRONG_INPUTS) - len(accepted)} of {len(WRONG_INPUTS)} refused"


if __name__ == "__main__":
    print("\n".join(format_counts()))
