"""The account of a request, found as moto finds it.

SageMaker therefore acts in the same account as every other service.
"""

import re

from werkzeug import Request

from sagemaker_sandbox.base import signature
from sagemaker_sandbox.base.client import ACCOUNT_HEADER

_ACCOUNT = re.compile(r"[0-9]{12}")


def set_default_account(account: str) -> None:
    """Set the account of credentials that moto does not know. Call this before anything else imports moto.

    moto's own environment variable would overrule the credentials of every request.
    """
    import moto.core
    import moto.core.models

    moto.core.DEFAULT_ACCOUNT_ID = moto.core.models.DEFAULT_ACCOUNT_ID = account


def find_account(request: Request) -> str:
    """Return the account of a request: the account of its role or access key, else the default account."""
    header = request.headers.get(ACCOUNT_HEADER, "")
    if _ACCOUNT.fullmatch(header):
        return header
    from moto.iam.models import get_account_id_from

    return str(get_account_id_from(signature.parse_signature(request).key))
