"""Cases of rules/account/plain_secrets.py. Tokens are concatenated here, so that secret scanners do not find them."""

# ruff: noqa: S106  (none of them is a password)

import base64
from typing import Any

from tests.rules.case_tables import CaseTable, RuleCase
from tests.rules.endpoints import IMAGE
from tests.rules.jobs import (
    HIDDEN,
    UNKNOWN,
    Resources,
    build_job,
    build_pipeline,
    build_step,
    build_training_pipeline,
    build_tuning_definition,
)

MODEL = "aws_sagemaker_model.m"
HUGGING_FACE = "hf_" + "aB3d" * 9
AWS = "AKIA" + "2345ABCD" * 2
WEB = "eyJ" + "hbGciOiJI" * 2 + ".eyJ" + "zdWIiOiIx" * 2 + ".c2ln"
PRIVATE = "-----BEGIN RSA " + "PRIVATE KEY-----"


def build_model(**environment: Any) -> Resources:
    """Return a model with these environment variables."""
    return {MODEL: {"primary_container": {"image": IMAGE, "environment": environment}}}


def build_notebook_script(
    script: str, name: str = "on_start", kind: str = "notebook_instance_lifecycle_configuration"
) -> Resources:
    """Return a lifecycle configuration that runs this script."""
    return {f"aws_sagemaker_{kind}.l": {name: base64.b64encode(script.encode()).decode()}}


def build_sensitive_model(marks: Any, **environment: Any) -> RuleCase:
    """Return a model with a sensitive part in its container."""
    return RuleCase(build_model(**environment), sensitive={MODEL: {"primary_container": [marks]}})


WHOLE = {"aws_sagemaker_pipeline.p": {"pipeline_name": "p", "pipeline_definition": {"Version": "2020-12-01"}}}

CASES: CaseTable = {
    "SUS_LITERAL_SECRET": {
        "pass": {
            "no secret": build_model(LOG_LEVEL="info", WORKERS="4"),
            "names that do not denote a secret": build_model(
                MAX_TOKENS="512",
                TOKENIZERS_PARALLELISM="false",
                SECRET_ARN="arn:aws:secretsmanager:eu-north-1:123456789012:secret:hf-a1B2c3",
                DB_SECRET="arn:aws:secretsmanager:eu-north-1:123456789012:secret:db-a1B2c3",
                SM_TOKEN_PATH="/opt/ml/token",
                TOKEN_URL="https://login.example.com/oauth2/token",
                PARTITION_KEY="flight_id",
            ),
            "values that are not secrets": build_model(
                EOS_TOKEN="</s>",
                PAD_TOKEN="pad42pad42",
                API_KEY="",
                DB_PASSWORD="$DB_PASSWORD",
                AUTH_TOKEN="disabled",
                ACCESS_TOKEN="<your token>",
                USE_TOKEN="true",
                TOKEN="12",
                HF_TOKEN="prod/hugging-face/token-2",
                CLIENT_SECRET="changeme",
                GITHUB_TOKEN="{{resolve:secretsmanager:github}}",
            ),
            "a password that an address refers to": build_model(DB="postgres://app:$PASSWORD@db:5432/flights"),
            "a script that reads it": build_notebook_script(
                "TOKEN=$(curl -X PUT http://169.254.169.254/latest/api/token)\n"
                "jupyter lab --NotebookApp.token=''\n"
                "docker login --username AWS --password-stdin < /dev/stdin\n"
                'export HF_TOKEN="$(aws secretsmanager get-secret-value --secret-id hf --query SecretString)"\n'
            ),
            "a training": build_training_pipeline(
                Environment={"HF_TOKEN_ARN": "arn:aws:secretsmanager:x"}, HyperParameters={"a": "1"}
            ),
        },
        "fail": {
            "a token in a model": build_model(MODEL_CARD=HUGGING_FACE),
            "a password in a model": build_model(DB_PASSWORD="hunter2"),
            "a token of no known shape": build_model(WANDB_API_KEY="0a1b2c3d" * 5),
            "an odd spelling": build_model(myApiKey="abcd1234"),
            "a second container": {MODEL: {"container": [{"image": IMAGE}, {"environment": {"KEY_ID": AWS}}]}},
            "a password in an address": build_model(DB="postgres://app:hunter2@db:5432/flights"),
            "a password in a connection": build_model(DB="Server=db;User Id=app;Password=hunter2;"),
            "a web token in JSON": build_model(CONFIG='{"authorization": "Bearer ' + WEB + '"}'),
            "a password in JSON": build_model(CONFIG='{"db": {"password": "hunter2"}}'),
            "a notebook's script": build_notebook_script(f"git clone https://x:{HUGGING_FACE}@example.com/x.git"),
            "a notebook's variable": build_notebook_script("#!/bin/bash\nexport DB_PASSWORD=hunter2\n", "on_create"),
            "a notebook's option": build_notebook_script("mlflow login --api-key hunter2abc"),
            "an AWS key in a notebook": build_notebook_script("aws configure set aws_secret_access_key " + "aB3/" * 10),
            "a script of Studio": build_notebook_script(
                PRIVATE, "studio_lifecycle_config_content", "studio_lifecycle_config"
            ),
            "a script in plain text": {
                "aws_sagemaker_notebook_instance_lifecycle_configuration.l": {"on_start": "export API_KEY=hunter2abc"}
            },
            "an app": {
                "aws_sagemaker_app_image_config.a": {
                    "jupyter_lab_image_config": {
                        "container_config": {"container_environment_variables": {"HF_TOKEN": "hunter2abc"}}
                    }
                }
            },
            "a training job": build_job(environment={"HF_TOKEN": "hunter2abc"}),
            "a tuning job": build_tuning_definition(static_hyper_parameters={"hub_token": "hunter2abc"}),
            "a step's environment": build_training_pipeline(Environment={"HF_TOKEN": "hunter2abc"}),
            "a step's hyperparameters": build_training_pipeline(HyperParameters={"api_key": '"hunter2abc"'}),
            "a step in a branch": build_pipeline(
                build_step(
                    "Condition",
                    {"IfSteps": [build_step("Processing", {"Environment": {"TOKEN": "hunter2abc"}})], "ElseSteps": []},
                )
            ),
            "a step's arguments": build_pipeline(
                build_step("Processing", {"AppSpecification": {"ContainerArguments": ["--token", "hunter2abc"]}})
            ),
            "a parameter's default": build_pipeline(
                parameters=[{"Name": "HubToken", "Type": "String", "DefaultValue": "hunter2abc"}]
            ),
            "a definition that cannot be read": {
                "aws_sagemaker_pipeline.p": {"pipeline_name": "p", "pipeline_definition": f"{{ {HUGGING_FACE}"}
            },
        },
        "unknown": {
            "a token known after apply": build_model(HF_TOKEN=UNKNOWN),
            "an environment known after apply": {
                MODEL: {"primary_container": {"image": IMAGE, "environment": UNKNOWN}}
            },
            "a script known after apply": {
                "aws_sagemaker_notebook_instance_lifecycle_configuration.l": {"on_start": UNKNOWN}
            },
            "a secret or its name": build_model(DB_SECRET="flights-db-secret"),
            **HIDDEN,
        },
        "not_applicable": {
            "only sensitive values": build_sensitive_model({"environment": True}, HF_TOKEN="hunter2abc"),
            "another value known after apply": build_model(BUCKET=UNKNOWN),
        },
    },
    "SUS_SECRET_IN_PLAIN_TEXT": {
        "pass": {
            "nothing sensitive": build_model(LOG_LEVEL="info"),
            "a pipeline": build_training_pipeline(Environment={"A": "b"}),
        },
        "fail": {
            "a value": build_sensitive_model({"environment": {"HF_TOKEN": True}}, HF_TOKEN="hunter2abc"),
            "an environment": build_sensitive_model({"environment": True}, A="b"),
            "a definition": RuleCase(WHOLE, sensitive={"aws_sagemaker_pipeline.p": {"pipeline_definition": True}}),
            "a script": RuleCase(
                build_notebook_script("echo"),
                sensitive={"aws_sagemaker_notebook_instance_lifecycle_configuration.l": {"on_start": True}},
            ),
        },
        "unknown": "only the mark tells whether an unknown value is sensitive",
        "not_applicable": {"known after apply": build_model(HF_TOKEN=UNKNOWN)},
    },
}
