"""Removal of an environment by one command."""

from sustainable_mlops.account.teardown.deletion_protection import check_unprotected
from sustainable_mlops.account.teardown.destruction import destroy
from sustainable_mlops.account.teardown.state_bucket import describe_state_bucket

__all__ = ["check_unprotected", "describe_state_bucket", "destroy"]
