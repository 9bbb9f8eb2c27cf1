"""Resources of types that nothing here knows."""

from tests.plan.build import change, document
from tests.review.fine.case import Case

CASES = {
    "a type that the reviewer does not know": Case(
        document(change("aws_quantum_cluster.q", {"name": "q", "nodes": 8})),
        "look",
        "the reviewer does not know the type aws_quantum_cluster",
    ),
    "a database that nobody counts": Case(
        document(change("aws_db_instance.d", {"instance_class": "db.r6g.16xlarge"})),
        "look",
        "not counted",
    ),
}
