"""Layout of a module's HCL: one file for each concern.

A module of at most `MAX_LINES` lines has main.tf only, and so has a module whose resources all have one concern.
"""

import json
import re
from collections.abc import Iterable, Mapping

from sustainable_mlops.authoring.entries import ModuleEntry

MAIN = "main.tf"
#: File of the locals that several files or the validations of variables.tf read.
LOCALS = "locals.tf"
#: Maximum number of lines of a main.tf that has all concerns.
MAX_LINES = 400
#: File of a resource, by the start of its type; the longest start decides. Other resources are in main.tf.
CONCERNS = {
    "aws_appautoscaling_": "scaling.tf",
    "aws_cloudwatch_composite_alarm": "alarms.tf",
    "aws_cloudwatch_dashboard": "dashboard.tf",
    "aws_cloudwatch_event_": "events.tf",
    "aws_cloudwatch_metric_alarm": "alarms.tf",
    "aws_iam_": "iam.tf",
    "aws_kms_": "kms.tf",
    "aws_s3_": "buckets.tf",
    "aws_s3_bucket_intelligent_tiering_": "lifecycle.tf",
    "aws_s3_bucket_lifecycle_": "lifecycle.tf",
    "aws_scheduler_": "events.tf",
    "aws_sns_": "topics.tf",
    "aws_sqs_": "events.tf",
}


def split_by_concern(entries: Iterable[ModuleEntry], variables: str) -> dict[str, list[ModuleEntry]]:
    """Return the entries of each file, in their order. `variables` is the text of variables.tf.

    A local or a `terraform_data` is in the file that reads it. If several files read it, a local is in locals.tf and
    a `terraform_data` in main.tf.
    """
    entries = list(entries)
    texts = {"variables.tf": variables}
    files: list[str] = []
    for entry in reversed(entries):  # an entry refers only to earlier entries
        file = _find_file(entry, texts) if _follows_readers(entry) else _find_concern(entry)
        files.insert(0, file)
        texts[file] = texts.get(file, "") + json.dumps(entry.values_json)
    own = {file for file, entry in zip(files, entries, strict=True) if entry.path[0] in ("resource", "module")}
    if len(own) <= 1:
        return {MAIN: entries}
    layout: dict[str, list[ModuleEntry]] = {MAIN: []}
    for file, entry in zip(files, entries, strict=True):
        layout.setdefault(file, []).append(entry)
    return layout


def _follows_readers(entry: ModuleEntry) -> bool:
    return entry.path[0] == "locals" or entry.path[:2] == ("resource", "terraform_data")


def _find_concern(entry: ModuleEntry) -> str:
    kind = entry.path[1] if entry.path[0] == "resource" else ""
    return CONCERNS[max(starts, key=len)] if (starts := [one for one in CONCERNS if kind.startswith(one)]) else MAIN


def _find_file(entry: ModuleEntry, texts: Mapping[str, str]) -> str:
    """Return the file of an entry that is in the file of its readers."""
    address = ".".join(("local" if entry.path[0] == "locals" else entry.path[1], entry.path[-1]))
    reference = re.compile(rf"(?<![\w.]){re.escape(address)}\b")
    readers = [file for file, text in texts.items() if reference.search(text)]
    shared = LOCALS if entry.path[0] == "locals" else MAIN
    if not readers:  # an output reads it, or nothing
        return MAIN
    return readers[0] if len(readers) == 1 and readers != ["variables.tf"] else shared
