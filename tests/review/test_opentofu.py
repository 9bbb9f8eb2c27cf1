"""Plans of OpenTofu, which has its own provider registry."""

import json
from pathlib import Path

from sustainable_mlops.plan import load
from sustainable_mlops.review import review
from sustainable_mlops.review.formats.json import build_document
from tests.cases import check_cases
from tests.plan.test_load import FIXTURES


@check_cases("file", sorted(FIXTURES.glob("*.json")), ids=lambda file: file.stem)
def test_the_registry_of_a_provider_does_not_change_the_review(file: Path) -> None:
    theirs = file.read_bytes()
    assert b"registry.terraform.io/" in theirs
    ours = theirs.replace(b"registry.terraform.io/", b"registry.opentofu.org/")
    texts = [json.dumps(build_document(review(load(one)))) for one in (theirs, ours)]
    assert texts[0] == texts[1].replace("registry.opentofu.org/", "registry.terraform.io/")
