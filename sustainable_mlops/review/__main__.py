"""The entry point of `python -m sustainable_mlops.review`, the same command as `smlops review`."""

from sustainable_mlops.base.program import run
from sustainable_mlops.review.command import run_review

if __name__ == "__main__":
    run(run_review)
