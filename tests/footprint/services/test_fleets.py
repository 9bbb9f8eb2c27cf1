"""Groups of instances: Auto Scaling, EC2 fleets, EKS, Batch, EMR and HyperPod."""

import json
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.footprint import METRICS
from tests.cases import check_cases
from tests.footprint.support import (
    M5_IDLE_W,
    M5_JOB_W,
    M5_W,
    PUE,
    REGION,
    compute_hours,
    compute_volume_kwh,
    get_cost,
    get_counts,
    get_kwh,
    join_reasons,
    list_part_names,
    make_footprint,
    make_usage,
)
from tests.plan.plan_builder import build_change

GROUP, TEMPLATE = "aws_autoscaling_group.g", "aws_launch_template.t"
M5_KWH = M5_W * 0.73 * PUE


def group(**more: Any) -> dict[str, Any]:
    limits = {"name": "g", "min_size": 2, "max_size": 8, "region": REGION}
    return limits | {"launch_template": [{"name": "t", "version": "$Latest"}], **more}


def template(**more: Any) -> dict[str, Any]:
    return build_change(TEMPLATE, {"name": "t", "instance_type": "m5.xlarge", **more})


def make_mixed_group(*overrides: dict[str, Any], **distribution: Any) -> dict[str, Any]:
    specification = {"launch_template_specification": [{"launch_template_name": "t", "version": "$Latest"}]}
    policy = {"launch_template": [{**specification, "override": list(overrides)}]}
    policy |= {"instances_distribution": [distribution]} if distribution else {}
    return group(launch_template=[], mixed_instances_policy=[policy])


def test_a_group_without_scaling_has_its_start_size() -> None:
    assert get_kwh(make_footprint(template(), build_change(GROUP, group(desired_capacity=5)))) == pytest.approx(
        5 * M5_KWH
    )
    unset = make_footprint(
        template(), build_change(GROUP, group(), unknown={"desired_capacity": True}), root=declare_group()
    )
    assert get_kwh(unset) == pytest.approx(2 * M5_KWH)
    assert unset.uncounted == ()


def declare_group(**set_: Any) -> dict[str, Any]:
    """Return the configuration of the group; attributes without a value in it are unknown until apply."""
    expressions = {"launch_template": [{"name": {"constant_value": "t"}}], **set_}
    entry = {
        "address": GROUP,
        "mode": "managed",
        "type": "aws_autoscaling_group",
        "name": "g",
        "expressions": expressions,
    }
    return {"resources": [entry]}


def test_a_group_whose_desired_size_is_unknown_is_not_counted() -> None:
    code = declare_group(desired_capacity={"references": ["var.size"]})
    result = make_footprint(template(), build_change(GROUP, group(), unknown={"desired_capacity": True}), root=code)
    assert join_reasons(result) == "desired_capacity is not known until apply"
    assert len(result.uncounted) == 1


def test_a_group_with_a_policy_is_at_a_third_of_its_range() -> None:
    policy = {"name": "p", "autoscaling_group_name": "g", "policy_type": "TargetTrackingScaling"}
    result = make_footprint(
        template(), build_change(GROUP, group(desired_capacity=2)), build_change("aws_autoscaling_policy.p", policy)
    )
    assert get_counts(result, "instances") == (2, 4, 8)
    assert get_kwh(result) == pytest.approx(4 * M5_KWH)
    off = build_change("aws_autoscaling_policy.p", {**policy, "enabled": False})
    assert get_counts(make_footprint(template(), build_change(GROUP, group()), off), "instances") == (2, 2, 2)


def test_a_group_that_ecs_scales_is_at_a_third_of_its_range() -> None:
    provider = {"auto_scaling_group_arn": "arn:g", "managed_scaling": [{"status": "ENABLED"}]}
    scaled = build_change("aws_ecs_capacity_provider.p", {"auto_scaling_group_provider": [provider]})
    assert get_counts(make_footprint(template(), build_change(GROUP, group(arn="arn:g")), scaled), "instances") == (
        2,
        4,
        8,
    )


def test_scheduled_actions_move_a_group_between_their_sizes() -> None:
    def schedule(name: str, size: int) -> dict[str, Any]:
        values = {"autoscaling_group_name": "g", "desired_capacity": size, "min_size": -1, "max_size": -1}
        return build_change(f"aws_autoscaling_schedule.{name}", values)

    result = make_footprint(
        template(), build_change(GROUP, group(min_size=0)), schedule("day", 6), schedule("night", 0)
    )
    assert get_counts(result, "instances") == (0, 2, 6)
    assert "set instances in the usage file" in join_reasons(result)
    assert {one.address for one in result.uncounted} == {GROUP}


def test_the_usage_file_gives_the_size_of_a_group(tmp_path: Path) -> None:
    result = make_footprint(
        template(), build_change(GROUP, group()), used=make_usage(tmp_path, {GROUP: {"instances": 3}})
    )
    assert get_kwh(result) == pytest.approx(3 * M5_KWH)


def test_the_on_demand_part_of_a_spot_group_has_the_full_price() -> None:
    distribution = {"on_demand_base_capacity": 1, "on_demand_percentage_above_base_capacity": 50}
    fixed = make_mixed_group({"instance_type": "m5.xlarge"}, **distribution) | {"desired_capacity": 5}
    result = make_footprint(template(), build_change(GROUP, fixed))
    # 1 and half of the other 4 on demand, 2 on spot at 40 % of the price
    assert get_cost(result) == pytest.approx(730 * 0.192 * (3 + 2 * 0.4))
    assert get_kwh(result) == pytest.approx(5 * M5_KWH)


def test_types_of_several_sizes_give_an_interval() -> None:
    sizes = [{"instance_type": "m5.xlarge", "weighted_capacity": "1"}, {"instance_type": "m5.2xlarge"}]
    result = make_footprint(template(), build_change(GROUP, make_mixed_group(*sizes) | {"desired_capacity": 3}))
    # The first is expected; the second is twice as large, and counts for as much.
    figure = result.after.get("cost")
    assert figure is not None
    assert (figure.low, figure.central, figure.high) == pytest.approx([730 * 0.192 * n for n in (3, 3, 6)])
    assert figure.driver == "instances of the first type, by the type that AWS chooses"
    weighed = [sizes[0], {**sizes[1], "weighted_capacity": "2"}]
    same = make_footprint(template(), build_change(GROUP, make_mixed_group(*weighed) | {"desired_capacity": 4}))
    assert get_counts(same, "instances") == (2, 4, 4)
    assert get_cost(same) == pytest.approx(730 * 0.192 * 4)


def test_an_unknown_type_of_several_is_reported() -> None:
    result = make_footprint(
        template(),
        build_change(GROUP, make_mixed_group({"instance_type": "f2.6xlarge"}, {"instance_type": "m5.xlarge"})),
    )
    assert get_kwh(result) == pytest.approx(2 * M5_KWH)
    assert "AWS may choose f2.6xlarge too" in join_reasons(result)


def test_a_launch_configuration_is_read_as_well() -> None:
    configuration = {"name": "c", "instance_type": "m5.xlarge", "root_block_device": [{"volume_size": 30}]}
    result = make_footprint(
        build_change("aws_launch_configuration.c", configuration),
        build_change(GROUP, group(launch_template=[], launch_configuration="c")),
    )
    assert get_kwh(result) == pytest.approx(2 * (M5_KWH + compute_volume_kwh(30)))
    assert list_part_names(result) == ["instances", "volumes of instances (gp2)"]


def test_a_changed_template_changes_its_groups() -> None:
    old = {"name": "t", "instance_type": "m5.xlarge", "latest_version": 1, "default_version": 1}
    new = {**old, "instance_type": "m5.4xlarge"}
    del new["latest_version"]
    result = make_footprint(
        build_change(TEMPLATE, new, before=old, unknown={"latest_version": True}),
        build_change(GROUP, group(), before=group()),
    )
    (resource,) = result.resources
    assert resource.action == "no-op"
    assert get_cost(result, "delta") == pytest.approx(2 * 730 * (0.768 - 0.192))


def test_an_ec2_fleet_has_its_target_capacity() -> None:
    target = {"default_target_capacity_type": "spot", "total_target_capacity": 5, "on_demand_target_capacity": 2}
    config = {"launch_template_specification": [{"launch_template_name": "t", "version": "$Latest"}], "override": []}
    values = {"launch_template_config": [config], "target_capacity_specification": [target], "region": REGION}
    result = make_footprint(template(), build_change("aws_ec2_fleet.f", values))
    assert get_cost(result) == pytest.approx(730 * 0.192 * (2 + 3 * 0.4))
    by_vcpu = values | {"target_capacity_specification": [{**target, "target_capacity_unit_type": "vcpu"}]}
    assert "target capacity is in vCPUs or memory" in join_reasons(
        make_footprint(template(), build_change("aws_ec2_fleet.f", by_vcpu))
    )


def test_a_spot_fleet_has_the_instances_of_its_specification() -> None:
    specification = {"instance_type": "m5.xlarge", "weighted_capacity": "", "root_block_device": [{"volume_size": 10}]}
    values = {"target_capacity": 4, "on_demand_target_capacity": 1, "region": REGION}
    result = make_footprint(
        build_change("aws_spot_fleet_request.f", values | {"launch_specification": [specification]})
    )
    assert get_cost(result) == pytest.approx(730 * 0.192 * (1 + 3 * 0.4) + 4 * 1.0)
    config = {"launch_template_specification": [{"name": "t"}], "overrides": [{"instance_type": "m5.2xlarge"}]}
    templated = build_change("aws_spot_fleet_request.f", values | {"launch_template_config": [config]})
    assert get_cost(make_footprint(template(), templated)) == pytest.approx(730 * 0.384 * (1 + 3 * 0.4))


def nodes(**more: Any) -> dict[str, Any]:
    sizes = [{"min_size": 1, "desired_size": 3, "max_size": 10}]
    return {"scaling_config": sizes, "instance_types": ["m5.xlarge"], "region": REGION, **more}


def test_a_node_group_has_its_desired_size_and_may_have_more_or_less() -> None:
    result = make_footprint(build_change("aws_eks_node_group.n", nodes()))
    assert get_counts(result, "nodes") == (1, 3, 10)
    assert get_kwh(result) == pytest.approx(3 * (M5_KWH + compute_volume_kwh(20)))
    spot = make_footprint(build_change("aws_eks_node_group.n", nodes(capacity_type="SPOT", disk_size=100)))
    assert get_cost(spot) == pytest.approx(3 * (730 * 0.192 * 0.4 + 100 * 0.08))


def test_nodes_without_a_type_have_that_of_their_template_or_the_default() -> None:
    untold = nodes()
    del untold["instance_types"]
    launched = build_change("aws_eks_node_group.n", untold | {"launch_template": [{"name": "t", "version": "1"}]})
    assert get_cost(make_footprint(template(), launched)) == pytest.approx(3 * 730 * 0.192)
    result = make_footprint(build_change("aws_eks_node_group.n", untold))
    assert get_cost(result) == pytest.approx(3 * (730 * 0.0416 + 20 * 0.08))  # t3.medium
    block = make_footprint(build_change("aws_eks_node_group.n", nodes(capacity_type="CAPACITY_BLOCK")))
    assert [one.unknown.subject for one in block.uncounted] == ["cost of m5.xlarge"]


def environment(*types: str, kind: str = "EC2", least: int = 0, most: int = 400) -> dict[str, Any]:
    resources = {"type": kind, "instance_type": list(types), "min_vcpus": least, "max_vcpus": most}
    return {"type": "MANAGED", "region": REGION, "compute_resources": [resources]}


def test_a_batch_environment_has_a_tenth_of_its_maximum_on_average() -> None:
    result = make_footprint(build_change("aws_batch_compute_environment.b", environment("m5.xlarge")))
    # 400 vCPUs are 100 instances of 4, which work while they are there.
    assert get_counts(result, "instances") == (0, 10, 100)
    assert get_kwh(result) == pytest.approx(10 * M5_JOB_W * 0.73 * PUE)
    least = make_footprint(
        build_change("aws_batch_compute_environment.b", environment("m5.xlarge", kind="SPOT", least=80))
    )
    assert get_counts(least, "instances") == (20, 28, 100)
    assert get_cost(least) == pytest.approx(28 * 730 * 0.192 * 0.4)


def test_batch_families_give_an_interval_of_the_cost() -> None:
    result = make_footprint(
        build_change("aws_batch_compute_environment.b", environment("optimal", least=100, most=100))
    )
    figure = result.after.get("cost")
    assert figure is not None
    # 100 vCPUs, two an instance, of m6i (expected), c6i (least) and r6i (most)
    assert (figure.low, figure.central, figure.high) == pytest.approx([50 * 730 * usd for usd in (0.085, 0.096, 0.126)])


def test_fargate_is_not_counted_and_an_unmanaged_environment_has_no_instances() -> None:
    result = make_footprint(build_change("aws_batch_compute_environment.b", environment(kind="FARGATE")))
    assert "the hardware of Fargate" in join_reasons(result)
    assert len(result.uncounted) == 1
    assert make_footprint(build_change("aws_batch_compute_environment.b", {"type": "UNMANAGED"})).resources == ()


CLUSTER = "aws_emr_cluster.e"


def cluster(**more: Any) -> dict[str, Any]:
    ebs = {"size": 100, "type": "gp3", "volumes_per_instance": 2}
    core = {"instance_type": "m5.xlarge", "instance_count": 6, "bid_price": "0.1", "ebs_config": [ebs]}
    groups = {"master_instance_group": [{"instance_type": "m5.xlarge"}], "core_instance_group": [core]}
    return {"id": "j-1", "region": REGION, **groups, **more}


def test_an_emr_cluster_has_nodes_at_ec2_prices_and_an_unknown_fee() -> None:
    task = {"cluster_id": "j-1", "instance_type": "m5.xlarge", "instance_count": 3, "region": REGION}
    result = make_footprint(build_change(CLUSTER, cluster()), build_change("aws_emr_instance_group.t", task))
    assert list_part_names(result) == ["master nodes", "core nodes", "volumes of core nodes (gp3)", "task nodes"]
    assert get_kwh(result) == pytest.approx(10 * M5_KWH + 6 * compute_volume_kwh(200))
    assert get_cost(result) == pytest.approx(730 * 0.192 * (1 + 6 * 0.4 + 3) + 6 * 200 * 0.08)
    assert "the EMR fee for each instance, on top of the EC2 price" in join_reasons(result)
    assert {one.unknown.subject for one in result.uncounted} == {"cost of EMR"}


def test_nodes_that_become_unknown_are_no_saving() -> None:
    known, unknown = cluster(), cluster(core_instance_group=[{"instance_count": 2}])
    changed = make_footprint(build_change(CLUSTER, unknown, before=known))
    assert [one.name for one in changed.changes] == ["master nodes", "core nodes", "volumes of core nodes (gp3)"]
    assert changed.delta.get("cost") is None
    assert changed.after.get("cost") is not None
    same = make_footprint(build_change(CLUSTER, unknown, before=unknown))
    assert {(one.unknown.subject, one.is_changed) for one in same.uncounted} == {
        ("cost of EMR", False),
        ("core nodes", False),
    }


@check_cases(
    ("more", "on"),
    [
        ({"auto_termination_policy": [{"idle_timeout": 3600}]}, 160),
        ({"keep_job_flow_alive_when_no_steps": False}, 1),
        ({"keep_job_flow_alive_when_no_steps": True}, 730),
    ],
)
def test_a_cluster_with_automatic_termination_is_on_for_its_work(more: dict[str, Any], on: float) -> None:
    values = cluster(core_instance_group=[], **more)
    assert compute_hours(make_footprint(build_change(CLUSTER, values)), M5_W) == pytest.approx(on)


def test_scaled_core_nodes_are_at_a_third_of_their_range() -> None:
    limits = {"unit_type": "Instances", "minimum_capacity_units": 2, "maximum_capacity_units": 8}
    policy = build_change("aws_emr_managed_scaling_policy.p", {"cluster_id": "j-1", "compute_limits": [limits]})
    assert get_counts(make_footprint(build_change(CLUSTER, cluster()), policy), "core nodes") == (2, 4, 8)
    own = json.dumps({"Constraints": {"MinCapacity": 3, "MaxCapacity": 6}, "Rules": []})
    group = {"instance_type": "m5.xlarge", "instance_count": 3, "autoscaling_policy": own}
    assert get_counts(make_footprint(build_change(CLUSTER, cluster(core_instance_group=[group]))), "core nodes") == (
        3,
        4,
        6,
    )


def test_an_emr_fleet_has_its_target_capacity() -> None:
    types = [{"instance_type": "m5.xlarge", "weighted_capacity": 4}]
    values = {"instance_type_configs": types, "target_on_demand_capacity": 4, "target_spot_capacity": 12}
    result = make_footprint(build_change("aws_emr_instance_fleet.f", {"cluster_id": "j-9", "region": REGION, **values}))
    assert get_counts(result, "task nodes") == (4, 4, 4)
    assert get_cost(result) == pytest.approx(730 * 0.192 * (1 + 3 * 0.4))


def test_a_fleet_of_emr_without_types_is_not_counted() -> None:
    values = {"instance_type_configs": [], "target_on_demand_capacity": 4}
    result = make_footprint(build_change("aws_emr_instance_fleet.f", {"cluster_id": "j-9", "region": REGION, **values}))
    assert "instance_type_configs is not given" in join_reasons(result)


def test_a_hyperpod_cluster_has_its_instance_groups_at_sagemaker_prices() -> None:
    storage = {"ebs_volume_config": {"volume_size_in_gb": 500}}
    workers = {"instance_group_name": "workers", "instance_type": "ml.m5.xlarge", "instance_count": 16}
    restricted = {"instance_group_name": "r", "instance_type": "ml.m5.xlarge", "instance_count": 1}
    values = {
        "region": REGION,
        "instance_groups": [{**workers, "instance_storage_configs": [storage]}],
        "restricted_instance_groups": [restricted],
    }
    result = make_footprint(build_change("aws_sagemaker_cluster.c", values))
    assert list_part_names(result) == ["instance group workers", "instance group r"]
    assert get_kwh(result) == pytest.approx(17 * M5_KWH + 16 * compute_volume_kwh(500))
    assert get_cost(result) == pytest.approx(17 * 730 * 0.23)
    none = make_footprint(build_change("aws_sagemaker_cluster.c", {"region": REGION}))
    assert join_reasons(none) == "instance_groups is not given"


def test_the_delta_is_after_minus_before_and_the_sum_of_its_parts() -> None:
    def hyperpod(count: int) -> dict[str, Any]:
        return {"region": REGION, "instance_groups": [{"instance_type": "ml.g5.xlarge", "instance_count": count}]}

    more = nodes(scaling_config=[{"min_size": 1, "desired_size": 6, "max_size": 10}], disk_size=50)
    core = [{"instance_type": "r5.4xlarge", "instance_count": 8}]
    launched = {"name": "t", "instance_type": "m5.xlarge"}
    result = make_footprint(
        build_change(TEMPLATE, launched, before=launched),
        build_change(GROUP, group(desired_capacity=5), before=group(desired_capacity=2)),
        build_change("aws_eks_node_group.n", more, before=nodes()),
        build_change(
            "aws_batch_compute_environment.b", environment("c5"), before=environment("m5.xlarge", kind="SPOT")
        ),
        build_change(CLUSTER, cluster(core_instance_group=core), before=cluster()),
        build_change("aws_sagemaker_cluster.c", hyperpod(4), before=hyperpod(16)),
        build_change("aws_ec2_host.h", before={"instance_family": "m5", "region": REGION}),
    )
    for metric in METRICS:
        before, after, delta = (getattr(result, side).figures[metric].central for side in ("before", "after", "delta"))
        assert delta == pytest.approx(after - before)
        assert delta == pytest.approx(sum(one.delta.figures[metric].central for one in result.resources))


def test_idle_instances_of_a_group_use_less(tmp_path: Path) -> None:
    result = make_footprint(template(), build_change(GROUP, group()), used=make_usage(tmp_path, {GROUP: {"duty": 0}}))
    assert get_kwh(result) == pytest.approx(2 * M5_IDLE_W * 0.73 * PUE)
