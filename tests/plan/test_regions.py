"""The region of a resource."""

from typing import Any

from sustainable_mlops.plan import UNKNOWN, load
from tests.plan.build import change, declared, plan
from tests.plan.test_load import FIXTURES


def region(after: dict[str, Any], provider: Any = None, variables: Any = None, **more: Any) -> Any:
    resource = {**declared("aws_x.y"), "provider_config_key": "aws"}
    if "unknown" in more:
        resource["expressions"]["region"] = {"references": ["local.region"]}
    root = {"resources": [resource], "variables": more.pop("declared", {})}
    found = plan(
        change("aws_x.y", {"id": "x"} | after, unknown=more.get("unknown")),
        configuration={"root_module": root, "provider_config": {"aws": {"expressions": {"region": provider}}}},
        variables=variables or {},
    )
    return found.region(found.resources[0])


def test_from_the_providers_of_a_plan() -> None:
    found = load(FIXTURES / "platform.json")
    assert found.region(found.by_type("aws_sagemaker_feature_group")[0]) == "us-east-1"
    assert {found.region(endpoint) for endpoint in found.by_type("aws_sagemaker_endpoint")} == {"eu-north-1"}


def test_the_resource_itself_comes_first() -> None:
    constant = {"constant_value": "eu-west-1"}
    assert region({}, constant) == "eu-west-1"
    assert region({"region": "eu-north-1"}, constant) == "eu-north-1"
    assert region({"arn": "arn:aws:sagemaker:us-west-2:123456789012:endpoint/x"}, constant) == "us-west-2"
    assert region({"arn": "arn:aws-us-gov:s3:us-gov-west-1:1:x"}, constant) == "us-gov-west-1"
    assert region({"arn": "arn:aws:s3:::bucket"}, constant) == "eu-west-1"
    assert region({"availability_zone": "ap-southeast-2b"}, constant) == "ap-southeast-2"


def test_a_region_argument_that_is_not_told_is_unknown() -> None:
    assert region({}, {"constant_value": "eu-west-1"}, unknown={"region": True}) is UNKNOWN


def test_through_a_variable_unless_it_is_sensitive() -> None:
    variable = {"references": ["var.region"]}
    given = {"region": {"value": "eu-west-3"}}
    assert region({}, variable, given) == "eu-west-3"
    assert region({}, variable, declared={"region": {"default": "eu-west-2"}}) == "eu-west-2"
    assert region({}, variable, given, declared={"region": {"sensitive": True}}) is UNKNOWN


def test_what_the_environment_gives_is_unknown_unless_other_resources_show_it() -> None:
    assert region({}) is UNKNOWN
    assert region({}, {"references": ["local.region"]}) is UNKNOWN
    kept = {"arn": "arn:aws:sns:eu-central-1:123456789012:kept"}
    resources = [{**declared(f"aws_x.{name}"), "provider_config_key": "aws"} for name in ("new", "kept")]
    found = plan(
        change("aws_x.new", {"id": "x"}), change("aws_x.kept", kept, before=kept), root={"resources": resources}
    )
    assert found.region(found.resources[0]) == "eu-central-1"
