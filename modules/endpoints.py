"""What every endpoint has, whatever it runs on."""

from modules.common import Named
from sustainable_mlops.authoring import Field, must
from sustainable_mlops.authoring.expressions import cut, given, is_null, when
from sustainable_mlops.catalogue.limits import limit

LONGEST_NAME = limit("endpoint_name_characters")
#: What the provider writes behind a `name_prefix`.
SUFFIX = 26


class Endpoint(Named):
    """Inputs of every endpoint."""

    name: str | None = Field(
        None,
        description="Name of the endpoint, and start of its configurations' names; name_prefix by default.",
        pattern=rf"^[a-zA-Z0-9](-*[a-zA-Z0-9]){{0,{LONGEST_NAME - 1}}}$",
        max_length=LONGEST_NAME,
        json_schema_extra=must(
            f"be 1 to {LONGEST_NAME} letters, digits and hyphens, and neither start nor end with a hyphen"
        ),
    )


def name_of(var: Endpoint) -> str:
    """The endpoint's name."""
    return when(is_null(var.name), var.name_prefix, given(var.name))


def prefix_of_configurations(name: str) -> str:
    """The `name_prefix` of an endpoint's configurations, whose names may be as long as its own."""
    return f"{cut(name, LONGEST_NAME - SUFFIX - 1)}-"
