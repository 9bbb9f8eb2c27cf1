"""Operations of AWS Budgets that moto lacks: subscribers, changes and tags.

moto itself describes and deletes budgets. Its budgets hold all state, including the tags.
"""

from typing import Any

from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.parameters import build_page, check_parameters
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest
from sustainable_mlops.aws.arn import Arn

#: Quotas. Source: Cost Management user guide, "Quotas and restrictions", AWS Budgets.
_LARGEST_NOTIFICATIONS, _LARGEST_EMAILS, _LARGEST_TOPICS = 10, 10, 1
_PAGE = 100
#: Attribute of moto's budget that holds its tags. It is part of moto's state.
_TAGS = "smlops_tags"


class InvalidBudgetError(ApiError):
    """A parameter that AWS Budgets refuses."""

    code = "InvalidParameterException"


class BudgetNotFoundError(ApiError):
    """A budget, notification or subscriber that does not exist."""

    code = "NotFoundException"


class BudgetDuplicateError(ApiError):
    """A budget, notification or subscriber that exists already."""

    code = "DuplicateRecordException"


class BudgetLimitError(ApiError):
    """A notification or subscriber beyond the quota of a budget."""

    code = "CreationLimitExceededException"


class BudgetOperations(ServiceOperations):
    """Operations of budgets, notifications, subscribers and tags."""

    service = moto_service = signing_name = "budgets"

    @emulated_operation
    def create_budget(self, request: ServiceRequest) -> Fields:
        """Create a budget with its notifications and tags."""
        parameters = check_parameters(self.service, "CreateBudget", request)
        budget, backend = parameters["Budget"], _get_backend(request)
        if budget["BudgetName"] in backend.budgets[_get_account(request)]:
            raise BudgetDuplicateError(f"Error creating budget: {budget['BudgetName']} - the budget already exists.")
        pairs = parameters.get("NotificationsWithSubscribers") or []
        for pair in pairs:
            _check_subscribers(request, pair["Subscribers"])
        backend.create_budget(_get_account(request), _use_numbers_for_times(budget), pairs)
        _find_budget(request, budget["BudgetName"]).__dict__[_TAGS] = _parse_tags(parameters.get("ResourceTags") or [])
        return {}

    @emulated_operation
    def update_budget(self, request: ServiceRequest) -> Fields:
        """Replace the definition of a budget. Its notifications stay."""
        from moto.core.utils import unix_time

        definition = check_parameters(self.service, "UpdateBudget", request)["NewBudget"]
        budget = _find_budget(request, definition["BudgetName"])
        known_period = {"TimePeriod": budget.budget["TimePeriod"]}
        budget.budget = known_period | _use_numbers_for_times(definition) | {"LastUpdatedTime": unix_time()}
        return {}

    @emulated_operation
    def create_notification(self, request: ServiceRequest) -> Fields:
        """Add a notification to a budget."""
        parameters = check_parameters(self.service, "CreateNotification", request)
        budget = _find_budget(request, action="create notification")
        if any(_is_same(one.details, parameters["Notification"]) for one in budget.notifications):
            raise BudgetDuplicateError("Unable to create notification - the notification already exists.")
        if len(budget.notifications) >= _LARGEST_NOTIFICATIONS:
            raise BudgetLimitError(
                f"Unable to create notification - a budget can have {_LARGEST_NOTIFICATIONS} notifications."
            )
        _check_subscribers(request, parameters["Subscribers"])
        budget.add_notification(parameters["Notification"], parameters["Subscribers"])
        return {}

    @emulated_operation
    def update_notification(self, request: ServiceRequest) -> Fields:
        """Replace the threshold of a notification."""
        parameters = check_parameters(self.service, "UpdateNotification", request)
        notification = _find_notification(request, parameters["OldNotification"])
        notification.details = parameters["NewNotification"]
        return {}

    @emulated_operation
    def delete_notification(self, request: ServiceRequest) -> Fields:
        """Remove a notification with its subscribers."""
        parameters = check_parameters(self.service, "DeleteNotification", request)
        budget = _find_budget(request, action="delete notification")
        budget.notifications.remove(_find_notification(request, parameters["Notification"]))
        return {}

    @emulated_operation
    def describe_subscribers_for_notification(self, request: ServiceRequest) -> Fields:
        """Return a page of the subscribers of a notification."""
        parameters = check_parameters(self.service, "DescribeSubscribersForNotification", request)
        subscribers = _find_notification(request, parameters["Notification"]).subscribers
        return build_page("Subscribers", subscribers, request, _PAGE)

    @emulated_operation
    def create_subscriber(self, request: ServiceRequest) -> Fields:
        """Add a subscriber to a notification."""
        parameters = check_parameters(self.service, "CreateSubscriber", request)
        notification = _find_notification(request, parameters["Notification"])
        if parameters["Subscriber"] in notification.subscribers:
            raise BudgetDuplicateError("Unable to create subscriber - the subscriber already exists.")
        _check_subscribers(request, [*notification.subscribers, parameters["Subscriber"]])
        notification.subscribers.append(parameters["Subscriber"])
        return {}

    @emulated_operation
    def update_subscriber(self, request: ServiceRequest) -> Fields:
        """Replace a subscriber of a notification."""
        parameters = check_parameters(self.service, "UpdateSubscriber", request)
        subscribers = _find_subscribers(request, parameters["OldSubscriber"])
        others = [one for one in subscribers if one != parameters["OldSubscriber"]]
        _check_subscribers(request, [*others, parameters["NewSubscriber"]])
        subscribers[subscribers.index(parameters["OldSubscriber"])] = parameters["NewSubscriber"]
        return {}

    @emulated_operation
    def delete_subscriber(self, request: ServiceRequest) -> Fields:
        """Remove a subscriber. A notification without subscribers is removed too, as on AWS."""
        parameters = check_parameters(self.service, "DeleteSubscriber", request)
        subscribers = _find_subscribers(request, parameters["Subscriber"])
        subscribers.remove(parameters["Subscriber"])
        if not subscribers:
            _find_budget(request).notifications.remove(_find_notification(request, parameters["Notification"]))
        return {}

    @emulated_operation
    def tag_resource(self, request: ServiceRequest) -> Fields:
        """Add tags to a budget."""
        parameters = check_parameters(self.service, "TagResource", request)
        _get_tags(request).update(_parse_tags(parameters["ResourceTags"]))
        return {}

    @emulated_operation
    def untag_resource(self, request: ServiceRequest) -> Fields:
        """Remove tags from a budget."""
        for key in check_parameters(self.service, "UntagResource", request)["ResourceTagKeys"]:
            _get_tags(request).pop(key, None)
        return {}

    @emulated_operation
    def list_tags_for_resource(self, request: ServiceRequest) -> Fields:
        """Return the tags of a budget."""
        check_parameters(self.service, "ListTagsForResource", request)
        return {"ResourceTags": [{"Key": key, "Value": value} for key, value in _get_tags(request).items()]}


def _get_backend(request: ServiceRequest) -> Any:
    from moto.budgets.models import budgets_backends

    return budgets_backends[request.account]["aws"]


def _get_account(request: ServiceRequest) -> str:
    return str(request.parameters.get("AccountId") or request.account)


def _find_budget(request: ServiceRequest, name: str | None = None, action: str = "") -> Any:
    """Return moto's budget. Raises BudgetNotFoundError, whose message names the `action`."""
    name = name or str(request.parameters["BudgetName"])
    budget = _get_backend(request).budgets[_get_account(request)].get(name)
    if budget is None:
        raise BudgetNotFoundError(f"Unable to {action or f'get budget: {name}'} - the budget doesn't exist.")
    return budget


def _find_notification(request: ServiceRequest, details: Fields) -> Any:
    for notification in _find_budget(request).notifications:
        if _is_same(notification.details, details):
            return notification
    raise BudgetNotFoundError("Unable to get notification - the notification doesn't exist.")


def _is_same(notification: Fields, other: Fields) -> bool:
    """Compare the members that identify a notification. PERCENTAGE is the default type of a threshold."""
    names = {"NotificationType": "", "ComparisonOperator": "", "Threshold": 0, "ThresholdType": "PERCENTAGE"}
    return all(notification.get(name, default) == other.get(name, default) for name, default in names.items())


def _find_subscribers(request: ServiceRequest, subscriber: Fields) -> list[Fields]:
    """Return the subscribers of the notification that has this subscriber. Raises BudgetNotFoundError."""
    subscribers: list[Fields] = _find_notification(request, request.parameters["Notification"]).subscribers
    if subscriber not in subscribers:
        raise BudgetNotFoundError("Unable to get subscriber - the subscriber doesn't exist.")
    return subscribers


def _check_subscribers(request: ServiceRequest, subscribers: list[Fields]) -> None:
    """Raise InvalidBudgetError for topics of other accounts, and BudgetLimitError for too many subscribers.

    Source: Cost Management user guide, "Creating an Amazon SNS topic for budget notifications".
    """
    topics = [one["Address"] for one in subscribers if one["SubscriptionType"] == "SNS"]
    if len(topics) > _LARGEST_TOPICS or len(subscribers) - len(topics) > _LARGEST_EMAILS:
        raise BudgetLimitError(
            f"A notification can have {_LARGEST_TOPICS} SNS topic and {_LARGEST_EMAILS} email addresses."
        )
    for topic in topics:
        arn = Arn.parse_or_none(topic)
        if arn is None or arn.service != "sns" or ":" in arn.resource:
            raise InvalidBudgetError("Please comply with SNS ARN format.")
        if arn.account != _get_account(request):
            raise InvalidBudgetError(f"The SNS topic {topic} must be in account {_get_account(request)}.")


def _get_tags(request: ServiceRequest) -> dict[str, str]:
    name = str(request.parameters["ResourceARN"]).partition(":budget/")[2]
    tags: dict[str, str] = _find_budget(request, name).__dict__.setdefault(_TAGS, {})
    return tags


def _parse_tags(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _use_numbers_for_times(definition: Fields) -> Fields:
    """Return a definition with the times of its period as numbers, as moto returns them."""
    period = definition.get("TimePeriod")
    if not period:
        return definition
    return definition | {
        "TimePeriod": {
            name: moment.timestamp() if hasattr(moment, "timestamp") else moment for name, moment in period.items()
        }
    }
