"""The estimates against measurements, and how the CPU coefficients follow from theirs."""

import pytest

from sustainable_mlops.footprint.coefficients import Coefficients
from sustainable_mlops.footprint.figures import FootprintFigure
from tools import cpu_hosts, footprint_validation

CASES = list(footprint_validation.measured())
HOSTS = list(footprint_validation.held_out_hosts())
#: Servers of a kind that EC2 has none of: four T4 in a box of the edge, whose fans alone draw more than the boards.
NOT_OF_A_DATA_CENTRE = "XE2420"
NODES = ("training", "serving", "waiting, no model", "waiting, model loaded")
#: Boards that somebody held below their nameplate, as nobody can in AWS.
CAPPED = "serving, boards capped"


def of(*kinds: str, fitted: bool = False) -> footprint_validation.Errors:
    return footprint_validation.errors(
        [
            case
            for case in CASES
            if case.kind in kinds and case.fitted is fitted and NOT_OF_A_DATA_CENTRE not in case.system
        ]
    )


def test_gpu_servers_that_were_not_fitted_are_met_within_a_tenth_and_lie_in_the_range() -> None:
    errors = of(*NODES)
    assert errors.cases >= 19
    assert errors.median_error <= 0.10
    assert errors.coverage >= 0.90
    assert abs(errors.bias) <= 0.10


@pytest.mark.parametrize("kind", ["waiting, no model", "waiting, model loaded", "job, one board", "price"])
def test_no_kind_of_case_that_was_not_fitted_is_estimated_high_or_low_on_the_whole(kind: str) -> None:
    assert abs(of(kind).bias) <= 0.10


@pytest.mark.parametrize("kind", NODES)
def test_nor_is_what_was_fitted(kind: str) -> None:
    assert abs(of(kind, fitted=True).bias) <= 0.10


@pytest.mark.parametrize("kind", ["waiting, no model", "waiting, model loaded"])
def test_idle_gpu_servers_are_met_within_fifteen_per_cent(kind: str) -> None:
    assert of(kind).median_error <= 0.15


def test_boards_that_are_held_below_their_nameplate_draw_less_than_is_estimated() -> None:
    assert of(CAPPED).bias > 0
    assert of(CAPPED, fitted=True).bias > 0


def test_ranges_of_gpu_servers_are_hardly_wider_than_a_factor_of_two() -> None:
    # A quarter above the 1.63 of the range that held 21 of 28 cases before there were servers and duties in it.
    assert of(*NODES).width <= 2.04


def test_cpu_servers_of_all_kinds_lie_in_the_range_and_the_estimate_between_the_kinds() -> None:
    assert footprint_validation.errors(HOSTS).coverage >= 0.84
    plug, counters = ([case for case in HOSTS if text in case.kind] for text in ("plug", "counters"))
    assert -0.15 <= footprint_validation.errors(counters).bias <= 0 <= footprint_validation.errors(plug).bias <= 0.25


def test_the_cpu_coefficients_are_what_the_measured_servers_give() -> None:
    for (load, share), (same, ours) in zip(
        cpu_hosts.cpu_ratio(cpu_hosts.hosts()), Coefficients.default().cpu_ratio, strict=True
    ):
        assert load == same
        assert share == pytest.approx(ours, abs=0.001)


def test_no_cpu_design_is_estimated_by_itself() -> None:
    held_out: list[str] = []
    for fitted, others in cpu_hosts.halves():
        assert not {(one.kind, one.platform) for one in fitted} & {(one.kind, one.platform) for one in others}
        held_out += [one.name for one in others]
    assert sorted(held_out) == sorted(one.name for one in cpu_hosts.hosts())


def test_errors_by_hand() -> None:
    def case(low: float, central: float, high: float) -> footprint_validation.Measured:
        figure = FootprintFigure(low, central, high, "B", "", "W")
        return footprint_validation.Measured("M", "training", "", 100.0, "W", False, "", figure)

    errors = footprint_validation.errors([case(90, 120, 180), case(60, 70, 90), case(95, 100, 190)])
    # +20, -30 and 0 %: half of them are within 20 %, the middle one is 0; 70 to 90 misses the 100.
    assert errors.cases == 3
    assert errors.median_error == pytest.approx(0.2)
    assert errors.bias == pytest.approx(0.0)
    assert errors.coverage == pytest.approx(2 / 3)
    assert errors.width == pytest.approx(2.0)


def test_cases_outside_the_fit_come_first_in_their_kind() -> None:
    found = [(one.kind, one.fitted) for one in footprint_validation.summaries()]
    assert len(found) == len(set(found))
    assert [fitted for kind, fitted in found if kind == "training"] == [False, True]
    assert {case.figure.unit for case in footprint_validation.cases() if case.kind != "price"} == {"W"}
