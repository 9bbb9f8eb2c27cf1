"""AWS Budgets and Cost Explorer: subscribers of budgets, anomaly monitors, cost allocation tags, and refusals."""

from typing import Any

import pytest

from sagemaker_sandbox import Sandbox
from sagemaker_sandbox.base.client import make_client
from tests.sandbox.support import catch_error

#: An account that no other test uses, because the tests count its monitors and tags.
ACCOUNT = "210000000078"
TOPIC = f"arn:aws:sns:eu-north-1:{ACCOUNT}:costs"
MAIL = {"SubscriptionType": "EMAIL", "Address": "ml@example.org"}
FORECAST = {"NotificationType": "FORECASTED", "ComparisonOperator": "GREATER_THAN", "Threshold": 100.0}
OF_BUDGET = {"AccountId": ACCOUNT, "BudgetName": "orders"}


@pytest.fixture(scope="session")
def budgets(sandbox: Sandbox) -> Any:
    """Return a client of Budgets with the budget `orders`, which has one notification."""
    client = make_client("budgets", "us-east-1", sandbox.endpoint, ACCOUNT)
    client.create_budget(
        AccountId=ACCOUNT,
        Budget={
            "BudgetName": "orders",
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "400", "Unit": "USD"},
            "CostFilters": {"TagKeyValue": ["user:workload$orders"]},
        },
        NotificationsWithSubscribers=[{"Notification": FORECAST, "Subscribers": [MAIL]}],
        ResourceTags=[{"Key": "workload", "Value": "orders"}],
    )
    return client


@pytest.fixture(scope="session")
def costs(sandbox: Sandbox) -> Any:
    """Return a client of Cost Explorer."""
    return make_client("ce", "us-east-1", sandbox.endpoint, ACCOUNT)


def test_a_budget_has_subscribers_tags_and_a_changed_limit(budgets: Any) -> None:
    topic = {"SubscriptionType": "SNS", "Address": TOPIC}
    budgets.create_subscriber(**OF_BUDGET, Notification=FORECAST, Subscriber=topic)
    subscribers = budgets.describe_subscribers_for_notification(**OF_BUDGET, Notification=FORECAST)["Subscribers"]
    assert subscribers == [MAIL, topic]

    definition = budgets.describe_budget(**OF_BUDGET)["Budget"]
    for name in ("CalculatedSpend", "LastUpdatedTime"):
        del definition[name]
    limit = {"Amount": "500", "Unit": "USD"}
    budgets.update_budget(AccountId=ACCOUNT, NewBudget=definition | {"BudgetLimit": limit})
    changed = budgets.describe_budget(**OF_BUDGET)["Budget"]
    assert (changed["BudgetLimit"], changed["TimePeriod"]) == (limit, definition["TimePeriod"])

    arn = f"arn:aws:budgets::{ACCOUNT}:budget/orders"
    budgets.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "team", "Value": "ml"}])
    budgets.untag_resource(ResourceARN=arn, ResourceTagKeys=["workload"])
    assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == [{"Key": "team", "Value": "ml"}]


def test_a_notification_without_subscribers_is_removed(budgets: Any) -> None:
    actual = FORECAST | {"NotificationType": "ACTUAL"}
    budgets.create_notification(**OF_BUDGET, Notification=actual, Subscribers=[MAIL])
    later = actual | {"Threshold": 120.0}
    budgets.update_notification(**OF_BUDGET, OldNotification=actual, NewNotification=later)
    budgets.delete_subscriber(**OF_BUDGET, Notification=later, Subscriber=MAIL)
    notifications = budgets.describe_notifications_for_budget(**OF_BUDGET)["Notifications"]
    assert [one["NotificationType"] for one in notifications] == ["FORECASTED"]


def test_budgets_refuse_topics_of_other_accounts_and_what_exists_already(budgets: Any) -> None:
    foreign = {"SubscriptionType": "SNS", "Address": TOPIC.replace(ACCOUNT, "310987654321")}
    actual = FORECAST | {"NotificationType": "ACTUAL"}
    for subscriber, text in ((foreign, "must be in account"), (foreign | {"Address": "costs"}, "SNS ARN format")):
        code, message = catch_error(
            budgets.create_notification, **OF_BUDGET, Notification=actual, Subscribers=[subscriber]
        )
        assert (code, text in message) == ("InvalidParameterException", True), message
    code, _ = catch_error(budgets.create_notification, **OF_BUDGET, Notification=FORECAST, Subscribers=[MAIL])
    assert code == "DuplicateRecordException"
    code, _ = catch_error(budgets.describe_subscribers_for_notification, **OF_BUDGET, Notification=actual)
    assert code == "NotFoundException"


def test_an_account_has_one_monitor_of_services_and_subscriptions_by_frequency(costs: Any) -> None:
    services = {"MonitorName": "services", "MonitorType": "DIMENSIONAL", "MonitorDimension": "SERVICE"}
    arn = costs.create_anomaly_monitor(AnomalyMonitor=services, ResourceTags=[{"Key": "team", "Value": "ml"}])[
        "MonitorArn"
    ]
    code, message = catch_error(costs.create_anomaly_monitor, AnomalyMonitor=services | {"MonitorName": "second"})
    assert (code, message) == ("ValidationException", "Limit exceeded on dimensional spend monitor creation")

    subscription = {
        "SubscriptionName": "immediate",
        "MonitorArnList": [arn],
        "Frequency": "IMMEDIATE",
        "Subscribers": [{"Type": "SNS", "Address": TOPIC}],
        "Threshold": 10.0,
    }
    code, message = catch_error(
        costs.create_anomaly_subscription, AnomalySubscription=subscription | {"Frequency": "DAILY"}
    )
    assert (code, message) == ("ValidationException", "A subscription of frequency DAILY needs subscribers of EMAIL.")
    created = costs.create_anomaly_subscription(AnomalySubscription=subscription)["SubscriptionArn"]
    costs.update_anomaly_subscription(SubscriptionArn=created, Threshold=20.0)
    (subscription,) = costs.get_anomaly_subscriptions(MonitorArn=arn)["AnomalySubscriptions"]
    assert (subscription["Threshold"], subscription["Subscribers"][0]["Status"]) == (20.0, "CONFIRMED")
    assert costs.list_tags_for_resource(ResourceArn=arn)["ResourceTags"] == [{"Key": "team", "Value": "ml"}]

    costs.delete_anomaly_subscription(SubscriptionArn=created)
    costs.delete_anomaly_monitor(MonitorArn=arn)
    assert catch_error(costs.get_anomaly_monitors, MonitorArnList=[arn])[0] == "UnknownMonitorException"
    assert catch_error(costs.delete_anomaly_subscription, SubscriptionArn=created)[0] == "UnknownSubscriptionException"


def test_only_a_tag_that_a_bill_has_becomes_active(sandbox: Sandbox, costs: Any) -> None:
    active = [{"TagKey": "workload", "Status": "Active"}]
    assert costs.update_cost_allocation_tags_status(CostAllocationTagsStatus=active)["Errors"] == [
        {"TagKey": "workload", "Code": "TagKeysNotFoundException", "Message": "Tag keys not found: workload"}
    ]
    assert costs.list_cost_allocation_tags(TagKeys=["workload"])["CostAllocationTags"] == []

    queues = make_client("sqs", "eu-north-1", sandbox.endpoint, ACCOUNT)
    queue = queues.create_queue(QueueName="orders", tags={"workload": "orders"})["QueueUrl"]
    assert costs.update_cost_allocation_tags_status(CostAllocationTagsStatus=active)["Errors"] == []
    queues.delete_queue(QueueUrl=queue)
    (tag,) = costs.list_cost_allocation_tags(Status="Active")["CostAllocationTags"]
    assert (tag["TagKey"], tag["Type"]) == ("workload", "UserDefined")
    costs.update_cost_allocation_tags_status(CostAllocationTagsStatus=[{"TagKey": "workload", "Status": "Inactive"}])
    assert costs.list_cost_allocation_tags(Status="Active")["CostAllocationTags"] == []
