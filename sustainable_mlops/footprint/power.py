"""Watts of machines."""

from sustainable_mlops.catalogue.instances import Instance, Platform
from sustainable_mlops.footprint.coefficients import Coefficients, interpolate


def slice_power(platform: Platform, vcpu: float, memory_gb: float, load: float, coefficients: Coefficients) -> float:
    """W drawn by `vcpu` and `memory_gb` of a server at CPU load `load` (0-1), without accelerators and PUE.

    `TDP x sockets x vCPU / vCPU of the server x (r(load) + board) + GB x m(load)`, the curves from the Teads EC2
    dataset (see `catalogue/coefficients.csv`).
    """
    cpus = platform.tdp_w * platform.sockets * vcpu / platform.vcpu
    counted_gb = max(memory_gb - coefficients.ram_included_gb * vcpu, 0.0)
    return cpus * (interpolate(coefficients.cpu_ratio, load) + coefficients.board_ratio) + counted_gb * interpolate(
        coefficients.ram_w_per_gb, load
    )


def host_power(instance: Instance, load: float, coefficients: Coefficients | None = None) -> float:
    """W of an instance without its accelerators, at CPU load `load` (0-1) and before PUE."""
    used = coefficients or Coefficients.ours()
    return slice_power(instance.platform, instance.vcpu, instance.memory_gib, load, used)
