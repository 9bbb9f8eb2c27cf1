"""Where the practices stand in AWS's own texts, so that a finding can name them.

As catalogue/practices.yaml has them, which takes a library to read: rules do without.
"""

from collections.abc import Iterable

#: Best practices of the Well-Architected Machine Learning Lens, and the rows of catalogue/practices.yaml of each.
LENS = {
    "MLSUS01-BP01": (1, 2),
    "MLSUS02-BP01": (3, 6),
    "MLSUS02-BP02": (4, 5),
    "MLSUS03-BP01": (7, 8, 9, 14, 34, 46, 53, 67, 72),
    "MLSUS03-BP02": (13, 17, 18, 19),
    "MLSUS03-BP03": (10, 11, 12, 15, 20, 21, 22, 23, 24),
    "MLSUS04-BP01": (25, 26, 28),
    "MLSUS04-BP02": (31,),
    "MLSUS04-BP03": (40, 43, 44, 45),
    "MLSUS04-BP04": (27, 28, 29, 30),
    "MLSUS05-BP01": (51, 58),
    "MLSUS05-BP02": (32, 59, 60, 63),
    "MLSUS05-BP03": (61, 62),
    "MLSUS05-BP04": (64, 65),
    "MLSUS06-BP01": (69,),
    "MLSUS06-BP02": (73, 74, 75),
}
#: Steps of the Guidance for Optimizing MLOps for Sustainability, and their rows.
STEPS = {
    1: (1, 4, 5),
    2: (7, 73),
    3: (12,),
    4: (18, 21),
    5: (17, 19),
    6: (32, 33),
    7: (39,),
    8: (35, 36, 37, 71),
    9: (11, 25, 27, 42),
    10: (50,),
    11: (48, 49),
    12: (60,),
    13: (52, 54, 55, 56),
    14: (70, 71, 73, 74, 75),
}


def of(practices: Iterable[str]) -> str:
    """`Practice 60 (ML Lens MLSUS05-BP02, guidance step 12)`, for the rows of catalogue/practices.yaml."""
    rows = [int(row) for row in practices]
    lens = [name for name, of_name in LENS.items() if set(rows) & set(of_name)]
    steps = [str(step) for step, of_step in STEPS.items() if set(rows) & set(of_step)]
    sources = [f"ML Lens {', '.join(lens)}"] if lens else []
    sources += [f"guidance {_counted('step', steps)}"] if steps else []
    return _counted("Practice", map(str, rows)) + (f" ({', '.join(sources)})" if sources else "")


def _counted(word: str, items: Iterable[str]) -> str:
    listed = list(items)
    return f"{word}{'s' * (len(listed) > 1)} {', '.join(listed)}"
