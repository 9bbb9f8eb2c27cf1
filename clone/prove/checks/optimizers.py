"""Checks of the Glue table optimizers of offline stores."""

from typing import Any

from clone.prove.checks.registry import Answer, register_check
from clone.prove.stages.data import FeatureStoreStage


@register_check("optimizer-table-name", "feature_store", "applied")
def optimizer_table_name(stage: FeatureStoreStage) -> Answer:
    """Does DescribeFeatureGroup name the Glue table as soon as the group is created?

    The role of the optimizers has permissions on this table alone.

    Documentation: Amazon SageMaker API Reference, DataCatalogConfig: Feature Store makes a table unless it is given.
    """
    catalog = stage.group["OfflineStoreConfig"].get("DataCatalogConfig") or {}
    return Answer(bool(catalog.get("TableName")), f"the table is {catalog or 'unknown'}")


@register_check(
    "optimizer-trust-source-account",
    "feature_store",
    "changed",
    refusal=r"trust polic|unable to be assumed|does not have the proper IAM permissions",
)
def optimizer_trust_source_account(stage: FeatureStoreStage) -> Answer:
    """Does Glue accept the role of the optimizers, whose trust policy refuses only other accounts?

    Documentation: AWS Glue Developer Guide, "Table optimization prerequisites", whose trust policy has no condition.
    """
    stage.changes["table_optimizers"] = {}
    stage.write()
    stage.terraform.apply()
    enabled = _read_compaction(stage)["configuration"].get("enabled", False)
    return Answer(enabled, f"the compaction optimizer of the group's table was created; enabled: {enabled}")


@register_check("compaction-empty-plan", "feature_store", "changed")
def compaction_empty_plan(stage: FeatureStoreStage) -> Answer:
    """Is the plan empty after the compaction optimizer was created?

    Glue adds a strategy, which newer versions of the provider read.

    Documentation: AWS Glue Web API Reference, CompactionConfiguration; AWS provider, pull requests 43868 and 44044.
    """
    configuration = _read_compaction(stage)["configuration"].get("compactionConfiguration")
    return Answer(stage.is_up_to_date(), f"Glue describes the configuration of compaction as {configuration}")


def _read_compaction(stage: FeatureStoreStage) -> dict[str, Any]:
    """Return the compaction optimizer of the group's table."""
    catalog = stage.group["OfflineStoreConfig"]["DataCatalogConfig"]
    optimizer: dict[str, Any] = stage.run.get_client("glue").get_table_optimizer(
        CatalogId=stage.run.settings.account,
        DatabaseName=catalog["Database"],
        TableName=catalog["TableName"],
        Type="compaction",
    )["TableOptimizer"]
    return optimizer
