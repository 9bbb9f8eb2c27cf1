"""Derives `instances.csv` and `offerings.csv`, every instance type SageMaker names and where EC2 offers it, and
`instances_ec2.csv`, the types of EC2 that SageMaker does not name.

`python -m tools.derive_instances` writes these files anew. It needs botocore (SageMaker's names) and moto
(the sizes and places EC2 reports); the estimates read only the result.

The rule: sizes are EC2's own; of types that EC2 no longer lists, those in `retired_instances.csv`.
The CPU is the family's in `platforms.csv`; a family whose platform nobody has published takes that of the family with
the same CPU, and is class C where the CPU's TDP is itself a guess. A type without sizes, without a CPU or with
accelerators that nobody knows is listed by its name or its family's in `unknown_instances.csv` instead.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sustainable_mlops.catalogue.tables import CATALOGUE_DIRECTORY, read_rows

#: The members of botocore's SageMaker model that name the types of instances a plan can ask for, and their use.
ENUMS = {
    "AppInstanceType": "app",
    "ClusterInstanceType": "cluster",
    "InstanceType": "notebook",
    "ProcessingInstanceType": "processing",
    "ProductionVariantInstanceType": "hosting",
    "TrainingInstanceType": "training",
    "TransformInstanceType": "transform",
}
_COLUMNS = (
    "instance",
    "platform",
    "vcpu",
    "memory_gib",
    "local_ssd_gb",
    "accelerator",
    "accelerators",
    "accelerator_gib",
    "uses",
    "source",
)
_COLUMNS_EC2 = (*_COLUMNS[:5], "local_hdd_gb", *_COLUMNS[5:8])
#: Types outside the enums that people compare with.
_ALSO = ("ml.g5g.xlarge", "ml.m7g.xlarge", "ml.r7g.xlarge")
#: EC2 calls the T4G of g5g by another name than NVIDIA.
_ACCELERATOR = {"g5g": "T4g"}
#: EC2's API answers 512 GiB for a Trainium2; Neuron's documentation has 96, and 1.5 TB for the 16 of a trn2.48xlarge.
_ACCELERATOR_GIB = {"Trainium2": 96.0}


def sagemaker_types() -> dict[str, list[str]]:
    """Every type of instance that SageMaker's API accepts, in botocore's model, and for what."""
    from sustainable_mlops.aws.service_model import service_model

    model = service_model("sagemaker")
    found: dict[str, list[str]] = {}
    for shape, use in ENUMS.items():
        for name in model.shape_for(shape).metadata["enum"]:
            found.setdefault(name, []).append(use)
    return found


def instances() -> Iterator[tuple[str, ...]]:
    """The rows of `instances.csv`, its head first."""
    yield _COLUMNS
    platform, sizes, uses = _platforms(), _sizes(), sagemaker_types()
    for instance in sorted({*uses, *_ALSO}):
        name = instance.removeprefix("ml.")
        cpu = platform.get(name) or platform.get(name.split(".")[0])
        if name in sizes and cpu is not None:
            *size, source = sizes[name]
            yield instance, cpu, *size, " ".join(uses.get(instance, [])), source


def ec2_instances() -> Iterator[tuple[str, ...]]:
    """The rows of `instances_ec2.csv`, its head first."""
    yield _COLUMNS_EC2
    platform, named = _platforms(), {instance for instance, *_ in instances()}
    unknown = {row["instance"] for row in read_rows("unknown_instances")}
    for name, facts in sorted(ec2_types().items()):
        family = name.split(".")[0]
        cpu = platform.get(name) or platform.get(family)
        if f"ml.{name}" not in named and cpu is not None and not {name, family} & unknown:
            vcpu, memory, drives, *accelerators, _ = _size(name, facts)
            ssd, hdd = ("0", drives) if _on_disks(facts) else (drives, "0")
            yield name, cpu, vcpu, memory, ssd, hdd, *accelerators


def ec2_types() -> dict[str, Mapping[str, Any]]:
    """What EC2's API answers of every instance type it lists."""
    found: dict[str, Mapping[str, Any]] = _read(_moto() / "instance_types.json.gz")
    return found


def _platforms() -> dict[str, str]:
    """The platform of each family, and of the types that are on another than their family."""
    return {name: row["platform"] for row in read_rows("platforms") for name in row["families"].split()}


def _on_disks(facts: Mapping[str, Any]) -> bool:
    return any(disk["Type"] == "hdd" for disk in facts.get("InstanceStorageInfo", {}).get("Disks", []))


def offerings() -> Iterator[tuple[str, ...]]:
    """The rows of `offerings.csv`, its head first: a family, or a size that is in fewer Regions than its family."""
    yield "types", "regions"
    offered = {
        path.name.removesuffix(".json.gz"): {entry["InstanceType"] for entry in _read(path)}
        for path in sorted((_moto() / "instance_type_offerings" / "region").glob("*.json.gz"))
    }
    families: dict[str, dict[str, list[str]]] = {}
    for instance in sorted({*sagemaker_types(), *_ALSO}):
        name = instance.removeprefix("ml.")
        found = [region for region, names in offered.items() if name in names]
        if found:
            families.setdefault(name.split(".")[0], {})[name] = found
    for family, sizes in families.items():
        anywhere = sorted({region for found in sizes.values() for region in found})
        yield family, " ".join(anywhere)
        for name, found in sizes.items():
            if found != anywhere:
                yield name, " ".join(found)


def text(table: Iterator[tuple[str, ...]]) -> str:
    """`table` as the file should be."""
    return "".join(",".join(row) + "\n" for row in table)


def _sizes() -> dict[str, tuple[str, ...]]:
    """vCPU, GiB, local SSD in GB, accelerator, its number, the GiB of one, and the source, by EC2 type."""
    found = {name: _size(name, facts) for name, facts in ec2_types().items()}
    keys = ("vcpu", "memory_gib", "local_ssd_gb", "accelerator", "accelerators", "accelerator_gib", "source")
    return found | {row["instance"]: tuple(row[key] for key in keys) for row in read_rows("retired_instances")}


def _size(name: str, facts: Mapping[str, Any]) -> tuple[str, ...]:
    devices = facts.get("GpuInfo", {}).get("Gpus") or facts.get("NeuronInfo", {}).get("NeuronDevices") or [{}]
    accelerator = _ACCELERATOR.get(name.split(".")[0]) or devices[0].get("Name", "")
    memory = _ACCELERATOR_GIB.get(accelerator) or devices[0].get("MemoryInfo", {}).get("SizeInMiB", 0) / 1024
    return (
        str(facts["VCpuInfo"]["DefaultVCpus"]),
        f"{facts['MemoryInfo']['SizeInMiB'] / 1024:g}",
        str(facts.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0)),
        accelerator,
        str(devices[0].get("Count", 0)),
        f"{round(memory, 2):g}",
        "EC2 DescribeInstanceTypes",
    )


def _moto() -> Path:
    """What EC2's API answers, as moto keeps it."""
    import moto

    return Path(moto.__file__).parent / "ec2" / "resources"


def _read(path: Path) -> Any:
    with gzip.open(path) as file:
        return json.load(file)


if __name__ == "__main__":
    (CATALOGUE_DIRECTORY / "instances.csv").write_text(text(instances()), encoding="utf-8")
    (CATALOGUE_DIRECTORY / "instances_ec2.csv").write_text(text(ec2_instances()), encoding="utf-8")
    (CATALOGUE_DIRECTORY / "offerings.csv").write_text(text(offerings()), encoding="utf-8")
