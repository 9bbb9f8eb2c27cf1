"""A null in a value that is written out, which HCL keeps and Terraform's JSON syntax here leaves out."""

from typing import Any

from sustainable_mlops.authoring.mistakes import mistake


def refuse(address: str, value: Any) -> None:
    """Raise UserError where a literal has a null: an object then has an attribute in one syntax and none in the other,
    so that the two plan differently, or one is refused."""
    if (where := _null(value)) is not None:
        raise mistake(
            f"{address}{where} is None, which Terraform's JSON leaves out and its HCL does not: leave it out, or "
            "give it a value of its type that says the same, such as an empty text or list"
        )


def _null(value: Any) -> str | None:
    """Where the first null is; None where there is none."""
    if value is None:
        return ""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, inner in items:
        if (below := _null(inner)) is not None:
            return f"[{key!r}]{below}"
    return None
