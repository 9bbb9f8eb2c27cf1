"""Services with a fixed price have a cost and no carbon; without a known price they are uncounted."""

from typing import Any

import pytest

from sustainable_mlops.catalogue import service_prices
from sustainable_mlops.footprint import UnknownKind
from tests.cases import check_cases
from tests.footprint.support import REGION, get_cost, list_part_names, make_footprint
from tests.plan.plan_builder import build_change, build_configuration

HOURS = 730
INTERFACE = {"vpc_endpoint_type": "Interface", "region": REGION}


#: Type, values and USD a month in us-east-1.
CASES: list[tuple[str, dict[str, Any], float]] = [
    ("aws_nat_gateway", {}, 0.045 * HOURS),
    ("aws_lb", {"load_balancer_type": "network"}, 0.0225 * HOURS),
    ("aws_lb", {}, 0.0225 * HOURS),
    ("aws_elb", {}, 0.025 * HOURS),
    ("aws_eip", {}, 0.005 * HOURS),
    ("aws_shield_subscription", {"auto_renew": "ENABLED"}, 3000),
    ("aws_vpc_endpoint", {"vpc_endpoint_type": "Interface", "subnet_ids": ["a", "b", "c"]}, 3 * 7.3),
    ("aws_vpc_endpoint", {"vpc_endpoint_type": "GatewayLoadBalancer", "subnet_ids": ["a"]}, 7.3),
    ("aws_vpc_endpoint_subnet_association", {"subnet_id": "a", "vpc_endpoint_id": "vpce-1"}, 7.3),
    ("aws_ec2_transit_gateway_vpc_attachment", {"subnet_ids": ["a", "b"]}, 0.05 * HOURS),
    ("aws_vpn_connection", {"type": "ipsec.1", "vpn_gateway_id": "vgw-1"}, 0.05 * HOURS),
    ("aws_vpn_connection", {"type": "ipsec.1", "transit_gateway_id": "tgw-1"}, 0.1 * HOURS),
    ("aws_ec2_client_vpn_network_association", {}, 0.1 * HOURS),
    ("aws_dx_connection", {"bandwidth": "10Gbps"}, 2.25 * HOURS),
    ("aws_route53_resolver_endpoint", {"ip_address": [{}, {}, {}]}, 3 * 0.125 * HOURS),
    ("aws_route53_zone", {"name": "example.com"}, 0.5),
    ("aws_globalaccelerator_accelerator", {}, 0.025 * HOURS),
    ("aws_kms_key", {}, 1),
    ("aws_secretsmanager_secret", {"replica": [{"region": "eu-west-1"}]}, 0.8),
    ("aws_cloudwatch_dashboard", {}, 3),
    ("aws_cloudwatch_metric_alarm", {"period": 60}, 0.1),
    ("aws_cloudwatch_metric_alarm", {"period": 10}, 0.3),
    ("aws_cloudwatch_metric_alarm", {"metric_query": [{"metric": [{"period": 60}]}] * 2 + [{"expression": "e"}]}, 0.2),
    ("aws_cloudwatch_metric_alarm", {"threshold_metric_id": "band", "metric_query": [{"metric": [{}]}]}, 0.3),
    ("aws_wafv2_web_acl", {"rule": [{"name": "a"}, {"name": "b"}]}, 7),
    ("aws_networkfirewall_firewall", {"subnet_mapping": [{}, {}]}, 2 * 0.395 * HOURS),
    ("aws_acmpca_certificate_authority", {}, 400),
    ("aws_acmpca_certificate_authority", {"usage_mode": "SHORT_LIVED_CERTIFICATE"}, 50),
    ("aws_transfer_server", {"protocols": ["SFTP", "FTPS"]}, 2 * 0.3 * HOURS),
    ("aws_directory_service_directory", {"type": "MicrosoftAD", "edition": "Standard"}, 2 * 0.06 * HOURS),
    ("aws_kendra_index", {"edition": "DEVELOPER_EDITION"}, 1.125 * HOURS),
    ("aws_quicksight_user", {"user_role": "AUTHOR"}, 24),
    ("aws_kinesis_stream", {"shard_count": 4}, 4 * 0.015 * HOURS),
    ("aws_kinesis_stream", {"stream_mode_details": [{"stream_mode": "ON_DEMAND"}]}, 0.04 * HOURS),
    ("aws_eks_cluster", {"name": "c"}, 0.1 * HOURS),
    ("aws_efs_file_system", {"throughput_mode": "provisioned", "provisioned_throughput_in_mibps": 100}, 600),
    ("aws_api_gateway_stage", {"cache_cluster_enabled": True, "cache_cluster_size": "237"}, 3.8 * HOURS),
    ("aws_ssm_parameter", {"tier": "Advanced"}, 0.05),
    ("aws_dynamodb_table", {"billing_mode": "PROVISIONED", "read_capacity": 100, "write_capacity": 10},
     (100 * 0.00013 + 10 * 0.00065) * HOURS),
    ("aws_dynamodb_table", {"read_capacity": 0, "write_capacity": 0,
                            "global_secondary_index": [{"read_capacity": 100, "write_capacity": 0}]},
     100 * 0.00013 * HOURS),
]  # fmt: skip


@check_cases(("kind", "values", "usd"), CASES)
def test_a_fixed_price_is_added_and_removed(kind: str, values: dict[str, Any], usd: float) -> None:
    here = {**values, "region": REGION}
    added = make_footprint(build_change(f"{kind}.one", here))
    assert get_cost(added) == get_cost(added, "delta") == pytest.approx(usd)
    assert added.after.get("total") is None
    assert added.uncounted == ()
    assert get_cost(make_footprint(build_change(f"{kind}.one", before=here)), "delta") == pytest.approx(-usd)
    assert get_cost(make_footprint(build_change(f"{kind}.one", here, before=here)), "delta") == 0


@check_cases(
    ("kind", "values"),
    [
        ("aws_vpc_endpoint", {"vpc_endpoint_type": "Gateway"}),
        ("aws_vpc_endpoint", {}),
        ("aws_ssm_parameter", {"tier": "Standard"}),
        ("aws_api_gateway_stage", {"stage_name": "prod"}),
        ("aws_cloudfront_distribution", {"viewer_certificate": [{"ssl_support_method": "sni-only"}]}),
        ("aws_sqs_queue", {"name": "q"}),
        ("aws_iam_role", {"name": "r"}),
        ("aws_security_group", {"name": "g"}),
    ],
)
def test_a_resource_without_a_fixed_price_has_no_figure_and_is_not_uncounted(kind: str, values: dict[str, Any]) -> None:
    result = make_footprint(build_change(f"{kind}.one", {**values, "region": REGION}))
    assert result.resources == ()
    assert not result.after.figures
    assert not result.delta.figures
    assert not result.total_after.figures


@check_cases(
    ("kind", "values", "reason"),
    [
        ("aws_dx_connection", {"bandwidth": "400Gbps"}, "no price known for bandwidth 400Gbps"),
        ("aws_vpc_endpoint", {"vpc_endpoint_type": "Resource"}, "no price known for vpc_endpoint_type Resource"),
        ("aws_not_invented_yet", {"name": "n"}, "it is not known if this type costs money"),
    ],
)
def test_a_service_without_a_known_price_is_uncounted(kind: str, values: dict[str, Any], reason: str) -> None:
    address = f"{kind}.one"
    (created,) = make_footprint(build_change(address, values)).uncounted
    assert (created.unknown.reason, created.is_changed) == (reason, True)
    (same,) = make_footprint(build_change(address, values, before=values)).uncounted
    assert not same.is_changed


def test_an_unknown_attribute_that_decides_the_price_is_uncounted() -> None:
    (one,) = make_footprint(build_change("aws_dx_connection.c", {}, unknown={"bandwidth": True})).uncounted
    assert one.unknown.reason == "bandwidth is not known until apply"


def test_eight_interface_endpoints_in_two_new_zones_cost_120_usd() -> None:
    """A set of subnets that the plan creates is unknown, but its references are not."""
    names = [f"aws_vpc_endpoint.e{number}" for number in range(8)]
    subnets = ["aws_subnet.a", "aws_subnet.b"]
    changes = [build_change(name, INTERFACE, unknown={"subnet_ids": True}) for name in names]
    references = [reference for subnet in subnets for reference in (f"{subnet}.id", subnet)]
    declared = [
        *(build_configuration(subnet) for subnet in subnets),
        *(build_configuration(name, subnet_ids=references) for name in names),
    ]
    new_subnets = [build_change(subnet, {"vpc_id": "vpc-1"}) for subnet in subnets]
    result = make_footprint(*changes, *new_subnets, root={"resources": declared})
    assert get_cost(result) == pytest.approx(116.8)
    assert result.uncounted == ()
    assert {one.kind for _, one in result.unknowns} == {UnknownKind.CARBON}


def test_endpoints_with_unknown_subnets_and_no_references_are_uncounted() -> None:
    change = build_change("aws_vpc_endpoint.e", INTERFACE, unknown={"subnet_ids": True})
    declared = [build_configuration("aws_vpc_endpoint.e", subnet_ids={"references": ["var.subnets"]})]
    (one,) = make_footprint(change, root={"resources": declared}).uncounted
    assert one.unknown.reason == "subnet_ids is not known until apply, so the number of zones is unknown"


def test_a_zone_that_the_endpoint_already_has_is_counted_once() -> None:
    endpoint = {**INTERFACE, "id": "vpce-1", "subnet_ids": ["a", "b"]}
    changes = [
        build_change("aws_vpc_endpoint.e", endpoint, before=endpoint),
        *(
            build_change(f"aws_vpc_endpoint_subnet_association.{zone}",
                         {"vpc_endpoint_id": "vpce-1", "subnet_id": zone, "region": REGION})
            for zone in ("b", "c")
        ),
    ]  # fmt: skip
    assert get_cost(make_footprint(*changes)) == pytest.approx(3 * 7.3)


@check_cases(
    ("values", "usd"),
    [
        ({"type": "io1", "iops": 1000}, 65),
        ({"type": "io2", "iops": 32000}, 2080),
        ({"type": "io2", "iops": 100000}, 32000 * 0.065 + 32000 * 0.0455 + 36000 * 0.032),
        ({"type": "gp3", "iops": 16000, "throughput": 1000}, 13000 * 0.005 + 875 * 0.04),
        ({"type": "gp3", "iops": 3000, "throughput": 125}, 0),
        ({"type": "gp3"}, 0),
        ({"type": "gp2", "iops": 300}, 0),
    ],
)
def test_provisioned_performance_of_a_volume_is_counted(values: dict[str, Any], usd: float) -> None:
    volume = {"size": 100, "region": REGION, **values}
    plain = make_footprint(build_change("aws_ebs_volume.v", {**volume, "iops": None, "throughput": None}))
    fast = make_footprint(build_change("aws_ebs_volume.v", volume))
    assert get_cost(fast) - get_cost(plain) == pytest.approx(usd)
    root = {f"volume_{name}" if name in ("size", "type") else name: value for name, value in volume.items()}
    instance = {"instance_type": "m5.large", "region": REGION}
    with_root = make_footprint(build_change("aws_instance.i", {**instance, "root_block_device": [root]}))
    alone = make_footprint(
        build_change("aws_instance.i", {**instance, "root_block_device": [{**root, "iops": None, "throughput": None}]})
    )
    assert get_cost(with_root) - get_cost(alone) == pytest.approx(usd)


def test_unknown_iops_of_io2_are_an_unknown_volume() -> None:
    change = build_change("aws_ebs_volume.v", {"size": 9, "type": "io2", "region": REGION}, unknown={"iops": True})
    (one,) = make_footprint(change).uncounted
    assert one.unknown.reason == "its IOPS are not known until apply"


def test_a_price_of_all_regions_has_no_interval_and_a_regional_one_has() -> None:
    key = make_footprint(build_change("aws_kms_key.k", {"region": "eu-central-1"})).after.figures["cost"]
    gateway = make_footprint(build_change("aws_nat_gateway.g", {"region": "eu-central-1"})).after.figures["cost"]
    china = make_footprint(build_change("aws_kms_key.k", {"region": "cn-north-1"})).after.figures["cost"]
    assert key.low == key.high == 1
    assert gateway.low < gateway.central < gateway.high
    assert china.low < china.high


def test_services_without_carbon_leave_the_carbon_of_others_complete() -> None:
    volume = build_change("aws_ebs_volume.v", {"size": 9, "type": "gp3", "region": REGION})
    alone = make_footprint(volume)
    result = make_footprint(volume, build_change("aws_kms_key.k", {"region": REGION}))
    assert result.after.figures["total"] == alone.after.figures["total"]
    assert result.after.partial == result.delta.partial == result.total_after.partial == ()
    assert get_cost(result) == pytest.approx(get_cost(alone) + 1)


def test_the_change_is_unknown_if_only_unknown_parts_change() -> None:
    key = build_change("aws_kms_key.k", {"region": REGION}, before={"region": REGION})
    database = build_change(
        "aws_db_instance.d", {"instance_class": "db.r6i.32xlarge"}, before={"instance_class": "db.t4g.micro"}
    )
    result = make_footprint(key, database)
    assert result.delta.get("cost") is None
    assert get_cost(result) == 1
    assert [one.size for one in result.uncounted] == ["db.t4g.micro → db.r6i.32xlarge"]
    unchanged = make_footprint(key, build_change("aws_db_instance.d", {"name": "d"}, before={"name": "d"}))
    assert get_cost(unchanged, "delta") == 0


def test_types_billed_by_usage_are_counted_by_type() -> None:
    result = make_footprint(
        build_change("aws_sqs_queue.a", {"name": "a"}),
        build_change("aws_sqs_queue.b", {"name": "b"}, before={"name": "c"}),
        build_change("aws_sqs_queue.same", {"name": "d"}, before={"name": "d"}),
        build_change("aws_sqs_queue.gone", before={"name": "e"}),
    )
    assert result.billed_by_usage == {"aws_sqs_queue": 2}


def test_rows_of_one_item_have_one_price() -> None:
    for price in service_prices.load_all():
        same = service_prices.load_by_item()[price.item]
        assert (price.usd_per_month, price.unit, price.is_global) == (same.usd_per_month, same.unit, same.is_global), (
            price.item
        )


def test_part_names_say_what_is_paid() -> None:
    acl = build_change("aws_wafv2_web_acl.w", {"rule": [{"name": "a"}], "region": REGION})
    assert list_part_names(make_footprint(acl)) == ["web ACL", "web ACL rule"]
