"""Machines of EC2 that a plan asks for one by one, what is reserved for them, and their volumes."""

from pathlib import Path
from typing import Any

import pytest

from tests.footprint.support import (
    M5_IDLE_W,
    M5_W,
    PUE,
    REGION,
    cost,
    counts,
    footprint,
    hours,
    kwh,
    part,
    parts,
    reasons,
    usage,
    volume_kwh,
)
from tests.plan.plan_builder import build_change, build_configuration

INSTANCE = "aws_instance.i"
TEMPLATE = "aws_launch_template.t"


def machine(instance_type: str = "m5.xlarge", **more: Any) -> dict[str, Any]:
    return {"instance_type": instance_type, "region": REGION, **more}


def template(instance_type: str = "m5.xlarge", version: int = 1, default: int = 1, **more: Any) -> dict[str, Any]:
    versions = {"latest_version": version, "default_version": default}
    return {"name": "t", "id": "lt-1", "instance_type": instance_type, **versions, **more}


def launched(version: str | None = None) -> dict[str, Any]:
    return {"region": REGION, "launch_template": [{"id": "lt-1", "name": "t", "version": version}]}


def test_an_instance_is_on_all_month_at_ec2s_own_price() -> None:
    found = footprint(build_change(INSTANCE, machine(root_block_device=[{"volume_size": 100, "volume_type": "gp3"}])))
    assert kwh(found) == pytest.approx(M5_W * 0.73 * PUE + volume_kwh(100))
    # 0.192 USD an hour; 0.08 USD a GB-month
    assert cost(found) == pytest.approx(730 * 0.192 + 8)
    assert parts(found) == ["instance", "volumes (gp3)"]
    assert found.uncounted == ()


def test_a_root_volume_that_is_not_given_is_of_the_images_size() -> None:
    bare, given = (
        footprint(build_change(INSTANCE, machine(root_block_device=root))) for root in ([], [{"volume_size": 8}])
    )
    image = "its size is the image's"
    assert image in reasons(bare)
    assert image not in reasons(given)


def test_eight_accelerated_machines_are_counted(tmp_path: Path) -> None:
    changes = [build_change("aws_instance.gpu", machine("p4d.24xlarge"), index=number) for number in range(8)]
    found = footprint(*changes, used=usage(tmp_path, {"aws_instance.gpu*": {"duty": 1}}))
    # Two 240 W CPUs at half load, 1,152 GB, and eight A100 of 280 W.
    busy_w = 480 * (0.553 + 0.1) + 768 * 0.11 + 384 * 0.042 + 8 * (280 + 105)
    assert kwh(found) == pytest.approx(8 * busy_w * 0.73 * PUE)
    assert cost(found) == pytest.approx(8 * 730 * 21.957642)


def test_the_usage_file_says_how_long_and_how_hard_it_works(tmp_path: Path) -> None:
    used = usage(tmp_path, {INSTANCE: {"hours_per_month": 100, "duty": 0}})
    found = footprint(build_change(INSTANCE, machine()), used=used)
    assert kwh(found) == pytest.approx(M5_IDLE_W * 0.1 * PUE)
    assert cost(found) == pytest.approx(100 * 0.192)


def test_what_is_on_spot_capacity_costs_less_and_uses_as_much() -> None:
    found = footprint(build_change(INSTANCE, machine(instance_market_options=[{"market_type": "spot"}])))
    requested = footprint(build_change("aws_spot_instance_request.i", machine()))
    for one in (found, requested):
        assert kwh(one) == pytest.approx(M5_W * 0.73 * PUE)
        assert cost(one) == pytest.approx(730 * 0.192 * 0.4)


def test_an_instance_that_the_plan_keeps_stopped_has_its_volumes_alone() -> None:
    found = footprint(
        build_change(INSTANCE, machine(id="i-1", ebs_block_device=[{"volume_size": 500}])),
        build_change("aws_ec2_instance_state.s", {"instance_id": "i-1", "state": "stopped"}),
    )
    assert kwh(found) == pytest.approx(volume_kwh(500))
    assert cost(found) == pytest.approx(50)  # gp2, 0.10 USD a GB-month


def test_an_instance_on_a_host_is_paid_with_it_and_one_on_dedicated_hardware_says_what_is_missing() -> None:
    assert cost(footprint(build_change(INSTANCE, machine(tenancy="host")))) == 0
    assert "dedicated tenancy is not counted" in reasons(
        footprint(build_change(INSTANCE, machine(tenancy="dedicated")))
    )


@pytest.mark.parametrize(
    ("instance_type", "reason"),
    [("m9g.large", "the power of the Graviton5 is not published"), ("m99.huge", "has no instance type m99.huge")],
)
def test_a_type_that_nobody_knows_is_not_counted(instance_type: str, reason: str) -> None:
    found = footprint(build_change(INSTANCE, machine(instance_type)))
    (one,) = found.uncounted
    assert (one.address, one.is_changed) == (INSTANCE, True)
    assert reason in one.unknown.reason


def test_a_type_without_a_price_is_counted_but_for_its_cost_which_is_said() -> None:
    found = footprint(build_change(INSTANCE, machine("hpc6a.48xlarge")))
    assert kwh(found) > 0
    assert found.after.get("cost") is None
    assert [one.unknown.reason for one in found.uncounted] == ["no price of this type is known"]


def test_a_type_that_is_known_after_apply_is_not_counted() -> None:
    found = footprint(build_change(INSTANCE, {"region": REGION}, unknown={"instance_type": True}))
    assert reasons(found) == "instance_type is not known until apply"
    assert len(found.uncounted) == 1


def test_a_launch_template_of_the_same_plan_is_found_by_reference_and_uses_nothing_itself() -> None:
    root = {"resources": [build_configuration(INSTANCE, launch_template=({"id": {"references": [f"{TEMPLATE}.id"]}},))]}
    devices = {"block_device_mappings": [{"ebs": [{"volume_size": 20, "volume_type": "gp3"}]}]}
    found = footprint(
        build_change(
            INSTANCE,
            {"region": REGION, "launch_template": [{"version": "$Latest"}]},
            unknown={"instance_type": True, "root_block_device": True, "launch_template": [{"id": True, "name": True}]},
        ),
        build_change(TEMPLATE, {"instance_type": "m5.xlarge", **devices}, unknown={"id": True, "latest_version": True}),
        root={"resources": [*root["resources"], build_configuration(TEMPLATE)]},
    )
    assert kwh(found) == pytest.approx(M5_W * 0.73 * PUE + volume_kwh(20))
    assert [one.address for one in found.resources] == [INSTANCE]


def test_a_template_that_a_module_hides_in_a_dynamic_block_is_the_only_one_of_the_module() -> None:
    hidden = build_change(
        "module.m.aws_instance.i",
        {"region": REGION, "launch_template": [{}]},
        unknown={"instance_type": True, "launch_template": [{"id": True, "name": True, "version": True}]},
    )
    own = build_change("module.m.aws_launch_template.t", {"instance_type": "m5.xlarge"}, unknown={"id": True})
    other = build_change(TEMPLATE, {"instance_type": "p4d.24xlarge"}, unknown={"id": True})
    assert cost(footprint(hidden, own, other)) == pytest.approx(730 * 0.192)
    second = build_change("module.m.aws_launch_template.u", {"instance_type": "m5.xlarge"}, unknown={"id": True})
    assert "its launch template cannot be told until apply" in reasons(footprint(hidden, own, second))


@pytest.mark.parametrize(
    ("version", "follows", "hourly"),
    [
        ("$Latest", False, 0.384),
        ("$Default", False, 0.192),  # the first version stays the default
        ("$Default", True, 0.384),
        (None, False, 0.192),
        ("1", False, 0.192),
    ],
)
def test_a_new_version_of_a_template_counts_where_it_is_followed(
    version: str | None, follows: bool, hourly: float
) -> None:
    new = template("m5.2xlarge", 1, 1, update_default_version=follows)
    del new["latest_version"]
    unknown = {"latest_version": True} | ({"default_version": True} if follows else {})
    found = footprint(
        build_change(INSTANCE, launched(version), before=launched(version)),
        build_change(TEMPLATE, new, before=template("m5.xlarge"), unknown=unknown),
    )
    assert cost(found) == pytest.approx(730 * hourly)
    assert cost(found, "before") == pytest.approx(730 * 0.192)


def test_a_version_or_a_template_that_is_elsewhere_is_not_counted() -> None:
    old = footprint(
        build_change(INSTANCE, launched("1")), build_change(TEMPLATE, template(version=3), before=template(version=3))
    )
    assert reasons(old) == f"version 1 of {TEMPLATE} is not in this plan"
    assert "its launch template is not in this plan" in reasons(footprint(build_change(INSTANCE, launched("1"))))


def test_a_template_that_asks_for_whatever_meets_its_requirements_is_not_counted() -> None:
    requirements = template()
    del requirements["instance_type"]
    found = footprint(
        build_change(INSTANCE, launched("$Latest")),
        build_change(TEMPLATE, requirements | {"instance_requirements": [{"vcpu_count": [{"min": 2}]}]}),
    )
    assert "instance_requirements" in reasons(found)


def test_reserved_capacity_is_paid_for_and_idle() -> None:
    reservation = machine(instance_count=4, instance_platform="Linux/UNIX")
    found = footprint(build_change("aws_ec2_capacity_reservation.r", reservation))
    assert kwh(found) == pytest.approx(4 * M5_IDLE_W * 0.73 * PUE)
    assert cost(found) == pytest.approx(4 * 730 * 0.192)
    assert "counted there too" in reasons(found)


def test_a_capacity_block_has_a_price_that_no_catalogue_knows() -> None:
    address, block = "aws_ec2_capacity_block_reservation.b", machine("p5.48xlarge", instance_count=2)
    found = footprint(build_change(address, block, before=block))
    assert kwh(found) > 0
    assert found.after.get("cost") is None
    assert [(one.is_changed, one.unknown.reason) for one in found.uncounted] == [
        (False, "the offering of a capacity block names its price")
    ]


def test_a_host_costs_a_tenth_more_than_its_largest_instance() -> None:
    found = footprint(build_change("aws_ec2_host.h", {"instance_family": "m5", "region": REGION}))
    assert cost(found) == pytest.approx(730 * 4.608 * 1.1)
    # Two idle CPUs of 240 W and 384 GB.
    assert hours(found, 480 * (0.108 + 0.1) + 384 * 0.042) == pytest.approx(730)
    by_type = footprint(build_change("aws_ec2_host.h", {"instance_type": "c5.large", "region": REGION}))
    assert cost(by_type) == pytest.approx(730 * 3.06 * 1.1)  # c5.18xlarge: larger ones run on another server
    small = footprint(build_change("aws_ec2_host.h", {"instance_family": "t3", "region": REGION}))
    assert "does not know the price of a host for t3" in reasons(small)


def test_a_volume_is_its_gigabytes_on_its_medium() -> None:
    found = footprint(build_change("aws_ebs_volume.v", {"size": 1000, "type": "st1", "region": REGION}))
    assert cost(found) == pytest.approx(45)
    assert kwh(found) == pytest.approx(0.65 * 2 * 0.73 * PUE)  # Wh/TBh of a disk, two copies
    unknown = footprint(build_change("aws_ebs_volume.v", {"region": REGION}, unknown={"size": True}))
    assert reasons(unknown) == "its size is not known until apply"
    assert [one.address for one in unknown.uncounted] == ["aws_ebs_volume.v"]  # GB are provisioned, used or not


def test_a_range_of_machines_moves_both_ends(tmp_path: Path) -> None:
    used = usage(tmp_path, {"aws_ec2_host.*": {"instances": {"low": 1, "expected": 2, "high": 5}}})
    found = footprint(build_change("aws_ec2_host.h", {"instance_family": "m5", "region": REGION}), used=used)
    assert counts(found, "host") == (1, 2, 5)
    assert part(found, "host").kind == "machines"
