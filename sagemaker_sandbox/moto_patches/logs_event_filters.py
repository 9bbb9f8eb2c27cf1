"""CloudWatch Logs: moto ignores the prefix of streams in FilterLogEvents, and finds a wrong group by its ARN.

As on AWS, events of several streams are in the order of their times, whatever `interleaved` says.
"""

import json
from typing import Any

from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.models import LogsBackend
from moto.logs.responses import LogsResponse


def apply() -> None:
    """Replace the operation, and the search for a group."""
    LogsBackend._find_log_group = _find_group
    LogsResponse.filter_log_events = _filter_log_events


def _filter_log_events(response: Any) -> str:
    read = response._get_param
    group = response.logs_backend._find_log_group(read("logGroupIdentifier"), read("logGroupName"))
    names, prefix = read("logStreamNames", []), read("logStreamNamePrefix")
    if names and prefix:
        raise InvalidParameterException("logStreamNames and logStreamNamePrefix cannot be used together.")
    if prefix:
        names = [name for name in group.streams if name.startswith(prefix)]
    events, token, streams = [], None, []
    if names or not prefix:
        events, token, streams = response.logs_backend.filter_log_events(
            group.name,
            names,
            read("startTime"),
            read("endTime"),
            read("limit"),
            read("nextToken"),
            read("filterPattern"),
            interleaved=True,
        )
    return json.dumps({"events": events, "nextToken": token, "searchedLogStreams": streams})


def _find_group(backend: Any, log_group_id: str | None = None, log_group_name: str | None = None) -> Any:
    """Return the group with a name, or with an identifier, which is its name or its ARN."""
    if bool(log_group_id) == bool(log_group_name):
        raise InvalidParameterException("Specify either logGroupName or logGroupIdentifier.")
    arns = {group.arn: group for group in backend.groups.values()} if log_group_id else {}
    group = backend.groups.get(log_group_name or log_group_id) or arns.get(str(log_group_id).removesuffix(":*"))
    if group is None:
        raise ResourceNotFoundException
    return group
