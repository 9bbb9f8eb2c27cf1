"""Commands that instances run after the apply: start-up scripts, tasks, schedules that delete.

New code of a function is an everyday change and not reported. The script of a new instance is part of that instance, so
only its dangerous lines count. Attributes come from the schema of the provider aws 5.100.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from sustainable_mlops.plan import UNKNOWN, Block
from sustainable_mlops.plan.commands import PlanCommand, shorten
from sustainable_mlops.plan.values import Sensitive
from sustainable_mlops.review.attributes.row import list_values
from sustainable_mlops.review.comparison import Comparison, ResourcePair
from sustainable_mlops.review.risk import format_path

_Reader = Callable[[Any], list[str]]

# Patterns are texts, because most plans do not need them.
#: AWS SDK actions that read, start, stop, scale or send, but neither delete, nor give access, nor run commands.
_HARMLESS_ACTION = (
    r"(?i)(?!startautomationexecution|startsession)(?:get|list|describe|head|start|stop|reboot|invoke|publish|query|scan"
    r"|batchget|batchdetect|copy|tag|untag|addtags|detect|analyze|recognize|translate|synthesize|converse|classify"
    r"|compare|search|select|retrieve|generate|validate|lookup|run(?:task|jobflow|instances)"
    r"|create(?!accesskey|loginprofile|policy|grant|user|role))\w*"
    r"|put(?:events|metricdata|record|records|item|object)|sendmessage(?:batch)?|setdesiredcapacity"
    r"|update(?:service|autoscalinggroup|item|endpoint|endpointweightsandcapacities|nodegroupconfig)"
    r"|restoredbinstance\w*"
)
_SDK_ACTION = r"arn:[a-z-]+:(?:scheduler|states):::aws-sdk:([A-Za-z0-9-]+):([A-Za-z0-9]+)"
_DOCUMENT_ARN = r"arn:[a-z-]+:ssm:[^:]*:[^:]*:(?:automation-definition|document)/([^:]+).*"
_ALARM_TERMINATION = r"(?i)arn:[a-z-]+:(?:automate|swf):.*terminate.*"
_HARMLESS_EXPERIMENT = "aws:(?:fis:wait|cloudwatch:assert-alarm-state)"
#: Commands of containers are everyday changes, unless they delete something or run a script from the internet.
_DESTRUCTIVE_COMMAND = (
    r"(?i)\b(?:rm|rmdir|shred|mkfs|unlink)\b|\b(?:delete|terminate|purge|destroy)[a-z-]*\b|\b(?:drop|truncate)\s+\w"
    r"|\b(?:curl|wget)\b[^|;]*\|\s*(?:sudo\s+)?\w*sh\b|--delete\b"
)
#: Lines of a new instance's script that run code from the internet, or delete something in the account.
_DANGEROUS_LINE = (
    r"(?i)\b(?:curl|wget)\b[^|;]*\|\s*(?:sudo\s+)?\w*sh\b"
    r"|\baws\s(?:[^|;&]*\s)?(?:rm|rb|(?:delete|terminate|purge|remove|deregister)-[a-z-]+)\b"
)
#: Documents of AWS that inspect or patch an instance.
_HARMLESS_DOCUMENTS = frozenset(
    {"AWS-RunPatchBaseline", "AWS-GatherSoftwareInventory", "AWS-UpdateSSMAgent", "AmazonCloudWatch-ManageAgent"}
)
#: Parts that may be a secret: the word after a name such as `password`, a login in an address, a long token.
_HIDDEN_PART = (
    r"(?i)((?:pass|secret|token|key|credential|auth)[\w-]*(?:\s*[=:]\s*|\s+)(?:bearer\s+|basic\s+)?)[^\s;]+"
    r"|(?<=//)[^/@\s]+(?=@)|\b(?=[A-Za-z+/_-]*\d)[A-Za-z0-9+/_-]{40,}={0,2}"
)
_HASH = "[0-9a-f]{40}"


def _read_lines(value: Any) -> list[str]:
    """Return the lines of a script, which may be base64, or the texts of a document."""
    if isinstance(value, str):
        text = _decode(value)
        document = _parse_json(text)
        lines = text.splitlines() if document is None else _list_leaves(document)
        return [line.strip() for line in lines if line.strip() and not re.fullmatch(_HASH, line)]
    return _list_leaves(value)


def _read_sdk_actions(value: Any) -> list[str]:
    actions = re.findall(_SDK_ACTION, str(value))
    return [f"{service}:{action}" for service, action in actions if not re.fullmatch(_HARMLESS_ACTION, action)]


def _read_documents(value: Any) -> list[str]:
    match = re.fullmatch(_DOCUMENT_ARN, str(value))
    return [match[1]] if match and match[1] not in _HARMLESS_DOCUMENTS else []


def _read_experiments(value: Any) -> list[str]:
    return [] if re.fullmatch(_HARMLESS_EXPERIMENT, str(value)) else [str(value)]


def _read_terminations(value: Any) -> list[str]:
    return [text for text in _list_leaves(value) if re.fullmatch(_ALARM_TERMINATION, text)]


def _read_deletions(value: Any) -> list[str]:
    return ["DELETE"] if value == "DELETE" else []


def _read_target_preparations(value: Any) -> list[str]:
    return re.findall(r'"TargetTablePrepMode"\s*:\s*"(DROP_AND_CREATE|TRUNCATE_BEFORE_LOAD)"', str(value))


def _read_container_commands(value: Any) -> list[str]:
    """Return the commands in a container definition that delete something or run a script from the internet."""
    commands: list[str] = []
    pending = [_parse_json(value) if isinstance(value, str) else value]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            parts = [node[key] for key in ("entryPoint", "command", "args") if isinstance(node.get(key), list)]
            commands.append(" ".join(str(word) for part in parts for word in part))
            pending += node.values()
        elif isinstance(node, list):
            pending += node
    return [command for command in commands if re.search(_DESTRUCTIVE_COMMAND, command)]


#: Readers of a part of a document.
_PARTIAL_READERS = (_read_container_commands, _read_target_preparations)


class _Source(NamedTuple):
    """An attribute with a command that an instance runs."""

    path: str
    read: _Reader
    when: str
    #: True if all commands of a new resource count; False if only its dangerous lines do.
    counts_if_new: bool = True


_START, _RUN, _SCHEDULE = "when an instance starts", "in its next run", "by a schedule or an event"
_SCRIPTS = {
    "aws_instance": "user_data user_data_base64",
    "aws_launch_configuration": "user_data user_data_base64",
    "aws_launch_template": "user_data",
    "aws_lightsail_instance": "user_data",
    "aws_mwaa_environment": "startup_script_s3_path startup_script_s3_object_version",
    "aws_emr_cluster": "bootstrap_action step",
    "aws_sagemaker_notebook_instance": "lifecycle_config_name",
    "aws_sagemaker_domain": "**.lifecycle_config_arn **.lifecycle_config_arns",
    "aws_sagemaker_user_profile": "**.lifecycle_config_arn **.lifecycle_config_arns",
    "aws_sagemaker_space": "**.lifecycle_config_arn **.lifecycle_config_arns",
    "aws_spot_fleet_request": "launch_specification.*.user_data",
    "aws_spot_instance_request": "user_data user_data_base64",
}
_SOURCES: dict[str, tuple[_Source, ...]] = {
    **{
        type_: tuple(_Source(path, _read_lines, _START, counts_if_new=False) for path in paths.split())
        for type_, paths in _SCRIPTS.items()
    },
    "aws_sagemaker_notebook_instance_lifecycle_configuration": (
        _Source("on_create", _read_lines, _START),
        _Source("on_start", _read_lines, _START),
    ),
    "aws_sagemaker_studio_lifecycle_config": (_Source("studio_lifecycle_config_content", _read_lines, _START),),
    "aws_codebuild_project": (
        _Source("source.*.buildspec", _read_lines, _RUN, counts_if_new=False),
        _Source("secondary_sources.*.buildspec", _read_lines, _RUN, counts_if_new=False),
    ),
    "aws_imagebuilder_component": (_Source("data", _read_lines, _RUN, counts_if_new=False),),
    "aws_ssm_document": (_Source("content", _read_lines, _RUN, counts_if_new=False),),
    "aws_ssm_maintenance_window_task": (
        _Source("task_arn", _read_lines, _SCHEDULE),
        _Source("task_invocation_parameters", _read_lines, _SCHEDULE),
    ),
    "aws_config_remediation_configuration": (_Source("target_id", _read_lines, _SCHEDULE),),
    "aws_scheduler_schedule": (
        _Source("target.*.arn", _read_sdk_actions, _SCHEDULE),
        _Source("target.*.input", _read_container_commands, _SCHEDULE),
    ),
    "aws_sfn_state_machine": (_Source("definition", _read_sdk_actions, _RUN),),
    "aws_cloudwatch_event_target": (
        _Source("arn", _read_documents, _SCHEDULE),
        _Source("input", _read_container_commands, _SCHEDULE),
    ),
    "aws_dms_replication_task": (_Source("replication_task_settings", _read_target_preparations, _RUN),),
    "aws_cloudwatch_metric_alarm": tuple(
        _Source(path, _read_terminations, "by an alarm")
        for path in ("alarm_actions", "insufficient_data_actions", "ok_actions")
    ),
    "aws_fis_experiment_template": (_Source("action.*.action_id", _read_experiments, _RUN),),
    "aws_transfer_workflow": (
        _Source("steps.*.type", _read_deletions, "by an upload"),
        _Source("on_exception_steps.*.type", _read_deletions, "by an upload"),
    ),
    "aws_ecs_task_definition": (_Source("container_definitions", _read_container_commands, _RUN),),
    "aws_batch_job_definition": tuple(
        _Source(path, _read_container_commands, _RUN)
        for path in ("container_properties", "node_properties", "ecs_properties", "eks_properties")
    ),
}  # fmt: skip
#: The blocks of each attribute that have a command.
_CONTAINERS = {
    "container_definitions": ("",),
    "container_properties": ("",),
    "ecs_properties": ("taskProperties.containers.",),
    "node_properties": ("nodeRangeProperties.container.",),
    "eks_properties": ("pod_properties.containers.", "pod_properties.init_containers."),
}
#: The attribute and the value that turn something off.
_OFF = {"aws_scheduler_schedule": ("state", "DISABLED"), "aws_config_remediation_configuration": ("automatic", False)}
#: The types of instances that use a script.
_SCRIPT_USERS = {
    "aws_sagemaker_notebook_instance_lifecycle_configuration": ("aws_sagemaker_notebook_instance",),
    "aws_sagemaker_studio_lifecycle_config": (
        "aws_sagemaker_domain", "aws_sagemaker_user_profile", "aws_sagemaker_space"
    ),
}  # fmt: skip


def list_command_paths(type_: str) -> tuple[str, ...]:
    """Return the paths of the attributes that this module reads. In container definitions, only commands count."""
    sources = _SOURCES.get(type_, ())
    paths = [
        f"{source.path}.{inner}{key}"
        for source in sources
        if source.read in _PARTIAL_READERS
        for inner in _CONTAINERS.get(source.path, ())
        for key in ("command", "entryPoint", "args")
    ]
    paths += [source.path for source in sources if source.read not in _PARTIAL_READERS]
    return (*paths, *(_OFF[type_][:1] if type_ in _OFF else ()))


def find_instance_commands(comparison: Comparison) -> Iterator[PlanCommand]:
    """Yield the commands that a plan makes instances run."""
    for pair in comparison.changes:
        for source in _SOURCES.get(pair.type, ()):
            after = pair.after
            if after is None or _is_off(pair.type, after):
                continue
            if pair.is_new and pair.type in _SCRIPT_USERS and _has_only_new_users(pair, comparison):
                continue
            text = _describe_additions(pair, after, source, comparison)
            if text is not None:
                yield PlanCommand(pair.address, f"{pair.type}.{format_path(source.path)}", text, source.when)


def _is_off(type_: str, values: Block) -> bool:
    name, value = _OFF.get(type_, ("", None))
    return bool(name) and values.get(name, False) == value


def _describe_additions(pair: ResourcePair, after: Block, source: _Source, comparison: Comparison) -> str | None:
    """Return the new commands of an instance, without secrets; None if there are none."""
    before = None if pair.before is None or _is_off(pair.type, pair.before) else pair.before
    new, old = ([] if values is None else _list_at(values, source.path) for values in (after, before))
    if new == old or new == []:
        return None
    head = source.path.partition("*")[0].rstrip(".")
    hidden_values = [value for value in new if value is UNKNOWN or isinstance(value, Sensitive)]
    if hidden_values:
        is_computed = bool(head) and pair.new is not None and comparison.plan.is_configured(pair.new, head) is False
        return None if pair.is_new or is_computed or hidden_values[0] in old else str(hidden_values[0])
    former_lines = {line for value in old for line in source.read(value)}
    lines = list(dict.fromkeys(line for value in new for line in source.read(value) if line not in former_lines))
    if (
        source.read is _read_lines
        and not pair.is_new
        and not lines
        and any(map(_is_hash, new))
        and set(map(str, new)) != set(map(str, old))
    ):
        return ""  # the provider stores only a hash
    lines = [line for line in lines if line not in _HARMLESS_DOCUMENTS]
    if pair.is_new and not source.counts_if_new:
        lines = [line for line in lines if re.search(_DANGEROUS_LINE, line)]
    return shorten(re.sub(_HIDDEN_PART, _hide_secret, "; ".join(lines))) if lines else None


def _list_at(values: Block, path: str) -> list[Any]:
    return [UNKNOWN] if values.values is UNKNOWN else list_values(values.values, path.split("."))


def _has_only_new_users(pair: ResourcePair, comparison: Comparison) -> bool:
    """Return whether the plan makes every instance that uses a new script."""
    users = [user for type_ in _SCRIPT_USERS[pair.type] for user in comparison.by_type.get(type_, ())]
    users = [user for user in users if user.new is not None and _uses_resource(user, pair, comparison)]
    return bool(users) and all(user.is_new for user in users)


def _uses_resource(user: ResourcePair, pair: ResourcePair, comparison: Comparison) -> bool:
    return user.new is not None and pair.new in comparison.plan.find_references(user.new).resources


def _hide_secret(match: re.Match[str]) -> str:
    return f"{match[1] or ''}(hidden)"


def _is_hash(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(_HASH, value) is not None


def _decode(text: str) -> str:
    """Return the text of a base64 script, or the text itself."""
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return text
    return decoded if all(letter.isprintable() or letter.isspace() for letter in decoded) else text


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text) if text.lstrip().startswith(("{", "[")) else None
    except (ValueError, RecursionError):
        return None


def _list_leaves(value: Any) -> list[str]:
    """Return the texts at any depth."""
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return [leaf for item in items for leaf in _list_leaves(item)]
    return [value] if isinstance(value, str) and value else []
