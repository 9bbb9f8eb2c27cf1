"""Derives `instances.csv`: every instance type SageMaker names, with the platform its CPU belongs to.

`python -m sustainable_mlops.catalogue.derive` prints the file. It needs botocore (SageMaker's names) and moto (the
sizes EC2 reports); the estimates read only the result.

The rule: sizes are EC2's own. The CPU is the family's in `platforms.csv`; a family whose platform nobody has published
takes that of the family with the same CPU, and is class C where the CPU's TDP is itself a guess. A type without sizes
or without a CPU is listed by name in `unknown_instances.csv` instead.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
#: The members of botocore's SageMaker model that name the types of instances a plan can ask for, and their use.
ENUMS = {
    "AppInstanceType": "app",
    "InstanceType": "notebook",
    "ProcessingInstanceType": "processing",
    "ProductionVariantInstanceType": "hosting",
    "TrainingInstanceType": "training",
    "TransformInstanceType": "transform",
}
COLUMNS = (
    "instance",
    "platform",
    "vcpu",
    "memory_gib",
    "local_ssd_gb",
    "accelerator",
    "accelerators",
    "uses",
    "source",
)

#: The CPU each family runs on. AWS documents the CPU of every family; sockets and TDPs are in platforms.csv.
PLATFORM = {
    "haswell-c4": "c4",
    "haswell-m4": "m4 t2",
    "broadwell": "p2 p3",
    "skylake-8175m": "m5 m5d r5 t3 p3dn",
    "skylake-8124m": "c5 c5d c5n",
    "cascade-lake-8259cl": "g4dn r5d",
    "cascade-lake-8275cl": "p4d p4de inf1 dl1 c5.12xlarge c5.24xlarge",
    "ice-lake": "m6i m6id c6i c6id c6in r6i r6id trn1 trn1n",
    "sapphire-rapids": "m7i m7i-flex c7i c7i-flex r7i p5en trn2",
    "emerald-rapids": "p6-b200 p6-b300 g7 g7e",
    "granite-rapids": "m8i m8i-flex c8i c8i-flex r8i r8i-flex",
    "rome": "g5",
    "milan": "g6 g6e p5 p5e inf2",
    "graviton2": "m6g m6gd c6g c6gd c6gn r6g r6gd g5g",
    "graviton3": "m7g c7g r7g r7gd",
    "graviton4": "m8g c8g r8g",
    "grace": "p6e-gb200",
}
#: EC2 no longer lists these; sizes from AWS's documentation: vCPU, GiB, local SSD in GB, accelerator, its number.
RETIRED = {
    "p2.xlarge": (4, 61, 0, "K80", 1),
    "p2.8xlarge": (32, 488, 0, "K80", 8),
    "p2.16xlarge": (64, 732, 0, "K80", 16),
    "p3.2xlarge": (8, 61, 0, "V100", 1),
    "p3.8xlarge": (32, 244, 0, "V100", 4),
    "p3.16xlarge": (64, 488, 0, "V100", 8),
    "dl1.24xlarge": (96, 768, 4000, "Gaudi", 8),
    "p6e-gb200.36xlarge": (144, 960, 22500, "GB200", 4),
}
#: Types outside the enums that people compare with.
ALSO = ("ml.g5g.xlarge", "ml.m7g.xlarge", "ml.r7g.xlarge")


def sagemaker_types() -> dict[str, list[str]]:
    """Every type of instance that SageMaker's API accepts, in botocore's model, and for what."""
    import botocore.session

    model = botocore.session.get_session().get_service_model("sagemaker")
    found: dict[str, list[str]] = {}
    for shape, use in ENUMS.items():
        for name in model.shape_for(shape).metadata["enum"]:
            found.setdefault(name, []).append(use)
    return found


def ec2_sizes() -> dict[str, dict[str, Any]]:
    """What EC2's DescribeInstanceTypes answers, as moto keeps it."""
    import moto

    path = Path(moto.__file__).parent / "ec2" / "resources" / "instance_types.json.gz"
    with gzip.open(path) as file:
        sizes: dict[str, dict[str, Any]] = json.load(file)
    return sizes


def size(name: str, sizes: Mapping[str, Mapping[str, Any]]) -> tuple[Any, ...] | None:
    """vCPU, GiB, local SSD in GB, accelerator and its number of an EC2 type; None where nobody says."""
    if name in RETIRED:
        return RETIRED[name]
    if (facts := sizes.get(name)) is None:
        return None
    devices = facts.get("GpuInfo", {}).get("Gpus") or facts.get("NeuronInfo", {}).get("NeuronDevices") or [{}]
    return (
        facts["VCpuInfo"]["DefaultVCpus"],
        facts["MemoryInfo"]["SizeInMiB"] / 1024,
        facts.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0),
        _ACCELERATOR.get(name.split(".")[0]) or devices[0].get("Name", ""),
        devices[0].get("Count", 0),
    )


#: EC2 calls the T4G of g5g by another name than NVIDIA.
_ACCELERATOR = {"g5g": "T4g"}


def rows() -> Iterator[tuple[str, ...]]:
    """The rows of `instances.csv`."""
    platform = {name: key for key, names in PLATFORM.items() for name in names.split()}
    sizes, uses = ec2_sizes(), sagemaker_types()
    for instance in sorted({*uses, *ALSO}):
        name = instance.removeprefix("ml.")
        found = size(name, sizes)
        cpu = platform.get(name) or platform.get(name.split(".")[0])
        if found is not None and cpu is not None:
            source = "AWS documentation" if name in RETIRED else "EC2 DescribeInstanceTypes"
            vcpu, memory, ssd, accelerator, number = found
            use = " ".join(uses.get(instance, []))
            yield instance, cpu, str(vcpu), f"{memory:g}", str(ssd), accelerator, str(number), use, source


def text() -> str:
    """`instances.csv` as it should be."""
    return "".join(",".join(row) + "\n" for row in (COLUMNS, *rows()))


if __name__ == "__main__":
    print(text(), end="")
