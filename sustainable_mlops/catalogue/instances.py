"""Instance types: their size, their CPU and their accelerators."""

from collections.abc import Mapping
from functools import cache
from math import ceil
from typing import Literal, NamedTuple

from sustainable_mlops.catalogue.tables import (
    Grade,
    load_table,
    parse_float,
    parse_grade,
    parse_interval,
    parse_number,
    read_rows,
)

#: Hardware of an endpoint, as modules and images name it.
Silicon = Literal["graviton", "inferentia2", "gpu", "x86"]


class ServerPlatform(NamedTuple):
    """The server of an instance family; an instance is a part of it."""

    name: str
    cpu: str
    sockets: int
    tdp_w: float
    vcpu: int
    #: C if the TDP is a guess.
    grade: Grade
    #: Idle power of the CPUs as a share of the TDP; None if it is that of other CPUs.
    idle_ratio: float | None = None


class Accelerator(NamedTuple):
    """A GPU or Neuron chip: its power in W, each as (low, central, high).

    `idle_w` is the power with a loaded model.
    """

    name: str
    nameplate_w: float
    idle_w: tuple[float, float, float]
    #: Power while it serves.
    busy_w: tuple[float, float, float]
    #: Power while it trains.
    training_w: tuple[float, float, float]
    grade: Grade
    #: Embodied carbon in kgCO2e.
    embodied_kg: tuple[float, float, float]
    embodied_grade: Grade
    #: Idle power without a model, (low, central). Without a measurement: half of 12 % and 12 % of the board's power.
    empty_w: tuple[float, float] = (0.0, 0.0)

    def take_share(self, share: float) -> "Accelerator":
        """Return a hardware partition of this accelerator. Power and embodied carbon are the same share (class C)."""
        return self._replace(
            name=f"{share:g} of {self.name}",
            nameplate_w=share * self.nameplate_w,
            idle_w=_multiply(self.idle_w, share),
            busy_w=_multiply(self.busy_w, share),
            training_w=_multiply(self.training_w, share),
            grade="C",
            embodied_kg=_multiply(self.embodied_kg, share),
            embodied_grade="C",
            empty_w=(share * self.empty_w[0], share * self.empty_w[1]),
        )


class AcceleratorServer(NamedTuple):
    """Server parts around accelerators, CPUs and memory: board, switches, network cards, fans and power supplies.

    The power is one accelerator's share in W, each as (low, central, high).
    """

    name: str
    idle_w: tuple[float, float, float]
    busy_w: tuple[float, float, float]
    #: One accelerator's share of the network to other servers, in Gbit/s. Distributed training uses it.
    network_gbps: float
    #: True if AWS offers it for distributed training, for example in UltraClusters.
    for_clusters: bool
    grade: Grade

    def take_share(self, share: float) -> "AcceleratorServer":
        """Return the part of the server that belongs to a hardware partition of an accelerator."""
        idle_w, busy_w = _multiply(self.idle_w, share), _multiply(self.busy_w, share)
        return self._replace(idle_w=idle_w, busy_w=busy_w, network_gbps=share * self.network_gbps, grade="C")


def _multiply(interval: tuple[float, float, float], share: float) -> tuple[float, float, float]:
    low, central, high = interval
    return low * share, central * share, high * share


class InstanceType(NamedTuple):
    """An instance type of SageMaker (`ml.m5.xlarge`) or EC2 (`m5.xlarge`)."""

    name: str
    platform: ServerPlatform
    vcpu: int
    memory_gib: float
    local_ssd_gb: float
    accelerator: Accelerator | None
    accelerators: int
    #: Uses that SageMaker accepts: app, cluster, hosting, notebook, processing, training, transform.
    uses: frozenset[str]
    #: Memory of one accelerator.
    accelerator_gib: float = 0.0
    local_hdd_gb: float = 0.0
    #: Server of the accelerators; None if there are none.
    server: AcceleratorServer | None = None

    @property
    def family(self) -> str:
        """The instance family, such as `g5` of `ml.g5.xlarge`."""
        return parse_family(self.name)

    @property
    def is_whole_server(self) -> bool:
        """True if it has all vCPUs of its platform's server, as the largest size of newer families."""
        return self.vcpu == self.platform.vcpu

    @property
    def is_graviton(self) -> bool:
        """True if the CPU is AWS Graviton (Arm)."""
        return self.platform.name.startswith("graviton")

    @property
    def silicon(self) -> Silicon | None:
        """The hardware for endpoints; None for types that no endpoint should use."""
        if self.accelerator is None:
            return "graviton" if self.is_graviton else "x86"
        if self.family == "inf2":
            return "inferentia2"
        return "gpu" if self.family[0] in "gp" and not self.is_arm else None

    @property
    def publishes_load(self) -> bool:
        """True if SageMaker publishes the utilization of its CPUs or GPUs. AWS's own chips have no metric."""
        return self.accelerator is None or self.family[0] in "gp"

    @property
    def is_arm(self) -> bool:
        """True if the CPU has the Arm architecture: Graviton, or NVIDIA Grace beside its GPUs."""
        return self.is_graviton or self.platform.name == "grace"


def parse_family(name: str) -> str:
    """Return the family of an instance type: `g5` of `ml.g5.xlarge` and of `g5.xlarge`."""
    return name.removeprefix("ml.").split(".")[0]


def find(name: str) -> InstanceType | None:
    """Return the instance type `name` (`ml.m5.xlarge`, or `m5.xlarge` of EC2).

    Return None if the catalogue does not contain its hardware.
    """
    return load_all().get(name) or _find_ec2_type(name)


def has_local_disk(name: str) -> bool:
    """Return whether the data of `name` is on a local disk with hardware encryption instead of a volume.

    Return False if the catalogue does not contain its hardware.
    """
    instance_type = find(name)
    return instance_type is not None and instance_type.local_ssd_gb > 0


def list_family(name: str) -> list[InstanceType]:
    """Return the known EC2 instance types of the family `name` (`m5`), the smallest first."""
    names = [one.name.removeprefix("ml.") for one in load_all().values() if one.family == name]
    names += [one.name for one in _load_ec2_types().values() if one.family == name]
    return sorted(
        (instance_type for one in names if (instance_type := _find_ec2_type(one))), key=lambda one: (one.vcpu, one.name)
    )


def explain_unknown(name: str) -> str:
    """Return the reason why `find` returns None for `name`, for a reader."""
    unknown = _load_unknown_reasons()
    return unknown.get(name) or unknown.get(name.split(".")[0], f"the catalogue has no instance type {name}")


def is_offered(name: str, region: str) -> bool | None:
    """Return whether EC2 offers the hardware of `name` in `region`; None if unknown.

    SageMaker may not offer it there yet.
    """
    offerings, kind = _load_offerings(), name.removeprefix("ml.")
    type_regions = offerings.get(kind, offerings.get(kind.split(".")[0]))
    if type_regions is None:  # EC2 offers it in no Region
        return False
    return region in type_regions if any(region in regions for regions in offerings.values()) else None


def is_refused_by_provider(name: str, use: str, provider: int | None) -> bool:
    """Return whether a major version of the AWS provider refuses `name` for a use: app, hosting or notebook.

    None stands for an unknown version and returns True if any version refuses it. SageMaker itself accepts all of them.
    """
    return any(
        use in uses and (provider is None or provider <= major) for major, uses in _load_refusals().get(name, ())
    )


@load_table
def load_all() -> dict[str, InstanceType]:
    """Return every known instance type of SageMaker, by name."""
    return {row["instance"]: _make_instance(row) for row in read_rows("instances")}


@cache
def _find_ec2_type(name: str) -> InstanceType | None:
    """Return the EC2 type `name`; its hardware is that of the SageMaker type with that name, if there is one."""
    twin = load_all().get(f"ml.{name}")
    return twin._replace(name=name, uses=frozenset()) if twin is not None else _load_ec2_types().get(name)


@load_table
def _load_ec2_types() -> dict[str, InstanceType]:
    """Return every known EC2 type that SageMaker does not name. Most reviews need none of them."""
    return {row["instance"]: _make_instance(row) for row in read_rows("instances_ec2")}


def _make_instance(row: Mapping[str, str]) -> InstanceType:
    number = parse_float(row["accelerators"])  # less than 1: a hardware partition
    accelerators = ceil(number)
    accelerator = _load_accelerators()[row["accelerator"]] if accelerators else None
    server = _load_servers()[parse_family(row["instance"])] if accelerators else None
    if accelerator is not None and server is not None and number < 1:
        accelerator, server = accelerator.take_share(number), server.take_share(number)
    return InstanceType(
        name=row["instance"],
        platform=_load_platforms()[row["platform"]],
        vcpu=int(row["vcpu"]),
        memory_gib=parse_float(row["memory_gib"]),
        local_ssd_gb=parse_float(row["local_ssd_gb"]),
        accelerator=accelerator,
        accelerators=accelerators,
        uses=frozenset(row.get("uses", "").split()),
        accelerator_gib=parse_float(row["accelerator_gib"]),
        local_hdd_gb=parse_number(row.get("local_hdd_gb", "")) or 0.0,
        server=server,
    )


def find_platform(name: str) -> ServerPlatform:
    """Return the platform `name` of `platforms.csv`."""
    return _load_platforms()[name]


def find_accelerator(name: str) -> Accelerator:
    """Return the accelerator `name` of `accelerators.csv`."""
    return _load_accelerators()[name]


def find_server(name: str) -> AcceleratorServer:
    """Return the server `name` of `accelerator_servers.csv`."""
    return {one.name: one for one in _load_servers().values()}[name]


@load_table
def _load_platforms() -> dict[str, ServerPlatform]:
    return {
        row["platform"]: ServerPlatform(
            name=row["platform"],
            cpu=row["cpu"],
            sockets=int(row["sockets"]),
            tdp_w=parse_float(row["tdp_w"]),
            vcpu=int(row["vcpu"]),
            grade=parse_grade(row["class"]),
            idle_ratio=parse_number(row["idle_ratio"]),
        )
        for row in read_rows("platforms")
    }


@load_table
def _load_accelerators() -> dict[str, Accelerator]:
    return {
        row["accelerator"]: Accelerator(
            name=row["accelerator"],
            nameplate_w=parse_float(row["nameplate_w"]),
            idle_w=_read_range(row, "idle"),
            busy_w=_read_range(row, "busy"),
            training_w=_read_range(row, "training"),
            grade=parse_grade(row["class"]),
            embodied_kg=parse_interval(row, "embodied_low_kg", "embodied_kg", "embodied_high_kg"),
            embodied_grade=parse_grade(row["embodied_class"]),
            empty_w=(parse_float(row["empty_low_w"]), parse_float(row["empty_w"])),
        )
        for row in read_rows("accelerators")
    }


@load_table
def _load_servers() -> dict[str, AcceleratorServer]:
    """Return the server of each family with accelerators."""
    return {
        of: AcceleratorServer(
            name=row["server"],
            idle_w=_read_range(row, "idle"),
            busy_w=_read_range(row, "busy"),
            network_gbps=parse_float(row["network_gbps"]),
            for_clusters=row["for_clusters"] == "yes",
            grade=parse_grade(row["class"]),
        )
        for row in read_rows("accelerator_servers")
        for of in row["families"].split()
    }


def _read_range(row: Mapping[str, str], column: str) -> tuple[float, float, float]:
    return parse_interval(row, f"{column}_low_w", f"{column}_w", f"{column}_high_w")


@load_table
def _load_offerings() -> dict[str, tuple[str, ...]]:
    return {row["types"]: tuple(row["regions"].split()) for row in read_rows("offerings")}


@load_table
def _load_refusals() -> dict[str, list[tuple[int, frozenset[str]]]]:
    """Return the major versions of the provider that refuse each type, with the refused uses."""
    refusals: dict[str, list[tuple[int, frozenset[str]]]] = {}
    for row in read_rows("refused_instances"):
        refusals.setdefault(row["instance"], []).append((int(row["provider"]), frozenset(row["uses"].split())))
    return refusals


@load_table
def _load_unknown_reasons() -> dict[str, str]:
    return {row["instance"]: row["reason"] for row in read_rows("unknown_instances")}
