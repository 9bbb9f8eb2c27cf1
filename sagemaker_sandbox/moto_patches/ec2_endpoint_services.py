"""EC2: moto's list of VPC endpoint services lacks that of MLflow tracking servers.

Sources: SageMaker developer guide, "Connecting to an MLflow tracking server through an Interface VPC Endpoint"; the
package `sagemaker-mlflow` for the host, and for the partitions: aws and aws-us-gov.
"""

from typing import Any

from moto.core.base_backend import BaseBackend
from moto.ec2.models import EC2Backend


def apply() -> None:
    """Add the service to the services of each Region, except in China."""
    collect = EC2Backend._collect_default_endpoint_services

    def collect_with_mlflow(account_id: str, region: str) -> list[dict[str, Any]]:
        services: list[dict[str, Any]] = collect(account_id, region)
        return services if region.startswith("cn-") else [*services, _describe_service(region, services)]

    EC2Backend._collect_default_endpoint_services = staticmethod(collect_with_mlflow)


def _describe_service(region: str, others: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the description of the service, in the zones of the other services. Its ID is the same in each list."""
    service: dict[str, Any]
    (service,) = BaseBackend.default_vpc_endpoint_service_factory(region, others[0]["AvailabilityZones"], "experiments")
    host = f"{region}.experiments.sagemaker.aws"
    return service | {
        "PrivateDnsName": host,
        "PrivateDnsNames": [{"PrivateDnsName": host}],
        "ServiceId": "vpce-svc-0e5be91aa2b71f0c3",
        "ServiceName": f"aws.sagemaker.{region}.experiments",
    }
