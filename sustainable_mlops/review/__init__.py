"""The review of a plan: what it does to data, privileges, carbon and cost, for people and for machines.

    from sustainable_mlops.plan import load
    from sustainable_mlops.review import review
    found = review(load("plan.json"))
    print(found.verdict, found.exit_code)

`render([found], "markdown")` shows it. `review_all` reviews several plans that one report is about. Nothing here
imports a template engine or a terminal library until a format needs it.
"""

from sustainable_mlops.review.review import Review, ReviewVerdict, review, review_all

__all__ = ["Review", "Verdict", "review", "review_all"]
