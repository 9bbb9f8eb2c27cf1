"""Destinations of data and sources of code in another account or outside AWS.

Attributes and their shapes come from the schema of the provider aws 5.100.
"""

import re
from collections.abc import Iterator, Set
from functools import lru_cache
from typing import Any

from sustainable_mlops.aws.s3 import S3Uri, find_bucket
from sustainable_mlops.catalogue.images import is_code_of_aws
from sustainable_mlops.plan import UNKNOWN, Block, PipelineStep
from sustainable_mlops.plan.iam import derive_text
from sustainable_mlops.plan.joins import BUCKET
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.review.accounts import assess_foreign_accounts
from sustainable_mlops.review.attributes.row import list_values
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.pipeline_steps import (
    PIPELINE,
    list_code,
    list_outputs,
    list_steps_after,
    list_steps_before,
)
from sustainable_mlops.review.risk import Level, Risk, RiskArea, format_path

_REQUESTS = "requests"
#: Types that copy the objects of a bucket, or lists of them, to a bucket that may belong to another account.
_COPIES = (
    "aws_s3_bucket_analytics_configuration", "aws_s3_bucket_inventory", "aws_s3_bucket_replication_configuration"
)  # fmt: skip
_SUBSCRIPTION, _TOPIC = "aws_sns_topic_subscription", "aws_sns_topic"
#: Paths of the texts that `_read_steps` collects from the steps of a pipeline.
_STEP_OUTPUTS, _STEP_CODE = "steps.outputs", "steps.code"

#: Types that send data: the content, and the attributes with the destination. `*` stands for each item of a
#: list, and `**` for any depth.
DESTINATIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "aws_api_gateway_stage": ("access logs", ("access_log_settings.*.destination_arn",)),
    "aws_apigatewayv2_stage": ("access logs", ("access_log_settings.*.destination_arn",)),
    "aws_api_gateway_integration": (_REQUESTS, ("uri",)),
    "aws_apigatewayv2_integration": (_REQUESTS, ("integration_uri",)),
    "aws_appflow_flow": (
        "data", ("destination_flow_config.*.destination_connector_properties.**.bucket_name",
                 "destination_flow_config.*.destination_connector_properties.**.object",
                 "destination_flow_config.*.connector_type"),
    ),
    "aws_appsync_datasource": (_REQUESTS, ("http_config.*.endpoint", "lambda_config.*.function_arn")),
    "aws_backup_plan": ("backups", ("rule.*.copy_action.*.destination_vault_arn",)),
    "aws_cloudfront_realtime_log_config": ("logs", ("endpoint.*.kinesis_stream_config.*.stream_arn",)),
    "aws_cloudtrail": ("the audit trail", ("s3_bucket_name", "sns_topic_name", "cloud_watch_logs_group_arn")),
    "aws_cloudwatch_event_api_destination": ("events", ("invocation_endpoint",)),
    "aws_cloudwatch_event_target": ("events", ("arn", "dead_letter_config.*.arn")),
    "aws_cloudwatch_log_delivery_destination": (
        "logs", ("delivery_destination_configuration.*.destination_resource_arn",)
    ),
    "aws_cloudwatch_log_destination": ("logs", ("target_arn",)),
    "aws_cloudwatch_log_subscription_filter": ("logs", ("destination_arn",)),
    "aws_cloudwatch_metric_stream": ("metrics", ("firehose_arn",)),
    "aws_cognito_user_pool": ("users' data", ("lambda_config.*.*",)),
    "aws_config_delivery_channel": ("the configuration history", ("s3_bucket_name", "sns_topic_arn")),
    "aws_datasync_location_azure_blob": ("files", ("container_url",)),
    "aws_datasync_location_hdfs": ("files", ("name_node.*.hostname",)),
    "aws_datasync_location_nfs": ("files", ("server_hostname",)),
    "aws_datasync_location_object_storage": ("files", ("server_hostname", "bucket_name")),
    "aws_datasync_location_s3": ("files", ("s3_bucket_arn",)),
    "aws_datasync_location_smb": ("files", ("server_hostname",)),
    "aws_datasync_task": ("files", ("destination_location_arn",)),
    "aws_dms_endpoint": (
        "data", ("server_name", "elasticsearch_settings.*.endpoint_uri", "kafka_settings.*.broker",
                 "kinesis_settings.*.stream_arn", "redis_settings.*.server_name", "redshift_settings.*.bucket_name",
                 "s3_settings.*.bucket_name"),
    ),
    "aws_dms_s3_endpoint": ("data", ("bucket_name",)),
    "aws_dynamodb_kinesis_streaming_destination": ("changes of the table", ("stream_arn",)),
    "aws_dynamodb_table_export": ("the table", ("s3_bucket", "s3_bucket_owner")),
    "aws_ecr_replication_configuration": (
        "images", ("replication_configuration.*.rule.*.destination.*.registry_id",)
    ),
    "aws_ec2_transit_gateway_peering_attachment": ("the network", ("peer_account_id",)),
    "aws_flow_log": ("logs", ("log_destination",)),
    "aws_ses_event_destination": (
        "events of mail", ("sns_destination.*.topic_arn", "kinesis_destination.*.stream_arn")
    ),
    "aws_sesv2_configuration_set_event_destination": (
        "events of mail", ("event_destination.*.sns_destination.*.topic_arn",
                           "event_destination.*.kinesis_firehose_destination.*.delivery_stream_arn"),
    ),
    "aws_guardduty_publishing_destination": ("findings", ("destination_arn",)),
    "aws_iot_topic_rule": (
        "messages", ("http.*.url", "lambda.*.function_arn", "sns.*.target_arn", "sqs.*.queue_url",
                     "s3.*.bucket_name", "kafka.*.destination_arn", "error_action.**.url"),
    ),
    "aws_kinesis_firehose_delivery_stream": (
        "records", ("**.bucket_arn", "**.url", "**.domain_arn", "**.cluster_endpoint", "**.collection_endpoint",
                    "**.cluster_jdbcurl", "**.account_url", "**.hec_endpoint", "iceberg_configuration.*.catalog_arn"),
    ),
    "aws_lambda_event_source_mapping": (
        "failed records", ("destination_config.*.on_failure.*.destination_arn",)
    ),
    "aws_lambda_function": ("failed events", ("dead_letter_config.*.target_arn",)),
    "aws_lambda_function_event_invoke_config": (
        "results", ("destination_config.*.on_success.*.destination", "destination_config.*.on_failure.*.destination")
    ),
    "aws_networkfirewall_logging_configuration": (
        "logs", ("logging_configuration.*.log_destination_config.*.log_destination.*",)
    ),
    "aws_oam_link": ("metrics, logs and traces", ("sink_identifier",)),
    "aws_pipes_pipe": ("events", ("target", "enrichment", "**.dead_letter_config.*.arn")),
    "aws_route53_resolver_query_log_config": ("DNS queries", ("destination_arn",)),
    "aws_s3_access_point": ("objects", ("bucket_account_id",)),
    "aws_s3_bucket_analytics_configuration": (
        "lists of objects", ("storage_class_analysis.**.bucket_account_id", "storage_class_analysis.**.bucket_arn")
    ),
    "aws_s3_bucket_inventory": ("lists of objects", ("destination.**.account_id", "destination.**.bucket_arn")),
    "aws_s3_bucket_logging": ("access logs", ("target_bucket",)),
    "aws_s3_bucket_notification": (
        "events", ("lambda_function.*.lambda_function_arn", "queue.*.queue_arn", "topic.*.topic_arn")
    ),
    "aws_s3_bucket_replication_configuration": (
        "copies of objects", ("rule.*.destination.*.account", "rule.*.destination.*.bucket")
    ),
    "aws_sagemaker_endpoint_configuration": (
        "requests and responses", ("data_capture_config.*.destination_s3_uri",
                                   "async_inference_config.*.output_config.*.s3_output_path",
                                   "async_inference_config.*.output_config.*.s3_failure_path",
                                   "async_inference_config.*.output_config.*.notification_config.*.*"),
    ),
    "aws_sagemaker_feature_group": ("features", ("offline_store_config.*.s3_storage_config.*.s3_uri",)),
    PIPELINE: ("outputs", (_STEP_OUTPUTS,)),
    "aws_sagemaker_flow_definition": ("answers", ("output_config.*.s3_output_path",)),
    "aws_scheduler_schedule": ("events", ("target.*.arn", "target.*.dead_letter_config.*.arn")),
    "aws_secretsmanager_secret_rotation": ("the secret", ("rotation_lambda_arn",)),
    "aws_sfn_state_machine": ("inputs of its steps", ("definition",)),
    _SUBSCRIPTION: ("messages", ("endpoint",)),
    "aws_sqs_queue": ("failed messages", ("redrive_policy",)),
    "aws_sqs_queue_redrive_policy": ("failed messages", ("redrive_policy",)),
    "aws_transfer_connector": ("files", ("url",)),
    "aws_vpc_endpoint": (_REQUESTS, ("service_name",)),
    "aws_vpc_peering_connection": ("the network", ("peer_owner_id",)),
    "aws_wafv2_web_acl_logging_configuration": ("logs of requests", ("log_destination_configs",)),
}  # fmt: skip

#: Types that run code, and the attributes that name an image, a layer, a script or a repository.
CODE_SOURCES: dict[str, tuple[str, ...]] = {
    "aws_apprunner_service": (
        "source_configuration.*.image_repository.*.image_identifier",
        "source_configuration.*.code_repository.*.repository_url",
    ),
    "aws_amplify_app": ("repository",),
    "aws_batch_job_definition": (
        "container_properties", "node_properties", "ecs_properties",
        "eks_properties.*.pod_properties.*.containers.*.image",
        "eks_properties.*.pod_properties.*.init_containers.*.image",
    ),
    "aws_codebuild_project": ("environment.*.image", "source.*.location", "secondary_sources.*.location"),
    "aws_codepipeline": (
        "stage.*.action.*.configuration.FullRepositoryId", "stage.*.action.*.configuration.RepositoryName",
        "stage.*.action.*.configuration.S3Bucket",
    ),
    "aws_ecs_task_definition": ("container_definitions",),
    "aws_emrserverless_application": ("image_configuration.*.image_uri",),
    "aws_glue_job": ("command.*.script_location",),
    "aws_lambda_function": ("image_uri", "layers", "s3_bucket"),
    "aws_lambda_layer_version": ("s3_bucket",),
    "aws_lightsail_container_service_deployment_version": ("container.*.image",),
    "aws_sagemaker_code_repository": ("git_config.*.repository_url",),
    "aws_sagemaker_data_quality_job_definition": ("data_quality_app_specification.*.image_uri",),
    "aws_sagemaker_image_version": ("base_image",),
    "aws_sagemaker_model": (
        "primary_container.*.image", "container.*.image", "primary_container.*.model_data_url",
        "container.*.model_data_url", "primary_container.*.model_package_name", "container.*.model_package_name",
        "primary_container.*.model_data_source.*.s3_data_source.*.s3_uri",
        "container.*.model_data_source.*.s3_data_source.*.s3_uri",
        # The container of AWS runs the script of this archive.
        "primary_container.*.environment.SAGEMAKER_SUBMIT_DIRECTORY",
        "container.*.environment.SAGEMAKER_SUBMIT_DIRECTORY",
    ),
    "aws_sagemaker_notebook_instance": ("default_code_repository", "additional_code_repositories"),
    PIPELINE: ("pipeline_definition", _STEP_CODE),
}  # fmt: skip

#: The images in each attribute that is a JSON text.
_JSON_TEXTS = {
    "container_definitions": "image",
    "container_properties": "image",
    "ecs_properties": "taskProperties.containers.image",
    "node_properties": "nodeRangeProperties.container.image",
}
#: Attributes that choose a version of code. A new version is an everyday change; only the owner of the code counts.
_VERSIONS = {
    "aws_lambda_alias": ("function_version", "routing_config"),
    **dict.fromkeys(
        ("aws_lambda_function", "aws_lambda_layer_version"),
        ("filename", "s3_key", "s3_object_version", "source_code_hash"),
    ),
}


def list_destination_paths(type_: str) -> tuple[str, ...]:
    """Return the paths of the attributes that this module reads. In JSON texts, only images count."""
    _, paths = DESTINATIONS.get(type_, ("", ()))
    code = (f"{path}.{_JSON_TEXTS[path]}" if path in _JSON_TEXTS else path for path in CODE_SOURCES.get(type_, ()))
    return (*paths, *code, *_VERSIONS.get(type_, ()))


_ARN_ACCOUNT = r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:(\d{12}):"
_ACCOUNT = r"\d{12}"
_QUEUE_URL = r"https://(?:sqs\.[a-z0-9-]+|[a-z0-9-]+\.queue)\.amazonaws\.com(?:\.cn)?/(\d{12})/.*"
#: An API calls a function by an address of API Gateway that contains the function's ARN.
_FUNCTION_URI = r"arn:[a-z-]+:apigateway:[a-z0-9-]+:lambda:path/.*?/functions/(arn:.*)/invocations"
_AWS_HOST = r"https?://[^/]*\.amazonaws\.com(?:\.cn)?(?:[:/].*)?"
_SCHEMES = ("http://", "https://", "sftp://", "ftp://", "ftps://")
_IMAGE_KEY = r'"(?:[iI]mage|[iI]mageUri|TrainingImage)"\s*:\s*"([^"]+)"'
_ECR_IMAGE = r"(\d{12})\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/.*"
_CODEBUILD_IMAGES = "docker.io/aws"  # `aws/codebuild/standard:7.0`
#: Role attributes of a resource. The role that a resource runs as is in the same account.
_ROLE_ATTRIBUTES = ("execution_role_arn", "role_arn", "role", "service_role", "task_role_arn", "iam_role_arn")
_MAX_LENGTH = 120


def find_destination_risks(comparison: Comparison) -> Iterator[Risk]:
    """Yield risks of the destinations of data, and of the sources of code, that a plan adds."""
    for pair in comparison.changes:
        if pair.after is None or pair.new is None or not (pair.type in DESTINATIONS or pair.type in CODE_SOURCES):
            continue
        if pair.after.values is UNKNOWN:
            if pair.new.mapped_reader is None:  # the other types are reported as a whole
                yield _build_unknown_risk(
                    pair, "the resource", "it may send data to another account, or run code of another account"
                )
            continue
        read_pair = _read_steps(pair, comparison) if pair.type == PIPELINE else pair
        assert read_pair.after is not None
        if pair.type in DESTINATIONS:
            yield from _find_new_destinations(read_pair, read_pair.after, comparison)
        if pair.type in CODE_SOURCES:
            yield from _find_new_code(read_pair, read_pair.after, comparison)


def _read_steps(pair: ResourcePair, comparison: Comparison) -> ResourcePair:
    """Return a pipeline with the outputs and the code of its steps in place of a definition with readable steps."""

    def summarize(values: Block | None, steps: list[PipelineStep]) -> Block | None:
        if values is None or values.values is UNKNOWN:
            return values
        outputs = dict.fromkeys(text for step in steps for text in list_outputs(step))
        code = dict.fromkeys(text for step in steps for text in list_code(step))
        definition = values.get("pipeline_definition")
        return Block(
            {
                **values.values,
                "steps": {"outputs": list(outputs), "code": list(code)},
                "pipeline_definition": None if steps and type(definition) is str else definition,
            }
        )

    before = summarize(pair.before, list_steps_before(pair, comparison))
    return ResourcePair(pair.old, pair.new, before, summarize(pair.after, list_steps_after(pair, comparison)))


def _find_new_destinations(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    content, paths = DESTINATIONS[pair.type]
    own = comparison.accounts | _list_role_accounts(after)
    for path in paths:
        for value in list_added_texts(pair, after, path):
            if value is UNKNOWN or isinstance(value, Sensitive):
                if not is_derived_from_plan(pair, path, comparison) and (value is UNKNOWN or pair.before is not None):
                    yield _build_unknown_risk(pair, path, f"it may send {content} to another account or out of AWS")
                continue
            level, reason = _assess_destination(pair, path, value, own, comparison)
            if level is not Level.NOTE:
                location = _describe_location(pair, path, {value}, comparison)
                description = f"{location}: sends {content} to {_shorten_destination(value)} ({reason})"
                yield _build_risk("PRIVILEGES_DESTINATION", level, pair, description)


def _describe_location(pair: ResourcePair, path: str, texts: Set[str], comparison: Comparison) -> str:
    """Return the attribute at `path`, or the steps of a pipeline that contain any of `texts`."""
    if path not in (_STEP_OUTPUTS, _STEP_CODE):
        return format_path(path)
    list_step_texts = list_outputs if path == _STEP_OUTPUTS else list_code
    steps = list_steps_after(pair, comparison)
    names = [str(step.name) for step in steps if not texts.isdisjoint(list_step_texts(step))]
    return f"step{'s' * (len(names) > 1)} {', '.join(names)}"


def _shorten_destination(value: str) -> str:
    """Return a destination without the path of an address, which may contain a secret."""
    scheme, separator, address = value.partition("://")
    host = address.partition("/")[0].rpartition("@")[2]
    return f"{scheme}://{host}" if separator else value if len(value) <= _MAX_LENGTH else "another destination"


def _assess_destination(
    pair: ResourcePair, path: str, value: str, own: Set[str], comparison: Comparison
) -> tuple[Level, str]:
    """Return the level and the reason of one destination."""
    if accounts := _list_accounts(value):
        before = set() if pair.before is None else _list_former_accounts(pair.before, path)
        return assess_foreign_accounts(accounts - before, own)
    if value.startswith("com.amazonaws.vpce."):
        return Level.LOOK, "a service of another provider"
    if external := _describe_external_destination(value):
        is_expected = pair.type == _SUBSCRIPTION and comparison.names_new_resource(pair, "topic_arn", _TOPIC)
        is_expected |= pair.before is None and DESTINATIONS[pair.type][0] == _REQUESTS  # every new API has a server
        return (Level.NOTE, "") if is_expected else (Level.LOOK, external)
    has_no_owner = value.startswith("{") or (value.startswith("arn:") and ":s3:::" not in value)
    is_new = pair.before is None and not _copies_existing_objects(pair, comparison)
    if is_new or has_no_owner or pair.type == "aws_vpc_endpoint" or _is_bucket_of_plan(value, comparison):
        return Level.NOTE, ""
    return Level.LOOK, "it is not in the plan, so its owner is unknown"


def _list_accounts(value: str) -> Set[str]:
    """Return the accounts that a destination names; those of all ARNs if it is a document."""
    if re.fullmatch(_ACCOUNT, value):
        return {value}
    function, queue = re.fullmatch(_FUNCTION_URI, value), re.fullmatch(_QUEUE_URL, value)
    return {queue[1]} if queue else set(re.findall(_ARN_ACCOUNT, function[1] if function else value))


def _list_former_accounts(before: Block, path: str) -> set[str]:
    return {account for text in list_known_texts(before, path) for account in _list_accounts(text)}


def _describe_external_destination(value: str) -> str:
    """Return the kind of a destination outside AWS, or an empty text."""
    if value.startswith(_SCHEMES):
        return "" if re.fullmatch(_AWS_HOST, value) else "an address outside AWS"
    if "@" in value and "/" not in value and " " not in value:
        return "an email address"
    return "a phone number" if value.startswith("+") and value[1:].isdecimal() else ""


def _copies_existing_objects(pair: ResourcePair, comparison: Comparison) -> bool:
    """Return whether a new resource copies objects, or lists of them, from a bucket that exists before the plan."""
    return pair.type in _COPIES and not comparison.names_new_resource(pair, "bucket", BUCKET)


def _is_bucket_of_plan(value: str, comparison: Comparison) -> bool:
    return (find_bucket(value) or value) in comparison.joins_after.index_by_name(BUCKET)


def _find_new_code(pair: ResourcePair, after: Block, comparison: Comparison) -> Iterator[Risk]:
    """Yield a risk for each new owner of code. A new version from the same owner is no risk."""
    own: Set[str] | None = None
    for path in CODE_SOURCES[pair.type]:
        added = list_added_texts(pair, after, path)
        if not added:
            continue
        former_texts = [] if pair.before is None else list_known_texts(pair.before, path)
        former = {owner for text in former_texts for owner in _list_code_owners(text, path)}
        known = [value for value in added if value is not UNKNOWN and not isinstance(value, Sensitive)]
        if len(known) < len(added) and pair.before is not None and not is_derived_from_plan(pair, path, comparison):
            yield _build_unknown_risk(pair, path, "it may name code of another account")
        own = own or comparison.accounts | _list_role_accounts(after)
        for owner in dict.fromkeys(owner for text in known for owner in _list_code_owners(text, path)):
            if owner not in former and (reason := _assess_code_owner(owner, pair, own, comparison)):
                # A new resource whose account is unknown most likely runs code of that account.
                level = Level.LOOK if own or pair.before is not None else Level.NOTE
                names = {text for text in known if owner in _list_code_owners(text, path)}
                location = _describe_location(pair, path, names, comparison)
                yield _build_risk("PRIVILEGES_CODE", level, pair, f"{location}: runs code of {owner} ({reason})")


def _assess_code_owner(owner: str, pair: ResourcePair, own: Set[str], comparison: Comparison) -> str:
    """Return the reason to look at code of this owner, or an empty text."""
    if re.fullmatch(_ACCOUNT, owner):
        return "" if is_code_of_aws(owner) else assess_foreign_accounts([owner], own)[1]
    if pair.before is None or owner == _CODEBUILD_IMAGES:
        return ""
    if owner.startswith("s3://"):
        return "" if _is_bucket_of_plan(owner, comparison) else "this bucket is not in the plan"
    return "another registry or repository than before"


def _list_code_owners(text: str, path: str) -> Iterator[str]:
    """Yield the owners of the code that a text names: accounts, buckets, registries with their namespace.

    The source of a pipeline has only a name, which counts as its owner.
    """
    if path.endswith(("s3_bucket", "S3Bucket")) or ".configuration." in path:
        yield f"s3://{text}" if path.endswith("ucket") else f"repository {text}"
        return
    is_document = path == "pipeline_definition" or text.startswith(("{", "["))
    names = re.findall(_IMAGE_KEY, text) if is_document else [text]
    yield from filter(None, map(_find_code_owner, names))


def _find_code_owner(name: str) -> str:
    ecr, accounts = re.fullmatch(_ECR_IMAGE, name), re.findall(_ARN_ACCOUNT, name)
    if ecr or accounts:
        return ecr[1] if ecr else accounts[0]
    address = S3Uri.parse_url(name)
    if address is not None or name.startswith("arn:"):
        return "" if address is None else f"s3://{address.bucket}"
    host, *namespace = re.sub(r"^[a-z]+://(?:[^@/]*@)?", "", name).partition("@")[0].split("/")
    if "." in host or (":" in host and namespace):
        return "/".join([host, *namespace[:-1][:1]])
    return f"docker.io/{host if namespace else 'library'}"


def list_added_texts(pair: ResourcePair, after: Block, path: str) -> list[Any]:
    """Return the texts, and unknown values, at `path` that the resource did not have before."""
    new = _list_texts(after, path)
    old = _list_texts(pair.before, path) if new and pair.before is not None else []
    return list(dict.fromkeys(value for value in new if value not in old))


def list_known_texts(values: Block, path: str) -> list[str]:
    """Return the texts at `path` that are neither unknown nor sensitive."""
    return [item for item in _list_texts(values, path) if item is not UNKNOWN and not isinstance(item, Sensitive)]


def _list_texts(values: Block, path: str) -> list[Any]:
    steps = _split(path)
    if steps[0] != "**" and not _is_set(values.get(steps[0])):
        return []
    items = (
        item for value in list_values(values.values, steps) for item in (value if isinstance(value, list) else [value])
    )
    return [item for item in items if item is UNKNOWN or isinstance(item, str)]


@lru_cache(maxsize=512)
def _split(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def _is_set(value: Any) -> bool:
    return value is UNKNOWN or value not in (None, "", [])


def is_derived_from_plan(pair: ResourcePair, path: str, comparison: Comparison) -> bool:
    """Return whether an unknown value is computed by the provider, or derived from resources of the plan only."""
    head = _find_expression_path(pair, path)
    if pair.new is None or not head:
        return pair.before is None
    if comparison.plan.is_configured(pair.new, head) is False:
        return True
    return derive_text(comparison.joins_after.find_references(pair.new, head)) is not UNKNOWN


def _find_expression_path(pair: ResourcePair, path: str) -> str:
    """Return the path of the expression that holds the values at `path`, or of a block around it."""
    steps = path.split(".")
    for position, step in enumerate(steps):
        blocks = pair.after.get(".".join(steps[:position])) if step == "*" and pair.after is not None else None
        is_only_block = isinstance(blocks, list) and len(blocks) == 1 and position + 1 < len(steps)
        if step == "**" or (step == "*" and not is_only_block):
            return ".".join(steps[:position])
        steps[position] = "0" if step == "*" else step
    return ".".join(steps)


def _list_role_accounts(after: Block) -> Set[str]:
    roles = (after.text(name) for name in _ROLE_ATTRIBUTES)
    return {match[1] for role in roles if isinstance(role, str) and (match := re.match(_ARN_ACCOUNT, role))}


def _build_risk(name: str, level: Level, pair: ResourcePair, description: str) -> Risk:
    fix = "Check that the other account is yours or a partner's, or accept the risk." if level is Level.STOP else ""
    return Risk(name, RiskArea.PRIVILEGES, level, pair.address, description, fix)


def _build_unknown_risk(pair: ResourcePair, path: str, effect: str) -> Risk:
    description = f"{format_path(path)} is unknown until apply or sensitive: {effect}"
    return Risk("PRIVILEGES_UNKNOWN", RiskArea.PRIVILEGES, Level.LOOK, pair.address, description, is_known=False)
