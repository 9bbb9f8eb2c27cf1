"""AWS services that programs in a VPC reach through interface endpoints, by purpose.

Sources: "Connect to SageMaker AI within your VPC", "Connect Studio in a VPC to external resources" and "Connecting to
an MLflow tracking server through an Interface VPC Endpoint" of the SageMaker developer guide; interface endpoints of
Amazon ECR in the ECR user guide. SageMaker itself pulls the image and writes the logs of a job or an endpoint in a VPC,
so these need only S3.
"""

import re
from collections.abc import Iterable

#: Start of the names of VPC endpoint services.
FULL_NAME = r"^(com\.amazonaws|cn\.com\.amazonaws|aws)\."

#: `{region}` stands for the Region.
SERVICES_BY_PURPOSE: dict[str, list[str]] = {
    # InvokeEndpoint from a function, a container or an instance.
    "call_endpoints": ["sagemaker.runtime"],
    # Metrics and artifacts that a script sends to SageMaker Experiments.
    "experiments": ["sagemaker.api", "sagemaker.metrics"],
    # Records of the online store.
    "feature_store": ["sagemaker.featurestore-runtime"],
    # Docker and other clients of a registry. Layers come from S3.
    "images": ["ecr.api", "ecr.dkr"],
    # MLflow clients of a tracking server: https://<region>.experiments.sagemaker.aws. The API signs the UI's address.
    "mlflow": ["aws.sagemaker.{region}.experiments", "sagemaker.api"],
    # `smlops` and the SDKs start jobs and pipelines, and read their logs.
    "start_jobs": ["logs", "sagemaker.api", "sts"],
    # JupyterLab and Code Editor of a domain with access type VpcOnly, and the usual calls of notebooks.
    "studio": ["logs", "sagemaker.api", "sagemaker.metrics", "sagemaker.runtime", "sts"],
}


def list_endpoint_services(purposes: Iterable[str], services: Iterable[str], region: str) -> list[str]:
    """Return the full names of the services of purposes and of further services."""
    needed = (name.format(region=region) for purpose in purposes for name in SERVICES_BY_PURPOSE[purpose])
    names = {*services, *needed}
    return sorted(name if re.match(FULL_NAME, name) else f"com.amazonaws.{region}.{name}" for name in names)
