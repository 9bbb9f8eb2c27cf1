"""Plans change neither the settings of a space nor the version of MLflow after the first apply."""

from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.base.terraform import Terraform, list_changes
from tests.modules.examples import examples
from tests.modules.prerequisites import provided_prerequisites


@pytest.mark.apply
@pytest.mark.toolchain
def test_plans_stay_empty_after_studio_writes_a_space_and_aws_the_patch_version_of_mlflow(
    own: tuple[Any, dict[str, str]], tmp_path: Path
) -> None:
    sandbox, environment = own
    sagemaker = sandbox.client("sagemaker")
    (example,) = (one for one in examples() if str(one) == "studio-complete")
    folder = tmp_path / "root"
    example.write(folder)
    main = folder / "main.tf"
    main.write_text(example.text.replace("    off_hours = {", '    mlflow_version = "2.16"\n    off_hours = {'))
    terraform = Terraform(folder, environment)
    with provided_prerequisites(sandbox, example.text):
        terraform.init()
        terraform.run("apply", "-auto-approve")
        server = sagemaker.describe_mlflow_tracking_server(TrackingServerName="flights-dev-tracking")
        assert server["MlflowVersion"] == "2.16.2"
        (summary,) = sagemaker.list_spaces()["Spaces"]
        space = {name: summary[name] for name in ("DomainId", "SpaceName")}
        # Studio writes this when a user starts an app, and the second request is that of the page.
        sagemaker.update_space(
            **space, SpaceSettings={"JupyterLabAppSettings": {"DefaultResourceSpec": {"InstanceType": "ml.t3.large"}}}
        )
        sagemaker.update_space(
            **space, SpaceSettings={"SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": 40}}}
        )
        assert list_changes(terraform.plan(folder / "tfplan")) == {}
        larger = main.read_text().replace("disk_gb = 20", "disk_gb = 60")
        assert larger != main.read_text()
        main.write_text(larger)
        assert list_changes(terraform.plan(folder / "tfplan")) == {}
        terraform.run("destroy", "-auto-approve")
        assert sagemaker.list_spaces()["Spaces"] == []
