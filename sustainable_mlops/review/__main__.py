"""`python -m sustainable_mlops.review`: the same as `scripts/review_plan.py`, where only the package is installed."""

from sustainable_mlops.review.command import start

if __name__ == "__main__":
    start()
