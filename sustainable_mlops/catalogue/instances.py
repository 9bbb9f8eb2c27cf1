"""Instance types: their size, their CPU and their accelerators."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from sustainable_mlops.catalogue.tables import Grade, parse_grade, parse_number, read_rows

#: What an endpoint computes with, as modules and images name it.
Silicon = Literal["graviton", "inferentia2", "gpu", "x86"]


@dataclass(frozen=True, slots=True)
class ServerPlatform:
    """The server whose slices the instances of a family are."""

    name: str
    cpu: str
    sockets: int
    tdp_w: float
    vcpu: int
    #: C where the TDP is a guess.
    grade: Grade
    #: What the CPUs draw when idle, as a share of the TDP, where that is known to differ from other CPUs'.
    idle_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Accelerator:
    """A GPU or Neuron chip: its power in W with a model loaded and idle, and busy, each (low, central, high)."""

    name: str
    nameplate_w: float
    idle_w: tuple[float, float, float]
    #: While it serves.
    busy_w: tuple[float, float, float]
    #: While it trains.
    training_w: tuple[float, float, float]
    grade: Grade
    #: kgCO2e to make one.
    embodied_kg: tuple[float, float, float]
    embodied_grade: Grade
    #: Power idle without a model, (low, central); without any measurement 12 % of the board's, and half of that.
    empty_w: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class AcceleratorServer:
    """What a server draws beyond its accelerators, CPUs and memory: the board between the chips, its switches, network
    cards, fans and power supplies. W of one accelerator's share, each (low, central, high)."""

    name: str
    idle_w: tuple[float, float, float]
    busy_w: tuple[float, float, float]
    #: Gbit/s to other servers, of one accelerator's share: over it several train together.
    network_gbps: float
    #: Whether AWS sells it to train together with others, as its UltraClusters do.
    for_clusters: bool
    grade: Grade


@dataclass(frozen=True, slots=True)
class InstanceType:
    """An instance type: SageMaker's (`ml.m5.xlarge`) or EC2's (`m5.xlarge`)."""

    name: str
    platform: ServerPlatform
    vcpu: int
    memory_gib: float
    local_ssd_gb: float
    accelerator: Accelerator | None
    accelerators: int
    #: What SageMaker takes it for: app, cluster, hosting, notebook, processing, training, transform.
    uses: frozenset[str]
    #: Memory of one accelerator.
    accelerator_gib: float = 0.0
    local_hdd_gb: float = 0.0
    #: Of what the accelerators are in; None where there are none.
    server: AcceleratorServer | None = None

    @property
    def family(self) -> str:
        """`g5` of `ml.g5.xlarge`."""
        return parse_family(self.name)

    @property
    def is_whole_server(self) -> bool:
        """Whether it has all vCPUs that the server of its platform has: the largest size of newer families."""
        return self.vcpu == self.platform.vcpu

    @property
    def is_graviton(self) -> bool:
        """Whether the CPU is AWS's own, of the Arm architecture."""
        return self.platform.name.startswith("graviton")

    @property
    def silicon(self) -> Silicon | None:
        """What it computes with; None for what no endpoint should be made on any more, or never was."""
        if self.accelerator is None:
            return "graviton" if self.is_graviton else "x86"
        if self.family == "inf2":
            return "inferentia2"
        return "gpu" if self.family[0] in "gp" and not self.is_arm else None

    @property
    def is_arm(self) -> bool:
        """Whether the CPU is of the Arm architecture: Graviton, or NVIDIA's Grace beside its GPUs."""
        return self.is_graviton or self.platform.name == "grace"


def parse_family(name: str) -> str:
    """`g5` of `ml.g5.xlarge`, and of `g5.xlarge`."""
    return name.removeprefix("ml.").split(".")[0]


def find(name: str) -> InstanceType | None:
    """The instance type called `name` (`ml.m5.xlarge`, or EC2's `m5.xlarge`).

    None where the catalogue does not know its hardware.
    """
    return load_all().get(name) or _find_ec2_type(name)


def has_local_disk(name: str) -> bool:
    """Whether the data of `name` lies on a disk of its own, encrypted by its hardware, and not on a volume.

    False where the catalogue does not know its hardware.
    """
    found = find(name)
    return found is not None and found.local_ssd_gb > 0


def list_family(name: str) -> list[InstanceType]:
    """EC2's known instance types of the family `name` (`m5`), the smallest first."""
    named = [one.name.removeprefix("ml.") for one in load_all().values() if one.family == name]
    named += [one.name for one in _load_ec2_types().values() if one.family == name]
    return sorted((found for one in named if (found := _find_ec2_type(one))), key=lambda one: (one.vcpu, one.name))


def explain_unknown(name: str) -> str:
    """Why `find` gives None for `name`, for a person."""
    unknown = _load_unknown_reasons()
    return unknown.get(name) or unknown.get(name.split(".")[0], f"the catalogue has no instance type {name}")


def is_offered(name: str, region: str) -> bool | None:
    """Whether EC2 has the hardware of `name` in `region`; None where nobody says. SageMaker may yet not have it."""
    offerings, kind = _load_offerings(), name.removeprefix("ml.")
    found = offerings.get(kind, offerings.get(kind.split(".")[0]))
    if found is None:  # EC2 lists it nowhere
        return False
    return region in found if any(region in regions for regions in offerings.values()) else None


def is_refused_by_provider(name: str, use: str, provider: int | None) -> bool:
    """Whether the AWS provider of this major version refuses `name` for `use`: app, hosting or notebook.

    None stands for a version that is not known: then whether any does. SageMaker itself takes them all.
    """
    found = _load_refusals().get(name)
    return found is not None and use in found[1] and (provider is None or provider <= found[0])


@cache
def load_all() -> dict[str, InstanceType]:
    """Every known instance type that SageMaker names, by name."""
    return {row["instance"]: _make_instance(row) for row in read_rows("instances")}


@cache
def _find_ec2_type(name: str) -> InstanceType | None:
    """The hardware of EC2's `name`: as of SageMaker's type of that name, where there is one."""
    twin = load_all().get(f"ml.{name}")
    return replace(twin, name=name, uses=frozenset()) if twin is not None else _load_ec2_types().get(name)


@cache
def _load_ec2_types() -> dict[str, InstanceType]:
    """Every known type of EC2 that SageMaker does not name; most reviews never ask for one."""
    return {row["instance"]: _make_instance(row) for row in read_rows("instances_ec2")}


def _make_instance(row: Mapping[str, str]) -> InstanceType:
    accelerators = int(row["accelerators"])
    return InstanceType(
        name=row["instance"],
        platform=_load_platforms()[row["platform"]],
        vcpu=int(row["vcpu"]),
        memory_gib=float(row["memory_gib"]),
        local_ssd_gb=float(row["local_ssd_gb"]),
        accelerator=_load_accelerators()[row["accelerator"]] if accelerators else None,
        accelerators=accelerators,
        uses=frozenset(row.get("uses", "").split()),
        accelerator_gib=float(row["accelerator_gib"]),
        local_hdd_gb=float(row.get("local_hdd_gb", 0)),
        server=_load_servers()[parse_family(row["instance"])] if accelerators else None,
    )


def find_platform(name: str) -> ServerPlatform:
    """The platform called `name` in `platforms.csv`."""
    return _load_platforms()[name]


def find_accelerator(name: str) -> Accelerator:
    """The accelerator called `name` in `accelerators.csv`."""
    return _load_accelerators()[name]


def find_server(name: str) -> AcceleratorServer:
    """The server called `name` in `accelerator_servers.csv`."""
    return {one.name: one for one in _load_servers().values()}[name]


@cache
def _load_platforms() -> dict[str, ServerPlatform]:
    return {
        row["platform"]: ServerPlatform(
            name=row["platform"],
            cpu=row["cpu"],
            sockets=int(row["sockets"]),
            tdp_w=float(row["tdp_w"]),
            vcpu=int(row["vcpu"]),
            grade=parse_grade(row["class"]),
            idle_ratio=parse_number(row["idle_ratio"]),
        )
        for row in read_rows("platforms")
    }


@cache
def _load_accelerators() -> dict[str, Accelerator]:
    return {
        row["accelerator"]: Accelerator(
            name=row["accelerator"],
            nameplate_w=float(row["nameplate_w"]),
            idle_w=_read_range(row, "idle"),
            busy_w=_read_range(row, "busy"),
            training_w=_read_range(row, "training"),
            grade=parse_grade(row["class"]),
            embodied_kg=(float(row["embodied_low_kg"]), float(row["embodied_kg"]), float(row["embodied_high_kg"])),
            embodied_grade=parse_grade(row["embodied_class"]),
            empty_w=(float(row["empty_low_w"]), float(row["empty_w"])),
        )
        for row in read_rows("accelerators")
    }


@cache
def _load_servers() -> dict[str, AcceleratorServer]:
    """The server of each family with accelerators."""
    return {
        of: AcceleratorServer(
            name=row["server"],
            idle_w=_read_range(row, "idle"),
            busy_w=_read_range(row, "busy"),
            network_gbps=float(row["network_gbps"]),
            for_clusters=row["for_clusters"] == "yes",
            grade=parse_grade(row["class"]),
        )
        for row in read_rows("accelerator_servers")
        for of in row["families"].split()
    }


def _read_range(row: Mapping[str, str], what: str) -> tuple[float, float, float]:
    return float(row[f"{what}_low_w"]), float(row[f"{what}_w"]), float(row[f"{what}_high_w"])


@cache
def _load_offerings() -> dict[str, tuple[str, ...]]:
    return {row["types"]: tuple(row["regions"].split()) for row in read_rows("offerings")}


@cache
def _load_refusals() -> dict[str, tuple[int, frozenset[str]]]:
    """The newest major version of the provider that refuses a type, and for what."""
    found = read_rows("refused_instances")
    return {row["instance"]: (int(row["provider"]), frozenset(row["uses"].split())) for row in found}


@cache
def _load_unknown_reasons() -> dict[str, str]:
    return {row["instance"]: row["reason"] for row in read_rows("unknown_instances")}
