"""Values of blocks in a plan, for tests that compare them."""

from typing import Any


def parse_number(value: Any) -> float | None:
    """Return the value of a number or of a text with a number; None for other values."""
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def get_blocks(value: Any) -> list[dict[str, Any]]:
    """Return the blocks in a value, or none if it is not a list of blocks."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def get_first_block(block: Any, name: str) -> dict[str, Any]:
    """Return the first block of this name, or an empty one."""
    blocks = get_blocks(block.get(name)) if isinstance(block, dict) else []
    return blocks[0] if blocks else {}


def get_scalar(block: Any, key: str) -> Any:
    """Return a text or number of a block, or None for any other value."""
    value = block.get(key) if isinstance(block, dict) else None
    return value if isinstance(value, str | int | float) else None


def get_number(block: Any, key: str) -> float:
    """Return a number of a block, or 0 if there is none."""
    value = get_scalar(block, key)
    return 0 if value is None or isinstance(value, str) else value
