"""Coefficients of the model, as data: the project's by default, or another tool's to reproduce its results."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

from sustainable_mlops.catalogue.tables import load_table, parse_float, parse_grade, parse_number, read_rows
from sustainable_mlops.footprint.quantities import Quantity

#: A curve over the load: points (load, value) with straight lines between them.
Curve = tuple[tuple[float, float], ...]


class Coefficients(NamedTuple):
    """Factors that convert hardware into watts and kilograms.

    `docs/footprint.md` has the formulas, the CSV files have the sources.
    """

    #: Power of a CPU package as a multiple of its TDP, over the load.
    cpu_ratio: Curve
    #: Power of board, network card and fans, as a multiple of the TDP of the CPUs.
    board_ratio: float
    #: Power of memory in W/GB, over the load.
    ram_w_per_gb: Curve
    #: Memory in GB per vCPU whose power the CPU figure already contains.
    ram_included_gb: float
    #: Memory in GB per vCPU whose power depends on the load; further memory draws its idle power.
    ram_busy_gb_per_vcpu: float
    host_model: Quantity
    host_model_guessed_tdp: Quantity
    ssd_wh_per_tbh: Quantity
    hdd_wh_per_tbh: Quantity
    memory_store_w_per_gb: Quantity
    network_kwh_per_gb: Quantity
    network_w_per_gbps: Quantity
    pue_margin: float
    pue_fleet_average: Quantity
    wue_margin: float
    lifetime_h: float
    server_kg: Quantity
    cpu_kg: Quantity
    dram_kg_per_gb: Quantity
    ssd_kg_per_tb: Quantity
    hdd_kg_per_tb: Quantity
    serverless_mb_per_vcpu: Quantity
    serverless_usd_per_gb_s: Quantity
    transfer_usd_per_gb: Quantity
    #: Ratios of a calibration file, by service and Region.
    carbon_ratios: tuple[tuple[tuple[str, str], Quantity], ...] = ()

    @staticmethod
    def get_current() -> "Coefficients":
        """Return the coefficients of `catalogue/coefficients.csv`, or those of the enclosing `use`."""
        return _in_use[-1] if _in_use else _load_default()

    def find_carbon_ratio(self, service: str | None, region: str | None) -> Quantity | None:
        """Return the ratio by which the carbon of a service in a Region is multiplied, or None."""
        return next((ratio for key, ratio in self.carbon_ratios if key == (service, region)), None)


_in_use: list[Coefficients] = []


@contextmanager
def use(coefficients: Coefficients) -> Iterator[None]:
    """Use these coefficients as the default inside the block, in all threads."""
    _in_use.append(coefficients)
    try:
        yield
    finally:
        _in_use.pop()


def interpolate(curve: Curve, load: float) -> float:
    """Return the value of the curve at `load`; beyond the ends of the curve, the value at the end."""
    if load <= curve[0][0]:
        return curve[0][1]
    for (start, low), (end, high) in pairwise(curve):
        if load <= end:
            return low + (high - low) * (load - start) / (end - start)
    return curve[-1][1]


@load_table
def _load_default() -> Coefficients:
    table = {row["key"]: row for row in read_rows("coefficients")}

    def read_value(key: str) -> float:
        return parse_float(table[key]["value"])

    def read_curve(key: str) -> Curve:
        return tuple((load / 100, read_value(f"{key}_{load}")) for load in (0, 10, 50, 100))

    def read_quantity(key: str, text: str) -> Quantity:
        return _read_quantity(table[key], text)

    return Coefficients(
        cpu_ratio=read_curve("cpu_ratio"),
        board_ratio=read_value("board_ratio"),
        ram_w_per_gb=read_curve("ram_w_per_gb"),
        ram_included_gb=read_value("ram_included_gb"),
        ram_busy_gb_per_vcpu=read_value("ram_busy_gb_per_vcpu"),
        host_model=read_quantity("host_model", "power model of the server"),
        host_model_guessed_tdp=read_quantity("host_model_guessed_tdp", "power of a CPU whose TDP is not published"),
        ssd_wh_per_tbh=read_quantity("ssd_wh_per_tbh", "power of SSD storage"),
        hdd_wh_per_tbh=read_quantity("hdd_wh_per_tbh", "power of disk storage"),
        memory_store_w_per_gb=read_quantity("memory_store_w_per_gb", "power of memory"),
        network_kwh_per_gb=read_quantity("network_kwh_per_gb", "energy of the network between Regions"),
        network_w_per_gbps=read_quantity(
            "network_w_per_gbps", "power of the network between instances that train together"
        ),
        pue_margin=read_value("pue_margin"),
        pue_fleet_average=read_quantity("pue_fleet", "PUE of a Region without a published figure"),
        wue_margin=read_value("wue_margin"),
        lifetime_h=read_value("lifetime_h"),
        server_kg=read_quantity("server_kg", "embodied carbon of the server"),
        cpu_kg=read_quantity("cpu_kg", "embodied carbon of the CPUs"),
        dram_kg_per_gb=read_quantity("dram_kg_per_gb", "embodied carbon of the memory"),
        ssd_kg_per_tb=read_quantity("ssd_kg_per_tb", "embodied carbon of SSDs"),
        hdd_kg_per_tb=read_quantity("hdd_kg_per_tb", "embodied carbon of disks"),
        serverless_mb_per_vcpu=read_quantity("serverless_mb_per_vcpu", "memory a vCPU of a serverless worker"),
        serverless_usd_per_gb_s=read_quantity("serverless_usd_per_gb_s", "price of serverless inference"),
        transfer_usd_per_gb=read_quantity("transfer_usd_per_gb", "price of transfer between Regions"),
    )


def _read_quantity(row: dict[str, str], text: str) -> Quantity:
    grade, key, unit = parse_grade(row["class"]), row["key"], row["unit"]
    central = parse_float(row["value"])
    low, high = parse_number(row["low"]), parse_number(row["high"])
    low, high = central if low is None else low, central if high is None else high
    return Quantity(low, central, high, grade, text, key, unit)


@load_table
def load_assumptions() -> dict[str, Quantity]:
    """Return the documented defaults of values that are not given, from `catalogue/assumptions.csv`."""
    return {row["key"]: _read_quantity(row, row["text"]) for row in read_rows("assumptions")}
