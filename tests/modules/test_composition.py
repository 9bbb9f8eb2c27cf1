"""Composition of modules: statements of several modules in one call of `access`, and sensitive values."""

import json
import re
from typing import Any

import pytest

from tests.modules.examples import Example, examples, plan, summary, terraform

ARN = re.compile(r'"(arn:(?:[^"\\$]|\$\{[^}]*\})*)"')
KEY = "arn:aws:kms:eu-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE_POLICY = "module.access.aws_iam_role_policy.needed"
ACCOUNT = "eu-north-1:123456789012"
COMMON = f'''
  account_id  = "123456789012"
  region      = "eu-north-1"
  kms_key_arn = "{KEY}"'''
IMAGE = "123456789012.dkr.ecr.eu-north-1.amazonaws.com/churn:1"
#: Modules that use roles of `access` and pass their statements to it.
COMPOSITION = f'''
module "access" {{
  source      = "./modules/access"
  name_prefix = "shop"
  {COMMON}
  buckets = {{
    artifacts = {{ arn = "arn:aws:s3:::shop-artifacts" }}
    data      = {{ arn = "arn:aws:s3:::shop-data" }}
  }}
  role_statements = [
    module.feature_store.role_statements,
    module.serverless_endpoint.role_statements,
    module.async_endpoint["churn"].role_statements,
    {{ training = [{{ sid = "Announce", actions = ["sns:Publish"], resources = ["arn:aws:sns:{ACCOUNT}:done"] }}] }},
  ]
}}

module "feature_store" {{
  source               = "./modules/feature_store"
  name_prefix          = "shop"
  {COMMON}
  offline_store_s3_uri = "s3://shop-data/feature-store"
  role_arn             = module.access.role_arns["data_preparation"]
  feature_groups = {{
    orders = {{
      record_identifier = "id"
      event_time        = "time"
      features          = {{ id = {{ type = "String" }}, time = {{ type = "String" }} }}
    }}
  }}
}}

module "serverless_endpoint" {{
  source      = "./modules/serverless_endpoint"
  name_prefix = "shop-fraud"
  {COMMON}
  image_uri   = "{IMAGE}"
  role_arn    = module.access.role_arns["inference"]
}}

module "async_endpoint" {{
  source        = "./modules/async_endpoint"
  for_each      = toset(["churn"])
  name_prefix   = "shop-${{each.key}}"
  {COMMON}
  instance_type = "ml.c7g.xlarge"
  image_uri     = "{IMAGE}"
  s3_uri        = "s3://shop-artifacts/async-inference"
  role_arn      = module.access.role_arns["inference"]
}}
'''


def mark_arns_as_sensitive(example: Example) -> str:
    """Return the text of an example without outputs. Each ARN in a module call is sensitive."""
    blocks = re.split(r"^(?=\S+ )", example.text, flags=re.M)
    calls = {block: ARN.sub(r'sensitive("\1")', block) for block in blocks if block.startswith("module ")}
    return "".join(calls.get(block, block) for block in blocks if not block.startswith("output "))


@pytest.fixture(scope="module")
def plan_json(tmp_path_factory: pytest.TempPathFactory, terraform_environment: dict[str, str]) -> dict[str, Any]:
    """One plan of the composition, and of all examples with sensitive ARNs."""
    folder = tmp_path_factory.mktemp("composition")
    texts = {str(example): mark_arns_as_sensitive(example) for example in examples()}
    assert sum("sensitive(" in text for text in texts.values()) > len(texts) / 2
    for example in examples():
        Example(example.module, example.case, texts[str(example)]).write(folder / str(example))
    calls = "".join(f'module "{name}" {{\n  source = "./{name}"\n}}\n' for name in texts)
    Example("access", "composition", COMPOSITION + calls).write(folder)
    return plan(terraform(folder, terraform_environment))


@pytest.mark.plan
def test_access_grants_the_statements_of_all_modules_without_a_cycle(plan_json: dict[str, Any]) -> None:
    values = summary(plan_json)["values"]
    statements = {
        phase: {one["Sid"]: one for one in json.loads(values[f'{ROLE_POLICY}["{phase}"]']["policy"])["Statement"]}
        for phase in ("data_preparation", "training", "inference")
    }
    group = f"arn:aws:sagemaker:{ACCOUNT}:feature-group/shop-orders"
    assert all(statements[phase]["Records"]["Resource"] == [group] for phase in statements)
    assert statements["data_preparation"]["HandOver"]["Resource"] == ["arn:aws:s3:::shop-data/feature-store/*"]
    assert statements["training"].keys() == {"Records", "Announce"}
    logs = f"arn:aws:logs:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints"
    assert set(statements["inference"]["Logs"]["Resource"]) == {f"{logs}/shop-fraud:*", f"{logs}/shop-churn:*"}
    assert "PublishNotifications" in statements["inference"]


@pytest.mark.plan
def test_modules_accept_sensitive_arns(plan_json: dict[str, Any]) -> None:
    assert plan_json["complete"]
    (topic,) = (
        change["change"]
        for change in plan_json["resource_changes"]
        if re.fullmatch(r"module\.model_registry-complete\..*aws_sns_topic\.approvals\[.*\]", change["address"])
    )
    assert topic["after_sensitive"]["kms_master_key_id"]
