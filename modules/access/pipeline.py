"""Policies of pipelines: run jobs, pass roles and register models."""

from modules import containers
from modules.access import policy
from modules.access.inputs import Inputs
from modules.model_registry import iam_statements as model_registry
from modules.pipeline import iam_statements as pipelines
from sustainable_mlops.authoring.expressions import each_of, intersection, length, set_of, when
from sustainable_mlops.authoring.resources import Module


def add(module: Module[Inputs]) -> None:
    """Add the policies `orchestration`, `pass_role` and `registration`."""
    var, local = module.var, module.locals
    pipeline = intersection(local.phases, ["pipeline"])
    policy.add(
        module,
        "orchestration",
        pipelines.run_jobs(pipelines.list_job_arns(var, var.name_prefix)),
        why="Only jobs and models of pipelines.",
        phases=each_of(pipeline),
    )
    policy.add_shown_policy(
        module,
        "pass_role",
        pipelines.pass_roles([local.role_arns["data_preparation"], local.role_arns["training"]]),
        why="Only the roles of data preparation and training, and only to SageMaker.",
        phases=each_of(pipeline),
    )
    no_phases: set[str] = set()
    policy.add(
        module,
        "registration",
        *model_registry.register_models(var.model_package_group_names, var),
        containers.pull_images(local.images),
        why="Registers candidates, but not as approved. Only people approve them. AWS does not document whether "
        "SageMaker reads the image of a package with this role, so the role may.",
        phases=each_of(when(length(var.model_package_group_names) > 0, pipeline, set_of(no_phases))),
    )
