"""The AWS provider in the environment's lock file."""

from collections.abc import Iterator

from sustainable_mlops.account.preflight.finding import PreflightFinding
from sustainable_mlops.account.preflight.target import PreflightTarget
from sustainable_mlops.base.terraform import LOCK_NAME, read_provider_version

_CHECK = "provider"
OLDEST, FIRST_TOO_NEW = (5, 100, 0), (7, 0, 0)


def check_provider(target: PreflightTarget) -> Iterator[PreflightFinding]:
    """Compare the provider's version in the lock file with the versions that the modules support."""
    path, init = target.folder / LOCK_NAME, f"terraform -chdir={target.folder} init"
    version = read_provider_version(path)
    if version is None:
        yield PreflightFinding(
            "look", _CHECK, f"{path} does not exist or has no AWS provider: run init, then commit the file", init
        )
        return
    numbers = tuple(int(part) for part in version.partition("-")[0].split("."))
    if OLDEST <= numbers < FIRST_TOO_NEW:
        yield PreflightFinding("ok", _CHECK, f"hashicorp/aws {version} in {path}")
    else:
        yield PreflightFinding(
            "stop", _CHECK, f"hashicorp/aws {version} in {path}: the modules support 5.100 to 6", f"{init} -upgrade"
        )
