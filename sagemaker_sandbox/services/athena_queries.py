"""Athena's StartQueryExecution. moto reports success for a query that it does not run, and has no result."""

from sagemaker_sandbox.base.errors import NotEmulatedError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest


class AthenaQueryOperations(ServiceOperations):
    """Operations of queries. They are refused."""

    service = moto_service = signing_name = "athena"

    @emulated_operation
    def start_query_execution(self, request: ServiceRequest) -> Fields:
        """Raise NotEmulatedError."""
        del request
        raise NotEmulatedError(
            "StartQueryExecution of Athena",
            "Read the Parquet files of the offline store, such as with pandas or DuckDB, or use an AWS account.",
        )
