"""The HCL of a long module has one file for each concern, and a synthesis deletes files that no source generates."""

from pathlib import Path
from typing import Any

import pytest

from clone.synth import GENERATED
from tests.clone.synth.test_components import run_synthesis

pytestmark = pytest.mark.slow  # jsii takes seconds to start

EntryPath = tuple[str, ...]
ENDPOINT: tuple[EntryPath, Any] = (("resource", "aws_sagemaker_endpoint", "endpoint"), {"name": "${local.name}"})
ALARM: tuple[EntryPath, Any] = (("resource", "aws_cloudwatch_metric_alarm", "alarm"), {"name": "${local.alarm_name}"})
CHECK: tuple[EntryPath, Any] = (("check", "check"), {"condition": "${local.checked}"})


def split(*entries: tuple[EntryPath, Any], variables: str = "") -> dict[str, list[str]]:
    """Return the labels in each file. Each entry has a path and its values."""
    # This import starts jsii, so it must not run during collection.
    from sustainable_mlops.authoring.entries import ModuleEntry
    from sustainable_mlops.authoring.file_layout import split_by_concern

    layout = split_by_concern([ModuleEntry(path, values_json=values) for path, values in entries], variables)
    return {file: [entry.path[-1] for entry in group] for file, group in layout.items()}


def local(name: str, value: Any = 1) -> tuple[EntryPath, Any]:
    return ("locals", name), value


def test_a_resource_is_in_the_file_of_its_type_with_the_longest_start() -> None:
    bucket: tuple[EntryPath, Any] = ("resource", "aws_s3_bucket", "bucket"), {}
    lifecycle_type = "aws_s3_bucket_lifecycle_configuration"
    lifecycle: tuple[EntryPath, Any] = ("resource", lifecycle_type, "bucket_lifecycle_configuration"), {}
    assert split(ENDPOINT, bucket, ALARM, lifecycle, CHECK) == {
        "main.tf": ["endpoint", "check"],
        "buckets.tf": ["bucket"],
        "alarms.tf": ["alarm"],
        "lifecycle.tf": ["bucket_lifecycle_configuration"],
    }


def test_a_local_is_in_the_one_file_that_reads_it_even_through_another_local() -> None:
    entries = (local("prefix"), local("alarm_name", "${local.prefix}-alarm"), local("checked"), ENDPOINT, ALARM, CHECK)
    assert split(*entries) == {
        "main.tf": ["checked", "endpoint", "check"],
        "alarms.tf": ["prefix", "alarm_name", "alarm"],
    }


def test_a_local_that_several_files_or_validations_read_is_in_locals_tf() -> None:
    names = (local("name"), local("alarm_name", "${local.name}-alarm"), local("families"), local("output"))
    assert split(*names, ENDPOINT, ALARM, variables="local.families") == {
        "main.tf": ["output", "endpoint"],
        "locals.tf": ["name", "families"],
        "alarms.tf": ["alarm_name", "alarm"],
    }


def test_statements_in_terraform_data_are_beside_the_policy_that_reads_them() -> None:
    data: tuple[EntryPath, Any] = (("resource", "terraform_data", "policy"), {})
    policy: tuple[EntryPath, Any] = (
        ("resource", "aws_iam_role_policy", "role"),
        "${terraform_data.policy[each.key].input}",
    )
    assert split(data, ENDPOINT, policy) == {"main.tf": ["endpoint"], "iam.tf": ["policy", "role"]}
    assert split(data, ENDPOINT, ALARM) == {"main.tf": ["policy", "endpoint"], "alarms.tf": ["alarm"]}


def test_a_module_with_one_concern_has_main_tf_only() -> None:
    assert split(local("alarm_name"), ALARM, CHECK) == {"main.tf": ["alarm_name", "alarm", "check"]}


def test_synth_reports_and_deletes_generated_files_without_a_source(copy: Path) -> None:
    folder = copy / "modules" / "storage"
    stale, example = folder / "topics.tf", folder / "examples" / "minimal" / "iam.tf"
    for file in (stale, example):
        file.write_text(GENERATED.format(source="module.py") + 'resource "aws_sns_topic" "stale" {}\n')
    own = folder / "own.tf"
    own.write_text("# Somebody's own file.\n")

    result = run_synthesis(copy, "storage", "--check")
    assert result.returncode == 1
    assert '-resource "aws_sns_topic" "stale" {}' in result.stdout
    assert "2 stale: run smlops synth" in result.stderr
    assert stale.exists()

    result = run_synthesis(copy, "storage")
    assert result.stdout.split() == ["modules/storage/topics.tf", "modules/storage/examples/minimal/iam.tf"]
    assert (stale.exists(), example.exists(), own.exists()) == (False, False, True)
    assert run_synthesis(copy, "storage", "--check").returncode == 0
