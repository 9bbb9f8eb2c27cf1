"""Single EC2 instances, reservations and volumes of a plan."""

from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.catalogue import instances
from tests.cases import check_cases
from tests.footprint.support import (
    M5_IDLE_W,
    M5_W,
    PUE,
    REGION,
    compute_hours,
    compute_volume_kwh,
    find_part,
    get_cost,
    get_counts,
    get_kwh,
    join_reasons,
    list_part_names,
    make_footprint,
    make_usage,
)
from tests.plan.plan_builder import build_change, build_configuration

INSTANCE = "aws_instance.i"
TEMPLATE = "aws_launch_template.t"


def make_instance(instance_type: str = "m5.xlarge", **more: Any) -> dict[str, Any]:
    return {"instance_type": instance_type, "region": REGION, **more}


def make_template(instance_type: str = "m5.xlarge", version: int = 1, default: int = 1, **more: Any) -> dict[str, Any]:
    versions = {"latest_version": version, "default_version": default}
    return {"name": "t", "id": "lt-1", "instance_type": instance_type, **versions, **more}


def make_launched(version: str | None = None) -> dict[str, Any]:
    return {"region": REGION, "launch_template": [{"id": "lt-1", "name": "t", "version": version}]}


def test_an_instance_is_on_all_month_at_the_ec2_price() -> None:
    result = make_footprint(
        build_change(INSTANCE, make_instance(root_block_device=[{"volume_size": 100, "volume_type": "gp3"}]))
    )
    assert get_kwh(result) == pytest.approx(M5_W * 0.73 * PUE + compute_volume_kwh(100))
    # 0.192 USD an hour; 0.08 USD a GB-month
    assert get_cost(result) == pytest.approx(730 * 0.192 + 8)
    assert list_part_names(result) == ["instance", "volumes (gp3)"]
    assert result.uncounted == ()


def test_a_root_volume_without_a_size_is_reported() -> None:
    bare, with_size = (
        make_footprint(build_change(INSTANCE, make_instance(root_block_device=root)))
        for root in ([], [{"volume_size": 8}])
    )
    image = "its size is that of the image"
    assert image in join_reasons(bare)
    assert image not in join_reasons(with_size)


def test_eight_accelerated_instances_are_counted(tmp_path: Path) -> None:
    changes = [build_change("aws_instance.gpu", make_instance("p4d.24xlarge"), index=number) for number in range(8)]
    result = make_footprint(*changes, used=make_usage(tmp_path, {"aws_instance.gpu*": {"duty": 1}}))
    # Two 240 W CPUs at half load, 1,152 GB, and eight A100 of 280 W.
    busy_w = 480 * (0.553 + 0.1) + 768 * 0.11 + 384 * 0.042 + 8 * (280 + 105)
    assert get_kwh(result) == pytest.approx(8 * busy_w * 0.73 * PUE)
    assert get_cost(result) == pytest.approx(8 * 730 * 21.957642)


def test_the_usage_file_gives_hours_and_load(tmp_path: Path) -> None:
    used = make_usage(tmp_path, {INSTANCE: {"hours_per_month": 100, "duty": 0}})
    result = make_footprint(build_change(INSTANCE, make_instance()), used=used)
    assert get_kwh(result) == pytest.approx(M5_IDLE_W * 0.1 * PUE)
    assert get_cost(result) == pytest.approx(100 * 0.192)


def test_spot_capacity_costs_less_and_uses_as_much() -> None:
    result = make_footprint(build_change(INSTANCE, make_instance(instance_market_options=[{"market_type": "spot"}])))
    requested = make_footprint(build_change("aws_spot_instance_request.i", make_instance()))
    for one in (result, requested):
        assert get_kwh(one) == pytest.approx(M5_W * 0.73 * PUE)
        assert get_cost(one) == pytest.approx(730 * 0.192 * 0.4)


def test_a_stopped_instance_has_only_its_volumes() -> None:
    result = make_footprint(
        build_change(INSTANCE, make_instance(id="i-1", ebs_block_device=[{"volume_size": 500}])),
        build_change("aws_ec2_instance_state.s", {"instance_id": "i-1", "state": "stopped"}),
    )
    assert get_kwh(result) == pytest.approx(compute_volume_kwh(500))
    assert get_cost(result) == pytest.approx(50)  # gp2, 0.10 USD a GB-month


def test_tenancy_changes_the_cost_of_an_instance() -> None:
    assert get_cost(make_footprint(build_change(INSTANCE, make_instance(tenancy="host")))) == 0
    assert "dedicated tenancy is not counted" in join_reasons(
        make_footprint(build_change(INSTANCE, make_instance(tenancy="dedicated")))
    )


@pytest.mark.parametrize(
    ("instance_type", "reason"),
    [("f2.6xlarge", "the power of its FPGAs is not in the catalogue"), ("m99.huge", "has no instance type m99.huge")],
)
def test_an_unknown_type_is_not_counted(instance_type: str, reason: str) -> None:
    result = make_footprint(build_change(INSTANCE, make_instance(instance_type)))
    (one,) = result.uncounted
    assert (one.address, one.is_changed) == (INSTANCE, True)
    assert reason in one.unknown.reason


def test_a_hardware_partition_of_a_gpu_counts_as_its_share() -> None:
    whole, half = (instances.find(name) for name in ("gr6.4xlarge", "gr6f.4xlarge"))
    assert whole is not None
    assert half is not None
    assert whole.accelerator is not None
    assert half.accelerator is not None
    assert half.accelerator.name == "0.5 of L4"
    assert half.accelerator.busy_w == pytest.approx([watts / 2 for watts in whole.accelerator.busy_w])
    kwh = {one.name: get_kwh(make_footprint(build_change(INSTANCE, make_instance(one.name)))) for one in (whole, half)}
    assert 0 < kwh[half.name] < kwh[whole.name]


def test_the_estimate_of_graviton5_has_class_c() -> None:
    result = make_footprint(build_change(INSTANCE, make_instance("m9g.large")))
    assert (get_kwh(result) > 0, result.uncounted) == (True, ())
    graviton5 = instances.find_platform("graviton5")
    assert (graviton5.grade, graviton5.sockets * graviton5.vcpu) == ("C", 192)


def test_a_type_without_a_price_has_no_cost() -> None:
    result = make_footprint(build_change(INSTANCE, make_instance("hpc6a.48xlarge")))
    assert get_kwh(result) > 0
    assert result.after.get("cost") is None
    assert [one.unknown.reason for one in result.uncounted] == ["the price of this instance type is unknown"]


def test_a_type_that_is_unknown_until_apply_is_not_counted() -> None:
    result = make_footprint(build_change(INSTANCE, {"region": REGION}, unknown={"instance_type": True}))
    assert join_reasons(result) == "instance_type is not known until apply"
    assert len(result.uncounted) == 1


def test_a_launch_template_of_the_plan_is_found_by_reference() -> None:
    root = {"resources": [build_configuration(INSTANCE, launch_template=({"id": {"references": [f"{TEMPLATE}.id"]}},))]}
    devices = {"block_device_mappings": [{"ebs": [{"volume_size": 20, "volume_type": "gp3"}]}]}
    result = make_footprint(
        build_change(
            INSTANCE,
            {"region": REGION, "launch_template": [{"version": "$Latest"}]},
            unknown={"instance_type": True, "root_block_device": True, "launch_template": [{"id": True, "name": True}]},
        ),
        build_change(TEMPLATE, {"instance_type": "m5.xlarge", **devices}, unknown={"id": True, "latest_version": True}),
        root={"resources": [*root["resources"], build_configuration(TEMPLATE)]},
    )
    assert get_kwh(result) == pytest.approx(M5_W * 0.73 * PUE + compute_volume_kwh(20))
    assert [one.address for one in result.resources] == [INSTANCE]


def test_a_template_in_a_dynamic_block_is_the_only_one_of_its_module() -> None:
    hidden = build_change(
        "module.m.aws_instance.i",
        {"region": REGION, "launch_template": [{}]},
        unknown={"instance_type": True, "launch_template": [{"id": True, "name": True, "version": True}]},
    )
    own = build_change("module.m.aws_launch_template.t", {"instance_type": "m5.xlarge"}, unknown={"id": True})
    other = build_change(TEMPLATE, {"instance_type": "p4d.24xlarge"}, unknown={"id": True})
    assert get_cost(make_footprint(hidden, own, other)) == pytest.approx(730 * 0.192)
    second = build_change("module.m.aws_launch_template.u", {"instance_type": "m5.xlarge"}, unknown={"id": True})
    assert "its launch template is not known until apply" in join_reasons(make_footprint(hidden, own, second))


@check_cases(
    ("version", "follows", "hourly"),
    [
        ("$Latest", False, 0.384),
        ("$Default", False, 0.192),  # the first version stays the default
        ("$Default", True, 0.384),
        (None, False, 0.192),
        ("1", False, 0.192),
    ],
)
def test_a_new_template_version_counts_if_the_instance_uses_it(
    version: str | None, follows: bool, hourly: float
) -> None:
    new = make_template("m5.2xlarge", 1, 1, update_default_version=follows)
    del new["latest_version"]
    unknown = {"latest_version": True} | ({"default_version": True} if follows else {})
    result = make_footprint(
        build_change(INSTANCE, make_launched(version), before=make_launched(version)),
        build_change(TEMPLATE, new, before=make_template("m5.xlarge"), unknown=unknown),
    )
    assert get_cost(result) == pytest.approx(730 * hourly)
    assert get_cost(result, "before") == pytest.approx(730 * 0.192)


def test_a_template_or_version_outside_the_plan_is_not_counted() -> None:
    old = make_footprint(
        build_change(INSTANCE, make_launched("1")),
        build_change(TEMPLATE, make_template(version=3), before=make_template(version=3)),
    )
    assert join_reasons(old) == f"version 1 of {TEMPLATE} is not in this plan"
    assert "its launch template is not in this plan" in join_reasons(
        make_footprint(build_change(INSTANCE, make_launched("1")))
    )


def test_a_template_with_instance_requirements_is_not_counted() -> None:
    requirements = make_template()
    del requirements["instance_type"]
    result = make_footprint(
        build_change(INSTANCE, make_launched("$Latest")),
        build_change(TEMPLATE, requirements | {"instance_requirements": [{"vcpu_count": [{"min": 2}]}]}),
    )
    assert "instance_requirements" in join_reasons(result)


def test_reserved_capacity_is_idle_at_full_price() -> None:
    reservation = make_instance(instance_count=4, instance_platform="Linux/UNIX")
    result = make_footprint(build_change("aws_ec2_capacity_reservation.r", reservation))
    assert get_kwh(result) == pytest.approx(4 * M5_IDLE_W * 0.73 * PUE)
    assert get_cost(result) == pytest.approx(4 * 730 * 0.192)
    assert "have their own estimates" in join_reasons(result)


def test_a_capacity_block_has_an_unknown_price() -> None:
    address, block = "aws_ec2_capacity_block_reservation.b", make_instance("p5.48xlarge", instance_count=2)
    result = make_footprint(build_change(address, block, before=block))
    assert get_kwh(result) > 0
    assert result.after.get("cost") is None
    assert [(one.is_changed, one.unknown.reason) for one in result.uncounted] == [
        (False, "only the offering of a capacity block has its price")
    ]


def test_a_host_costs_a_tenth_more_than_its_largest_instance() -> None:
    result = make_footprint(build_change("aws_ec2_host.h", {"instance_family": "m5", "region": REGION}))
    assert get_cost(result) == pytest.approx(730 * 4.608 * 1.1)
    # Two idle CPUs of 240 W and 384 GB.
    assert compute_hours(result, 480 * (0.108 + 0.1) + 384 * 0.042) == pytest.approx(730)
    by_type = make_footprint(build_change("aws_ec2_host.h", {"instance_type": "c5.large", "region": REGION}))
    assert get_cost(by_type) == pytest.approx(730 * 3.06 * 1.1)  # c5.18xlarge: larger ones run on another server
    small = make_footprint(build_change("aws_ec2_host.h", {"instance_family": "t3", "region": REGION}))
    assert "does not know the price of a host for t3" in join_reasons(small)


def test_a_volume_counts_its_gigabytes_by_medium() -> None:
    result = make_footprint(build_change("aws_ebs_volume.v", {"size": 1000, "type": "st1", "region": REGION}))
    assert get_cost(result) == pytest.approx(45)
    assert get_kwh(result) == pytest.approx(0.65 * 2 * 0.73 * PUE)  # Wh/TBh of a disk, two copies
    unknown = make_footprint(build_change("aws_ebs_volume.v", {"region": REGION}, unknown={"size": True}))
    assert join_reasons(unknown) == "its size is not known until apply"
    assert [one.address for one in unknown.uncounted] == ["aws_ebs_volume.v"]  # GB are provisioned, used or not


def test_a_range_of_instances_gives_an_interval(tmp_path: Path) -> None:
    used = make_usage(tmp_path, {"aws_ec2_host.*": {"instances": {"low": 1, "expected": 2, "high": 5}}})
    result = make_footprint(build_change("aws_ec2_host.h", {"instance_family": "m5", "region": REGION}), used=used)
    assert get_counts(result, "host") == (1, 2, 5)
    assert find_part(result, "host").kind == "instances"
