"""Region of a resource."""

from typing import Any

from sustainable_mlops.plan import UNKNOWN, load
from tests.cases import check_cases
from tests.plan.plan_builder import build_change, build_configuration, build_plan
from tests.plan.test_load import FIXTURES


def find_region(after: dict[str, Any], provider: Any = None, variables: Any = None, **more: Any) -> Any:
    resource = {**build_configuration("aws_x.y"), "provider_config_key": "aws"}
    if "unknown" in more:
        resource["expressions"]["region"] = {"references": ["local.region"]}
    root = {"resources": [resource], "variables": more.pop("declared", {})}
    plan = build_plan(
        build_change("aws_x.y", {"id": "x"} | after, unknown=more.get("unknown")),
        configuration={"root_module": root, "provider_config": {"aws": {"expressions": {"region": provider}}}},
        variables=variables or {},
    )
    return plan.find_region(plan.resources[0])


def test_the_region_comes_from_the_providers_of_a_plan() -> None:
    plan = load(FIXTURES / "platform.json")
    assert plan.find_region(plan.list_by_type("aws_sagemaker_feature_group")[0]) == "us-east-1"
    assert {plan.find_region(endpoint) for endpoint in plan.list_by_type("aws_sagemaker_endpoint")} == {"eu-north-1"}


def test_the_resource_itself_comes_first() -> None:
    constant = {"constant_value": "eu-west-1"}
    assert find_region({}, constant) == "eu-west-1"
    assert find_region({"region": "eu-north-1"}, constant) == "eu-north-1"
    assert find_region({"arn": "arn:aws:sagemaker:us-west-2:123456789012:endpoint/x"}, constant) == "us-west-2"
    assert find_region({"arn": "arn:aws-us-gov:s3:us-gov-west-1:1:x"}, constant) == "us-gov-west-1"
    assert find_region({"arn": "arn:aws:s3:::bucket"}, constant) == "eu-west-1"
    assert find_region({"availability_zone": "ap-southeast-2b"}, constant) == "ap-southeast-2"


def test_an_unknown_region_argument_gives_an_unknown_region() -> None:
    assert find_region({}, {"constant_value": "eu-west-1"}, unknown={"region": True}) is UNKNOWN


def test_the_default_region_applies_if_the_plan_does_not_tell() -> None:
    def find_default(provider: Any, key: str = "aws", providers: Any = (), *, unknown: bool = False) -> Any:
        full = {"full_name": "registry.terraform.io/hashicorp/aws"}
        configured = {"aws": {"expressions": {"region": provider} if provider else {}}, **dict(providers)}
        resource = {**build_configuration("aws_x.y"), "provider_config_key": key}
        if unknown:
            resource["expressions"]["region"] = {"references": ["local.region"]}
        change = build_change("aws_x.y", {"id": "x"}, unknown={"region": True} if unknown else {})
        plan = build_plan(
            {**change, "provider_name": full["full_name"]},
            configuration={
                "root_module": {"resources": [resource]},
                "provider_config": {name: {**full, **settings} for name, settings in configured.items()},
            },
        )
        assert plan.find_region(plan.resources[0]) != "eu-north-1"
        plan.default_region = "eu-north-1"
        return plan.find_region(plan.resources[0])

    other_provider = {"aws.us": {"alias": "us", "expressions": {"region": {"constant_value": "us-east-1"}}}}
    module_configuration = {"module.m:aws": {"module_address": "module.m"}}
    unreadable = {"references": ["local.region"]}
    assert find_default(None) == "eu-north-1"
    assert find_default(unreadable) == "eu-north-1", "with one configuration, the environment tells its Region"
    assert find_default(unreadable, "module.m:aws", module_configuration) == "eu-north-1"
    assert find_default({"constant_value": "eu-west-1"}) == "eu-west-1"
    assert find_default(None, unknown=True) is UNKNOWN
    assert find_default(None, "aws", other_provider) == "eu-north-1"
    assert find_default(None, "aws.us", other_provider) == "us-east-1"
    assert find_default(unreadable, "aws", other_provider) is UNKNOWN, (
        "with two configurations, the Region may be that of either"
    )
    assert find_default(None, "module.m:aws", other_provider | module_configuration) is UNKNOWN


def test_the_region_comes_from_a_variable_unless_it_is_sensitive() -> None:
    variable = {"references": ["var.region"]}
    variables = {"region": {"value": "eu-west-3"}}
    assert find_region({}, variable, variables) == "eu-west-3"
    assert find_region({}, variable, declared={"region": {"default": "eu-west-2"}}) == "eu-west-2"
    assert find_region({}, variable, variables, declared={"region": {"sensitive": True}}) is UNKNOWN


def test_the_region_of_the_environment_is_unknown_unless_other_resources_show_it() -> None:
    assert find_region({}) is UNKNOWN
    assert find_region({}, {"references": ["local.region"]}) is UNKNOWN
    unchanged = {"arn": "arn:aws:sns:eu-central-1:123456789012:kept"}
    resources = [{**build_configuration(f"aws_x.{name}"), "provider_config_key": "aws"} for name in ("new", "kept")]
    plan = build_plan(
        build_change("aws_x.new", {"id": "x"}),
        build_change("aws_x.kept", unchanged, before=unchanged),
        root={"resources": resources},
    )
    assert plan.find_region(plan.resources[0]) == "eu-central-1"


AWS = "registry.terraform.io/hashicorp/aws"
#: The key that Terraform 1.11 records if the modules `a` and `a.b` have no resource of the provider.
DEEP = "module.a.module.b.module.c:aws"


def find_deep_region(*providers: dict[str, Any], key: str = DEEP, unchanged: dict[str, Any] | None = None) -> Any:
    """Return the Region of a resource four modules deep, with these configurations in the root module."""
    resources = [{**build_configuration(f"aws_x.{name}"), "provider_config_key": key} for name in ("new", "kept")]
    module: dict[str, Any] = {"resources": resources}
    for name in "dcba":
        module = {"module_calls": {name: {"module": module}}}
    inherited = {"name": "aws", "full_name": AWS, "module_address": "module.a.module.b.module.c"}
    configured: dict[str, Any] = {DEEP: inherited}
    for provider in providers:
        alias = f"aws.{provider['alias']}" if "alias" in provider else "aws"
        configured[alias] = {"name": "aws", "full_name": AWS, **provider}
    where = "module.a.module.b.module.c.module.d.aws_x"
    changes = [build_change(f"{where}.new", {"id": "x"}, provider_name=AWS)]
    changes += [build_change(f"{where}.kept", unchanged, before=unchanged, provider_name=AWS)] if unchanged else []
    plan = build_plan(*changes, configuration={"root_module": module, "provider_config": configured})
    return plan.find_region(plan.resources[0])


def build_provider(name: str, **more: Any) -> dict[str, Any]:
    return {"expressions": {"region": {"constant_value": name}}, **more}


def test_a_deep_module_has_the_region_of_the_only_configuration() -> None:
    assert find_deep_region(build_provider("eu-north-1")) == "eu-north-1"
    assert (
        find_deep_region(build_provider("eu-north-1"), build_provider("eu-north-1", alias="other_account"))
        == "eu-north-1"
    )
    assert find_deep_region(build_provider("eu-north-1"), key="module.unknown:aws") == "eu-north-1"


def test_a_deep_module_has_an_unknown_region_with_several_configurations() -> None:
    assert find_deep_region(build_provider("eu-north-1"), build_provider("us-east-1", alias="us")) is UNKNOWN
    assert (
        find_deep_region({}, build_provider("us-east-1", alias="us")) is UNKNOWN
    )  # the default configuration has the Region of the environment
    assert find_deep_region({}) is UNKNOWN


def test_other_resources_of_the_same_deep_module_show_the_region() -> None:
    unchanged = {"arn": "arn:aws:sns:eu-west-3:123456789012:kept"}
    assert (
        find_deep_region(build_provider("eu-north-1"), build_provider("us-east-1", alias="us"), unchanged=unchanged)
        == "eu-west-3"
    )
    assert find_deep_region({}, unchanged=unchanged) == "eu-west-3"


def test_a_destroyed_resource_has_the_region_of_the_only_configuration() -> None:
    providers = {"aws": {"name": "aws", "full_name": AWS, **build_provider("eu-north-1")}}
    deletion = build_change("aws_x.gone", before={"id": "x"}, provider_name=AWS)
    plan = build_plan(deletion, configuration={"provider_config": providers})
    assert plan.find_region(plan.resources[0]) == "eu-north-1"


@check_cases(
    ("encrypted", "argument", "argument_name"),
    [
        ("aws_sagemaker_endpoint_configuration.c", "kms_key_arn", "%s"),
        ("aws_cloudwatch_log_group.logs", "kms_key_id", "%s"),
        ("aws_sagemaker_pipeline.p", "pipeline_definition", '{"Steps":[{"Arguments":{"VolumeKmsKeyId":"%s"}}]}'),
    ],
)
def test_the_key_of_a_new_endpoint_tells_the_region(encrypted: str, argument: str, argument_name: str) -> None:
    plan = build_plan(
        build_change(encrypted, {argument: argument_name % "arn:aws:kms:eu-north-1:123456789012:key/1"}),
        build_change("aws_sagemaker_endpoint.e", {"name": "e"}),
    )
    endpoint = plan.find_resource("aws_sagemaker_endpoint.e")
    assert endpoint is not None
    assert plan.find_region(endpoint) == "eu-north-1"
