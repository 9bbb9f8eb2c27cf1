"""Checks of the module `studio`."""

from clone.prove.checks.registry import Answer, register_check
from clone.prove.stages.platform import StudioStage

_INSTANCE_TYPE = "ml.t3.medium"


@register_check("space-update", "studio", "used", refusal="AppType")
def space_update(stage: StudioStage) -> Answer:
    """Is the plan empty after a person has run a space in Studio?

    Studio writes the instance type into the space. The provider would send the type of the app with each update, which
    SageMaker refuses.

    Documentation: AWS provider, issue 38370; boto3, issue 4375.
    """
    sagemaker = stage.run.get_client("sagemaker")
    space = {"DomainId": stage.published["domain_id"], "SpaceName": "lab"}
    resource = {"DefaultResourceSpec": {"InstanceType": _INSTANCE_TYPE}}
    sagemaker.update_space(**space, SpaceSettings={"JupyterLabAppSettings": resource})
    stage.run.wait(
        "the update of the space",
        lambda: sagemaker.describe_space(**space)["Status"] not in ("Pending", "Updating"),
        10,
    )
    return Answer(stage.is_up_to_date(), f"the space has the instance type {_INSTANCE_TYPE}, and the plan was repeated")
