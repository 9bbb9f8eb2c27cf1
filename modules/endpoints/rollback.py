"""Alarms that roll a deployment back to the old model.

They are created before the endpoint and refer to it by name. The endpoint names them from its first apply, because the
provider would replace the endpoint to add its first alarm later.
"""

from typing import Any

from sustainable_mlops.authoring.expressions import Dynamic, set_of

#: Maximum time that a deployment is watched, in seconds. The provider waits one hour for a deployment, which includes
#: the start of instances. https://github.com/hashicorp/terraform-provider-aws/pull/39090
LONGEST_WATCH = 3000


def build_rollback_block(names: Any) -> dict[str, Any]:
    """Return the block of an endpoint's deployment with these rollback alarms."""
    return {"alarms": Dynamic(set_of(names), lambda alarm: {"alarm_name": alarm.value})}
