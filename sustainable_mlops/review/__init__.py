"""The review of a Terraform plan: its effects on data, privileges, carbon and cost.

    from sustainable_mlops.plan import load
    from sustainable_mlops.review import review
    result = review(load("plan.json"))
    print(result.verdict, result.exit_code)

`render([result], "markdown")` formats a review. `review_all` reviews several plans for one report. No template engine
and no terminal library is imported until a format needs it.
"""

from sustainable_mlops.review.review import Review, ReviewVerdict, review, review_all

__all__ = ["Review", "ReviewVerdict", "review", "review_all"]
