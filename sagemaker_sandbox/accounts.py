"""Whose request it is, found as moto finds it, so that SageMaker's account is that of every other service."""

import re

from werkzeug import Request

from sagemaker_sandbox import signature
from sagemaker_sandbox.client import ACCOUNT

_ACCOUNT = re.compile(r"[0-9]{12}")


def set_default(account: str) -> None:
    """Let `account` be that of credentials unknown to moto. Call it before anything else imports moto.

    moto's own way, a variable of the environment, would overrule every request's credentials.
    """
    import moto.core
    import moto.core.models

    moto.core.DEFAULT_ACCOUNT_ID = moto.core.models.DEFAULT_ACCOUNT_ID = account


def account_of(request: Request) -> str:
    """The account that a request acts in: that of its assumed role or access key, else the default."""
    named = request.headers.get(ACCOUNT, "")
    if _ACCOUNT.fullmatch(named):
        return named
    from moto.iam.models import get_account_id_from

    return str(get_account_id_from(signature.of(request).key))
