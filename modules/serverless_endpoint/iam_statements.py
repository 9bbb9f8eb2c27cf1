"""IAM statements that a serverless endpoint needs in the role of its container."""

from modules.endpoints.iam_statements import build_statements as of_container
from modules.iam_statements import ArnLocation, StatementsByPhase
from modules.serverless_endpoint.inputs import Inputs


def build_statements(var: Inputs, at: ArnLocation) -> StatementsByPhase:
    """Return the statements of inference. Reads all inputs except the role."""
    return {"inference": of_container(var, at)}
