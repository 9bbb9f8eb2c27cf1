"""Continuous delivery of models: build timeouts, and event triggers of delivery pipelines.

The rules check resources that use SageMaker or its buckets, or that mention machine learning (see relation.py).
"""

from collections.abc import Iterator

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource
from sustainable_mlops.rules import ml_evidence
from sustainable_mlops.rules.attributes import check_value
from sustainable_mlops.rules.rule import RuleResult, RuleResults, Severity, rule, success

#: Maximum build timeout. A choice of this project; CodeBuild's default is 60 minutes, its limit 36 hours.
MAX_BUILD_MINUTES = 240
#: Sources that CodePipeline polls by default. The others send events.
_POLLED = frozenset({"CodeCommit", "GitHub", "S3"})


@rule(
    id="SUS_CODEBUILD_TIMEOUT",
    severity=Severity.WARN,
    title="A build should have a short timeout",
    problem="A build has a long timeout, or the default one",
    practices=("49",),
    fix=f"Set build_timeout to {MAX_BUILD_MINUTES} minutes or less. Train in SageMaker, not in the build.",
    types=("aws_codebuild_project",),
)
def build_timeout(plan: Plan, project: Resource) -> RuleResults:
    """Check the timeout; the default is 60 minutes."""
    if ml_evidence.uses_ml(plan, project):
        timeout = project.number("build_timeout")
        yield check_value(
            timeout,
            "build_timeout",
            lambda minutes: minutes is None or minutes <= MAX_BUILD_MINUTES,
            f"a build that hangs runs for {timeout} min",
        )


@rule(
    id="SUS_DELIVERY_BY_EVENT",
    severity=Severity.WARN,
    title="A delivery pipeline should be started by events",
    problem="A delivery pipeline is not started by events",
    practices=("49",),
    fix='Set PollForSourceChanges = "false" and start it by an event rule, or connect by CodeStarSourceConnection.',
    types=("aws_codepipeline",),
)
def starts_by_event(plan: Plan, pipeline: Resource) -> RuleResults:
    """Check the sources. By default CodePipeline polls S3, CodeCommit and GitHub (version 1)."""
    if not ml_evidence.uses_ml(plan, pipeline) and not ml_evidence.contains_ml_words(pipeline.get("stage")):
        return
    results = [_check_source(action) for action in _list_polled_sources(pipeline)]
    yield from results or [success()]


def _list_polled_sources(pipeline: Resource) -> Iterator[Block]:
    """Yield the source actions that CodePipeline may poll. If the stages are unknown, yield one unknown action."""
    stages = pipeline.blocks("stage")
    for stage in [Block(UNKNOWN, "stage")] if stages is UNKNOWN else stages:
        actions = stage.blocks("action")
        for action in [Block(UNKNOWN, f"{stage.path}.action")] if actions is UNKNOWN else actions:
            if action.text("category") in ("Source", UNKNOWN) and action.text("provider") in (*_POLLED, UNKNOWN):
                yield action


def _check_source(action: Block) -> RuleResult:
    path = "configuration.PollForSourceChanges"
    polls = action.text(path)
    is_source = UNKNOWN not in (action.text("category"), action.text("provider"))
    return check_value(
        polls if is_source or polls == "false" else UNKNOWN,
        f"{action.path}.{path}",
        lambda text: (text or "").lower() == "false",
        "CodePipeline polls the source for changes",
    )
