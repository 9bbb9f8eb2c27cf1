"""Continuous delivery of models: builds that end, and pipelines that nobody has to ask for news.

Only what works on SageMaker or its buckets, or says that it does, is looked at (see relation.py).
"""

from collections.abc import Iterator

from sustainable_mlops.plan import UNKNOWN, Block, Plan, Resource
from sustainable_mlops.rules import relation
from sustainable_mlops.rules.reading import judge
from sustainable_mlops.rules.rule import Severity, Verdict, Verdicts, passed, rule

#: A choice of this project; CodeBuild's default is 60 minutes, its limit 36 hours.
LONGEST_BUILD_MINUTES = 240
#: Sources that CodePipeline polls unless told not to; the others announce what is new.
_POLLED = frozenset({"CodeCommit", "GitHub", "S3"})


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


@rule(
    id="SUS_DELIVERY_BY_EVENT",
    severity=Severity.WARN,
    title="A delivery pipeline is started by events",
    practices=("49",),
    fix='Set PollForSourceChanges = "false" and start it by an event rule, or connect by CodeStarSourceConnection.',
    types=("aws_codepipeline",),
)
def starts_by_event(plan: Plan, pipeline: Resource) -> Verdicts:
    """CodePipeline polls S3, CodeCommit and GitHub (version 1) where nothing is said."""
    if not relation.touches(plan, pipeline) and not relation.speaks(pipeline.get("stage")):
        return
    verdicts = [_judge(action) for action in _sources(pipeline)]
    yield from verdicts or [passed()]


def _sources(pipeline: Resource) -> Iterator[Block]:
    """The actions that get sources which may be polled; one of which nothing is known where the stages are not."""
    stages = pipeline.blocks("stage")
    for stage in [Block(UNKNOWN, "stage")] if stages is UNKNOWN else stages:
        actions = stage.blocks("action")
        for action in [Block(UNKNOWN, f"{stage.path}.action")] if actions is UNKNOWN else actions:
            if action.text("category") in ("Source", UNKNOWN) and action.text("provider") in (*_POLLED, UNKNOWN):
                yield action


def _judge(action: Block) -> Verdict:
    path = "configuration.PollForSourceChanges"
    polls = action.text(path)
    is_source = UNKNOWN not in (action.text("category"), action.text("provider"))
    return judge(
        polls if is_source or polls == "false" else UNKNOWN,
        f"{action.path}.{path}",
        lambda text: (text or "").lower() == "false",
        "CodePipeline asks the source again and again whether it has changed",
    )
