"""Bytes at rest and on their way: their calculation."""

from collections.abc import Sequence

from sustainable_mlops.catalogue import storage
from sustainable_mlops.errors import UserError
from sustainable_mlops.footprint.activities import HOURS_PER_MONTH, Storage, Transfer
from sustainable_mlops.footprint.calculation import Calculation, Place
from sustainable_mlops.footprint.coefficients import Coefficients
from sustainable_mlops.footprint.figures import Unknown
from sustainable_mlops.footprint.quantities import Quantity, exactly


def of_storage(activity: Storage, place: Place, coefficients: Coefficients) -> Calculation:
    """The calculation for stored bytes in `place`. Raises UserError on a storage class that is none."""
    kept = storage.everything().get(activity.storage_class)
    if kept is None:
        known = ", ".join(storage.everything())
        raise UserError(f"storage class {activity.storage_class}: is none of {known}")
    calculation = Calculation(place)
    take = calculation.input
    gb, copies = take(activity.gb), take(Quantity(*kept.copies, kept.copies_grade, f"copies kept in {kept.name}"))
    elsewhere = take(place.price(kept.name))
    usd = take(exactly(kept.usd_per_gb_month or 0.0, f"price of {kept.name}", kept.price_grade))
    if kept.usd_per_gb_month is None:
        calculation.lacks("cost", Unknown(f"cost of {kept.name}", "no price of this storage class is known"))
    watts_per_gb, kg_per_gb = {
        "hdd": (coefficients.hdd_wh_per_tbh * 0.001, coefficients.hdd_kg_per_tb * 0.001),
        "ssd": (coefficients.ssd_wh_per_tbh * 0.001, coefficients.ssd_kg_per_tb * 0.001),
        "memory": (coefficients.memory_store_w_per_gb, coefficients.dram_kg_per_gb),
    }[kept.medium]
    power, made = take(watts_per_gb), take(kg_per_gb)

    def formula(v: Sequence[float]) -> tuple[float, float, float]:
        held = v[gb] * v[copies] * HOURS_PER_MONTH
        return held * v[power] / 1000, held * v[made] / coefficients.lifetime_h, v[gb] * v[usd] * v[elsewhere]

    calculation.by(formula)
    return calculation


def of_transfer(activity: Transfer, place: Place, coefficients: Coefficients) -> Calculation:
    """The calculation for bytes sent out of `place`."""
    calculation = Calculation(place)
    gb, network = calculation.input(activity.gb), calculation.input(coefficients.network_kwh_per_gb)
    usd = calculation.input(coefficients.transfer_usd_per_gb)
    calculation.lacks("embodied", Unknown("embodied carbon of the network", "no figure for AWS's backbone is known"))
    calculation.lacks("total", Unknown("total of the transfer", "its embodied carbon is not known"))
    calculation.by(lambda v: (v[gb] * v[network], 0.0, v[gb] * v[usd]))
    return calculation
