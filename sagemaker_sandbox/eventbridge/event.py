"""An event as EventBridge has it. Source: EventBridge user guide, "Events"."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Event = Mapping[str, Any]


def make(
    source: str,
    detail_type: str,
    account: str,
    region: str,
    resources: Sequence[str],
    detail: Event,
    moment: datetime | None = None,
) -> dict[str, Any]:
    """A new event, of this moment unless another is given."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": told(moment or datetime.now(UTC)),
        "region": region,
        "resources": list(resources),
        "detail": detail,
    }


def of_moto(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event of moto's as AWS has it: what only moto notes is left out, and its time is text."""
    found = {name: value for name, value in event.items() if name != "ingestion-time"}
    if isinstance(found["time"], (int, float)):
        found["time"] = told(datetime.fromtimestamp(found["time"], UTC))
    return found


def told(moment: datetime) -> str:
    """A moment in an event: whole seconds."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
