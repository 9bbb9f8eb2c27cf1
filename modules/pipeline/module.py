"""SageMaker Pipelines: steps that run when there is something new, once, and tell when they fail."""

from cdktn_provider_aws.sagemaker_pipeline import SagemakerPipeline

from modules.iam_statements import ROLE_STATEMENTS_DESCRIPTION
from modules.pipeline import definition, iam_statements, notifications, trigger_role, triggers
from modules.pipeline.inputs import Inputs
from sustainable_mlops.authoring.cdktn import DataResource
from sustainable_mlops.authoring.expressions import length, list_of, one_or_null
from sustainable_mlops.authoring.resources import Module, Output, Outputs
from sustainable_mlops.catalogue.limits import limit

MOST_CHARACTERS = limit("pipeline_definition_characters")


class PipelineModule(Module[Inputs]):
    """A pipeline from its definition, what starts it, and who hears of its failures."""

    def build(self, var: Inputs) -> Outputs:
        name = self.local("name", iam_statements.pipeline_name(var))
        self.local(
            "arn",
            f"arn:{var.partition}:sagemaker:{var.region}:{var.account_id}:pipeline/{name}",
            why="Written out: what referred to the resource would be unknown in each plan that changes it.",
        )
        text = self.local(
            "definition",
            definition.render_definition(var.definition, var.parameters),
            why="One text for one meaning, so that no plan differs by white space or the order of keys.",
        )
        pipeline = self.add(
            SagemakerPipeline,
            "this",
            why="Inline: from S3 the provider would plan an update each time, which is then refused.",
            pipeline_name=name,
            pipeline_display_name=name,
            pipeline_description=var.description,
            pipeline_definition=text,
            role_arn=var.role_arn,
            parallelism_configuration={"max_parallel_execution_steps": var.max_parallel_steps},
            tags=var.tags,
            lifecycle={
                "precondition": {
                    "condition": length(text) <= MOST_CHARACTERS,
                    "error_message": f"definition: SageMaker takes {MOST_CHARACTERS} characters, and this has "
                    f"{length(text)} with its parameters; split the pipeline, or move what is long to S3",
                }
            },
        )
        self.add(
            DataResource,
            "definition",
            why="For whoever reviews a plan: one value that only the apply tells, such as the ARN of a new role, makes "
            "the whole text above unknown.",
            input={"definition": var.definition, "parameters": var.parameters},
        )
        target_arguments = trigger_role.add(self)
        arrivals = triggers.add_data_arrival(self, pipeline, target_arguments)
        schedules = triggers.add_schedule(self, pipeline, target_arguments)
        topics, failures = notifications.add(self)
        return {
            "arn": Output(pipeline.arn, "ARN of the pipeline."),
            "dead_letter_queue_url": Output(
                one_or_null(list_of(self.resources.aws_sqs_queue.not_started, lambda queue: queue.url)),
                "Queue of the starts that failed for good; null where nothing starts the pipeline.",
            ),
            "failure_topic_arn": Output(
                one_or_null(list_of(topics, lambda topic: topic.arn)), "Topic told of failed runs; null where none is."
            ),
            "name": Output(pipeline.pipeline_name, "Name of the pipeline, to start it by."),
            "role_statements": Output(iam_statements.build_statements(var), ROLE_STATEMENTS_DESCRIPTION),
            "rule_names": Output(
                {
                    "data_arrived": one_or_null(list_of(arrivals, lambda rule: rule.name)),
                    "failed": one_or_null(list_of(failures, lambda rule: rule.name)),
                },
                "EventBridge rules by what they wait for; null where there is none.",
            ),
            "schedule_name": Output(
                one_or_null(list_of(schedules, lambda schedule: schedule.name)),
                "Schedule, in the group of the same name; null where there is none.",
            ),
            "starter_role_arn": Output(
                target_arguments["role_arn"], "Role that starts the pipeline; null where nothing does."
            ),
        }
