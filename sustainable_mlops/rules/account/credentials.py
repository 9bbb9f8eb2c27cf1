"""Passwords, tokens and keys that stand in a text as they are. What is found is named; no part of it is shown.

Two ways: the shapes that services give their tokens, which are tokens wherever they stand; and a literal value under a
name that says what it is, such as `DB_PASSWORD`. A name that speaks of where a secret is (`SECRET_ARN`, `TOKEN_PATH`,
`TOKEN_URL`) or of a model's tokens (`MAX_TOKENS`, `EOS_TOKEN`) says nothing of the kind.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

#: What it is, a part that each has, and its shape, as the services document them.
_SHAPES = tuple(
    (what, mark, re.compile(rf"(?<![A-Za-z0-9])(?:{shape})"))
    for what, mark, shape in (
        ("an AWS access key", "AKIA", r"AKIA[A-Z0-9]{16}\b"),
        ("a temporary AWS access key", "ASIA", r"ASIA[A-Z0-9]{16}\b"),
        ("an AWS secret key", "aws_secret_access_key", r"aws_secret_access_key\s+[A-Za-z0-9/+]{40}(?![\w/+])"),
        ("a Hugging Face token", "hf_", r"hf_[A-Za-z0-9]{20,}"),
        ("a GitHub token", "gh", r"gh[opsur]_[A-Za-z0-9]{20,}"),
        ("a GitHub token", "github_pat_", r"github_pat_[A-Za-z0-9_]{20,}"),
        ("a GitLab token", "glpat-", r"glpat-[\w-]{20,}"),
        ("a Slack token", "xox", r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
        ("a Slack token", "xapp-", r"xapp-[0-9]-[A-Za-z0-9-]{10,}"),
        ("a Slack webhook", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows)/[\w/]{20,}"),
        ("an API key", "sk-", r"sk-(?=[\w-]{0,99}[0-9])(?=[\w-]{0,99}[A-Z])[\w-]{20,}"),  # OpenAI, Anthropic
        ("a Stripe key", "k_live_", r"[rs]k_live_[A-Za-z0-9]{16,}"),
        ("a Google API key", "AIza", r"AIza[\w-]{35}"),
        ("an npm token", "npm_", r"npm_[A-Za-z0-9]{36}"),
        ("a PyPI token", "pypi-", r"pypi-[\w-]{50,}"),
        ("a Docker Hub token", "dckr_pat_", r"dckr_pat_[\w-]{20,}"),
        ("a Databricks token", "dapi", r"dapi[0-9a-f]{32}"),
        ("a JSON web token", "eyJ", r"eyJ[\w-]{10,500}\.eyJ[\w-]{10,}\.[\w-]+"),
        ("a private key", "PRIVATE KEY-----", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
        ("a password in an address", "://", r"[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s/:@\"']*:(?![*<${%])[^\s/:@\"']+@"),
    )
)
_HINT = re.compile("passw|passphrase|pwd|secret|token|key|credential", re.IGNORECASE)
_SECRET = (
    "ACCESSKEY", "ACCOUNTKEY", "APIKEY", "AUTHKEY", "CREDENTIAL", "CREDENTIALS", "ENCRYPTIONKEY", "PASSPHRASE",
    "LICENSEKEY", "PASSWD", "PASSWORD", "PRIVATEKEY", "PWD", "SECRET", "SECRETKEY", "SIGNINGKEY", "SSHKEY", "TOKEN",
)  # fmt: skip
#: What stands before `token` where it is one of a text: `pad_token`, `image_token`, `placeholder_token`.
_OF_A_TEXT = frozenset(
    {
        "AUDIO", "BOS", "BOUNDARY", "CLASS", "CLS", "DECODER", "END", "EOS", "IMAGE", "INITIALIZER", "INSTANCE", "MASK",
        "MODIFIER", "NEXT", "PAD", "PLACEHOLDER", "PROMPT", "SEP", "SPECIAL", "START", "STOP", "TRIGGER", "UNK",
        "VIDEO",
    }
)  # fmt: skip
_PLACEHOLDER = re.compile(
    r"<.*>|\[.*\]|\(.*\)|(.)\1+|"
    r"(?:change|replace|fill)[-_ ]?(?:me|this|it)|(?:your|insert|enter|add|put)[-_ ].*|"
    r"n/?a|nil|none|null|tbd|todo|true|false|yes|no|on|off|auto|default|disabled|dummy|empty|enabled|example|"
    r"not[-_ ]?set|optional|placeholder|redacted|required|unset",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"\$|`|%\(|\{\{|arn:|(?:secretsmanager|ssm|vault|env|file|resolve):")
_PATH = re.compile(r"(?:~|\.{1,2})?/|[a-z][a-z0-9+.-]*://")
_WORDS = re.compile(r"[a-z]+(?:[-_.](?:[a-z]+|[0-9]{1,3}))+")
#: `prod/hugging-face/token` says where a secret is.
_NAME = re.compile(r"[a-z0-9_.+=@-]+(?:/[a-z0-9_.+=@-]+)+")
_NUMBER = re.compile(r"[-+]?[0-9.,]+(?:e[-+]?[0-9]+)?", re.IGNORECASE)
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
#: `NAME=value`, `"name": "value"`, `["NAME"] = "value"`, `--name value` in a script or a connection string.
_ASSIGNED = re.compile(
    r"(?<![\w${])(?P<name>[A-Za-z_][\w-]{0,80})"
    r"(?:[\"'\]]{0,2}\s*[:=]\s*[\"'](?P<quoted>[^\"'\n]*)[\"']|=(?P<bare>[^\s\"';&|,)]+))"
    r"|(?<![\w-])--(?P<option>\w[\w-]{0,80})\s+[\"']?(?P<given>[^\s\"'-][^\s\"']*)"
)
_CODE = re.compile(r"[A-Za-z_]\w*(?:\.\w+)+|.*[({\[].*")


def named(name: str) -> bool:
    """Whether what is called `name` is a credential: `HF_TOKEN`, `db.password` and `ApiKey` are."""
    words = [word.upper() for word in _PARTS.findall(name.rstrip("0123456789_-"))]
    if not "".join(words).endswith(_SECRET):
        return False
    return words[-1] != "TOKEN" or len(words) < 2 or words[-2] not in _OF_A_TEXT


def literal(value: str) -> bool:
    """Whether `value` may be a credential itself: no reference, path, number, boolean or placeholder."""
    text = value.strip().strip("\"'")
    refers = _REFERENCE.match(text) or "${" in text or _PATH.match(text) or _NAME.fullmatch(text)
    return bool(text) and not refers and not _NUMBER.fullmatch(text) and not _PLACEHOLDER.fullmatch(text)


def may_be_a_name(name: str, value: str) -> bool:
    """Whether `value`, under a name such as `DB_SECRET`, may be what the secret is called."""
    return "".join(_PARTS.findall(name)).upper().endswith("SECRET") and bool(_WORDS.fullmatch(value.strip()))


def within(text: str) -> Iterator[str]:
    """What stands in a text: `a GitHub token`, or `a literal DB_PASSWORD` where a script sets one."""
    yield from _shapes(text)
    if _HINT.search(text):
        yield from dict.fromkeys(_assigned(text))


def _assigned(text: str) -> Iterator[str]:
    for match in _ASSIGNED.finditer(text):
        name = match["name"] or match["option"]
        bare = match["bare"] or ""
        value = match["quoted"] or match["given"] or bare
        is_code = bare and (_CODE.fullmatch(bare) or bare.lower() == name.lower())
        if named(name) and literal(value) and not is_code and not may_be_a_name(name, value) and not _shapes(value):
            yield f"a literal {shown(name)}"


def _shapes(text: str) -> list[str]:
    return [what for what, mark, shape in _SHAPES if mark in text and shape.search(text)]


@lru_cache(maxsize=4096)
def shown(name: str) -> str:
    """A name for a message; one that may itself be a credential is not shown."""
    return name if re.fullmatch(r"[\w.-]{1,80}", name) and not _shapes(name) else "credential"
