"""Error messages for authors name the line and the remedy."""

from pathlib import Path

import pytest

from sustainable_mlops.base.errors import UserError
from tests.authoring.author_file import explain_error, run_author_file

pytestmark = pytest.mark.slow  # jsii takes seconds to start

DECIDE = (
    "is known only to Terraform, so Python cannot test it: write when(condition, one, other) for if, & | ~ for and, "
    "or, not, (a < b) & (b < c) for a < b < c, contains(items, item) for in"
)
OTHERS = (
    "expressions support == != < <= > >= + - * / & | ~ [] and the functions of authoring.expressions; write other "
    "operations as text, such as '${var.size * 2}'"
)
#: A line of `build` and its error message.
BUILD = {
    "an undeclared input": ("var.memry_mb", "var has no input 'memry_mb'; did you mean 'memory_mb'?"),
    "an input in a string": (
        'self.local("name", "${var.memry_mb}")',
        "var has no input 'memry_mb'; did you mean 'memory_mb'?",
    ),
    "an input without var in a string": (
        'self.local("name", "n-${memory_mb}")',
        "nothing is named 'memory_mb'; did you mean 'var.memory_mb'?",
    ),
    "a field of an object in a string": (
        'self.local("days", "${[for key, group in var.groups : group.ttl_day]} ${var.groups[\\"a\\"].ttl_day}")',
        "var.groups.a has no attribute 'ttl_day'; did you mean 'ttl_days'?",
    ),
    "a field of an object": (
        "list_of(var.groups, lambda group: group.ttl_day)",
        "group has no attribute 'ttl_day'; did you mean 'ttl_days'?",
    ),
    "a map used as an item": (
        "var.groups.ttl_days",
        "var.groups is a collection without 'ttl_days': select one item by var.groups[key], or all items by "
        "list_of(…, lambda item: …) or map_of(…, lambda key, item: …)",
    ),
    "a resource that does not exist": (
        'self.local("arn", "${aws_s3_bucket.logs.arn}")',
        "aws_s3_bucket has no resource 'logs'; known: each",
    ),
    "an index in a string": (
        'self.local("days", "${var.groups[local.sise].ttl_days}")',
        "local has no value 'sise'; did you mean 'size'?",
    ),
    "an unknown name in a comparison in a string": (
        'self.local("large", "${memory == 3}")',
        "nothing is named 'memory'; known: aws_cloudwatch_log_group, aws_s3_bucket, data, local, module, var",
    ),
    "an unused resource type": (
        'self.local("arn", "${aws_kms_key.this.arn}")',
        "no resource aws_kms_key.this was added",
    ),
    "another resource of a type without for_each": (
        'self.local("arn", "${aws_cloudwatch_log_group.logs.arn}")',
        "aws_cloudwatch_log_group has no resource 'logs'; known: this",
    ),
    "an unknown resource in depends_on": (
        'self.add(S3Bucket, "b", bucket="b", depends_on=["aws_s3_bucket.dta"])',
        "aws_s3_bucket has no resource 'dta'; known: b, each",
    ),
    "an unknown resource in replace_triggered_by": (
        'self.add(S3Bucket, "b", bucket="b", lifecycle={"replace_triggered_by": ["aws_s3_bucket.dta.id"]})',
        "aws_s3_bucket has no resource 'dta'; known: b, each",
    ),
    "an attribute that the provider lacks": (
        "logs.arm",
        "aws_cloudwatch_log_group.this has no attribute 'arm'; did you mean 'arn'?",
    ),
    "an attribute that the provider lacks, in a string": (
        'self.local("arn", "${aws_cloudwatch_log_group.this.arm}")',
        "aws_cloudwatch_log_group.this has no attribute 'arm'; did you mean 'arn'?",
    ),
    "a method of the binding": (
        "logs.add_override",
        "aws_cloudwatch_log_group.this has no attribute 'add_override'; known: arn, deletion_protection_enabled, id, "
        "kms_key_id, log_group_class, name, name_prefix, region, retention_in_days, skip_destroy, tags, tags_all",
    ),
    "an attribute of a resource with for_each": (
        "buckets.arn",
        "aws_s3_bucket.each is a collection without 'arn': select one item by aws_s3_bucket.each[key], or all items by "
        "list_of(…, lambda item: …) or map_of(…, lambda key, item: …)",
    ),
    "an attribute of a resource with for_each, in a string": (
        'self.local("arn", "${aws_s3_bucket.each.arn}")',
        "aws_s3_bucket.each has for_each, so it has no 'arn'; refer to an instance, aws_s3_bucket.each[each.key].arn",
    ),
    "a local that does not exist": ("self.locals.sise", "local has no value 'sise'; did you mean 'size'?"),
    "an item without for_each": (
        'self.add(S3Bucket, "b", bucket="${each.key}")',
        "each is used without for_each=each_of(…)",
    ),
    "an argument that the provider lacks": (
        'self.add(CloudwatchLogGroup, "b", retention_days=3)',
        "CloudwatchLogGroup has no argument 'retention_days'; did you mean 'retention_in_days'?",
    ),
    "an argument inside a block": (
        'self.add(SagemakerEndpointConfiguration, "c", production_variants=[{"variant_nam": "a"}])',
        "SagemakerEndpointConfigurationProductionVariants has no argument 'variant_nam' (at production_variants.0); "
        "did you mean 'variant_name'?",
    ),
    "an argument of another type": (
        'self.add(CloudwatchLogGroup, "b", retention_in_days=var.tags)',
        "retention_in_days takes a number; var.tags is a map",
    ),
    "a missing argument of a block": (
        'self.add(SagemakerEndpointConfiguration, "c", production_variants=[], async_inference_config={})',
        "async_inference_config needs output_config",
    ),
    "a missing argument": (
        'self.add(IamRole, "r", name="r")',
        "IamRole: missing 1 required keyword-only argument: 'assume_role_policy'",
    ),
    "an unknown meta-argument": (
        'self.add(S3Bucket, "b", bucket="b", depend_on=[logs])',
        "S3Bucket has no argument 'depend_on'; did you mean 'depends_on'?",
    ),
    "count": (
        'self.add(S3Bucket, "b", bucket="b", count=2)',
        "count renumbers instances when one is removed: use for_each=each_of(a map or a set)",
    ),
    "an unknown argument of lifecycle": (
        'self.add(S3Bucket, "b", bucket="b", lifecycle={"create_before_destory": True})',
        "lifecycle has no 'create_before_destory'; did you mean 'create_before_destroy'?",
    ),
    "an unknown argument in ignore_changes": (
        'self.add(S3Bucket, "b", bucket="b", lifecycle={"ignore_changes": ["tag"]})',
        "lifecycle: ignore_changes: S3Bucket has no 'tag'; did you mean 'tags'?",
    ),
    "for_each of a list": (
        "each_of(var.accounts)",
        "var.accounts is a list; each_of() takes a map or a set: set_of(…)",
    ),
    "for_each without each_of": (
        'self.add(S3Bucket, "b", bucket="b", for_each=var.groups)',
        "for_each takes each_of(a map or a set); the arguments then use its key and value",
    ),
    "two resources of one name": (
        'self.add(CloudwatchLogGroup, "this", name="other")',
        "aws_cloudwatch_log_group 'this' already exists; give each a different name",
    ),
    "two locals of one name": ('self.local("size", 2)', "a local 'size' already exists; give each a different name"),
    "a format": (
        'f"n-{var.memory_mb:03}"',
        "var.memory_mb is known only to Terraform, which supports only formats such as ':.2f': remove ':03' from the "
        "braces",
    ),
    "decimals of text": ('f"n-{var.name_prefix:.2f}"', "var.name_prefix is a text; Terraform formats numbers only"),
    "subtraction from text": (
        "var.name_prefix - 1",
        "var.name_prefix is a text; Terraform subtracts, multiplies and divides numbers only",
    ),
    "an attribute of merged objects": (
        'merge(var.groups["a"], {"size": 1}).ttl_day',
        "merge(var.groups[\"a\"], { size = 1 }) has no attribute 'ttl_day'; did you mean 'ttl_days'?",
    ),
    "a column of a table": (
        'csvdecode(file("t.csv"), ("name", "size"))[0].sise',
        "csvdecode(file(\"t.csv\"))[0] has no column 'sise'; did you mean 'size'?",
    ),
    "an attribute of the resource itself": (
        "self_reference(S3Bucket).buckets",
        "self has no attribute 'buckets'; did you mean 'bucket'?",
    ),
    "an unknown path": ('f"{path.modul}/t.csv"', "path has no attribute 'modul'; did you mean 'module'?"),
    "if": ("if var.memory_mb > 3: pass", f"var.memory_mb > 3 {DECIDE}"),
    "a chain of comparisons": ("1 < var.memory_mb < 3", f"var.memory_mb > 1 {DECIDE}"),
    "in": ('"a" in var.groups', 'var.groups is known only to Terraform: write contains(keys(var.groups), "a") for in'),
    "len": ("len(var.accounts)", "var.accounts is known only to Terraform: write length(var.accounts) for len()"),
    "a loop": (
        "for account in var.accounts: pass",
        "var.accounts is known only to Terraform, so Python cannot iterate over it: write "
        "list_of(items, lambda item: …), map_of(…), every(…), or for_each=each_of(items)",
    ),
    "int": (
        "int(var.memory_mb)",
        "var.memory_mb is known only to Terraform: remove int(), Terraform converts numbers itself",
    ),
    "an unsupported operator": (
        "var.memory_mb % 2",
        f"unsupported operand type(s) for %: 'Expression' and 'int': {OTHERS}",
    ),
    "a Python function": (
        '"-".join([var.name_prefix, "logs"])',
        f"sequence item 0: expected str instance, Expression found: {OTHERS}",
    ),
    "a negative index": ("var.accounts[-1]", "var.accounts[-1]: Terraform has no negative indices"),
    "a slice": (
        "var.name_prefix[:3]",
        "var.name_prefix is known only to Terraform: write truncate(text, length) for text[:length]",
    ),
    "a lookup in a dictionary": (
        "{}[var.name_prefix]",
        "var.name_prefix is known only to Terraform: for a table[key] write get(table, key, default)",
    ),
    "& without parentheses": (
        "var.memory_mb > 3 & var.memory_mb",
        "3 is a number, not a condition; put each comparison in parentheses: (a > 1) & (b > 1), "
        "since & and | bind tighter than > and ==",
    ),
    "compared f-strings": (
        'when(f"{var.name_prefix}-a" == "b-a", 1, 2)',
        "Python evaluated this condition to False; compare expressions, not f-strings, which are plain text in Python",
    ),
    "ordered text": ('var.name_prefix > "a"', "var.name_prefix is a text; Terraform orders numbers only"),
    "a number compared with text": (
        'var.memory_mb == "2048"',
        'var.memory_mb == "2048" compares number with text; they are never equal',
    ),
    "compared lists": (
        "var.accounts == []",
        "var.accounts == []: Terraform never treats lists or maps of different types as equal; compare length(…), or "
        "each item by every(…)",
    ),
    "a number added to text": (
        'var.memory_mb + "MB"',
        'var.memory_mb + "MB" adds number and text; for text write an f-string',
    ),
    "a method of text": (
        'var.name_prefix.replace("_", "-")',
        "var.name_prefix is a text; it has no attribute 'replace'",
    ),
    "a reserved name": (
        "list_of(var.groups, lambda each: each)",
        "'each' already has another meaning here; rename the lambda's parameter",
    ),
    "is None": (
        "var.groups['a'].ttl_days is None",
        "'var.groups['a'].ttl_days is None' is always False for an expression: write is_null(var.groups['a'].ttl_days)",
    ),
    "is not None, of an item": (
        "list_of(var.groups, lambda group: 1 if group.ttl_days is not None else 2)",
        "'group.ttl_days is None' is always False for an expression: write is_null(group.ttl_days)",
    ),
    "is None, of a name": (
        "days = size if size is None else 3",
        "'size is None' is always False for an expression: write is_null(size)",
    ),
    "a key that a local lacks": ('self.local("zones", {"a": 1})["b"]', "local.zones has no attribute 'b'; known: a"),
    "a choice that a local lacks": (
        'self.local("zones", {"a": 1, "b": 2})[var.zone]',
        "local.zones has no key 'c', which is a possible value of var.zone; add the key, or write get(map, key, "
        "default)",
    ),
    "a key of a local that another local lacks": (
        'list_of(self.local("z", {"a": 1, "b": 2}), lambda key, _: self.local("y", {"a": 1})[key])',
        "local.y has no key 'b', which is a possible value of key; add the key, or write get(map, key, default)",
    ),
    "an attribute that one item of a local lacks": (
        'list_of(self.local("zones", {"a": {"x": 1, "y": 2}, "b": {"x": 3}}), lambda zone: zone.y)',
        "zone has no common attribute 'y'; known: x",
    ),
    "a missing argument of a dynamic block": (
        'self.add(SagemakerEndpointConfiguration, "c", production_variants=Dynamic(var.groups, lambda one: {}), '
        "async_inference_config=Dynamic(var.groups, lambda one: {}))",
        "async_inference_config needs output_config",
    ),
    "an unclosed interpolation": ('length("${var.name_prefix")', "unclosed interpolation in '${var.name_prefix'"),
}


@pytest.mark.parametrize(("line", "message"), BUILD.values(), ids=list(BUILD))
def test_errors_in_build_name_the_line(line: str, message: str, tmp_path: Path) -> None:
    assert explain_error(tmp_path, build=line) == f"{line} → {message}"


#: A declaration and its error message.
DECLARE = {
    "an unsupported constraint": (
        'steps: int = Field(2, multiple_of=2, description="Steps.")',
        "steps: Terraform would not check multiple_of; use ge, le, min_length, max_length, pattern, Literal, one_of or "
        "a rule",
    ),
    "an unsupported constraint of list items": (
        'names: list[Annotated[int, Field(gt=0)]] = Field([], description="Names.")',
        "names: Terraform would not check gt; use ge, le, min_length, max_length, pattern, Literal, one_of or a rule",
    ),
    "a type that Terraform lacks": (
        'size: int | str = Field(2, description="Size.")',
        "input size: Terraform has no type for int | str",
    ),
    "a description that is not a sentence": (
        'size: int = Field(2, description="size")',
        "input size: the description must be a sentence that ends with a period",
    ),
    "a rule for an unknown field": (
        'rules = (rule("memory", lambda v: v.memory_mb > 3, "must be more"),)',
        "Inputs has no field 'memory' for this rule; did you mean 'memory_mb'?",
    ),
    "a rule with an unknown field": (
        'rules = (rule("memory_mb", lambda v: v.memory > 3, "must be more"),)',
        "var has no input 'memory'; did you mean 'memory_mb'?",
    ),
    "a rule without its field": (
        'rules = (rule("memory_mb", lambda v: length(v.accounts) > 3, "must be more"),)',
        "the rule on memory_mb does not use memory_mb; declare it on a field that it compares",
    ),
    "a rule that returns no condition": (
        'rules = (rule("memory_mb", lambda v: v.memory_mb, "must be"),)',
        "the rule on memory_mb returns var.memory_mb, not a condition",
    ),
    "a rule with and": (
        'rules = (rule("memory_mb", lambda v: v.memory_mb > 3 and v.memory_mb < 9, "must be"),)',
        f"var.memory_mb > 3 {DECIDE}",
    ),
}


@pytest.mark.parametrize(("line", "message"), DECLARE.values(), ids=list(DECLARE))
def test_errors_in_declarations_name_the_line(line: str, message: str, tmp_path: Path) -> None:
    declare = f"class More(Inputs):\n    {line}\nMore.__name__ = 'Inputs'\nInputs = More\n"
    assert explain_error(tmp_path, declare=declare).replace("More", "Inputs") == f"{line} → {message}"


CALLS = {
    "a module called twice": (
        'self.call(trial, name_prefix="a")\nself.call(trial, name_prefix="b")',
        "a call of a module 'trial' already exists; give each a different name, label=…",
    ),
    "an input that the module lacks": (
        'self.call(trial, name_prefix="a", memory=3)',
        "module trial has no input 'memory'; did you mean 'memory_mb'?",
    ),
    "a missing input": ("self.call(trial, memory_mb=3)", "module trial needs name_prefix"),
    "an input of another type": (
        'self.call(trial, name_prefix="a", memory_mb=var.tags)',
        "input memory_mb takes a number; var.tags is a map",
    ),
    "an invalid value": (
        'self.call(trial, name_prefix="a", memory_mb="3")',
        "input memory_mb: Input should be a valid integer",
    ),
    "an output that the module lacks": (
        'self.call(trial, name_prefix="a").nam',
        "module.trial has no output 'nam'; did you mean 'name'?",
    ),
    "an output that the module lacks, in a string": (
        'self.call(trial, name_prefix="a")\nself.local("x", "${module.trial.nam}")',
        "module.trial has no output 'nam'; did you mean 'name'?",
    ),
    "a module without a call": ('self.local("x", "${module.trail.name}")', "module.trail does not exist"),
}


@pytest.mark.parametrize(("lines", "message"), CALLS.values(), ids=list(CALLS))
def test_errors_in_module_calls_name_the_line(lines: str, message: str, tmp_path: Path) -> None:
    assert explain_error(tmp_path, root=lines) == f"{lines.splitlines()[-1]} → {message}"


def test_build_must_return_outputs(tmp_path: Path) -> None:
    declare = (
        "class Bare(Module[Inputs]):\n    def build(self, var): return {'arn': var.name_prefix}\nBare('b').synthesize()"
    )
    message = r"author.py:\d+: output arn is not an Output; write Output\(value, description\)$"
    with pytest.raises(UserError, match=message):
        run_author_file(tmp_path, declare=declare)


def test_a_module_can_be_called_twice_with_two_labels(tmp_path: Path) -> None:
    run_author_file(
        tmp_path, root='self.call(trial, name_prefix="a")\nself.call(trial, label="other", name_prefix="b")'
    )


def test_terraform_features_and_conversions_are_accepted(tmp_path: Path) -> None:
    strings = ("${path.module}/x.tftpl", "${terraform.workspace}", "${{ for a in var.accounts : a => { memory = 1 } }}")
    run_author_file(
        tmp_path,
        build="\n".join(f"self.local('l{number}', {string!r})" for number, string in enumerate(strings)),
        root="self.call(trial, name_prefix=var.memory_mb)",
    )
