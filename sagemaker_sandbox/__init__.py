"""SageMaker and the rest of AWS on your computer, in one process on one port of 127.0.0.1.

Start a sandbox, and use its clients:

    with Sandbox.start() as sandbox:
        sandbox.client("s3").create_bucket(Bucket="data")

Only the names in `__all__` are public. They are cheap to import: moto and Flask load in the server's process. See
README.md beside this file for the covered operations, faults and time.
"""

from sagemaker_sandbox.base.client import CREDENTIALS, make_client
from sagemaker_sandbox.base.context import DEFAULT_ACCOUNT, DEFAULT_REGION
from sagemaker_sandbox.process.sandbox import LOG, Sandbox

__all__ = ["CREDENTIALS", "DEFAULT_ACCOUNT", "DEFAULT_REGION", "LOG", "Sandbox", "make_client"]
