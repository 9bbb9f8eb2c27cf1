"""Continuous delivery of models: builds that end.

Only what works on SageMaker or its buckets, or says that it does, is looked at (see relation.py).
"""

from sustainable_mlops.plan import Plan, Resource
from sustainable_mlops.rules import relation
from sustainable_mlops.rules.reading import judge
from sustainable_mlops.rules.rule import Severity, Verdicts, rule

#: A choice of this project; CodeBuild's default is 60 minutes, its limit 36 hours.
LONGEST_BUILD_MINUTES = 240


@rule(
    id="SUS_CODEBUILD_TIMEOUT",
    severity=Severity.WARN,
    title="A build that hangs ends soon",
    practices=("49",),
    fix=f"Set build_timeout to {LONGEST_BUILD_MINUTES} minutes or less; train in SageMaker, not in the build.",
    types=("aws_codebuild_project",),
)
def builds_end(plan: Plan, project: Resource) -> Verdicts:
    """Not set means 60 minutes."""
    if relation.touches(plan, project):
        timeout = project.number("build_timeout")
        yield judge(
            timeout,
            "build_timeout",
            lambda minutes: minutes is None or minutes <= LONGEST_BUILD_MINUTES,
            f"a build that hangs runs for {timeout} min",
        )
