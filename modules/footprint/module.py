"""Carbon and cost of an account: the carbon export, budgets of workloads, and detection of unusual costs."""

from typing import Any

from cdktn_provider_aws.bcmdataexports_export import BcmdataexportsExport
from cdktn_provider_aws.budgets_budget import BudgetsBudget
from cdktn_provider_aws.ce_anomaly_monitor import CeAnomalyMonitor
from cdktn_provider_aws.ce_anomaly_subscription import CeAnomalySubscription
from cdktn_provider_aws.ce_cost_allocation_tag import CeCostAllocationTag

from modules.footprint import bucket, topic
from modules.footprint.inputs import Inputs
from modules.location_check import check_location
from modules.protection import protect
from sustainable_mlops.authoring.expressions import (
    Dynamic,
    assume_not_null,
    concat,
    each_of,
    is_omitted,
    join,
    length,
    list_of,
    map_of,
    one_or_null,
    optional_map,
    set_of,
    when,
)
from sustainable_mlops.authoring.resources import Module, Output, Outputs

#: Emissions of the table CARBON_EMISSIONS. Each has a value and a unit.
_EMISSIONS = ("lbm", "mbm", "scope_1", "scope_2_lbm", "scope_2_mbm", "scope_3_lbm", "scope_3_mbm")
#: All columns of the table. Source: Data Exports user guide, "Carbon emissions columns".
COLUMNS = (
    "last_refresh_timestamp",
    "location",
    "model_version",
    "payer_account_id",
    "product_code",
    "region_code",
    *(f"total_{name}_emissions_{part}" for name in _EMISSIONS for part in ("unit", "value")),
    "usage_account_id",
    "usage_period_end",
    "usage_period_start",
)
_QUERY = " ".join(["SELECT", ", ".join(COLUMNS), "FROM", "CARBON_EMISSIONS"])


class FootprintModule(Module[Inputs]):
    """Carbon export with its bucket, budgets by workload, anomaly detection and a topic."""

    def build(self, var: Inputs) -> Outputs:
        key_arn, topic_policy = topic.add(self)
        exports, bucket_policy = bucket.add(self)
        protect(self, self.local("guarded", {"carbon": exports.arn}))
        name = f"{var.name_prefix}-carbon"
        export = self._export(name, bucket_policy)
        budgets = self._add_budgets(topic_policy)
        monitor_arn = self._detect_anomalies(topic_policy)
        self.add(
            CeCostAllocationTag,
            "this",
            for_each=each_of(set_of(var.cost_allocation_tags)),
            tag_key=each_of(set_of(var.cost_allocation_tags)).key,
            status="Active",
        )
        check_location(self)
        return {
            "anomaly_monitor_arn": Output(monitor_arn, "Monitor of unusual costs; null without anomaly_detection."),
            "bucket": Output(
                {"arn": exports.arn, "name": exports.bucket}, "Bucket of the carbon export: arn and name."
            ),
            "budgets": Output(map_of(budgets, lambda budget: budget.name), "Names of the budgets by workload."),
            "export": Output(
                {"arn": export.id, "s3_uri": f"s3://{exports.bucket}/{bucket.PREFIX}/{name}"},
                "Carbon export: arn, and s3_uri for `smlops reconcile --export`.",
            ),
            "kms_key_arn": Output(key_arn, "KMS key of the topic."),
            "topic_arn": Output(topic_policy.arn, "SNS topic of the budgets and anomalies."),
        }

    def _export(self, name: str, bucket_policy: Any) -> Any:
        """Add the export of the account's carbon figures."""
        var = self.var
        return self.add(
            BcmdataexportsExport,
            "carbon",
            why="The provider reads a table configuration of CARBON_EMISSIONS back as null, so there is none.",
            export=[
                {
                    "name": name,
                    "description": f"Carbon emissions of account {var.account_id}",
                    "data_query": [{"query_statement": _QUERY}],
                    "destination_configurations": [
                        {
                            "s3_destination": [
                                {
                                    "s3_bucket": bucket_policy.bucket,
                                    "s3_prefix": bucket.PREFIX,
                                    "s3_region": var.region,
                                    "s3_output_configurations": [
                                        {
                                            "format": "PARQUET",
                                            "compression": "PARQUET",
                                            "output_type": "CUSTOM",
                                            "overwrite": when(
                                                var.carbon_export.keep_every_delivery,
                                                "CREATE_NEW_REPORT",
                                                "OVERWRITE_REPORT",
                                            ),
                                        }
                                    ],
                                }
                            ]
                        }
                    ],
                    "refresh_cadence": [{"frequency": "SYNCHRONOUS"}],
                }
            ],
            tags=var.tags,
        )

    def _add_budgets(self, topic_policy: Any) -> Any:
        """Add the monthly budget of each workload."""
        var = self.var
        budget = each_of(var.budgets)
        notifications = concat(
            list_of(budget.value.actual_percent, lambda percent: {"type": "ACTUAL", "percent": percent}),
            list_of(budget.value.forecast_percent, lambda percent: {"type": "FORECASTED", "percent": percent}),
        )
        return self.add(
            BudgetsBudget,
            "workloads",
            why="AWS counts a filter by tag only in the form user:KEY$VALUE. The address of the topic comes from its "
            "policy, so that no budget exists before it may publish.",
            for_each=budget,
            account_id=var.account_id,
            name=f"{var.name_prefix}-{budget.key}",
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=f"{budget.value.monthly_limit_usd}",
            limit_unit="USD",
            cost_filter=[{"name": "TagKeyValue", "values": [join("$", [f"user:{var.workload_tag_key}", budget.key])]}],
            notification=Dynamic(
                notifications,
                lambda one: {
                    "notification_type": one.value.type,
                    "comparison_operator": "GREATER_THAN",
                    "threshold": one.value.percent,
                    "threshold_type": "PERCENTAGE",
                    "subscriber_sns_topic_arns": [topic_policy.arn],
                    "subscriber_email_addresses": var.notify_emails,
                },
            ),
            tags=var.tags,
        )

    def _detect_anomalies(self, topic_policy: Any) -> Any:
        """Add the monitor and its subscriptions. Return the monitor's ARN, or null without a monitor."""
        var = self.var
        detections = self.local("detections", optional_map("services", var.anomaly_detection))
        missing = map_of(detections, lambda _, item: item, where=lambda _, item: is_omitted(item.existing_monitor))
        monitors = self.add(
            CeAnomalyMonitor,
            "services",
            why="Evaluates the costs of each service of the account. An account may have one such monitor.",
            for_each=each_of(missing),
            name=f"{var.name_prefix}-services",
            monitor_type="DIMENSIONAL",
            monitor_dimension="SERVICE",
            tags=var.tags,
        )
        existing = list_of(
            detections,
            lambda _, item: assume_not_null(item.existing_monitor).arn,
            where=lambda _, item: ~is_omitted(item.existing_monitor),
        )
        monitor_arns = self.local("monitor_arns", concat(list_of(monitors, lambda one: one.arn), existing))
        by_mail = map_of(detections, lambda _, item: item, where=lambda _: length(var.notify_emails) > 0)
        emails = Dynamic(var.notify_emails, lambda address: {"type": "EMAIL", "address": address.value})
        for label, frequency, subscribed, subscriber in (
            ("topic", "IMMEDIATE", detections, [{"type": "SNS", "address": topic_policy.arn}]),
            ("emails", "DAILY", by_mail, emails),
        ):
            detection: Any = each_of(subscribed)
            self.add(
                CeAnomalySubscription,
                label,
                why="AWS sends single anomalies to topics only." if label == "topic" else "AWS mails summaries only.",
                for_each=detection,
                name=f"{var.name_prefix}-anomalies-{label}",
                frequency=frequency,
                monitor_arn_list=monitor_arns,
                subscriber=subscriber,
                threshold_expression={
                    "dimension": {
                        "key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
                        "match_options": ["GREATER_THAN_OR_EQUAL"],
                        "values": [f"{detection.value.minimum_impact_usd}"],
                    }
                },
                tags=var.tags,
            )
        return one_or_null(monitor_arns)
