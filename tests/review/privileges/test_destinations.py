"""Destinations of data, sources of code, and DNS names with new targets."""

import json
from typing import Any

from sustainable_mlops.review.review import review
from sustainable_mlops.review.risk import Level
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.review.privileges.test_trust import KEPT, nest

OWN, OTHER = "123456789012", "999999999999"
STOP, LOOK = Level.STOP, Level.LOOK
ECR = "{}.dkr.ecr.eu-north-1.amazonaws.com/models:{}"
LAYER = "arn:aws:lambda:eu-north-1:{}:layer:tools:{}"


def list_risks(*changes: dict[str, Any], root: dict[str, Any] | None = None) -> list[tuple[str, Level]]:
    names = ("PRIVILEGES_DESTINATION", "PRIVILEGES_CODE", "PRIVILEGES_UNKNOWN")
    risks = review(build_plan(KEPT, *changes, root=root)).risks
    return [(item.risk.id.removeprefix("PRIVILEGES_"), item.risk.level) for item in risks if item.risk.id in names]


def change(kind: str, path: str, old: Any, new: Any) -> list[tuple[str, Level]]:
    before, after = ({"name": "x", **nest(path, value)} for value in (old, new))
    return list_risks(build_change(f"aws_{kind}.this", after, before=before))


def create(kind: str, path: str, value: Any) -> list[tuple[str, Level]]:
    return list_risks(build_change(f"aws_{kind}.this", {"name": "x", **nest(path, value)}))


def arn(service: str, account: str, name: str = "x") -> str:
    return f"arn:aws:{service}:eu-north-1:{account}:{name}"


@check_cases(
    ("kind", "path", "service"),
    [
        ("cloudwatch_event_target", "arn", "events"),
        ("pipes_pipe", "target", "sqs"),
        ("sns_topic_subscription", "endpoint", "sqs"),
        ("cloudwatch_log_subscription_filter", "destination_arn", "logs"),
        ("cloudwatch_log_destination", "target_arn", "kinesis"),
        ("s3_bucket_notification", "queue.*.queue_arn", "sqs"),
        ("dms_endpoint", "kinesis_settings.*.stream_arn", "kinesis"),
        ("datasync_task", "destination_location_arn", "datasync"),
        ("scheduler_schedule", "target.*.arn", "lambda"),
        ("oam_link", "sink_identifier", "oam"),
        ("lambda_function", "dead_letter_config.*.target_arn", "sqs"),
        ("kinesis_firehose_delivery_stream", "opensearch_configuration.*.domain_arn", "es"),
    ],
)
def test_data_sent_to_another_account_is_stopped(kind: str, path: str, service: str) -> None:
    own, other = arn(service, OWN), arn(service, OTHER)
    assert change(kind, path, own, other) == [("DESTINATION", STOP)]
    assert create(kind, path, other) == [("DESTINATION", STOP)]
    assert change(kind, path, other, own) == []
    assert change(kind, path, own, arn(service, OWN, "y")) == []
    assert create(kind, path, own) == []


@check_cases(
    ("kind", "path"),
    [
        ("ecr_replication_configuration", "replication_configuration.*.rule.*.destination.*.registry_id"),
        ("s3_bucket_replication_configuration", "rule.*.destination.*.account"),
        ("s3_bucket_inventory", "destination.*.bucket.*.account_id"),
        ("vpc_peering_connection", "peer_owner_id"),
    ],
)
def test_an_account_without_an_arn_counts_too(kind: str, path: str) -> None:
    assert change(kind, path, OWN, OTHER) == create(kind, path, OTHER) == [("DESTINATION", STOP)]
    assert change(kind, path, OTHER, OWN) == create(kind, path, OWN) == []


def test_arns_in_documents_count() -> None:
    def redrive(account: str) -> str:
        return json.dumps({"deadLetterTargetArn": arn("sqs", account), "maxReceiveCount": 3})

    def define(account: str) -> str:
        return json.dumps({"States": {"A": {"Type": "Task", "Resource": arn("lambda", account)}}})

    for kind, path, build in (("sqs_queue", "redrive_policy", redrive), ("sfn_state_machine", "definition", define)):
        assert change(kind, path, build(OWN), build(OTHER)) == [("DESTINATION", STOP)]
        assert change(kind, path, build(OTHER), build(OWN)) == []
    queue_url = f"https://sqs.eu-north-1.amazonaws.com/{OTHER}/q"
    assert create("iot_topic_rule", "sqs.*.queue_url", queue_url) == [("DESTINATION", STOP)]
    function = f"arn:aws:apigateway:eu-north-1:lambda:path/2015-03-31/functions/{arn('lambda', OTHER)}/invocations"
    assert create("api_gateway_integration", "uri", function) == [("DESTINATION", STOP)]


@check_cases(
    ("kind", "path", "value"),
    [
        ("sns_topic_subscription", "endpoint", "someone@example.org"),
        ("sns_topic_subscription", "endpoint", "https://example.org/hook"),
        ("sns_topic_subscription", "endpoint", "+4670000000"),
        ("cloudwatch_event_api_destination", "invocation_endpoint", "https://example.org"),
        ("kinesis_firehose_delivery_stream", "http_endpoint_configuration.*.url", "https://example.org"),
        ("transfer_connector", "url", "sftp://example.org"),
        ("vpc_endpoint", "service_name", "com.amazonaws.vpce.eu-north-1.vpce-svc-1"),
    ],
)
def test_data_sent_out_of_aws_needs_a_look(kind: str, path: str, value: str) -> None:
    assert create(kind, path, value) == [("DESTINATION", LOOK)]
    assert change(kind, path, value, value) == []


def test_the_path_of_an_address_is_not_shown() -> None:
    values = {"invocation_endpoint": "https://me:token1@hooks.example.org/services/token2"}
    (assessment,) = review(build_plan(build_change("aws_cloudwatch_event_api_destination.d", values))).risks
    assert "https://hooks.example.org (" in assessment.risk.description
    assert "token" not in assessment.risk.description


def test_the_server_of_an_api_needs_a_look_if_it_changes() -> None:
    assert create("api_gateway_integration", "uri", "https://a.example.org") == []
    assert change("api_gateway_integration", "uri", "https://a.example.org", "https://b.example.org") == [
        ("DESTINATION", LOOK)
    ]


def test_an_e_mail_address_of_a_new_topic_is_fine() -> None:
    def subscribe(topic: dict[str, Any]) -> list[tuple[str, Level]]:
        subscription = build_change("aws_sns_topic_subscription.s", {"endpoint": "a@b.c", "topic_arn": "arn:t"})
        return list_risks(topic, subscription)

    values = {"arn": "arn:t", "name": "t"}
    assert subscribe(build_change("aws_sns_topic.t", values)) == []
    assert subscribe(build_change("aws_sns_topic.t", values, before=values)) == [("DESTINATION", LOOK)]


def test_another_bucket_is_fine_only_if_it_is_of_the_plan() -> None:
    trail = build_change("aws_cloudtrail.t", {"s3_bucket_name": "new"}, before={"s3_bucket_name": "old"})
    assert list_risks(trail) == [("DESTINATION", LOOK)]
    assert list_risks(trail, build_change("aws_s3_bucket.b", {"bucket": "new"})) == []
    assert create("cloudtrail", "s3_bucket_name", "new") == []


def test_an_unknown_destination_is_fine_only_if_it_is_of_the_plan() -> None:
    def target(reference: str) -> list[tuple[str, Level]]:
        function = build_change("aws_lambda_function.f", {"function_name": "f"}, unknown={"arn": True})
        entry = build_change("aws_cloudwatch_event_target.t", {"rule": "r"}, unknown={"arn": True})
        root = {"resources": [build_configuration("aws_cloudwatch_event_target.t", arn=[reference])]}
        return list_risks(function, entry, root=root)

    assert target("aws_lambda_function.f.arn") == []
    assert target("local.target") == [("UNKNOWN", LOOK)]


def containers(image: str) -> str:
    return json.dumps([{"name": "app", "image": image}])


@check_cases(
    ("kind", "path", "build"),
    [
        ("lambda_function", "image_uri", ECR.format),
        ("lambda_function", "layers.*", LAYER.format),
        ("sagemaker_model", "primary_container.*.image", ECR.format),
        ("apprunner_service", "source_configuration.*.image_repository.*.image_identifier", ECR.format),
        ("ecs_task_definition", "container_definitions", lambda *parts: containers(ECR.format(*parts))),
        ("batch_job_definition", "container_properties", lambda *parts: json.dumps({"image": ECR.format(*parts)})),
    ],
)
def test_code_of_another_account_needs_a_look(kind: str, path: str, build: Any) -> None:
    own, other = build(OWN, 1), build(OTHER, 1)
    assert change(kind, path, own, other) == create(kind, path, other) == [("CODE", LOOK)]
    assert change(kind, path, own, build(OWN, 2)) == create(kind, path, own) == []
    assert change(kind, path, other, build(OTHER, 2)) == change(kind, path, other, own) == []


def define_step(**arguments: Any) -> dict[str, Any]:
    parameters = [{"Name": "Bucket", "DefaultValue": arguments.pop("bucket", "mine")}]
    steps = [{"Name": "Step", "Type": "Training", "Arguments": arguments}]
    return {"pipeline_definition": json.dumps({"Parameters": parameters, "Steps": steps})}


def use_code(uri: Any) -> dict[str, Any]:
    return {"ProcessingInputs": [{"InputName": "code", "S3Input": {"LocalPath": "/opt/code", "S3Uri": uri}}]}


def join_bucket(*keys: Any) -> dict[str, Any]:
    return {"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Parameters.Bucket"}, *keys]}}


IN_BUCKET = join_bucket({"Get": "Execution.PipelineExecutionId"}, "a.tar.gz")


@check_cases(
    ("kind", "old", "same", "other"),
    [
        ("DESTINATION", {"OutputDataConfig": {"S3OutputPath": "s3://mine/a"}},
         {"OutputDataConfig": {"S3OutputPath": "s3://mine/b"}}, {"OutputDataConfig": {"S3OutputPath": "s3://yours/a"}}),
        ("DESTINATION", {"Outputs": [{"S3Output": {"S3Uri": "s3://mine/a"}}]},
         {"Outputs": [{"S3Output": {"S3Uri": "s3://mine/b"}}]}, {"Outputs": [{"S3Output": {"S3Uri": "s3://yours/a"}}]}),
        ("DESTINATION", {"CheckpointConfig": {"S3Uri": IN_BUCKET}}, {"CheckpointConfig": {"S3Uri": "s3://mine/x"}},
         {"CheckpointConfig": {"S3Uri": IN_BUCKET}, "bucket": "yours"}),
        ("CODE", {"HyperParameters": {"sagemaker_submit_directory": '"s3://mine/1"'}},
         {"HyperParameters": {"sagemaker_submit_directory": '"s3://mine/2"'}},
         {"HyperParameters": {"sagemaker_submit_directory": '"s3://yours/1"'}}),
        ("CODE", use_code("s3://mine/1"), use_code("s3://mine/2"), use_code("s3://yours/1")),
        ("CODE", use_code(IN_BUCKET), use_code("s3://mine/2"), {**use_code(IN_BUCKET), "bucket": "yours"}),
        ("CODE", {"AppSpecification": {"ImageUri": ECR.format(OWN, 1)}},
         {"AppSpecification": {"ImageUri": ECR.format(OWN, 2)}},
         {"AppSpecification": {"ImageUri": ECR.format(OTHER, 1)}}),
        ("CODE", {"TrainingImage": {"Get": "Parameters.Bucket"}, "bucket": ECR.format(OWN, 1)},
         {"TrainingImage": ECR.format(OWN, 2)},
         {"TrainingImage": {"Get": "Parameters.Bucket"}, "bucket": ECR.format(OTHER, 1)}),
    ],
)  # fmt: skip
def test_outputs_and_code_of_steps_are_compared_by_their_owners(kind: str, old: Any, same: Any, other: Any) -> None:
    def update(new: Any) -> list[tuple[str, Level]]:
        before, after = (define_step(**arguments) for arguments in (old, new))
        return list_risks(build_change("aws_sagemaker_pipeline.p", after, before=before))

    assert update(other) == [(kind, LOOK)]
    assert update(same) == update({"Environment": {"A": "b"}}) == []


@check_cases("broken", ['{{"Steps": [{{"Image": "{0}"}}', '{{"Steps": {{"Image": "{0}"}}}}', 'Steps: "Image": "{0}"'])
def test_code_in_a_definition_that_is_not_readable_needs_a_look(broken: str) -> None:
    own, other = ({"pipeline_definition": broken.format(ECR.format(account, 1))} for account in (OWN, OTHER))
    assert list_risks(build_change("aws_sagemaker_pipeline.p", other, before=own)) == [("CODE", LOOK)]
    assert list_risks(build_change("aws_sagemaker_pipeline.p", own, before=other)) == []


def test_a_risk_of_a_pipeline_names_its_steps() -> None:
    output = {"OutputDataConfig": {"S3OutputPath": "s3://yours/a"}}
    steps = [
        {
            "Name": "Prepare",
            "Type": "Processing",
            "Arguments": {"AppSpecification": {"ImageUri": ECR.format(OTHER, 1)}},
        },
        {"Name": "Train", "Type": "Training", "Arguments": output},
        {"Name": "Tune", "Type": "Training", "Arguments": output},
    ]
    before, after = ({"pipeline_definition": json.dumps({"Steps": listed})} for listed in ([], steps))
    plan = build_plan(KEPT, build_change("aws_sagemaker_pipeline.p", after, before=before))
    descriptions = sorted(item.risk.description.partition(" (")[0] for item in review(plan).risks)
    assert descriptions == [f"step Prepare: runs code of {OTHER}", "steps Train, Tune: sends outputs to s3://yours"]


def test_a_step_that_calls_a_function_of_another_account_is_stopped() -> None:
    def call(account: str) -> dict[str, Any]:
        function = {"FunctionArn": arn("lambda", account)}
        return {"pipeline_definition": json.dumps({"Steps": [{"Name": "Step", "Type": "Lambda", **function}]})}

    change_to = build_change("aws_sagemaker_pipeline.p", call(OTHER), before=call(OWN))
    assert list_risks(change_to) == [("DESTINATION", STOP)]
    assert list_risks(build_change("aws_sagemaker_pipeline.p", call(OWN), before=call(OTHER))) == []


def test_inputs_and_outputs_that_only_an_execution_knows_are_fine() -> None:
    arguments = {"OutputDataConfig": {"S3OutputPath": join_bucket()}, **use_code({"Get": "Steps.A.Uri"})}
    definition = define_step(**arguments)["pipeline_definition"].replace('"DefaultValue": "mine"', '"Type": "String"')
    entry = build_change("aws_sagemaker_pipeline.p", {"pipeline_definition": definition}, before=define_step())
    assert list_risks(entry) == []


@check_cases(
    ("kind", "path", "value"),
    [
        ("s3_bucket_replication_configuration", "rule.*.destination.*.bucket", "arn:aws:s3:::yours"),
        ("s3_bucket_inventory", "destination.*.bucket.*.bucket_arn", "arn:aws:s3:::yours"),
    ],
)
def test_new_copies_of_an_existing_bucket_to_an_unknown_bucket_need_a_look(kind: str, path: str, value: str) -> None:
    bucket = {"bucket": "mine", "id": "mine"}
    copies = build_change(f"aws_{kind}.this", {"bucket": "mine", **nest(path, value)})
    existing, new = (build_change("aws_s3_bucket.mine", bucket, before=before) for before in (bucket, None))
    assert list_risks(copies, existing) == list_risks(copies) == [("DESTINATION", LOOK)]
    assert list_risks(copies, new) == []
    assert list_risks(copies, existing, build_change("aws_s3_bucket.yours", {"bucket": "yours"})) == []


def test_code_of_aws_is_fine() -> None:
    assert create("lambda_function", "layers.*", LAYER.format("017000801446", 9)) == []
    assert change("sagemaker_model", "container.*.image", ECR.format(OWN, 1), ECR.format("763104351884", 1)) == []
    assert change("codebuild_project", "environment.*.image", "x/y:1", "aws/codebuild/standard:7.0") == []


@check_cases(
    ("kind", "path", "old", "same", "other"),
    [
        ("ecs_task_definition", "container_definitions", containers("nginx:1"), containers("nginx:2"),
         containers("somebody/nginx:1")),
        ("codebuild_project", "environment.*.image", "ghcr.io/me/a:1", "ghcr.io/me/a:2", "ghcr.io/you/a:1"),
        ("codebuild_project", "source.*.location", "https://github.com/me/a", "https://github.com/me/b",
         "https://github.com/you/a"),
        ("glue_job", "command.*.script_location", "s3://mine/1.py", "s3://mine/2.py", "s3://yours/1.py"),
        ("sagemaker_model", "primary_container.*.environment.SAGEMAKER_SUBMIT_DIRECTORY", "s3://mine/1.tar.gz",
         "s3://mine/2.tar.gz", "s3://yours/1.tar.gz"),
    ],
)  # fmt: skip
def test_another_registry_or_bucket_than_before_needs_a_look(
    kind: str, path: str, old: str, same: str, other: str
) -> None:
    assert change(kind, path, old, other) == [("CODE", LOOK)]
    assert change(kind, path, old, same) == create(kind, path, other) == []


def test_the_account_of_the_execution_role_is_the_own_account() -> None:
    values = {"execution_role_arn": f"arn:aws:iam::{OWN}:role/r", "primary_container": [{"image": ECR.format(OWN, 1)}]}
    plan = build_plan(build_change("aws_sagemaker_model.m", values))
    assert not [item for item in review(plan).risks if item.risk.id == "PRIVILEGES_CODE"]


def record(old: Any, new: Any, kind: str = "A") -> list[tuple[str, Level]]:
    before, after = (None if value is None else {"name": "a.b", "type": kind, **value} for value in (old, new))
    return list_risks(build_change("aws_route53_record.r", after, before=before))


def test_a_name_that_gets_another_target_needs_a_look() -> None:
    assert record({"records": ["1.1.1.1"]}, {"records": ["2.2.2.2"]}) == [("DESTINATION", LOOK)]
    assert record({"alias": [{"name": "a.elb"}]}, {"alias": [{"name": "b.elb"}]}) == [("DESTINATION", LOOK)]
    assert record({"records": ["ns1"]}, {"records": ["ns1", "ns2"]}, "NS") == [("DESTINATION", LOOK)]
    assert record({"records": ["a", "b"]}, {"records": ["a"]}) == []
    assert record({"records": ["a"], "ttl": 60}, {"records": ["a"], "ttl": 300}) == []
    assert record({"records": ["A.b."]}, {"records": ["a.b"]}) == []
    assert record(None, {"records": ["1.1.1.1"]}) == []
    assert record({"records": ["_x.acm-validations.aws."]}, {"records": ["_y.acm-validations.aws."]}, "CNAME") == []
    assert record({"records": ["token=a"]}, {"records": ["token=b"]}, "TXT") == []
    assert record({"records": ["v=spf1 -all"]}, {"records": ["v=spf1 include:x.y"]}, "TXT") == [("DESTINATION", LOOK)]


def test_a_new_delegation_is_fine_only_to_a_zone_of_the_plan() -> None:
    delegation = build_change("aws_route53_record.r", {"name": "a.b", "type": "NS", "records": ["ns-1.x."]})
    values = {"name": "a.b", "name_servers": ["ns-1.x"]}
    assert list_risks(delegation) == [("DESTINATION", LOOK)]
    assert list_risks(delegation, build_change("aws_route53_zone.z", values, before=values)) == []


def test_a_record_of_a_deleted_resource_needs_a_look() -> None:
    values = {"name": "a.b", "type": "A", "alias": [{"name": "dualstack.lb-1.elb.amazonaws.com"}]}
    record_change = build_change("aws_route53_record.r", values, before=values)
    balancer = build_change("aws_lb.l", None, before={"dns_name": "lb-1.elb.amazonaws.com"})
    assert list_risks(record_change, balancer) == [("DESTINATION", LOOK)]
    assert (
        list_risks(record_change, build_change("aws_lb.l", None, before={"dns_name": "lb-2.elb.amazonaws.com"})) == []
    )
    assert list_risks(build_change("aws_route53_record.r", None, before=values), balancer) == []


def test_code_of_an_account_is_a_note_if_a_new_resource_may_be_in_that_account() -> None:
    def find_levels(before: Any) -> list[Level]:
        values = {"primary_container": [{"image": ECR.format(OTHER, 1)}]}
        risks = review(build_plan(build_change("aws_sagemaker_model.m", values, before=before))).risks
        return [item.risk.level for item in risks if item.risk.id == "PRIVILEGES_CODE"]

    assert find_levels(None) == [Level.NOTE]
    assert find_levels({"primary_container": [{"image": ECR.format(OWN, 1)}]}) == [Level.LOOK]


def test_only_references_of_the_same_block_count() -> None:
    values = {
        "async_inference_config": [{"output_config": [{"s3_output_path": "s3://b/", "notification_config": [{}]}]}]
    }
    unknown = {"async_inference_config": [{"output_config": [{"notification_config": [{"success_topic": True}]}]}]}
    output = {"s3_output_path": {"references": ["local.bucket"]}, "notification_config": [
        {"success_topic": {"references": ["aws_sns_topic.t.arn", "aws_sns_topic.t"]}}]}  # fmt: skip
    root = {
        "resources": [
            build_configuration(
                "aws_sagemaker_endpoint_configuration.c", async_inference_config=[{"output_config": [output]}]
            )
        ]
    }
    root["resources"][0]["expressions"]["async_inference_config"] = [{"output_config": [output]}]
    topic = build_change("aws_sns_topic.t", {"name": "t"}, unknown={"arn": True})
    configuration = build_change("aws_sagemaker_endpoint_configuration.c", values, unknown=unknown)
    assert list_risks(topic, configuration, root=root) == []


def test_another_bucket_of_a_function_needs_a_look_and_a_new_version_is_fine() -> None:
    def code(bucket: str, key: str) -> dict[str, Any]:
        return {"function_name": "f", "s3_bucket": bucket, "s3_key": key}

    def deploy(old: Any, new: Any) -> Any:
        return review(build_plan(KEPT, build_change("aws_lambda_function.f", new, before=old)))

    assert "PRIVILEGES_CODE" in {item.risk.id for item in deploy(code("mine", "1"), code("yours", "1")).risks}
    result = deploy(code("mine", "1"), code("mine", "2"))
    assert result.risks == ()
    assert not [gap for gap in result.coverage_gaps if gap.kind == "not reviewed"]


def test_another_repository_of_a_pipeline_needs_a_look() -> None:
    path = "stage.*.action.*.configuration"
    old, new, branch = (
        {"FullRepositoryId": name, "BranchName": branch_name}
        for name, branch_name in (("me/a", "main"), ("you/a", "main"), ("me/a", "next"))
    )
    assert change("codepipeline", path, old, new) == [("CODE", LOOK)]
    assert change("codepipeline", path, old, branch) == []
