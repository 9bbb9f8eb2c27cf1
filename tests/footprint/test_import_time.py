import json
import subprocess
import sys


def test_an_estimate_needs_only_the_standard_library() -> None:
    """Guard the start time of a review, which runs on every commit."""
    script = (
        "import json, sys\n"
        "from sustainable_mlops.footprint import FleetActivity, find_alternatives, estimate, estimate_plan\n"
        "estimate(FleetActivity('ml.m5.xlarge', 'eu-north-1'))\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(json.loads(process.stdout))
    heavy = {"boto3", "botocore", "cdktn", "moto", "pandas", "pydantic", "rich", "sagemaker", "typer", "yaml"}
    assert not loaded & heavy
