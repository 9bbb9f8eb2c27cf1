"""The alarms by which a deployment goes back to the old model.

They are there before the endpoint and know it by its name: the endpoint names them, from its first apply on. Adding
them later would replace it, since the provider makes an endpoint anew to give it its first alarm.
"""

from typing import Any

from sustainable_mlops.authoring.expressions import Dynamic, set_of

#: The longest that a deployment may be watched, in seconds: the provider waits an hour for it, and instances have to
#: start in that, too. https://github.com/hashicorp/terraform-provider-aws/pull/39090
LONGEST_WATCH = 3000


def rollback_block(names: Any) -> dict[str, Any]:
    """The block of an endpoint's deployment that has these alarms roll it back."""
    return {"alarms": Dynamic(set_of(names), lambda alarm: {"alarm_name": alarm.value})}
