import json
import subprocess
import sys


def test_an_estimate_needs_the_standard_library_alone() -> None:
    """A review of a plan starts on every commit."""
    script = (
        "import json, sys\n"
        "from sustainable_mlops.footprint import Fleet, find_alternatives, estimate, of_plan\n"
        "estimate(Fleet('ml.m5.xlarge', 'eu-north-1'))\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    heavy = {"boto3", "botocore", "cdktn", "moto", "pandas", "pydantic", "rich", "sagemaker", "typer", "yaml"}
    assert not loaded & heavy
