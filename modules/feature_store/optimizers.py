"""Glue table optimizers of the offline stores, and the role that Glue optimizes with."""

from collections.abc import Callable
from typing import Any, cast

from cdktn_provider_aws.glue_catalog_table_optimizer import GlueCatalogTableOptimizer
from cdktn_provider_aws.iam_role_policy import IamRolePolicy

from modules.feature_store.iam_statements import GLUE_DATABASE, optimize_tables
from modules.feature_store.inputs import Inputs, TableOptimizers, read_optimizer_roles
from modules.iam_statements import ArnLocation
from modules.policies import show_policy
from modules.roles import add_service_role, encode_trust
from sustainable_mlops.authoring.cdktn import DataResource
from sustainable_mlops.authoring.expressions import (
    assume_not_null,
    concat,
    each_of,
    every,
    is_omitted,
    join,
    jsonencode,
    list_of,
    map_of,
    one_or_null,
    optional,
    set_of,
    when,
)
from sustainable_mlops.authoring.resources import Module

_KEY = "optimizer"
_NONE: list[str] = []


def add_optimizers(module: Module[Inputs], groups: Any, at: ArnLocation) -> None:
    """Add the optimizers of each group's table, and the role unless `existing_role` is set."""
    optimizers = assume_not_null(module.var.table_optimizers)
    tables = module.local(
        "tables",
        map_of(groups, _read_table),
        why="Glue table of each group, by key. Feature Store chooses the name. A mocked group has an empty one.",
    )
    policies, role_arn = _add_role(module, at, tables)
    roles = module.add(
        DataResource,
        "compaction_role",
        why="Role of the compaction optimizers. Terraform ignores their configuration; a new role replaces them.",
        for_each=each_of(
            set_of(when(~every(optional(module.var.table_optimizers), _has_no_compaction), [_KEY], _NONE))
        ),
        input={"arn": role_arn},
    )

    def add(
        kind: str, is_off: Callable[[TableOptimizers], Any], configuration: dict[str, Any], why: str, **meta: Any
    ) -> None:
        table = each_of(
            map_of(
                tables,
                lambda _key, table: table,
                where=lambda _key, _table: ~every(optional(module.var.table_optimizers), is_off),
            )
        )
        module.add(
            GlueCatalogTableOptimizer,
            kind,
            why=why,
            for_each=table,
            catalog_id=at.account_id,
            database_name=GLUE_DATABASE,
            table_name=table.value,
            type=kind,
            configuration=[{"role_arn": role_arn, "enabled": True, **configuration}],
            notes={"depends_on": "Glue checks the permissions of the role."} | meta.pop("notes", {}),
            depends_on=[policies],
            **meta,
        )

    add(
        "compaction",
        _has_no_compaction,
        {},
        "Feature Store writes many small files, which queries read.",
        notes={
            "lifecycle": "Glue adds a compaction strategy. Newer versions of the provider read it, and older "
            "versions have no argument for it. Without this block, every plan would change the configuration."
        },
        lifecycle={"ignore_changes": ["configuration"], "replace_triggered_by": [roles]},
    )
    add(
        "retention",
        lambda one: is_omitted(one.retention),
        {
            "retention_configuration": _configure_iceberg(
                clean_expired_files=True,
                number_of_snapshots_to_retain=assume_not_null(optimizers.retention).min_snapshots,
                snapshot_retention_period_in_days=assume_not_null(optimizers.retention).days,
            )
        },
        "Snapshots keep the files that compaction has merged.",
    )
    add(
        "orphan_file_deletion",
        lambda one: is_omitted(one.orphan_file_deletion),
        {
            "orphan_file_deletion_configuration": _configure_iceberg(
                orphan_file_retention_period_in_days=assume_not_null(optimizers.orphan_file_deletion).days
            )
        },
        "Failed writes leave files to which no snapshot refers.",
    )


def _has_no_compaction(optimizers: TableOptimizers) -> Any:
    return ~optimizers.compaction


def _read_table(group: Any) -> str:
    return join("", list_of(group.offline_store_config[0].data_catalog_config, lambda catalog: catalog.table_name))


def _configure_iceberg(**settings: Any) -> list[dict[str, Any]]:
    return [{"iceberg_configuration": [settings]}]


def _add_role(module: Module[Inputs], at: ArnLocation, tables: Any) -> tuple[Any, str]:
    """Add the role with its policy. Returns the policies, and the ARN of this role or of the existing one.

    The trust policy refuses a request of Glue for another account. AWS's page shows no condition, so a request without
    the account is accepted, too. Source: Glue developer guide, "Table optimization prerequisites".
    """
    var = module.var
    is_new = ~every(optional(var.table_optimizers), lambda optimizers: ~is_omitted(optimizers.existing_role))
    key = each_of(set_of(when(is_new, [_KEY], _NONE)))
    roles = add_service_role(
        module,
        _KEY,
        for_each=key,
        name=f"{var.name_prefix}-feature-tables",
        description=f"Optimizes the tables of feature groups in {var.name_prefix}",
        trust=encode_trust(["glue.amazonaws.com"], _build_account_condition(at), sid="Optimize"),
    )
    role = each_of(roles)
    policy_documents = show_policy(module, _KEY, *optimize_tables(var, at, tables), for_each=role)
    policies = module.add(
        IamRolePolicy,
        _KEY,
        for_each=role,
        name="optimize",
        role=role.value.name,
        policy=jsonencode(policy_documents[role.key].input),
    )
    role_arn = module.local(
        "optimizer_role_arn", one_or_null(concat(list_of(roles, _get_arn), read_optimizer_roles(var)))
    )
    return policies, cast(str, role_arn)


def _build_account_condition(at: ArnLocation) -> dict[str, Any]:
    return {"test": "StringEqualsIfExists", "variable": "aws:SourceAccount", "values": [at.account_id]}


def _get_arn(role: Any) -> str:
    arn: str = role.arn
    return arn
