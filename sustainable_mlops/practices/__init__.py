"""The practices of sustainable MLOps: their list, their custom lens for the AWS Well-Architected Tool, and its answers.

- `practice`: the practices of `catalogue/practices.yaml`, joined with the rules that check them
- `lens`: the custom lens, which groups the practices into the questions of `questions`
- `answers`: the answers to these questions for a Terraform plan
"""

from sustainable_mlops.practices.practice import SECTIONS, STATES, Practice, load_practices

__all__ = ["SECTIONS", "STATES", "Practice", "load_practices"]
