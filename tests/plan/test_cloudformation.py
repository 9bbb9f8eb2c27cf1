"""CloudFormation types: values, unknown values and relations. All plans are manually written."""

import json
from typing import Any

from sustainable_mlops.plan import UNKNOWN, Plan, Resource, Sensitive
from sustainable_mlops.plan.cloudformation import TYPE_MAPPINGS
from sustainable_mlops.plan.type_mapping import TypeMapping
from tests.cases import check_cases
from tests.plan.cloudformation import AWS_TYPES, build_address, to_camel_case
from tests.plan.plan_builder import build_change, build_configuration, build_plan

CONFIG = "awscc_sagemaker_endpoint_config.c"
VARIANT = {"variant_name": "all", "instance_type": "ml.m5.large", "initial_instance_count": 1, "model_name": "m"}
#: Attributes of a variant that awscc computes if they are not set.
COMPUTED = dict.fromkeys(
    ("serverless_config", "managed_instance_scaling", "volume_size_in_gb", "accelerator_type"), True
)


def build_constant(value: Any) -> dict[str, Any]:
    return {"constant_value": value}


def find_resource(plan: Plan, where: str) -> Resource:
    resource = plan.find_resource(where)
    assert resource is not None, where
    return resource


def build_configuration_plan(variant: dict[str, Any], expression: Any, *more: dict[str, Any], **unknown: Any) -> Plan:
    """Return a plan that creates an endpoint configuration with awscc, and the possible origins of its model's name."""
    marks = {"id": True, "async_inference_config": True, "kms_key_id": True, "production_variants": [unknown]}
    root = {
        "resources": [
            build_configuration(CONFIG, endpoint_config_name=build_constant("c"), production_variants=expression)
        ]
    }
    root["resources"] += [build_configuration(entry["address"]) for entry in more]
    values = {"endpoint_config_name": "c", "production_variants": [variant]}
    return build_plan(build_change(CONFIG, values, unknown=marks), *more, root=root)


def test_an_attribute_that_awscc_computes_is_not_set() -> None:
    plan = build_configuration_plan(VARIANT, build_constant([VARIANT]), **COMPUTED)
    (resource,) = plan.resources
    assert resource.type == "aws_sagemaker_endpoint_configuration"
    assert resource.source_type == "awscc_sagemaker_endpoint_config"
    assert resource.get("async_inference_config") is None
    assert resource.get("kms_key_arn") is None
    assert resource.get("arn") is UNKNOWN
    (variant,) = plan.joins.list_variants(resource)  # type: ignore[misc]
    assert (variant.kind, variant.block.get("volume_size_in_gb")) == ("real-time", None)


@check_cases(
    ("source", "count"),
    [
        (
            build_change("aws_sagemaker_model.m", {"name": "m"}),
            None,
        ),  # the name is known, so the expression has no unknown part
        (build_change("aws_sagemaker_model.m", {}, unknown={"name": True}), None),  # a name is not a number
        (build_change("aws_x.m", {}, unknown={"size": True}), UNKNOWN),
    ],
)
def test_an_attribute_that_a_reference_may_set_stays_unknown(source: dict[str, Any], count: object) -> None:
    attribute = "size" if source["type"] == "aws_x" else "name"
    expression = {"references": [f"{source['address']}.{attribute}", source["address"]]}
    variant = {name: VARIANT[name] for name in ("variant_name", "instance_type")}
    plan = build_configuration_plan(variant, expression, source, initial_instance_count=True, **COMPUTED)
    assert find_resource(plan, CONFIG).get("production_variants.0.initial_instance_count") is count
    name_known = source["change"]["after"] != {}
    unknown_name = build_configuration_plan(variant, expression, source, model_name=True)
    assert find_resource(unknown_name, CONFIG).get("production_variants.0.model_name") is (
        None if name_known else UNKNOWN
    )


def test_a_policy_that_a_reference_may_set_stays_unknown() -> None:
    role = build_change(
        "awscc_iam_role.r", {"policies": [{"policy_name": "p"}]}, unknown={"policies": [{"policy_document": True}]}
    )
    for reference in ("data.aws_iam_policy_document.d.json", "local.policy", "aws_s3_bucket.b.arn"):
        data_sources = [build_change("data.aws_iam_policy_document.d", {}, unknown={"json": True}, actions=["read"])]
        bucket = build_change("aws_s3_bucket.b", {}, unknown={"arn": True})
        root = {"resources": [build_configuration("awscc_iam_role.r", policies=[reference])]}
        plan = build_plan(role, bucket, *data_sources, root=root)
        assert find_resource(plan, "awscc_iam_role.r").get("inline_policy.0.policy") is UNKNOWN, reference


def test_references_in_awscc_expressions_are_found() -> None:
    plan = build_plan(
        build_change("awscc_sagemaker_endpoint.e", {}, unknown={"endpoint_config_name": True}),
        build_change(CONFIG, {"production_variants": [{}]}, unknown={"production_variants": [{"model_name": True}]}),
        build_change("aws_sagemaker_model.m", {}, unknown={"name": True}),
        root={
            "resources": [
                build_configuration(
                    "awscc_sagemaker_endpoint.e", endpoint_config_name=[f"{CONFIG}.endpoint_config_name", CONFIG]
                ),
                build_configuration(
                    CONFIG, production_variants=["aws_sagemaker_model.m.name", "aws_sagemaker_model.m"]
                ),
                build_configuration("aws_sagemaker_model.m"),
            ]
        },
    )
    configuration = plan.joins.find_configuration(find_resource(plan, "awscc_sagemaker_endpoint.e"))
    assert configuration is find_resource(plan, CONFIG)
    variants = plan.joins.list_variants(configuration)
    assert variants is not UNKNOWN
    assert variants[0].model is find_resource(plan, "aws_sagemaker_model.m")


def test_configured_attributes_have_mapped_paths() -> None:
    plan = build_configuration_plan(VARIANT, build_constant([VARIANT]), **COMPUTED)
    (resource,) = plan.resources
    assert plan.is_configured(resource, "name") is True
    assert plan.is_configured(resource, "kms_key_arn") is False
    assert plan.is_configured(resource, "arn") is False
    assert plan.is_configured(resource, "production_variants.0.instance_type") is True
    assert plan.is_configured(resource, "production_variants.0.serverless_config") is False


def test_a_renamed_source_attribute_is_not_an_attribute_of_the_mapped_type() -> None:
    moved = TypeMapping("aws_x", {"x_name": "name"}, {"tag_list.key": "tags"}, {})
    assert moved.list_source_attributes("name") == ("x_name",)
    assert moved.list_source_attributes("tags") == ("tag_list",)
    assert moved.list_source_attributes("x_name") == moved.list_source_attributes("tag_list") == ()
    assert moved.list_source_attributes("role_arn") == ("role_arn",)


def build_cloud_control(kind: str, properties: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    values = {"type_name": kind} | ({} if properties is None else {"desired_state": json.dumps(properties)})
    unknown = {"properties": True} | ({"desired_state": True} if properties is None else {})
    return build_change("aws_cloudcontrolapi_resource.x", values, unknown=unknown, **more)


def test_an_unknown_or_sensitive_desired_state_tells_only_its_references() -> None:
    references = ["aws_sagemaker_endpoint_configuration.c.name", "aws_sagemaker_endpoint_configuration.c"]
    root = {
        "resources": [
            build_configuration("aws_cloudcontrolapi_resource.x", desired_state=references),
            build_configuration("aws_sagemaker_endpoint_configuration.c"),
        ]
    }
    configured = build_change("aws_sagemaker_endpoint_configuration.c", {}, unknown={"name": True})
    plan = build_plan(build_cloud_control("AWS::SageMaker::Endpoint", None), configured, root=root)
    endpoint = plan.resources[0]
    assert endpoint.type == "aws_sagemaker_endpoint"
    assert endpoint.get("endpoint_config_name") is UNKNOWN
    assert plan.joins.find_configuration(endpoint) is find_resource(plan, "aws_sagemaker_endpoint_configuration.c")
    assert plan.is_configured(endpoint, "deployment_config") is UNKNOWN
    hidden = build_plan(
        build_cloud_control("AWS::IAM::Role", {"RoleName": "secret"}, sensitive={"desired_state": True})
    )
    assert hidden.resources[0].get("name") is UNKNOWN
    assert "secret" not in repr(hidden.resources[0].after)


@check_cases("text", ["", "[]", "{", '{"a": "\\ud800"}', "[" * 10_000, '{"a":' * 150 + "1" + "}" * 150])
def test_a_desired_state_that_is_not_an_object_is_unknown(text: str) -> None:
    values = {"type_name": "AWS::IAM::Role", "desired_state": text}
    assert build_plan(build_change("aws_cloudcontrolapi_resource.x", values)).resources[0].get("name") is UNKNOWN


def test_identifiers_of_an_existing_resource_are_read_back() -> None:
    arn = "arn:aws:sagemaker:eu-north-1:123456789012:endpoint/e"
    before = {
        "type_name": "AWS::SageMaker::Endpoint",
        "desired_state": json.dumps({"EndpointConfigName": "c"}),
        "properties": json.dumps({"EndpointName": "e", "EndpointArn": arn, "EndpointConfigName": "other"}),
    }
    (resource,) = build_plan(build_change("aws_cloudcontrolapi_resource.x", before=before)).resources
    assert resource.old.values == {"name": "e", "arn": arn, "endpoint_config_name": "c"}


def test_sensitive_values_stay_sensitive() -> None:
    values = {"model_name": "m", "primary_container": {"environment": '{"TOKEN": "hunter2"}'}}
    marks = {"primary_container": {"environment": True}}
    (resource,) = build_plan(build_change("awscc_sagemaker_model.m", values, sensitive=marks)).resources
    assert isinstance(resource.get("primary_container.0.environment"), Sensitive)
    (bucket,) = build_plan(
        build_change(
            "awscc_s3_bucket.b",
            {"lifecycle_configuration": {"rules": [{"prefix": "hunter2"}]}, "versioning_configuration": {}},
            sensitive={"lifecycle_configuration": True},
            unknown={"versioning_configuration": {"status": True}},
        )
    ).resources
    assert isinstance(bucket.get("lifecycle_rule.0.expiration"), Sensitive)
    assert bucket.get("versioning.0.enabled") is UNKNOWN
    assert "hunter2" not in repr(resource.after) + repr(bucket.after)


def test_properties_without_a_mapping_keep_their_names() -> None:
    values = {"bucket_name": "b", "public_access_block_configuration": {"block_public_acls": True}}
    (resource,) = build_plan(build_change("awscc_s3_bucket.b", values)).resources
    assert resource.get("public_access_block_configuration") == [{"block_public_acls": True}]


def test_a_cluster_keeps_cloudformations_names() -> None:
    group = {"instance_group_name": "workers", "instance_type": "ml.p5.48xlarge", "instance_count": 16}
    values = {"cluster_name": "hyperpod", "instance_groups": [group], "orchestrator": {"eks": {"cluster_arn": "arn"}}}
    for plan in (
        build_plan(build_change("awscc_sagemaker_cluster.x", values)),
        build_plan(build_cloud_control("AWS::SageMaker::Cluster", to_camel_case(values))),
    ):
        (resource,) = plan.resources
        assert resource.type == "aws_sagemaker_cluster"
        (block,) = resource.blocks("instance_groups")  # type: ignore[misc]
        assert (block.number("instance_count"), block.text("instance_type")) == (16, "ml.p5.48xlarge")
        assert resource.text("orchestrator.0.eks.0.cluster_arn") == "arn"


def test_replacement_paths_have_mapped_names() -> None:
    entry = build_change("awscc_s3_bucket.b", {"bucket_name": "new"}, before={"bucket_name": "old"})
    entry["change"] |= {"actions": ["delete", "create"], "replace_paths": [["bucket_name"], ["tags", 0], []]}
    assert build_plan(entry).resources[0].replacement_paths == ["bucket", "tags.0", ""]


def test_a_type_without_a_mapping_is_unreviewed() -> None:
    stack = {"name": "s", "template_body": "{}"}
    plan = build_plan(
        build_change("awscc_lambda_function.f", {"function_name": "f"}),
        build_change("awscc_iam_role.r", {"role_name": "r"}),
        build_change("aws_cloudformation_stack.s", before=stack),
        build_change("aws_cloudformation_stack_set_instance.i", {"stack_set_name": "s"}),
        build_change("data.awscc_lambda_function.d", {"id": "d"}, actions=["read"]),
        build_cloud_control("AWS::Lambda::Function", {}),
    )
    assert {unreviewed.resource.address: unreviewed.reason for unreviewed in plan.unreviewed_resources} == {
        "awscc_lambda_function.f": "the reviewer does not read the CloudFormation type awscc_lambda_function",
        "aws_cloudformation_stack.s": "the plan does not show the resources of its template",
        "aws_cloudformation_stack_set_instance.i": (
            "the plan does not show the resources that its template creates in each account and Region"
        ),
        "aws_cloudcontrolapi_resource.x": "the reviewer does not read the CloudFormation type AWS::Lambda::Function",
    }


def test_an_unknown_type_name_is_reported() -> None:
    (unreviewed,) = build_plan(
        build_change("aws_cloudcontrolapi_resource.x", {}, unknown={"type_name": True})
    ).unreviewed_resources
    assert unreviewed.reason == "its type_name is unknown until apply or sensitive"


def test_the_table_has_every_documented_type() -> None:
    assert {kind: mapping.type for kind, mapping in TYPE_MAPPINGS.items()} == {
        **AWS_TYPES,
        "AWS::SageMaker::Cluster": "aws_sagemaker_cluster",
    }
    for kind, mapping in TYPE_MAPPINGS.items():
        (resource,) = build_plan(
            build_change(build_address(kind, "x", "awscc"), {"tags": [{"key": "a", "value": "b"}]})
        ).resources
        assert (resource.type, resource.read_tags()) == (mapping.type, {"a": "b"})
