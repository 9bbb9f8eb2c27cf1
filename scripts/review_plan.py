#!/usr/bin/env python3
"""Review a Terraform plan: data at risk, privileges widened, policies, carbon and cost, budgets."""

from sustainable_mlops.review.command import start

if __name__ == "__main__":
    start()
