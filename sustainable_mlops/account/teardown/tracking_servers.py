"""Wait for MLflow tracking servers that are changing their status. AWS refuses to delete them meanwhile."""

import time
from collections.abc import Callable, Iterable

from sustainable_mlops.aws import Client, read_error_code, translate_aws_errors
from sustainable_mlops.aws.statuses import STATUSES
from sustainable_mlops.base.errors import UserError

#: Longest wait for a server, in seconds. A start takes up to half an hour.
LONGEST_SECONDS = 40 * 60.0
_PAUSE_SECONDS = 2.0
_ABSENT = "ResourceNotFound"
_CHANGING = STATUSES["TrackingServerStatus"].running


def wait_for_servers(
    sagemaker: Client,
    names: Iterable[str],
    progress: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until no server with these names is changing its status. Raises UserError after `LONGEST_SECONDS`."""
    for name in names:
        begin = time.monotonic()
        while (status := _read_status(sagemaker, name)) in _CHANGING:
            waited = time.monotonic() - begin
            if waited > LONGEST_SECONDS:
                raise UserError(
                    f"tracking server {name}: still {status} after {LONGEST_SECONDS / 60:.0f} minutes; Terraform "
                    "destroyed nothing; run the command again"
                )
            progress(f"tracking server {name} is {status}, {waited:.0f} s")
            sleep(_PAUSE_SECONDS)


def _read_status(sagemaker: Client, name: str) -> str:
    """Return the status of a server; empty if it does not exist."""
    from botocore.exceptions import ClientError

    with translate_aws_errors(f"tracking server {name}"):
        try:
            return str(sagemaker.describe_mlflow_tracking_server(TrackingServerName=name)["TrackingServerStatus"])
        except ClientError as error:
            if read_error_code(error) == _ABSENT:
                return ""
            raise
