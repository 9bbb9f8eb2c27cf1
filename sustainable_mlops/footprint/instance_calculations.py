"""Calculations for instances and serverless workers."""

from collections.abc import Callable, Sequence
from functools import cache
from math import inf

from sustainable_mlops.catalogue import instances, prices, storage
from sustainable_mlops.catalogue.instances import Accelerator, AcceleratorServer, InstanceType
from sustainable_mlops.catalogue.month import HOURS_PER_MONTH
from sustainable_mlops.footprint.activities import (
    ONE,
    ZERO,
    AcceleratorWork,
    FleetActivity,
    JobActivity,
    ServerlessActivity,
)
from sustainable_mlops.footprint.calculation import Calculation, GridLocation
from sustainable_mlops.footprint.coefficients import Coefficients, load_assumptions
from sustainable_mlops.footprint.figures import UnknownItem, UnknownKind
from sustainable_mlops.footprint.power import compute_slice_power
from sustainable_mlops.footprint.quantities import Quantity, make_bounded

#: Minimum nameplate power of a large accelerator, and minimum duration of a long job. Chosen values: published
#: measurements of shorter jobs on such boards vary by a factor of 7.
_LARGE_W, _LONG_H = 250.0, 1.0
#: Server that represents those of serverless inference, because AWS does not publish which servers it uses.
_SERVERLESS_PLATFORM = "skylake-8175m"
_WARM = UnknownItem(
    "warm capacity", "AWS does not publish the capacity that it keeps ready between serverless requests"
)


def calculate_fleet(
    fleet: FleetActivity,
    instance: InstanceType,
    price: prices.Price | None,
    location: GridLocation,
    coefficients: Coefficients,
) -> Calculation:
    """Return the calculation for a fleet of `instance`, at `price` in `location`."""
    calculation = Calculation(location)
    take = calculation.add_input
    platform, accelerator, number = instance.platform, instance.accelerator, instance.accelerators
    model = coefficients.host_model if platform.grade != "C" else coefficients.host_model_guessed_tdp
    host, count, hours, runs = (
        take(model.separate_for_item(platform.name)),
        take(fleet.count),
        take(fleet.hours),
        take(fleet.runs),
    )
    load, stretch = take(fleet.duty or load_assumptions()["endpoint_duty"]), take(fleet.hours_factor)
    rework, price_share, region_factor = (
        take(fleet.rework),
        take(fleet.price_share),
        take(location.find_price_factor(instance.family)),
    )
    billable = take(fleet.billable_hours) if fleet.billable_hours is not None else None
    compute_embodied = _build_embodied_formula(instance, calculation, coefficients)
    compute_volume = _build_volume_formula(fleet.volume_gb, calculation, coefficients)
    usd = take(Quantity(*price.usd_per_hour, price.grade, f"price ({price.source})", unit="USD/h") if price else ZERO)
    if price is None or fleet.unpriced_reason:
        reason = fleet.unpriced_reason or "the price of this instance type is unknown"
        calculation.mark_missing("cost", UnknownItem(f"cost of {instance.name}", reason, UnknownKind.UNCOUNTED))
    if accelerator is not None:
        idle_w, busy_w = (
            take(_get_idle_power(accelerator, fleet.has_model_loaded)),
            take(_get_busy_power(accelerator, fleet.work)),
        )
        busy_load = take(load_assumptions()["host_load_when_busy"])
        rest_idle, rest_busy, gbps = _share_server_power(instance.server)
        rest_idle_w, rest_busy_w = take(rest_idle), take(rest_busy)
        has_network = fleet.work == "training" and fleet.count.high > 1
        network_w = take(coefficients.network_w_per_gbps if has_network else ZERO)
    vcpu, memory = instance.vcpu, instance.memory_gib

    @cache  # for one duty, because most inputs that `propagate` changes leave the load as it is
    def compute_power(duty: float) -> float:
        return compute_slice_power(platform, vcpu, memory, duty, coefficients)

    def compute_amounts(v: Sequence[float]) -> tuple[float, float, float]:
        duty = min(v[load] / v[stretch], 1.0)
        if accelerator is None:
            watts = v[host] * compute_power(duty)
        else:
            # Host and accelerators are busy at the same time, for a share of the hours.
            idle = compute_power(0.0) * v[host]
            busy = compute_power(v[busy_load]) * v[host]
            idle += number * (v[idle_w] + v[rest_idle_w])
            busy += number * (v[busy_w] + v[rest_busy_w])
            watts = idle * (1 - duty) + busy * duty + (number * gbps * v[network_w] if v[count] > 1 else 0.0)
        instance_hours = v[count] * v[hours] * v[stretch] * v[runs] * v[rework]
        volume_w, volume_kg = compute_volume(v)
        kwh = (watts + volume_w) * instance_hours / 1000
        kg = (compute_embodied(v) + volume_kg) * instance_hours / coefficients.lifetime_h
        billed_hours = instance_hours if billable is None else v[count] * v[billable] * v[runs]
        return kwh, kg, billed_hours * v[usd] * v[region_factor] * v[price_share]

    calculation.set_formula(compute_amounts)
    return calculation


def _get_idle_power(accelerator: Accelerator, loaded: bool) -> Quantity:
    """Return the power in W of one idle accelerator.

    The accelerator of an endpoint holds a model. It is unknown whether that of other instances does.
    """
    text = f"power of one idle {accelerator.name}"
    if loaded:
        return Quantity(*accelerator.idle_w, accelerator.grade, text, unit="W")
    low, central = accelerator.empty_w
    return Quantity(
        low, central, accelerator.idle_w[1], accelerator.grade, f"{text}, with or without a model", unit="W"
    )


def _get_busy_power(accelerator: Accelerator, work: AcceleratorWork) -> Quantity:
    """Return the power in W of one busy accelerator."""
    power = accelerator.training_w if work == "training" else accelerator.busy_w
    return Quantity(*power, accelerator.grade, f"power of one busy {accelerator.name}, in {work}", unit="W")


def _share_server_power(server: AcceleratorServer | None) -> tuple[Quantity, Quantity, float]:
    """Return one accelerator's share of the server around it: W when idle, W when busy, network in Gbit/s."""
    if server is None:
        return ZERO, ZERO, 0.0
    text, key = "power of the server around the accelerators", f"server: {server.name}"
    idle, busy = (Quantity(*power, server.grade, text, key, "W") for power in (server.idle_w, server.busy_w))
    return idle, busy, server.network_gbps


def _build_embodied_formula(
    instance: InstanceType, calculation: Calculation, coefficients: Coefficients
) -> Callable[[Sequence[float]], float]:
    """Return a function that computes the embodied carbon in kg of the parts that the instance occupies.

    These are a share of the server by vCPU, and its memory, drives and accelerators.
    """
    platform, number = instance.platform, instance.accelerators
    share = instance.vcpu / platform.vcpu
    server = calculation.add_input(coefficients.server_kg.separate_for_item(platform.name))
    cpu = calculation.add_input(coefficients.cpu_kg.separate_for_item(platform.name))
    dram, ssd = calculation.add_input(coefficients.dram_kg_per_gb), calculation.add_input(coefficients.ssd_kg_per_tb)
    accelerator = instance.accelerator
    kg = (
        Quantity(
            *accelerator.embodied_kg,
            accelerator.embodied_grade,
            f"embodied carbon of one {accelerator.name}",
            unit="kgCO2e",
        )
        if accelerator
        else ZERO
    )
    card = calculation.add_input(kg)
    hdd = calculation.add_input(coefficients.hdd_kg_per_tb if instance.local_hdd_gb else ZERO)

    def compute_embodied_kg(v: Sequence[float]) -> float:
        drives = instance.local_ssd_gb / 1000 * v[ssd] + instance.local_hdd_gb / 1000 * v[hdd]
        return (
            (v[server] + platform.sockets * v[cpu]) * share + instance.memory_gib * v[dram] + drives + number * v[card]
        )

    return compute_embodied_kg


def _build_volume_formula(
    gb: float, calculation: Calculation, coefficients: Coefficients
) -> Callable[[Sequence[float]], tuple[float, float]]:
    """Return a function that computes W and kg of the storage attached to an instance."""
    if not gb:
        return lambda _: (0.0, 0.0)
    volume_class = storage.load_all()["volume"]
    copies = calculation.add_input(
        Quantity(*volume_class.copies, volume_class.copies_grade, "copies kept of a volume", unit="copies")
    )
    power = calculation.add_input(coefficients.ssd_wh_per_tbh)
    embodied = calculation.add_input(coefficients.ssd_kg_per_tb)
    calculation.add_note(UnknownItem("cost of volumes", "the price of SageMaker volumes is unknown"))
    return lambda v: (gb / 1000 * v[power] * v[copies], gb / 1000 * v[embodied] * v[copies])


def find_job_duty(instance: InstanceType | None) -> Quantity:
    """Return the default busy share of a job: of the accelerators' time if there are any, else the CPU load."""
    assumptions = load_assumptions()
    if instance is None or instance.accelerator is None:
        return assumptions["job_cpu_load"]
    for_clusters = instance.server is not None and instance.server.for_clusters
    return assumptions["job_server_duty" if for_clusters and instance.is_whole_server else "job_accelerator_duty"]


def describe_unknown_duty(job: JobActivity, instance: InstanceType) -> UnknownItem | None:
    """Return a note on a short job without a given duty on a large accelerator; None for any other job."""
    accelerator = instance.accelerator
    if (
        job.duty is not None
        or accelerator is None
        or accelerator.nameplate_w < _LARGE_W
        or job.hours.central >= _LONG_H
    ):
        return None
    reason = (
        f"short jobs keep a GPU of this size busy {_format_share(load_assumptions()['job_accelerator_duty'])} of the "
        f"time; the estimate uses {find_job_duty(instance).central * 100:g} %. Measure the utilization in a run, then "
        "set duty (for a plan: in the usage file)"
    )
    return UnknownItem(f"utilization of the {accelerator.name}", reason)


def _format_share(share: Quantity) -> str:
    return f"{share.low * 100:g} to {share.high * 100:g} %"


def make_job_fleet(job: JobActivity) -> FleetActivity:
    """Return the fleet of the job's instances, which are on during its runs."""
    assumptions = load_assumptions()
    price_share, rework = ONE, ONE
    if job.spot:
        price_share, rework = (
            compute_spot_price_share(job.discount or assumptions["spot_discount"]),
            assumptions["spot_rework"],
        )
    return FleetActivity(
        instance_type=job.instance_type,
        region=job.region,
        count=job.count,
        hours=job.hours,
        duty=job.duty or find_job_duty(instances.find(job.instance_type)),
        runs=job.runs,
        volume_gb=job.volume_gb,
        price_share=price_share,
        rework=rework,
        work=job.work,
    )


def compute_spot_price_share(discount: Quantity, share: float = 1.0) -> Quantity:
    """Return the paid share of the price if a `share` of the instances has the spot `discount`."""
    low, central, high = (1 - share * end for end in (discount.high, discount.central, discount.low))
    return make_bounded(low, central, high, f"price paid after the {discount.text}", discount.grade, "of the price")


def calculate_serverless(
    activity: ServerlessActivity, location: GridLocation, coefficients: Coefficients
) -> Calculation:
    """Return the calculation for a serverless variant in `location`."""
    calculation = Calculation(location)
    take = calculation.add_input
    platform = instances.find_platform(_SERVERLESS_PLATFORM)
    gb = activity.memory_mb / 1024
    host = coefficients.host_model_guessed_tdp.replace_text("power of the servers of serverless inference")
    power, provisioned = take(host.separate_for_item("serverless")), take(activity.provisioned)
    ratio, load = take(coefficients.serverless_mb_per_vcpu), take(load_assumptions()["serverless_load"])
    server, cpu = (
        take(coefficients.server_kg.separate_for_item("serverless")),
        take(coefficients.cpu_kg.separate_for_item("serverless")),
    )
    dram, usd = take(coefficients.dram_kg_per_gb), take(coefficients.serverless_usd_per_gb_s)
    region_factor = take(location.find_price_factor("serverless inference"))
    compute_busy_hours = _build_busy_hours_formula(activity, calculation)
    most_h = HOURS_PER_MONTH * (inf if activity.max_concurrency is None else activity.max_concurrency)
    calculation.add_note(_WARM)
    if activity.provisioned.high > 0:
        reason = "the price of provisioned concurrency is unknown"
        calculation.mark_missing("cost", UnknownItem("cost of provisioned concurrency", reason, UnknownKind.UNCOUNTED))

    def compute_amounts(v: Sequence[float]) -> tuple[float, float, float]:
        vcpu = activity.memory_mb / v[ratio]
        busy_h = min(compute_busy_hours(v, vcpu * v[load]), most_h)
        ready_h = max(v[provisioned] * HOURS_PER_MONTH - busy_h, 0.0)
        busy_w = compute_slice_power(platform, vcpu, gb, v[load], coefficients)
        ready_w = compute_slice_power(platform, vcpu, gb, 0.0, coefficients)
        embodied_kg = (v[server] + platform.sockets * v[cpu]) * vcpu / platform.vcpu + gb * v[dram]
        return (
            v[power] * (busy_w * busy_h + ready_w * ready_h) / 1000,
            embodied_kg * (busy_h + ready_h) / coefficients.lifetime_h,
            busy_h * 3600 * gb * v[usd] * v[region_factor],
        )

    calculation.set_formula(compute_amounts)
    return calculation


def _build_busy_hours_formula(
    activity: ServerlessActivity, calculation: Calculation
) -> Callable[[Sequence[float], float], float]:
    """Return a function that computes the hours in which workers are busy.

    Its second argument is the number of fully busy vCPUs that one worker is equal to.
    """
    take, fleet = calculation.add_input, activity.replaced_fleet
    if fleet is None:
        requests, duration = take(activity.requests), take(activity.duration_s)
        return lambda v, _: v[requests] * v[duration] / 3600
    instance = instances.find(fleet.instance_type)
    vcpu = instance.vcpu if instance is not None else 0
    count, hours = take(fleet.count), take(fleet.hours)
    load = take(fleet.duty or load_assumptions()["endpoint_duty"])
    return lambda v, worker: v[count] * v[hours] * v[load] * vcpu / worker
