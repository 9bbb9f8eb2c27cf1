"""A plan whose names, keys, texts and tags attack the report, or contain a secret."""

import json
from datetime import date
from typing import Any

from sustainable_mlops.plan import Plan
from tests.plan.plan_builder import build_change, build_plan

SCRIPT = "<script>document.documentElement.setAttribute('data-run', '1')</script>"
ATTACKS = [
    SCRIPT,
    "<img src=x onerror=document.documentElement.setAttribute('data-run','1')>",
    "\"><svg onload=document.documentElement.setAttribute('data-run','1')>",
    "</code></td></table><iframe srcdoc='" + SCRIPT.replace("'", '"') + "'></iframe>",
    "[click](javascript:document.documentElement.setAttribute('data-run','1'))",
    "![x](https://attacker.example/x.png)",
    "`` ` ```\n\n" + SCRIPT,
    "a|b\\|c|\n|---|\n| @everyone #1 https://attacker.example www.attacker.example",
    "--><!-- sustainable-mlops-review -->",
    "{{ 7 * 7 }}{% raw %}${jndi:x}",
    "\u202egnp.exe\x1b[31mred\x07",
    "</textarea></style></script>" + SCRIPT,
]  # fmt: skip
TODAY = date(2026, 11, 24)
SECRET = "-".join(("hunter2", "must", "not", "be", "seen"))


def build_hostile_plan() -> Plan:
    """Return the plan."""
    changes: list[dict[str, Any]] = []
    for number, attack in enumerate(ATTACKS):
        tags = {"environment": attack, "workload": attack, f"sust_waiver:{attack}": attack}
        policy = {"Effect": "Allow", "Action": attack, "Resource": attack, "Principal": {"AWS": attack}}
        document = json.dumps({"Statement": policy})
        resources: dict[str, dict[str, Any]] = {
            "aws_s3_bucket": {"bucket": attack, "tags": tags, "tags_all": tags},
            "aws_iam_role": {"name": attack, "assume_role_policy": document, "tags_all": tags},
            "aws_sagemaker_endpoint_configuration": {
                "name": attack,
                "tags_all": tags,
                "production_variants": [{"variant_name": attack, "model_name": attack, "instance_type": attack}],
            },
            "aws_sagemaker_notebook_instance": {"name": attack, "instance_type": attack, "role_arn": attack},
            "aws_sagemaker_pipeline": {"pipeline_name": attack, "pipeline_definition": attack},
        }
        for kind, values in resources.items():
            changes.append(build_change(f"{kind}.n{number}", values, index=attack))
            deleted = build_change(f"{kind}.g{number}", before={**values, "password": SECRET}, index=attack)
            deleted["change"]["before_sensitive"] = {"password": True, "tags": True}
            changes.append(deleted)
    hidden = {
        "name": SECRET,
        "instance_type": SECRET,
        "tags": {"environment": SECRET},
        "tags_all": {"workload": SECRET},
    }
    before, marks = {**hidden, "name": "x" + SECRET}, dict.fromkeys(hidden, True)
    changes.append(build_change("aws_sagemaker_notebook_instance.hidden", hidden, before=before, sensitive=marks))
    text = json.dumps({"Statement": {"Effect": "Allow", "Action": SECRET, "Resource": SECRET}})
    policy_change = {"role": SECRET, "policy": text}
    marks = {"role": True, "policy": True}
    changes.append(build_change("aws_iam_role_policy.hidden", policy_change, before={"policy": "{}"}, sensitive=marks))
    checks = [
        {
            "address": {"to_display": ATTACKS[0]},
            "status": "fail",
            "instances": [{"problems": [{"message": ATTACKS[1]}]}],
        }
    ]
    return build_plan(*changes, checks=checks)
