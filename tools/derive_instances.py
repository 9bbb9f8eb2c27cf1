"""Generator of `instances.csv`, `offerings.csv` and `instances_ec2.csv`.

The files contain the instance types of SageMaker, the Regions in which EC2 offers them, and the EC2 types that
SageMaker does not name. `python -m tools.derive_instances` rewrites them. It needs botocore (names in SageMaker) and
moto (sizes and Regions in EC2). The estimates read only the files.

Sizes are those of EC2, or those of `retired_instances.csv` for types that EC2 no longer lists. The CPU is that of the
family in `platforms.csv`. A family without a published platform gets that of a family with the same CPU, with class C
if the TDP of the CPU is a guess. `unknown_instances.csv` lists types without sizes, without a CPU or with unknown
accelerators, by name or by family.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sustainable_mlops.catalogue.tables import CATALOGUE_DIRECTORY, read_rows

#: Shapes of botocore's SageMaker model with the instance types of a plan, and the use of each.
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
#: Types outside these shapes for comparisons.
_OTHER_TYPES = ("ml.g5g.xlarge", "ml.m7g.xlarge", "ml.r7g.xlarge")
#: Name of an accelerator by NVIDIA, if EC2 uses another one.
_ACCELERATOR = {"g5g": "T4g"}
#: Corrected memory: the EC2 API has 512 GiB for a Trainium2. The documentation of Neuron has 96 GiB, and 1.5 TB for the
#: 16 of a trn2.48xlarge.
_ACCELERATOR_GIB = {"Trainium2": 96.0}


def list_sagemaker_types() -> dict[str, list[str]]:
    """Return every instance type that the SageMaker API accepts, with its uses, from the model of botocore."""
    from sustainable_mlops.aws.service_model import load_service_model

    model = load_service_model("sagemaker")
    uses_by_type: dict[str, list[str]] = {}
    for shape, use in ENUMS.items():
        for name in model.shape_for(shape).metadata["enum"]:
            uses_by_type.setdefault(name, []).append(use)
    return uses_by_type


def make_instances() -> Iterator[tuple[str, ...]]:
    """Yield the rows of `instances.csv`, the header first."""
    yield _COLUMNS
    platform, sizes, uses = _load_platforms(), _load_sizes(), list_sagemaker_types()
    for instance in sorted({*uses, *_OTHER_TYPES}):
        name = instance.removeprefix("ml.")
        cpu = platform.get(name) or platform.get(name.split(".")[0])
        if name in sizes and cpu is not None:
            *size, source = sizes[name]
            yield instance, cpu, *size, " ".join(uses.get(instance, [])), source


def make_ec2_instances() -> Iterator[tuple[str, ...]]:
    """Yield the rows of `instances_ec2.csv`, the header first."""
    yield _COLUMNS_EC2
    platform, sagemaker_names = _load_platforms(), {instance for instance, *_ in make_instances()}
    unknown = {row["instance"] for row in read_rows("unknown_instances")}
    for name, facts in sorted(load_ec2_types().items()):
        family = name.split(".")[0]
        cpu = platform.get(name) or platform.get(family)
        if f"ml.{name}" not in sagemaker_names and cpu is not None and not {name, family} & unknown:
            vcpu, memory, drives, *accelerators, _ = _make_size(name, facts)
            ssd, hdd = ("0", drives) if _has_disks(facts) else (drives, "0")
            yield name, cpu, vcpu, memory, ssd, hdd, *accelerators


def load_ec2_types() -> dict[str, Mapping[str, Any]]:
    """Return the description of every instance type in the EC2 API."""
    types: dict[str, Mapping[str, Any]] = _read_json(_find_moto_resources() / "instance_types.json.gz")
    return types


def _load_platforms() -> dict[str, str]:
    """Return the platform of each family, and of the types with another platform than their family."""
    return {name: row["platform"] for row in read_rows("platforms") for name in row["families"].split()}


def _has_disks(facts: Mapping[str, Any]) -> bool:
    return any(disk["Type"] == "hdd" for disk in facts.get("InstanceStorageInfo", {}).get("Disks", []))


def make_offerings() -> Iterator[tuple[str, ...]]:
    """Yield the rows of `offerings.csv`, the header first: a family, or a size with fewer Regions than its family."""
    yield "types", "regions"
    offered = {
        path.name.removesuffix(".json.gz"): {entry["InstanceType"] for entry in _read_json(path)}
        for path in sorted((_find_moto_resources() / "instance_type_offerings" / "region").glob("*.json.gz"))
    }
    families: dict[str, dict[str, list[str]]] = {}
    for instance in sorted({*list_sagemaker_types(), *_OTHER_TYPES}):
        name = instance.removeprefix("ml.")
        type_regions = [region for region, names in offered.items() if name in names]
        if type_regions:
            families.setdefault(name.split(".")[0], {})[name] = type_regions
    for family, sizes in families.items():
        family_regions = sorted({region for type_regions in sizes.values() for region in type_regions})
        yield family, " ".join(family_regions)
        for name, type_regions in sizes.items():
            if type_regions != family_regions:
                yield name, " ".join(type_regions)


def format_table(table: Iterable[tuple[str, ...]]) -> str:
    """Return the table as the text of its file."""
    return "".join(",".join(row) + "\n" for row in table)


def _load_sizes() -> dict[str, tuple[str, ...]]:
    """Return by EC2 type: vCPU, GiB, local SSD in GB, accelerator, its number, the GiB of one, and the source."""
    sizes = {name: _make_size(name, facts) for name, facts in load_ec2_types().items()}
    keys = ("vcpu", "memory_gib", "local_ssd_gb", "accelerator", "accelerators", "accelerator_gib", "source")
    return sizes | {row["instance"]: tuple(row[key] for key in keys) for row in read_rows("retired_instances")}


def _make_size(name: str, facts: Mapping[str, Any]) -> tuple[str, ...]:
    devices = facts.get("GpuInfo", {}).get("Gpus") or facts.get("NeuronInfo", {}).get("NeuronDevices") or [{}]
    accelerator = _ACCELERATOR.get(name.split(".")[0]) or devices[0].get("Name", "")
    memory = _ACCELERATOR_GIB.get(accelerator) or devices[0].get("MemoryInfo", {}).get("SizeInMiB", 0) / 1024
    return (
        str(facts["VCpuInfo"]["DefaultVCpus"]),
        f"{facts['MemoryInfo']['SizeInMiB'] / 1024:g}",
        str(facts.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0)),
        accelerator,
        # A hardware partition of a GPU counts as 0 in the EC2 API, and here as its share.
        f"{devices[0].get('Count', 0) or devices[0].get('GpuPartitionSize', 0):g}",
        f"{round(memory, 2):g}",
        "EC2 DescribeInstanceTypes",
    )


def _find_moto_resources() -> Path:
    """Return the folder of moto with the responses of the EC2 API."""
    import moto

    return Path(moto.__file__).parent / "ec2" / "resources"


def _read_json(path: Path) -> Any:
    with gzip.open(path) as file:
        return json.load(file)


if __name__ == "__main__":
    (CATALOGUE_DIRECTORY / "instances.csv").write_text(format_table(make_instances()), encoding="utf-8")
    (CATALOGUE_DIRECTORY / "instances_ec2.csv").write_text(format_table(make_ec2_instances()), encoding="utf-8")
    (CATALOGUE_DIRECTORY / "offerings.csv").write_text(format_table(make_offerings()), encoding="utf-8")
