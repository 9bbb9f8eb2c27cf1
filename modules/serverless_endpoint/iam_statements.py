"""What a serverless endpoint needs of the role of its container."""

from modules.endpoints.iam_statements import build_statements as of_container
from modules.iam_statements import ArnLocation, StatementsByPhase
from modules.serverless_endpoint.inputs import Inputs


def build_statements(var: Inputs, at: ArnLocation) -> StatementsByPhase:
    """The statements of inference; `var` is read but for its role."""
    return {"inference": of_container(var, at)}
