"""Operations of Data Exports. moto does not have this service."""

from datetime import timedelta
from typing import Any

from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.base.errors import ApiError, NotEmulatedError, ValidationError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.dataexports import exports
from sagemaker_sandbox.services.dataexports.destinations import check_destination
from sagemaker_sandbox.services.dataexports.exports import DataExport, ExportExecution, ExportNotFoundError
from sagemaker_sandbox.services.dataexports.queries import parse_query
from sagemaker_sandbox.services.dataexports.tables import OTHER_TABLES, TABLES
from sagemaker_sandbox.services.parameters import build_page, check_parameters
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest

#: Time until the first delivery, and until the delivery after a change. AWS: up to 24 hours. Source: Data Exports user
#: guide, "Creating data exports".
DELIVERY_DELAY = timedelta(hours=1)
#: Compression of each format. Source: Data Exports user guide, "Creating data exports".
_COMPRESSIONS = {"PARQUET": "PARQUET", "TEXT_OR_CSV": "GZIP"}
_PAGE = 300


class DataExportOperations(ServiceOperations):
    """Operations of exports, executions, tables and tags."""

    service = moto_service = signing_name = exports.SERVICE

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @emulated_operation
    def create_export(self, request: ServiceRequest) -> Fields:
        """Create an export, and schedule its first delivery."""
        parameters = check_parameters(self.service, "CreateExport", request)
        definition, backend = parameters["Export"], exports.get_account(request.account)
        arn = backend.build_arn(definition["Name"])
        self._check_definition(request.account, arn, definition)
        now = self._clock.now()
        status = {"StatusCode": "HEALTHY", "CreatedAt": now, "LastUpdatedAt": now}
        tags = _parse_tags(parameters.get("ResourceTags") or [])
        backend.exports[arn] = DataExport(
            arn, request.account, _remove_empty_configurations(definition), status, now + DELIVERY_DELAY, tags
        )
        self._clock.wake()
        return {"ExportArn": arn}

    @emulated_operation
    def get_export(self, request: ServiceRequest) -> Fields:
        """Return the definition of an export and its status."""
        export = self._find(request, "GetExport")
        return {"Export": _describe(export.arn, export.definition), "ExportStatus": export.status}

    @emulated_operation
    def update_export(self, request: ServiceRequest) -> Fields:
        """Replace the definition of an export, and schedule a delivery."""
        export = self._find(request, "UpdateExport")
        definition = request.parameters["Export"]
        self._check_definition(request.account, export.arn, definition)
        export.definition = _remove_empty_configurations(definition)
        export.status = export.status | {"LastUpdatedAt": self._clock.now()}
        export.next_refresh = self._clock.now() + DELIVERY_DELAY
        self._clock.wake()
        return {"ExportArn": export.arn}

    @emulated_operation
    def delete_export(self, request: ServiceRequest) -> Fields:
        """Delete an export. Delivered files stay in the bucket."""
        export = self._find(request, "DeleteExport")
        del exports.get_account(request.account).exports[export.arn]
        return {"ExportArn": export.arn}

    @emulated_operation
    def list_exports(self, request: ServiceRequest) -> Fields:
        """Return a page of the account's exports."""
        check_parameters(self.service, "ListExports", request)
        references = [
            {"ExportArn": export.arn, "ExportName": export.name, "ExportStatus": export.status}
            for export in exports.get_account(request.account).exports.values()
        ]
        return build_page("Exports", references, request, _PAGE)

    @emulated_operation
    def list_executions(self, request: ServiceRequest) -> Fields:
        """Return a page of the executions of an export, the latest first."""
        export = self._find(request, "ListExecutions")
        references = [
            {"ExecutionId": execution.id, "ExecutionStatus": execution.status}
            for execution in reversed(export.executions)
        ]
        return build_page("Executions", references, request, _PAGE)

    @emulated_operation
    def get_execution(self, request: ServiceRequest) -> Fields:
        """Return an execution with the definition that it used."""
        export, id_ = self._find(request, "GetExecution"), request.parameters["ExecutionId"]
        execution = _find_execution(export, id_)
        return {
            "ExecutionId": execution.id,
            "Export": _describe(export.arn, execution.definition),
            "ExecutionStatus": execution.status,
        }

    @emulated_operation
    def list_tables(self, request: ServiceRequest) -> Fields:
        """Return a page of the tables for which the sandbox has data."""
        check_parameters(self.service, "ListTables", request)
        tables = [
            {"TableName": table.name, "Description": table.description, "TableProperties": []}
            for table in TABLES.values()
        ]
        return build_page("Tables", tables, request, _PAGE)

    @emulated_operation
    def get_table(self, request: ServiceRequest) -> Fields:
        """Return the columns of a table."""
        name = str(check_parameters(self.service, "GetTable", request)["TableName"])
        if name in OTHER_TABLES:
            raise NotEmulatedError(f"GetTable of {name}")
        if name not in TABLES:
            raise ValidationError(f"Table {name} does not exist.")
        columns = [
            {"Name": column.name, "Type": column.type, "Description": column.description}
            for column in TABLES[name].columns
        ]
        description = TABLES[name].description
        return {"TableName": name, "Description": description, "TableProperties": {}, "Schema": columns}

    @emulated_operation
    def tag_resource(self, request: ServiceRequest) -> Fields:
        """Add tags to an export."""
        export = self._find(request, "TagResource")
        export.tags = export.tags | _parse_tags(request.parameters["ResourceTags"])
        return {}

    @emulated_operation
    def untag_resource(self, request: ServiceRequest) -> Fields:
        """Remove tags from an export."""
        export, keys = self._find(request, "UntagResource"), request.parameters["ResourceTagKeys"]
        export.tags = {key: value for key, value in export.tags.items() if key not in keys}
        return {}

    @emulated_operation
    def list_tags_for_resource(self, request: ServiceRequest) -> Fields:
        """Return a page of an export's tags."""
        tags = self._find(request, "ListTagsForResource").tags
        return build_page("ResourceTags", [{"Key": key, "Value": tags[key]} for key in tags], request, _PAGE)

    def _find(self, request: ServiceRequest, operation: str) -> DataExport:
        """Return the export that the request names. Raises ApiError."""
        parameters = check_parameters(self.service, operation, request)
        arn = str(parameters.get("ExportArn") or parameters.get("ResourceArn"))
        return exports.get_account(request.account).get(arn)

    def _check_definition(self, account: str, arn: str, definition: Fields) -> None:
        """Raise ApiError for a definition that AWS refuses."""
        query = definition["DataQuery"]
        table = parse_query(query["QueryStatement"]).table
        for name, properties in (query.get("TableConfigurations") or {}).items():
            if name != table.name or properties:
                raise ValidationError(
                    f"TableConfigurations.{name}: table {table.name} has no configuration of this name."
                )
        output = definition["DestinationConfigurations"]["S3Destination"]["S3OutputConfigurations"]
        if output["Compression"] != _COMPRESSIONS[output["Format"]]:
            raise ValidationError(f"Compression {output['Compression']} does not suit format {output['Format']}.")
        check_destination(account, arn, definition)
        others = [
            export
            for export in exports.get_account(account).exports.values()
            if export.arn != arn and parse_query(export.definition["DataQuery"]["QueryStatement"]).table is table
        ]
        if len(others) >= table.quota:
            raise ApiError(
                f"Account has reached the resource limit of {table.quota} on {table.name} table.",
                QuotaCode=table.name,
                ServiceCode="AWSBillingAndCostManagementDataExports",
                code="ServiceQuotaExceededException",
            )


def _find_execution(export: DataExport, id_: Any) -> ExportExecution:
    for execution in export.executions:
        if execution.id == id_:
            return execution
    raise ExportNotFoundError(f"Execution {id_} does not exist.", ResourceId=str(id_), ResourceType="execution")


def _describe(arn: str, definition: Fields) -> Fields:
    return definition | {"ExportArn": arn}


def _remove_empty_configurations(definition: Fields) -> Fields:
    """Return the definition as AWS returns it: without empty table configurations.

    Source: hashicorp/terraform-provider-aws, issue 46230.
    """
    query = dict(definition["DataQuery"])
    if not any((query.get("TableConfigurations") or {}).values()):
        query.pop("TableConfigurations", None)
    return definition | {"DataQuery": query}


def _parse_tags(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}
