"""What a serverless endpoint needs of the role of its container."""

from modules.endpoints.needs import statements as of_container
from modules.needs import Needs, Place
from modules.serverless_endpoint.inputs import Inputs


def statements(var: Inputs, at: Place) -> Needs:
    """The statements of inference; `var` is read but for its role."""
    return {"inference": of_container(var, at)}
