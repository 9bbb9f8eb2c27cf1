"""Resources of unknown types."""

from tests.plan.plan_builder import build_change, build_document
from tests.review.missed_cases.case import Case

CASES = {
    "a type that the reviewer does not know": Case(
        build_document(build_change("aws_quantum_cluster.q", {"name": "q", "nodes": 8})),
        "look",
        "the reviewer does not know the type aws_quantum_cluster",
    ),
    "instances of another provider": Case(
        build_document(
            build_change("azurerm_linux_virtual_machine_scale_set.s", {"sku": "Standard_ND96asr_v4", "instances": 50})
        ),
        "look",
        "the reviewer does not know the type azurerm_linux_virtual_machine_scale_set",
    ),
    "a right of another provider": Case(
        build_document(build_change("google_project_iam_member.m", {"role": "roles/owner", "member": "allUsers"})),
        "look",
        "the reviewer does not know the type google_project_iam_member",
    ),
    "a data source that may do anything": Case(
        build_document(
            build_change(
                "data.shell_script.s",
                {"id": "s"},
                actions=["read"],
                provider_name="registry.terraform.io/scottwinkler/shell",
            )
        ),
        "look",
        "the reviewer does not know the effects of reading shell_script",
    ),
    "a function that an apply calls": Case(
        build_document(build_change("aws_lambda_invocation.i", {"function_name": "migrate", "input": "{}"})),
        "look",
        "aws_lambda_invocation, when created: migrate",
    ),
    "a database that nobody counts": Case(
        build_document(build_change("aws_db_instance.d", {"instance_class": "db.r6g.16xlarge"})), "look", "no estimate"
    ),
}
