"""The estimates against measurements, and how the CPU coefficients follow from theirs."""

import pytest

from sustainable_mlops.footprint import hosts, validation
from sustainable_mlops.footprint.coefficients import Coefficients

CASES = list(validation.measured())
HOSTS = list(validation.measured_hosts())
#: Servers of a kind that EC2 has none of: four T4 in a box of the edge, whose fans alone draw more than the boards.
NOT_OF_A_DATA_CENTRE = "XE2420"
NODES = ("training", "serving", "serving, boards capped", "waiting, no model", "waiting, model loaded")


def of(*kinds: str, fitted: bool | None = False) -> validation.Errors:
    return validation.errors(
        [
            case
            for case in CASES
            if case.kind in kinds and fitted in (None, case.fitted) and NOT_OF_A_DATA_CENTRE not in case.system
        ]
    )


def test_gpu_servers_that_were_not_fitted_are_met_within_a_tenth_and_lie_in_the_range() -> None:
    found = of(*NODES)
    assert found.cases >= 40
    assert found.median_error <= 0.10
    assert found.coverage >= 0.90
    assert abs(found.bias) <= 0.10


@pytest.mark.parametrize("kind", [*NODES, "job, one board"])
def test_no_kind_of_case_that_was_not_fitted_is_estimated_high_or_low_on_the_whole(kind: str) -> None:
    assert abs(of(kind).bias) <= 0.10


@pytest.mark.parametrize("kind", ["waiting, no model", "waiting, model loaded"])
def test_idle_gpu_servers_are_met_within_fifteen_per_cent(kind: str) -> None:
    assert of(kind).median_error <= 0.15


def test_ranges_of_gpu_servers_are_at_most_twice_as_wide_as_what_they_hold() -> None:
    assert of(*NODES, fitted=None).width <= 1.7


def test_cpu_servers_of_both_kinds_lie_in_the_range_and_the_estimate_between_the_kinds() -> None:
    assert validation.errors(HOSTS).coverage >= 0.89
    plug, counters = ([case for case in HOSTS if text in case.kind] for text in ("plug", "counters"))
    assert -0.15 <= validation.errors(counters).bias <= 0 <= validation.errors(plug).bias <= 0.25


def test_the_cpu_coefficients_are_what_the_measured_servers_give() -> None:
    for (load, share), (same, ours) in zip(hosts.cpu_ratio(hosts.hosts()), Coefficients.ours().cpu_ratio, strict=True):
        assert load == same
        assert share == pytest.approx(ours, abs=0.001)


def test_a_server_that_is_left_out_is_estimated_without_itself() -> None:
    names = [(case.id, case.kind) for case in HOSTS]
    assert len(names) == len(set(names))
    assert {case.id for case in HOSTS} == {host.name for host in hosts.hosts()}
