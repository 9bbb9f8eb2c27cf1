"""Detection of credentials, and the guarantee that no part of one is shown."""

import time

from sustainable_mlops.rules import BY_ID, evaluate
from sustainable_mlops.rules.account import credentials
from tests.cases import check_cases
from tests.rules.case_tables import CaseRow, list_rows
from tests.rules.cases.account.plain_secrets import AWS, HUGGING_FACE, PRIVATE, WEB

_TEXT = "aB3dE5gH" * 6

SHAPES = {
    "an AWS access key": AWS,
    "a temporary AWS access key": AWS.replace("AKIA", "ASIA"),
    "an AWS secret key": "aws_secret_access_key " + _TEXT[:40],
    "a Hugging Face token": HUGGING_FACE,
    "a GitHub token": "gh" + "p_" + _TEXT[:36],
    "a GitLab token": "glpat" + "-" + _TEXT[:20],
    "a Slack token": "xoxb" + "-123456789012-" + _TEXT[:24],
    "a Slack webhook": "https://hooks.slack.com" + "/services/T00000000/B00000000/" + _TEXT[:24],
    "an API key": "sk" + "-proj-" + _TEXT,
    "a Stripe key": "sk_" + "live_" + _TEXT[:24],
    "a Google API key": "AI" + "za" + _TEXT[:35],
    "an npm token": "npm" + "_" + _TEXT[:36],
    "a Docker Hub token": "dckr" + "_pat_" + _TEXT[:27],
    "a Databricks token": "dapi" + "0123456789abcdef" * 2,
    "a JSON web token": WEB,
    "a private key": PRIVATE,
    "a password in an address": "mysql://app:" + "hunter2@db/flights",
}
NO_SHAPES = (
    "hf_transformers_text_generation_pipeline",
    "sk-learn-random-forest-classifier-of-flights",
    "https://example.com:8443/a@b",
    "https://x:${TOKEN}@github.com/a/b.git",
    "AKIArose",
    "123456789012.dkr.ecr.eu-north-1.amazonaws.com/delay@sha256:" + "0" * 64,
)


@check_cases("description", SHAPES)
def test_a_token_is_found_anywhere(description: str) -> None:
    token = SHAPES[description]
    assert list(credentials.find_credentials(token)) == [description]
    assert description in credentials.find_credentials(f'{{"a": ["--x={token}", "b"]}}')


@check_cases("text", NO_SHAPES)
def test_a_similar_text_is_not_a_credential(text: str) -> None:
    assert list(credentials.find_credentials(text)) == []


@check_cases(
    "name",
    ["HF_TOKEN", "hf-token", "hfToken", "db.password", "DBPASSWORD", "DB_PASSWORD_2", "APIKey", "client_secret", "PWD"],
)
def test_a_name_denotes_a_credential(name: str) -> None:
    assert credentials.is_credential_name(name)


@check_cases(
    "name",
    ["MAX_TOKENS", "TOKENIZER", "SECRET_ARN", "SECRET_NAME", "TOKEN_URL", "KMS_KEY_ID", "pad_token", "eosToken", "KEY"],
)
def test_a_name_does_not_denote_a_credential(name: str) -> None:
    assert not credentials.is_credential_name(name)


@check_cases(
    "row", [row for row in list_rows("fail") if row.rule in ("SUS_LITERAL_SECRET", "SUS_SECRET_IN_PLAIN_TEXT")]
)
def test_no_part_of_a_secret_is_shown(row: CaseRow) -> None:
    text = str(evaluate(row.case.plan(), [BY_ID[row.rule]]))
    secrets = ("hunter2", "abcd1234", "0a1b2c3d", "aB3/", HUGGING_FACE, AWS, WEB)
    assert not [secret for secret in secrets if secret[:8] in text]


def test_a_name_that_is_itself_a_token_is_not_shown() -> None:
    assert credentials.mask_name(HUGGING_FACE) == "credential"
    assert credentials.mask_name("HF_TOKEN") == "HF_TOKEN"


@check_cases("piece", ["-", "a-", "a.", "sk-", "eyJ-", "hf_", "://", "token ", "token=", "--token ", "\"' :"])
def test_a_hostile_text_is_searched_quickly(piece: str) -> None:
    start = time.process_time()
    list(credentials.find_credentials(piece * (50_000 // len(piece)) + "token://AKIA-----PRIVATE KEY-----"))
    assert time.process_time() - start < 10  # a pattern with backtracking takes minutes
