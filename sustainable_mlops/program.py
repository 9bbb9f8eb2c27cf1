"""What a person called to start this process, and so how commands are named to them."""

import os
import re
import shlex
import sys
from pathlib import Path

_SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


def typed(text: str) -> str:
    """`text`, which names commands as `smlops x`; to who started a script, as `scripts/x.py` can be typed there."""
    folder, name = os.path.split(sys.argv[0])
    if not name.endswith(".py") or Path(folder).resolve() != _SCRIPTS:
        return text
    return re.sub(
        r"\bsmlops ([a-z][a-z-]*)",
        lambda named: shlex.quote(os.path.join(folder or ".", named[1].replace("-", "_") + ".py")),
        text,
    )
