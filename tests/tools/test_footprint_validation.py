"""Estimates against measurements, and the CPU coefficients from measured servers."""

import pytest

from sustainable_mlops.footprint.coefficients import Coefficients
from sustainable_mlops.footprint.figures import FootprintFigure
from tests.cases import check_cases
from tools import cpu_hosts, footprint_validation

CASES = list(footprint_validation.load_measured_cases())
HOSTS = list(footprint_validation.list_held_out_hosts())
#: Edge servers, which EC2 does not have: four T4, and fans that draw more power than the boards.
NOT_OF_A_DATA_CENTRE = "XE2420"
NODES = ("training", "serving", "waiting, no model", "waiting, model loaded")
#: Boards with a power limit below their nameplate, which AWS does not support.
CAPPED = "serving, boards capped"


def compute_errors_of(*kinds: str, fitted: bool = False) -> footprint_validation.ErrorStatistics:
    return footprint_validation.compute_errors(
        [
            case
            for case in CASES
            if case.kind in kinds and case.is_fitted is fitted and NOT_OF_A_DATA_CENTRE not in case.system
        ]
    )


def test_estimates_of_gpu_servers_are_within_a_tenth() -> None:
    errors = compute_errors_of(*NODES)
    assert errors.cases >= 19
    assert errors.median_error <= 0.10
    assert errors.coverage >= 0.90
    assert abs(errors.bias) <= 0.10


@check_cases("kind", ["waiting, no model", "waiting, model loaded", "job, one board", "price"])
def test_estimates_of_other_cases_have_no_bias(kind: str) -> None:
    assert abs(compute_errors_of(kind).bias) <= 0.10


@check_cases("kind", NODES)
def test_estimates_of_fitted_cases_have_no_bias(kind: str) -> None:
    assert abs(compute_errors_of(kind, fitted=True).bias) <= 0.10


@pytest.mark.parametrize("kind", ["waiting, no model", "waiting, model loaded"])
def test_estimates_of_idle_gpu_servers_are_within_fifteen_percent(kind: str) -> None:
    assert compute_errors_of(kind).median_error <= 0.15


def test_boards_with_a_power_limit_draw_less_than_estimated() -> None:
    assert compute_errors_of(CAPPED).bias > 0
    assert compute_errors_of(CAPPED, fitted=True).bias > 0


def test_intervals_of_gpu_servers_are_about_a_factor_of_two() -> None:
    # A quarter above the 1.63 of the range that held 21 of 28 cases before there were servers and duties in it.
    assert compute_errors_of(*NODES).width <= 2.04


def test_cpu_estimates_lie_between_the_kinds_of_measurement() -> None:
    assert footprint_validation.compute_errors(HOSTS).coverage >= 0.84
    plug, counters = ([case for case in HOSTS if text in case.kind] for text in ("plug", "counters"))
    assert (
        -0.15
        <= footprint_validation.compute_errors(counters).bias
        <= 0
        <= footprint_validation.compute_errors(plug).bias
        <= 0.25
    )


def test_the_cpu_coefficients_follow_from_the_measured_servers() -> None:
    for (load, share), (same, ours) in zip(
        cpu_hosts.compute_cpu_ratio(cpu_hosts.load_hosts()), Coefficients.get_current().cpu_ratio, strict=True
    ):
        assert load == same
        assert share == pytest.approx(ours, abs=0.001)


def test_no_cpu_design_is_in_its_fitting_half() -> None:
    held_out: list[str] = []
    for fitted, others in cpu_hosts.split_hosts():
        assert not {(one.kind, one.platform) for one in fitted} & {(one.kind, one.platform) for one in others}
        held_out += [one.name for one in others]
    assert sorted(held_out) == sorted(one.name for one in cpu_hosts.load_hosts())


def test_error_statistics_by_hand() -> None:
    def case(low: float, central: float, high: float) -> footprint_validation.MeasuredCase:
        figure = FootprintFigure(low, central, high, "B", "", "W")
        return footprint_validation.MeasuredCase("M", "training", "", 100.0, "W", False, "", figure)

    errors = footprint_validation.compute_errors([case(90, 120, 180), case(60, 70, 90), case(95, 100, 190)])
    # +20, -30 and 0 %: half of them are within 20 %, the middle one is 0; 70 to 90 misses the 100.
    assert errors.cases == 3
    assert errors.median_error == pytest.approx(0.2)
    assert errors.bias == pytest.approx(0.0)
    assert errors.coverage == pytest.approx(2 / 3)
    assert errors.width == pytest.approx(2.0)


def test_cases_outside_the_fit_come_first_in_their_kind() -> None:
    statistics = [(one.kind, one.is_fitted) for one in footprint_validation.summarize_errors()]
    assert len(statistics) == len(set(statistics))
    assert [fitted for kind, fitted in statistics if kind == "training"] == [False, True]
    assert {case.figure.unit for case in footprint_validation.list_cases() if case.kind != "price"} == {"W"}
