"""CloudWatch Logs: moto accepts retentions that AWS refuses, and fails on the results of a missing query.

Source: PutRetentionPolicy and GetQueryResults, API reference of CloudWatch Logs.
"""

from typing import Any, get_args

from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.models import LogsBackend

from sustainable_mlops.catalogue.limits import LogRetentionDays

_DAYS = get_args(LogRetentionDays)


def apply() -> None:
    """Check the days, and look for the query."""
    put_retention_policy, get_query_results = LogsBackend.put_retention_policy, LogsBackend.get_query_results

    def put_valid_policy(self: Any, log_group_name: str, retention_in_days: Any) -> None:
        if int(retention_in_days) not in _DAYS:
            raise InvalidParameterException(f"retentionInDays must be one of {', '.join(map(str, _DAYS))}.")
        put_retention_policy(self, log_group_name, retention_in_days)

    def get_results_of_query(self: Any, query_id: str) -> Any:
        if query_id not in self.queries:
            raise ResourceNotFoundException("The specified query does not exist.")
        return get_query_results(self, query_id)

    LogsBackend.put_retention_policy = put_valid_policy
    LogsBackend.get_query_results = get_results_of_query
