"""Traffic that the endpoints and security groups of `network` allow."""

import json
from typing import Any

import pytest

from modules.network.services import SERVICES_BY_PURPOSE
from tests.modules.examples import plan_example

ACCOUNT = "123456789012"
INTERFACE = "module.network.aws_vpc_endpoint.this["


@pytest.fixture(scope="module")
def planned_values(tmp_path_factory: pytest.TempPathFactory, terraform_environment: dict[str, str]) -> dict[str, Any]:
    """Return the planned values of the complete example, by address."""
    return plan_example("network-complete", tmp_path_factory.mktemp("network"), terraform_environment)


def read_statements(endpoint: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["Sid"]: one for one in json.loads(endpoint["policy"])["Statement"]}


@pytest.mark.plan
def test_each_service_of_the_purposes_has_one_endpoint_with_private_dns(planned_values: dict[str, Any]) -> None:
    services = {address.removeprefix(INTERFACE)[1:-2] for address in planned_values if address.startswith(INTERFACE)}
    purposes = ("call_endpoints", "mlflow", "studio")
    names = {name for purpose in purposes for name in SERVICES_BY_PURPOSE[purpose]}
    assert services == {"kms", *(name.format(region="eu-north-1") for name in names)}
    for service in services:
        endpoint = planned_values[f'{INTERFACE}"{service}"]']
        whole = service if service.startswith("aws.") else f"com.amazonaws.eu-north-1.{service}"
        assert endpoint["service_name"] == whole
        assert endpoint["private_dns_enabled"]
        assert endpoint["subnet_ids"] == ["subnet-0123456789abcdef0"]


@pytest.mark.plan
def test_the_endpoint_of_mlflow_has_the_name_that_clients_of_tracking_servers_use(
    planned_values: dict[str, Any],
) -> None:
    endpoint = planned_values[f'{INTERFACE}"aws.sagemaker.eu-north-1.experiments"]']
    assert endpoint["service_name"] == "aws.sagemaker.eu-north-1.experiments"
    assert endpoint["private_dns_enabled"]


@pytest.mark.plan
def test_identities_of_other_accounts_cannot_use_an_interface_endpoint(planned_values: dict[str, Any]) -> None:
    for address in planned_values:
        if address.startswith(INTERFACE):
            statements = read_statements(planned_values[address])
            without_principal = statements.pop("AssumeRolesOfThisAccount", None)
            assert (without_principal is not None) == ('["sts"]' in address)
            (statement,) = statements.values()
            assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}


@pytest.mark.plan
def test_a_web_identity_is_exchanged_only_for_roles_of_this_account(planned_values: dict[str, Any]) -> None:
    statement = read_statements(planned_values[f'{INTERFACE}"sts"]'])["AssumeRolesOfThisAccount"]
    assert statement["Action"] == ["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"]
    assert statement["Resource"] == f"arn:aws:iam::{ACCOUNT}:role/*"


@pytest.mark.plan
def test_programs_reach_only_buckets_of_known_accounts_and_read_only_listed_others(
    planned_values: dict[str, Any],
) -> None:
    statements = read_statements(planned_values['module.network.aws_vpc_endpoint.gateway["s3"]'])
    assert statements["UseBucketsOfAccounts"]["Condition"] == {
        "StringEquals": {"aws:PrincipalAccount": ACCOUNT, "aws:ResourceAccount": [ACCOUNT, "210987654321"]}
    }
    jumpstart = "arn:aws:s3:::jumpstart-cache-prod-eu-north-1"
    assert {name: (one["Action"], one["Resource"]) for name, one in statements.items() if "Condition" not in one} == {
        "PullImageLayers": ("s3:GetObject", "arn:aws:s3:::prod-eu-north-1-starport-layer-bucket/*"),
        "ReadOtherBuckets": (["s3:GetObject", "s3:ListBucket"], [jumpstart, f"{jumpstart}/*"]),
    }


@pytest.mark.plan
def test_no_security_group_allows_an_address_of_the_internet(planned_values: dict[str, Any]) -> None:
    rules = {
        address: values
        for address, values in planned_values.items()
        if "_group_ingress_" in address or "_egress_" in address
    }
    assert len(rules) == 6
    for values in rules.values():
        assert values["cidr_ipv4"] is None
        assert values["cidr_ipv6"] is None
        assert values["ip_protocol"] == "-1" or (values["from_port"], values["to_port"]) == (443, 443)
