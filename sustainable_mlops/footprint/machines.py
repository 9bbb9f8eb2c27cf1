"""Instances and serverless workers: their calculation."""

from collections.abc import Callable, Sequence
from math import inf

from sustainable_mlops.catalogue import instances, prices, storage
from sustainable_mlops.catalogue.instances import Accelerator, AcceleratorServer, Instance
from sustainable_mlops.footprint.activities import HOURS_PER_MONTH, NONE, ONE, Fleet, Job, Serverless, Work
from sustainable_mlops.footprint.calculation import Calculation, Place
from sustainable_mlops.footprint.coefficients import Coefficients, assumptions
from sustainable_mlops.footprint.figures import Lack, Unknown
from sustainable_mlops.footprint.power import slice_power
from sustainable_mlops.footprint.quantities import Quantity

#: From which nameplate an accelerator is large, and from how many hours a job is no small one (chosen: published
#: measurements of shorter jobs on such boards range over a factor of 7).
_LARGE_W, _LONG_H = 250.0, 1.0
#: The server that stands for those of serverless inference, which AWS does not name.
_SERVERLESS_PLATFORM = "skylake-8175m"
_WARM = Unknown("warm capacity", "AWS does not publish what it keeps ready between serverless requests")


def of_fleet(
    fleet: Fleet, instance: Instance, price: prices.Price | None, place: Place, coefficients: Coefficients
) -> Calculation:
    """The calculation for `fleet` of `instance`, at `price` in `place`."""
    calculation = Calculation(place)
    take = calculation.input
    platform, accelerator, number = instance.platform, instance.accelerator, instance.accelerators
    model = coefficients.host_model if platform.grade != "C" else coefficients.host_model_guessed_tdp
    host, count, hours, runs = take(model.of(platform.name)), take(fleet.count), take(fleet.hours), take(fleet.runs)
    load, stretch = take(fleet.duty or assumptions()["endpoint_duty"]), take(fleet.stretch)
    rework, paid, elsewhere = take(fleet.rework), take(fleet.paid), take(place.price(instance.family))
    billable = take(fleet.billable_hours) if fleet.billable_hours is not None else None
    embodied_of = _embodied_of_instance(instance, calculation, coefficients)
    volume_of = _volume(fleet.volume_gb, calculation, coefficients)
    usd = take(Quantity(*price.usd_per_hour, price.grade, f"price ({price.source})") if price else NONE)
    if price is None or fleet.unpriced:
        reason = fleet.unpriced or "no price of this type is known"
        calculation.lacks("cost", Unknown(f"cost of {instance.name}", reason, Lack.UNCOUNTED))
    if accelerator is not None:
        idle_w, busy_w = take(_idle(accelerator, fleet.loaded)), take(_busy(accelerator, fleet.work))
        busy_load = take(assumptions()["host_load_when_busy"])
        rest_idle, rest_busy, gbps = _rest_of_server(instance.server)
        rest_idle_w, rest_busy_w = take(rest_idle), take(rest_busy)
        together = fleet.work == "training" and fleet.count.high > 1
        network_w = take(coefficients.network_w_per_gbps if together else NONE)
    vcpu, memory = instance.vcpu, instance.memory_gib

    def formula(v: Sequence[float]) -> tuple[float, float, float]:
        duty = min(v[load] / v[stretch], 1.0)
        if accelerator is None:
            watts = v[host] * slice_power(platform, vcpu, memory, duty, coefficients)
        else:
            # Busy is a state: host and accelerators are in it together, for a share of the time.
            idle = slice_power(platform, vcpu, memory, 0.0, coefficients) * v[host]
            busy = slice_power(platform, vcpu, memory, v[busy_load], coefficients) * v[host]
            idle += number * (v[idle_w] + v[rest_idle_w])
            busy += number * (v[busy_w] + v[rest_busy_w])
            watts = idle * (1 - duty) + busy * duty + (number * gbps * v[network_w] if v[count] > 1 else 0.0)
        instance_hours = v[count] * v[hours] * v[stretch] * v[runs] * v[rework]
        volume_w, volume_kg = volume_of(v)
        kwh = (watts + volume_w) * instance_hours / 1000
        kg = (embodied_of(v) + volume_kg) * instance_hours / coefficients.lifetime_h
        billed = instance_hours if billable is None else v[count] * v[billable] * v[runs]
        return kwh, kg, billed * v[usd] * v[elsewhere] * v[paid]

    calculation.by(formula)
    return calculation


def _idle(accelerator: Accelerator, loaded: bool) -> Quantity:
    """W of one that waits: with a model, as endpoints do; without, where nobody knows whether someone left one."""
    text = f"power of one idle {accelerator.name}"
    if loaded:
        return Quantity(*accelerator.idle_w, accelerator.grade, text)
    low, central = accelerator.empty_w
    return Quantity(low, central, accelerator.idle_w[1], accelerator.grade, f"{text}, without a model or with one")


def _busy(accelerator: Accelerator, work: Work) -> Quantity:
    """W of one that works."""
    power = accelerator.training_w if work == "training" else accelerator.busy_w
    return Quantity(*power, accelerator.grade, f"power of one busy {accelerator.name}, in {work}")


def _rest_of_server(server: AcceleratorServer | None) -> tuple[Quantity, Quantity, float]:
    """W of one accelerator's share of what is around it, idle and busy, and its Gbit/s to other servers."""
    if server is None:
        return NONE, NONE, 0.0
    text, key = "power of the server around the accelerators", f"server: {server.name}"
    idle, busy = (Quantity(*power, server.grade, text, key) for power in (server.idle_w, server.busy_w))
    return idle, busy, server.network_gbps


def _embodied_of_instance(
    instance: Instance, calculation: Calculation, coefficients: Coefficients
) -> Callable[[Sequence[float]], float]:
    """kg to make what the instance occupies: a share of the server by vCPU, its memory, drives and accelerators."""
    platform, number = instance.platform, instance.accelerators
    share = instance.vcpu / platform.vcpu
    server = calculation.input(coefficients.server_kg.of(platform.name))
    cpu = calculation.input(coefficients.cpu_kg.of(platform.name))
    dram, ssd = calculation.input(coefficients.dram_kg_per_gb), calculation.input(coefficients.ssd_kg_per_tb)
    accelerator = instance.accelerator
    kg = (
        Quantity(*accelerator.embodied_kg, accelerator.embodied_grade, f"embodied carbon of one {accelerator.name}")
        if accelerator
        else NONE
    )
    card = calculation.input(kg)
    hdd = calculation.input(coefficients.hdd_kg_per_tb if instance.local_hdd_gb else NONE)

    def formula(v: Sequence[float]) -> float:
        drives = instance.local_ssd_gb / 1000 * v[ssd] + instance.local_hdd_gb / 1000 * v[hdd]
        return (
            (v[server] + platform.sockets * v[cpu]) * share + instance.memory_gib * v[dram] + drives + number * v[card]
        )

    return formula


def _volume(
    gb: float, calculation: Calculation, coefficients: Coefficients
) -> Callable[[Sequence[float]], tuple[float, float]]:
    """W and kg of the storage attached to an instance."""
    if not gb:
        return lambda _: (0.0, 0.0)
    kept = storage.everything()["volume"]
    copies = calculation.input(Quantity(*kept.copies, kept.copies_grade, "copies kept of a volume"))
    power = calculation.input(coefficients.ssd_wh_per_tbh)
    made = calculation.input(coefficients.ssd_kg_per_tb)
    calculation.notes(Unknown("cost of volumes", "the price of SageMaker's volumes is not known"))
    return lambda v: (gb / 1000 * v[power] * v[copies], gb / 1000 * v[made] * v[copies])


def job_duty(instance: Instance | None) -> Quantity:
    """What a job that nobody told of keeps busy: the accelerators for a share of the time, else the CPU to a share."""
    known = assumptions()
    if instance is None or instance.accelerator is None:
        return known["job_cpu_load"]
    for_clusters = instance.server is not None and instance.server.for_clusters
    return known["job_server_duty" if for_clusters and instance.whole_server else "job_accelerator_duty"]


def unknown_duty(job: Job, instance: Instance) -> Unknown | None:
    """What is said of a short job on a large accelerator, of whose use nobody told; None of any other job."""
    accelerator = instance.accelerator
    if (
        job.duty is not None
        or accelerator is None
        or accelerator.nameplate_w < _LARGE_W
        or job.hours.central >= _LONG_H
    ):
        return None
    reason = (
        f"short jobs keep a GPU of its size busy {_per_cent(assumptions()['job_accelerator_duty'])} of the time, and "
        f"{job_duty(instance).central * 100:g} % is taken: measure its utilisation in a run, then give duty (in the "
        "usage file, of a plan)"
    )
    return Unknown(f"how busy the job keeps the {accelerator.name}", reason)


def _per_cent(share: Quantity) -> str:
    return f"{share.low * 100:g} to {share.high * 100:g} %"


def fleet_of_job(job: Job) -> Fleet:
    """The instances of `job`, on for its runs."""
    known = assumptions()
    paid, rework = ONE, ONE
    if job.spot:
        paid, rework = on_spot(job.discount or known["spot_discount"]), known["spot_rework"]
    return Fleet(
        instance_type=job.instance_type,
        region=job.region,
        count=job.count,
        hours=job.hours,
        duty=job.duty or job_duty(instances.find(job.instance_type)),
        runs=job.runs,
        volume_gb=job.volume_gb,
        paid=paid,
        rework=rework,
        work=job.work,
    )


def on_spot(discount: Quantity, share: float = 1.0) -> Quantity:
    """What is paid of the price where a `share` of the machines has the `discount` of spot capacity."""
    low, central, high = (1 - share * end for end in (discount.high, discount.central, discount.low))
    return Quantity(low, central, high, discount.grade, discount.text)


def of_serverless(activity: Serverless, place: Place, coefficients: Coefficients) -> Calculation:
    """The calculation for a serverless variant in `place`."""
    calculation = Calculation(place)
    take = calculation.input
    platform = instances.platform(_SERVERLESS_PLATFORM)
    gb = activity.memory_mb / 1024
    host = coefficients.host_model_guessed_tdp.named("power of the servers of serverless inference")
    power, provisioned = take(host.of("serverless")), take(activity.provisioned)
    ratio, load = take(coefficients.serverless_mb_per_vcpu), take(assumptions()["serverless_load"])
    server, cpu = take(coefficients.server_kg.of("serverless")), take(coefficients.cpu_kg.of("serverless"))
    dram, usd = take(coefficients.dram_kg_per_gb), take(coefficients.serverless_usd_per_gb_s)
    elsewhere = take(place.price("serverless inference"))
    busy_of = _busy_hours(activity, calculation)
    most_h = HOURS_PER_MONTH * (inf if activity.at_once is None else activity.at_once)
    calculation.notes(_WARM)
    if activity.provisioned.high > 0:
        reason = "no price of provisioned concurrency is known"
        calculation.lacks("cost", Unknown("cost of provisioned concurrency", reason, Lack.UNCOUNTED))

    def formula(v: Sequence[float]) -> tuple[float, float, float]:
        vcpu = activity.memory_mb / v[ratio]
        busy_h = min(busy_of(v, vcpu * v[load]), most_h)
        ready_h = max(v[provisioned] * HOURS_PER_MONTH - busy_h, 0.0)
        busy_w = slice_power(platform, vcpu, gb, v[load], coefficients)
        ready_w = slice_power(platform, vcpu, gb, 0.0, coefficients)
        made = (v[server] + platform.sockets * v[cpu]) * vcpu / platform.vcpu + gb * v[dram]
        return (
            v[power] * (busy_w * busy_h + ready_w * ready_h) / 1000,
            made * (busy_h + ready_h) / coefficients.lifetime_h,
            busy_h * 3600 * gb * v[usd] * v[elsewhere],
        )

    calculation.by(formula)
    return calculation


def _busy_hours(activity: Serverless, calculation: Calculation) -> Callable[[Sequence[float], float], float]:
    """Hours that workers answer, each of which does as much as a number of vCPUs that are busy all the time."""
    take, fleet = calculation.input, activity.work_of
    if fleet is None:
        requests, duration = take(activity.requests), take(activity.duration_s)
        return lambda v, _: v[requests] * v[duration] / 3600
    instance = instances.find(fleet.instance_type)
    vcpu = instance.vcpu if instance is not None else 0
    count, hours = take(fleet.count), take(fleet.hours)
    load = take(fleet.duty or assumptions()["endpoint_duty"])
    return lambda v, worker: v[count] * v[hours] * v[load] * vcpu / worker
