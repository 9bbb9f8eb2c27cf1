"""Glue operations on the optimizers of Iceberg tables. moto has none of them. No optimizer runs.

Sources: Glue API reference, "Table optimizer API", for defaults and limits; Glue user guide, "Table optimization
prerequisites", for the rights of the role. The provider retries the two messages about the role.
"""

from typing import Any

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.iam import roles
from sagemaker_sandbox.resources.handlers import stored_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest

_NOTE = "Stored. No optimizer runs."
#: Attribute of moto's table that holds its optimizers by type. It is part of moto's state, and ends with the table.
_OPTIMIZERS = "smlops_optimizers"
_SERVICE = "glue.amazonaws.com"
#: Member of the configuration for each type, and the values that Glue adds. Glue returns a strategy of compaction too:
#: https://github.com/hashicorp/terraform-provider-aws/pull/44044
_DEFAULTS: dict[str, tuple[str, Fields]] = {
    "compaction": ("compactionConfiguration", {"strategy": "binpack"}),
    "retention": (
        "retentionConfiguration",
        {
            "snapshotRetentionPeriodInDays": 5,
            "numberOfSnapshotsToRetain": 1,
            "cleanExpiredFiles": False,
            "runRateInHours": 24,
        },
    ),
    "orphan_file_deletion": (
        "orphanFileDeletionConfiguration",
        {"orphanFileRetentionPeriodInDays": 3, "runRateInHours": 24},
    ),
}
_RUN_RATES = range(3, 169)
#: Condition keys of Glue's request for the role. AWS's page has a trust policy without conditions, and does not say
#: that Glue sends these keys.
_NO_SOURCE: dict[str, str | None] = {"aws:SourceAccount": None, "aws:SourceArn": None}


class EntityNotFoundError(ApiError):
    """A table or an optimizer that does not exist."""

    code = "EntityNotFoundException"


class InvalidInputError(ApiError):
    """A configuration that Glue does not accept."""

    code = "InvalidInputException"


class RoleAccessError(ApiError):
    """A role that Glue cannot use."""

    code = "AccessDeniedException"


class TableOptimizerOperations(ServiceOperations):
    """Operations of table optimizers."""

    service = moto_service = signing_name = "glue"

    @stored_operation(_NOTE)
    def create_table_optimizer(self, request: ServiceRequest) -> Fields:
        """Add an optimizer to an Iceberg table."""
        table, kind = _find_table(request), str(request.parameters["Type"])
        optimizers: Fields = vars(table).setdefault(_OPTIMIZERS, {})
        if kind in optimizers:
            raise ApiError(
                f"Table optimizer of type {kind} already exists for table {table.name}.", code="AlreadyExistsException"
            )
        optimizers[kind] = _complete(request, table)
        return {}

    @stored_operation(_NOTE)
    def get_table_optimizer(self, request: ServiceRequest) -> Fields:
        """Return an optimizer."""
        return _describe(request.parameters) | {"TableOptimizer": _build_optimizer(request)}

    @stored_operation(_NOTE)
    def update_table_optimizer(self, request: ServiceRequest) -> Fields:
        """Replace the configuration of an optimizer."""
        table = _find_table(request)
        _get_configuration(request)
        getattr(table, _OPTIMIZERS)[request.parameters["Type"]] = _complete(request, table)
        return {}

    @stored_operation(_NOTE)
    def delete_table_optimizer(self, request: ServiceRequest) -> Fields:
        """Remove an optimizer."""
        _get_configuration(request)
        del getattr(_find_table(request), _OPTIMIZERS)[request.parameters["Type"]]
        return {}

    @stored_operation(_NOTE)
    def batch_get_table_optimizer(self, request: ServiceRequest) -> Fields:
        """Return several optimizers, and an error for each that does not exist."""
        optimizers, failures = [], []
        for entry in request.parameters["Entries"]:
            location = {name[:1].upper() + name[1:]: value for name, value in entry.items()}
            try:
                optimizer = _build_optimizer(request._replace(parameters=location))
            except ApiError as error:
                failures.append(entry | {"error": {"ErrorCode": error.code, "ErrorMessage": error.message}})
            else:
                optimizers.append(entry | {"tableOptimizer": optimizer})
        return {"TableOptimizers": optimizers, "Failures": failures}

    @stored_operation(_NOTE)
    def list_table_optimizer_runs(self, request: ServiceRequest) -> Fields:
        """Return no runs."""
        _get_configuration(request)
        return _describe(request.parameters) | {"TableOptimizerRuns": []}


def _describe(parameters: Fields) -> Fields:
    return {member: parameters[member] for member in ("CatalogId", "DatabaseName", "TableName")}


def _find_table(request: ServiceRequest) -> Any:
    """Return moto's table. Raises EntityNotFoundError. The only catalog is that of the account."""
    from moto.glue.models import glue_backends

    catalog, database, table = _describe(request.parameters).values()
    backend = glue_backends[request.account][request.region]
    tables = backend.databases[database].tables if database in backend.databases else {}
    if catalog != request.account or table not in tables:
        raise EntityNotFoundError(f"Table {table} not found.")
    return tables[table]


def _get_configuration(request: ServiceRequest) -> Fields:
    """Return the configuration of an optimizer. Raises EntityNotFoundError."""
    table, kind = _find_table(request), request.parameters["Type"]
    configuration: Fields | None = vars(table).get(_OPTIMIZERS, {}).get(kind)
    if configuration is None:
        raise EntityNotFoundError(f"Table optimizer of type {kind} not found for table {table.name}.")
    return configuration


def _build_optimizer(request: ServiceRequest) -> Fields:
    return {
        "type": request.parameters["Type"],
        "configuration": _get_configuration(request),
        "configurationSource": "table",
    }


def _complete(request: ServiceRequest, table: Any) -> Fields:
    """Return the configuration of the request with Glue's defaults. Raises ApiError for one that Glue refuses."""
    configuration, kind = dict(request.parameters["TableOptimizerConfiguration"]), request.parameters["Type"]
    if not _is_iceberg(table):
        raise InvalidInputError(f"Table {table.name} is not an Iceberg table.")
    member, defaults = _DEFAULTS[kind]
    unexpected = sorted({member for member, _ in _DEFAULTS.values()} & configuration.keys() - {member})
    if unexpected:
        raise InvalidInputError(f"{unexpected[0]} cannot be specified for a table optimizer of type {kind}.")
    settings = defaults | configuration.get(member, {}).get("icebergConfiguration", {})
    if settings.get("runRateInHours", _RUN_RATES[0]) not in _RUN_RATES:
        raise InvalidInputError(f"runRateInHours must be between {_RUN_RATES[0]} and {_RUN_RATES[-1]}.")
    _check_role(request, table, str(configuration.get("roleArn")))
    return configuration | {member: {"icebergConfiguration": settings}}


def _is_iceberg(table: Any) -> bool:
    parameters = table.as_dict().get("Parameters") or {}
    return str(parameters.get("table_type")).upper() == "ICEBERG"


def _check_role(request: ServiceRequest, table: Any, role: str) -> None:
    """Raise RoleAccessError unless Glue can assume the role, and the role may read the table."""
    if not roles.can_assume(request.account, role, _SERVICE, _NO_SOURCE):
        raise RoleAccessError(
            f"The role {role} does not have the correct trust policies and is unable to be assumed by our service"
        )
    arn = f"arn:aws:glue:{request.region}:{request.account}:table/{table.database_name}/{table.name}"
    if not roles.decide_action(request.account, role, "glue:GetTable", arn).allowed:
        raise RoleAccessError(f"The role {role} does not have the proper IAM permissions to call Glue APIs")
