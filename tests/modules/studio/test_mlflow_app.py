"""The MLflow app of the page is a resource beside the module, with a provider that has it."""

import re
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT, Terraform, get_provider_version, list_changes
from tests.modules.examples import examples
from tests.modules.prerequisites import provided_prerequisites

BLOCK = re.compile(r"^```terraform mlflow_app\n(?P<text>.*?)^```$", re.M | re.S)
FIRST_VERSION = (6, 47)


@pytest.mark.apply
@pytest.mark.toolchain
def test_the_app_of_the_page_is_applied_protected_and_destroyed_or_needs_a_newer_provider(
    sandbox: Any, tmp_path: Path
) -> None:
    block = BLOCK.search((ROOT / "modules/studio/README.md").read_text())
    assert block is not None
    (example,) = (one for one in examples() if str(one) == "studio-complete")
    folder = tmp_path / "root"
    example.write(folder)
    app = folder / "mlflow_app.tf"
    app.write_text(block["text"])
    # The provider of the lock file, as users have it: a running provider would skip the version of the block.
    terraform = Terraform(folder, sandbox.environment)
    if tuple(map(int, get_provider_version().split(".")[:2])) < FIRST_VERSION:
        with pytest.raises(UserError, match=r"6\.47\.0"):
            terraform.init()
        return
    sagemaker = sandbox.client("sagemaker")
    with provided_prerequisites(sandbox, example.text):
        terraform.init()
        terraform.run("apply", "-auto-approve")
        try:
            (summary,) = sagemaker.list_mlflow_apps()["Summaries"]
            (domain,) = sagemaker.describe_mlflow_app(Arn=summary["Arn"])["DefaultDomainIdList"]
            assert sagemaker.list_domains()["Domains"][0]["DomainId"] == domain
            assert list_changes(terraform.plan(folder / "tfplan")) == {}
            with pytest.raises(UserError, match="prevent_destroy"):
                terraform.run("destroy", "-auto-approve")
            app.write_text(block["text"].replace('mlflow"\n', 'mlflow/new"\n').replace("= true #", "= false #"))
            terraform.run("apply", "-auto-approve")
            changed = sagemaker.describe_mlflow_app(Arn=summary["Arn"])
            assert (changed["Status"], changed["ArtifactStoreUri"][-4:]) == ("Updated", "/new")
        finally:
            app.write_text(block["text"].replace("= true #", "= false #"))
            terraform.run("destroy", "-auto-approve")
        assert sagemaker.list_mlflow_apps()["Summaries"] == []
