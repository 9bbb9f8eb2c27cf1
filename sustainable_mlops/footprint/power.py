"""Power of instances in watts."""

from sustainable_mlops.catalogue.instances import InstanceType, ServerPlatform
from sustainable_mlops.footprint.coefficients import Coefficients, interpolate


def compute_slice_power(
    platform: ServerPlatform, vcpu: float, memory_gb: float, load: float, coefficients: Coefficients
) -> float:
    """Return the power in W of a part of a server at CPU load `load` (0-1), without accelerators and PUE.

    `TDP x sockets x vCPU / vCPU of the server x (r(load) + board) + GB x m(0) + busy GB x (m(load) - m(0))`.
    Busy memory is limited to the measured GB per vCPU. A CPU with a known idle power starts from that power.
    `catalogue/coefficients.csv` and `platforms.csv` have the sources.
    """
    ratio = interpolate(coefficients.cpu_ratio, load)
    if platform.idle_ratio is not None:
        ratio += (platform.idle_ratio - interpolate(coefficients.cpu_ratio, 0.0)) * (1 - load)
    cpus = platform.tdp_w * platform.sockets * vcpu / platform.vcpu
    counted_gb = max(memory_gb - coefficients.ram_included_gb * vcpu, 0.0)
    busy_gb = min(counted_gb, coefficients.ram_busy_gb_per_vcpu * vcpu)
    idle_w_per_gb = interpolate(coefficients.ram_w_per_gb, 0.0)
    memory_w = counted_gb * idle_w_per_gb + busy_gb * (interpolate(coefficients.ram_w_per_gb, load) - idle_w_per_gb)
    return cpus * (ratio + coefficients.board_ratio) + memory_w


def compute_host_power(instance: InstanceType, load: float) -> float:
    """Return the power in W of an instance without its accelerators, at CPU load `load` (0-1) and before PUE."""
    coefficients = Coefficients.get_current()
    return compute_slice_power(instance.platform, instance.vcpu, instance.memory_gib, load, coefficients)
