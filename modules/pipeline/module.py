"""SageMaker Pipelines: a pipeline with its triggers and failure notifications."""

from cdktn_provider_aws.sagemaker_pipeline import SagemakerPipeline

from modules.event_topics import build_queue_name
from modules.iam_statements import build_statements_output
from modules.location_check import check_location
from modules.pipeline import definition, iam_statements, notifications, starter_role, triggers
from modules.pipeline.inputs import FAILED, Inputs
from modules.schedules import SCHEDULER_TABLES
from sustainable_mlops.authoring.cdktn import DataResource
from sustainable_mlops.authoring.expressions import concat, is_omitted, length, list_of, one_or_null
from sustainable_mlops.authoring.resources import Module, Output, Outputs
from sustainable_mlops.catalogue.limits import get_limit

MOST_CHARACTERS = get_limit("pipeline_definition_characters")


class PipelineModule(Module[Inputs]):
    """Pipeline with its definition, triggers and failure notifications."""

    def build(self, var: Inputs) -> Outputs:
        for table, (value, why) in SCHEDULER_TABLES.items():
            self.local(table, value, why=why)
        name = self.local("name", iam_statements.format_pipeline_name(var))
        self.local(
            "arn",
            f"arn:{var.partition}:sagemaker:{var.region}:{var.account_id}:pipeline/{name}",
            why="Composed: a reference to the resource would be unknown in each plan that changes it.",
        )
        network = self.local(
            "network", definition.build_network(var.vpc_config), why="Member of each job's request; empty without one."
        )
        arguments_in_vpc = self.local(
            "arguments_in_vpc",
            definition.build_arguments_in_vpc(network),
            why="Arguments that the network adds to steps, by type.",
        )
        text = self.local(
            "definition",
            definition.render_definition(var.definition, var.parameters, var.vpc_config, network, arguments_in_vpc),
            why="Normalized text, so that white space and the order of keys cause no change in a plan.",
        )
        pipeline = self.add(
            SagemakerPipeline,
            "this",
            why="Inline, because with a definition in S3 the provider plans an update each time, which then fails.",
            pipeline_name=name,
            pipeline_display_name=name,
            pipeline_description=var.description,
            pipeline_definition=text,
            role_arn=var.role_arn,
            parallelism_configuration={"max_parallel_execution_steps": var.max_parallel_steps},
            tags=var.tags,
            lifecycle={
                "precondition": [
                    {
                        "condition": length(text) <= MOST_CHARACTERS,
                        "error_message": f"definition: SageMaker allows {MOST_CHARACTERS} characters, and this has "
                        f"{length(text)} with its parameters; split the pipeline, or move long values to S3",
                    },
                    {
                        "condition": is_omitted(var.vpc_config) | definition.reaches_all_jobs(text),
                        "error_message": "vpc_config: it reaches only the jobs of the pipeline and of its conditions; "
                        "give each job of inner conditions and of TrainingJobDefinitions a VpcConfig in the definition",
                    },
                ]
            },
        )
        self.add(
            DataResource,
            "definition",
            why="For the review of a plan: one value that is unknown until apply, such as the ARN of a new role, "
            "makes the whole text above unknown.",
            input={"definition": var.definition, "parameters": var.parameters},
        )
        target_arguments = starter_role.add(self)
        arrivals = triggers.add_data_arrival(self, pipeline, target_arguments)
        drift_alarms, drift_rules = triggers.add_drift(self, pipeline, target_arguments)
        schedules = triggers.add_schedule(self, pipeline, target_arguments)
        topics, failures = notifications.add(self)
        check_location(self)
        return {
            "arn": Output(pipeline.arn, "ARN of the pipeline."),
            "dead_letter_queue_names": Output(
                concat(
                    list_of(self.locals.starters, lambda _: starter_role.format_queue_name(self)),
                    list_of(topics, lambda _: build_queue_name(f"{self.locals.name}-{FAILED}")),
                ),
                "Dead-letter queues of failed starts and of the failure topic, for `dead_letter_queues` of "
                "`observability`.",
            ),
            "dead_letter_queue_url": Output(
                one_or_null(list_of(self.resources.aws_sqs_queue.not_started, lambda queue: queue.url)),
                "Dead-letter queue of failed starts; null without a trigger.",
            ),
            "drift_alarm_arn": Output(
                one_or_null(list_of(drift_alarms, lambda alarm: alarm.arn)), "Alarm on drift; null without one."
            ),
            "failure_topic_arn": Output(
                one_or_null(list_of(topics, lambda topic: topic.arn)), "Topic of failed executions; null without one."
            ),
            "name": Output(pipeline.pipeline_name, "Name of the pipeline."),
            "role_statements": build_statements_output(iam_statements.build_statements(var)),
            "rule_names": Output(
                {
                    "data_arrived": one_or_null(list_of(arrivals, lambda rule: rule.name)),
                    "drift": one_or_null(list_of(drift_rules, lambda rule: rule.name)),
                    "failed": one_or_null(list_of(failures, lambda rule: rule.name)),
                },
                "EventBridge rules by event; null without a rule.",
            ),
            "schedule_name": Output(
                one_or_null(list_of(schedules, lambda schedule: schedule.name)),
                "Schedule, in the group of the same name; null without one.",
            ),
            "starter_role_arn": Output(
                target_arguments["role_arn"], "Role that starts the pipeline; null without a trigger."
            ),
        }
