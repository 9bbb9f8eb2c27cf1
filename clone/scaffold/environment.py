"""Scaffold of a new environment: the settings of an existing one, with its own account, Region and prefix."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import create_model

from clone import synth
from clone.scaffold.files import check_absent, create_folders, render
from clone.scaffold.yaml_text import YamlText
from sustainable_mlops.base.errors import UserError, did_you_mean
from sustainable_mlops.base.files import write_file
from sustainable_mlops.base.settings import Settings as CheckedModel
from sustainable_mlops.base.settings import validate
from sustainable_mlops.base.terraform import ROOT, find_engine

if TYPE_CHECKING:
    from envs.settings import EnvironmentSettings

HEAD = "# yaml-language-server: $schema=../settings.schema.json\n# {name}, made from {source}.\n"


@dataclass(frozen=True)
class EnvironmentDraft:
    """Checked environment that is not written yet."""

    text: str  # of its settings.yaml
    settings: "EnvironmentSettings"
    source: "EnvironmentSettings"
    #: True if another environment has the same account.
    shares_account: bool = False

    @property
    def folder(self) -> Path:
        return ROOT / "envs" / self.settings.environment

    def find_source_lines(self) -> list[int]:
        """Return the numbers of the lines that still contain the account or Region of the source."""
        now, then = self.settings, self.source
        words = {then.account_id, then.region} - {now.account_id, now.region}
        lines = enumerate(self.text.splitlines(), start=1)
        return [number for number, line in lines if any(word in line for word in words)]

    def write(self, progress: Callable[[str], None]) -> None:
        """Write the settings, their Terraform and the root module of the account.

        Raises UserError, and removes the folder, if that fails.
        """
        with create_folders({self.folder: {"settings.yaml": self.text}}):
            write_file(self.folder / "bootstrap" / "main.tf", self.render_bootstrap())
            synth.write(synth.synthesize([self.settings.environment], progress))

    def render_bootstrap(self) -> str:
        """Return the root module that creates the state bucket and the CI roles."""
        return render("bootstrap.tf", settings=self.settings, has_providers=self.shares_account)

    def render_commands(self) -> str:
        """Return the next commands as text to paste."""
        return render("environment.txt", settings=self.settings, terraform=find_engine().command)


def create_draft(
    name: str,
    account: str,
    region: str,
    *,
    source: str = "dev",
    name_prefix: str | None = None,
    disposable: bool = False,
) -> EnvironmentDraft:
    """Draft an environment like `source`, with its own account, Region and prefix.

    It shares the log groups of jobs with an environment in the same account and Region. It shares its models with no
    other account.
    Its data is protected unless it is `disposable`. Starts neither jsii nor Terraform. Raises UserError.
    """
    from envs import settings
    from envs.provider import find_major_version

    requested = {"environment": name, "account_id": account, "region": region}
    _check_requested(requested | ({"name_prefix": name_prefix} if name_prefix else {}))
    modules, environments = synth.list_names()
    check_absent(ROOT / "envs" / name)
    if name in modules:
        raise UserError(f"{name}: a module has this name; choose another")
    if source not in environments:
        raise UserError(f"--from: no environment is named {source}{did_you_mean(source, environments)}")
    known: dict[str, EnvironmentSettings] = settings.load_all(ROOT / "envs" / each for each in environments)
    original = known[source]
    is_shared = any((one.account_id, one.region) == (account, region) for one in known.values())
    requested["account_log_groups"] = "shared" if is_shared else "owned"
    expected = _derive_settings(original, requested, name_prefix or _derive_prefix(original, name), disposable)
    text = _edit_text(original, expected)
    provider = find_major_version(ROOT / "envs" / source)
    parsed_settings = settings.parse(text, f"envs/{name}/settings.yaml", ROOT / "envs" / "catalogue", provider)
    settings.check_distinct_names({**known, name: parsed_settings})
    if parsed_settings.model_dump() != expected.model_dump():
        raise UserError(
            f"envs/{source}/settings.yaml: a YAML anchor shares values that differ between environments; replace "
            "each use of the anchor by a copy of the values"
        )
    shares_account = any(one.account_id == account for one in known.values())
    return EnvironmentDraft(text, parsed_settings, original, shares_account)


def _check_requested(requested: dict[str, str]) -> None:
    """Check the requested values against the patterns of the settings."""
    from envs import settings

    fields = settings.EnvironmentSettings.model_fields
    declared: dict[str, Any] = {name: (fields[name].annotation, fields[name]) for name in requested}
    validate(requested, create_model("RequestedSettings", __base__=CheckedModel, **declared), "new environment")
    try:
        settings.check_name(requested["environment"])
    except ValueError as error:
        raise UserError(str(error)) from None


def _derive_prefix(source: "EnvironmentSettings", name: str) -> str:
    prefix, replacements = re.subn(rf"(^|-){source.environment}(?=-|$)", rf"\g<1>{name}", source.name_prefix)
    if not replacements:
        raise UserError(
            f"name_prefix: {source.name_prefix} of {source.environment} does not contain the name of the environment: "
            "pass --name-prefix"
        )
    return prefix


def _derive_settings(
    source: "EnvironmentSettings", requested: dict[str, str], prefix: str, disposable: bool
) -> "EnvironmentSettings":
    """Return the settings of the source with the new values. They are checked later, when the text is parsed."""
    account, partition = requested["account_id"], source.model_copy(update={**requested}).partition
    role = source.assume_role_arn and re.sub(
        r"^arn:[^:]+:iam::[0-9]+", f"arn:{partition}:iam::{account}", source.assume_role_arn
    )
    state = source.state.model_copy(update={"bucket": f"{prefix}-state-{account}", "kms_key_arn": None})
    own = {"name_prefix": prefix, "assume_role_arn": role, "state": state, "deletion_protection": not disposable}
    values: Any = source
    unshared: dict[str, Any] = {"reader_account_ids": []}
    storage = values.storage.model_copy(update=unshared)
    models = {key: model.model_copy(update=unshared) for key, model in values.models.items()}
    return source.model_copy(update={**requested, **own, "storage": storage, "models": models})


def _edit_text(source: "EnvironmentSettings", expected: "EnvironmentSettings") -> str:
    """Return the text of the source's settings.yaml with the new values."""
    path = ROOT / "envs" / source.environment / "settings.yaml"
    text = YamlText(path.read_bytes().decode(), str(path.relative_to(ROOT)))
    text.replace_head(HEAD.format(name=expected.environment, source=source.environment))
    for key in ("environment", "account_id", "region", "name_prefix"):
        text.replace(key, by=getattr(expected, key))
    text.replace("state", "bucket", by=expected.state.bucket)
    if text.has("state", "kms_key_arn"):
        text.drop("state", "kms_key_arn")
    if expected.assume_role_arn:
        text.replace("assume_role_arn", by=expected.assume_role_arn)
    if expected.account_log_groups != source.account_log_groups:
        if text.has("account_log_groups"):
            text.drop("account_log_groups")
        if expected.account_log_groups == "shared":
            text.insert_after("region", line="account_log_groups: shared")
    if expected.deletion_protection != source.deletion_protection:
        if text.has("deletion_protection"):
            text.drop("deletion_protection")
        if not expected.deletion_protection:
            text.insert_after("name_prefix", line="deletion_protection: false")
    return _drop_readers(str(text), source)


def _drop_readers(edited: str, source: Any) -> str:
    """Return the text without the accounts that may read the models of the source."""
    path = f"envs/{source.environment}/settings.yaml"
    sections: dict[tuple[str, ...], Any] = {
        ("storage",): source.storage,
        **{("models", key): model for key, model in source.models.items()},
    }
    for parent, section in sections.items():
        text = YamlText(edited, path)  # again, because a mapping with nothing left is removed, too
        if section.reader_account_ids:
            text.drop(*parent, "reader_account_ids")
        edited = str(text)
    return edited
