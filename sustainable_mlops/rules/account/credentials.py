"""Detection of passwords, tokens and keys in text. It names a credential, but never shows any part of it.

It finds the token formats of services anywhere. It also finds a literal value whose name denotes a credential, such as
`DB_PASSWORD`. Names for the location of a secret (`SECRET_ARN`, `TOKEN_PATH`, `TOKEN_URL`) or for a model's tokens
(`MAX_TOKENS`, `EOS_TOKEN`) do not count.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from sustainable_mlops.base.lazy_pattern import LazyPattern

#: Description, fixed part and format of each token, as the services document them.
_TOKEN_FORMATS = tuple(
    (description, mark, LazyPattern(rf"(?<![A-Za-z0-9])(?:{shape})"))
    for description, mark, shape in (
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
_HINT = LazyPattern("passw|passphrase|pwd|secret|token|key|credential", re.IGNORECASE)
_CREDENTIAL_WORDS = (
    "ACCESSKEY", "ACCOUNTKEY", "APIKEY", "AUTHKEY", "CREDENTIAL", "CREDENTIALS", "ENCRYPTIONKEY", "PASSPHRASE",
    "LICENSEKEY", "PASSWD", "PASSWORD", "PRIVATEKEY", "PWD", "SECRET", "SECRETKEY", "SIGNINGKEY", "SSHKEY", "TOKEN",
)  # fmt: skip
#: Words before `token` for a token of a text: `pad_token`, `image_token`, `placeholder_token`.
_TEXT_TOKEN_WORDS = frozenset(
    {
        "AUDIO", "BOS", "BOUNDARY", "CLASS", "CLS", "DECODER", "END", "EOS", "IMAGE", "INITIALIZER", "INSTANCE", "MASK",
        "MODIFIER", "NEXT", "PAD", "PLACEHOLDER", "PROMPT", "SEP", "SPECIAL", "START", "STOP", "TRIGGER", "UNK",
        "VIDEO",
    }
)  # fmt: skip
_PLACEHOLDER = LazyPattern(
    r"<.*>|\[.*\]|\(.*\)|(.)\1+|"
    r"(?:change|replace|fill)[-_ ]?(?:me|this|it)|(?:your|insert|enter|add|put)[-_ ].*|"
    r"n/?a|nil|none|null|tbd|todo|true|false|yes|no|on|off|auto|default|disabled|dummy|empty|enabled|example|"
    r"not[-_ ]?set|optional|placeholder|redacted|required|unset",
    re.IGNORECASE,
)
_REFERENCE = LazyPattern(r"\$|`|%\(|\{\{|arn:|(?:secretsmanager|ssm|vault|env|file|resolve):")
_PATH = LazyPattern(r"(?:~|\.{1,2})?/|[a-z][a-z0-9+.-]*://")
_WORDS = LazyPattern(r"[a-z]+(?:[-_.](?:[a-z]+|[0-9]{1,3}))+")
#: `prod/hugging-face/token` is the name of a secret.
_NAME = LazyPattern(r"[a-z0-9_.+=@-]+(?:/[a-z0-9_.+=@-]+)+")
_NUMBER = LazyPattern(r"[-+]?[0-9.,]+(?:e[-+]?[0-9]+)?", re.IGNORECASE)
_PARTS = LazyPattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
#: `NAME=value`, `"name": "value"`, `["NAME"] = "value"`, `--name value` in a script or a connection string.
_ASSIGNMENT = LazyPattern(
    r"(?<![\w${])(?P<name>[A-Za-z_][\w-]{0,80})"
    r"(?:[\"'\]]{0,2}\s*[:=]\s*[\"'](?P<quoted>[^\"'\n]*)[\"']|=(?P<bare>[^\s\"';&|,)]+))"
    r"|(?<![\w-])--(?P<option>\w[\w-]{0,80})\s+[\"']?(?P<given>[^\s\"'-][^\s\"']*)"
)
_CODE = LazyPattern(r"[A-Za-z_]\w*(?:\.\w+)+|.*[({\[].*")


@lru_cache(maxsize=4096)
def is_credential_name(name: str) -> bool:
    """Return whether `name` denotes a credential: `HF_TOKEN`, `db.password` and `ApiKey` do."""
    words = [word.upper() for word in _PARTS.findall(name.rstrip("0123456789_-"))]
    if not "".join(words).endswith(_CREDENTIAL_WORDS):
        return False
    return words[-1] != "TOKEN" or len(words) < 2 or words[-2] not in _TEXT_TOKEN_WORDS


def is_literal(value: str) -> bool:
    """Return whether `value` may be a credential: not a reference, path, number, boolean or placeholder."""
    text = value.strip().strip("\"'")
    refers = _REFERENCE.match(text) or "${" in text or _PATH.match(text) or _NAME.fullmatch(text)
    return bool(text) and not refers and not _NUMBER.fullmatch(text) and not _PLACEHOLDER.fullmatch(text)


def may_be_secret_name(name: str, value: str) -> bool:
    """Return whether `value`, with a name such as `DB_SECRET`, may be the name of the secret."""
    return "".join(_PARTS.findall(name)).upper().endswith("SECRET") and bool(_WORDS.fullmatch(value.strip()))


@lru_cache(maxsize=4096)
def find_credentials(text: str) -> tuple[str, ...]:
    """Return the credentials in a text: `a GitHub token`, or `a literal DB_PASSWORD` that a script sets."""
    assignments = dict.fromkeys(_find_assignments(text)) if _HINT.search(text) else ()
    return (*_find_tokens(text), *assignments)


def _find_assignments(text: str) -> Iterator[str]:
    for match in _ASSIGNMENT.finditer(text):
        name = match["name"] or match["option"]
        bare = match["bare"] or ""
        value = match["quoted"] or match["given"] or bare
        is_code = bare and (_CODE.fullmatch(bare) or bare.lower() == name.lower())
        if (
            is_credential_name(name)
            and is_literal(value)
            and not is_code
            and not may_be_secret_name(name, value)
            and not _find_tokens(value)
        ):
            yield f"a literal {mask_name(name)}"


def _find_tokens(text: str) -> list[str]:
    return [description for description, mark, shape in _TOKEN_FORMATS if mark in text and shape.search(text)]


@lru_cache(maxsize=4096)
def mask_name(name: str) -> str:
    """Return a name for a message. A name that may itself be a credential is replaced."""
    return name if re.fullmatch(r"[\w.-]{1,80}", name) and not _find_tokens(name) else "credential"
