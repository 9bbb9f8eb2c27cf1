"""Events in the form of EventBridge. Source: EventBridge user guide, "Events"."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Event = Mapping[str, Any]


def create_event(
    source: str,
    detail_type: str,
    account: str,
    region: str,
    resources: Sequence[str],
    detail: Event,
    moment: datetime | None = None,
) -> dict[str, Any]:
    """Return a new event. Its time defaults to now."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": format_time(moment or datetime.now(UTC)),
        "region": region,
        "resources": list(resources),
        "detail": detail,
    }


def convert_moto_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event of moto in the form of AWS: without moto's own members, and with its time as text."""
    converted = {name: value for name, value in event.items() if name != "ingestion-time"}
    if isinstance(converted["time"], (int, float)):
        converted["time"] = format_time(datetime.fromtimestamp(converted["time"], UTC))
    return converted


def format_time(moment: datetime) -> str:
    """Return a moment as text, in whole seconds."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
