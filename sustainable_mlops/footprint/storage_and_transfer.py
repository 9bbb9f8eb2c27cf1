"""Calculations for bytes at rest and in transfer."""

from collections.abc import Sequence

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.catalogue import storage
from sustainable_mlops.catalogue.month import HOURS_PER_MONTH
from sustainable_mlops.footprint.activities import StorageActivity, TransferActivity
from sustainable_mlops.footprint.calculation import Calculation, GridLocation
from sustainable_mlops.footprint.coefficients import Coefficients
from sustainable_mlops.footprint.figures import UnknownItem
from sustainable_mlops.footprint.quantities import Quantity, make_exact


def calculate_storage(activity: StorageActivity, location: GridLocation, coefficients: Coefficients) -> Calculation:
    """Return the calculation for stored bytes in `location`. Raises UserError for an unknown storage class."""
    storage_class = storage.load_all().get(activity.storage_class)
    if storage_class is None:
        known = ", ".join(storage.load_all())
        raise UserError(f"storage class {activity.storage_class}: use one of {known}")
    calculation = Calculation(location)
    take = calculation.add_input
    gb, copies = (
        take(activity.gb),
        take(
            Quantity(
                *storage_class.copies, storage_class.copies_grade, f"copies in {storage_class.name}", unit="copies"
            )
        ),
    )
    region_factor = take(location.find_price_factor(storage_class.name))
    usd = take(
        make_exact(storage_class.usd_per_gb_month or 0.0, f"price of {storage_class.name}", storage_class.price_grade)
    )
    if storage_class.usd_per_gb_month is None:
        calculation.mark_missing(
            "cost", UnknownItem(f"cost of {storage_class.name}", "the price of this storage class is unknown")
        )
    watts_per_gb, kg_per_gb = {
        "hdd": (_convert_to_gb(coefficients.hdd_wh_per_tbh, "W"), _convert_to_gb(coefficients.hdd_kg_per_tb, "kgCO2e")),
        "ssd": (_convert_to_gb(coefficients.ssd_wh_per_tbh, "W"), _convert_to_gb(coefficients.ssd_kg_per_tb, "kgCO2e")),
        "memory": (coefficients.memory_store_w_per_gb, coefficients.dram_kg_per_gb),
    }[storage_class.medium]
    power, embodied = take(watts_per_gb), take(kg_per_gb)

    def compute_amounts(v: Sequence[float]) -> tuple[float, float, float]:
        stored_gb_hours = v[gb] * v[copies] * HOURS_PER_MONTH
        return (
            stored_gb_hours * v[power] / 1000,
            stored_gb_hours * v[embodied] / coefficients.lifetime_h,
            v[gb] * v[usd] * v[region_factor],
        )

    calculation.set_formula(compute_amounts)
    return calculation


def _convert_to_gb(per_tb: Quantity, unit: str) -> Quantity:
    return (per_tb * 0.001).replace_text(per_tb.text, f"{unit}/GB")


def calculate_transfer(activity: TransferActivity, location: GridLocation, coefficients: Coefficients) -> Calculation:
    """Return the calculation for bytes sent out of `location`."""
    calculation = Calculation(location)
    gb, network = calculation.add_input(activity.gb), calculation.add_input(coefficients.network_kwh_per_gb)
    usd = calculation.add_input(coefficients.transfer_usd_per_gb)
    calculation.mark_missing(
        "embodied", UnknownItem("embodied carbon of the network", "no figure for the backbone of AWS is published")
    )
    calculation.mark_missing("total", UnknownItem("total of the transfer", "its embodied carbon is unknown"))
    calculation.set_formula(lambda v: (v[gb] * v[network], 0.0, v[gb] * v[usd]))
    return calculation
