"""References from practices to AWS's own texts, for findings.

They repeat catalogue/practices.yaml, because rules work without a YAML library.
"""

from collections.abc import Iterable

#: The rows of catalogue/practices.yaml for each best practice of the Well-Architected Machine Learning Lens.
LENS_ROWS = {
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
#: The rows for each step of the Guidance for Optimizing MLOps for Sustainability.
STEP_ROWS = {
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


def format_guideline(practices: Iterable[str]) -> str:
    """Return `Practice 60 (ML Lens MLSUS05-BP02, guidance step 12)` for rows of catalogue/practices.yaml."""
    rows = [int(row) for row in practices]
    lens = [name for name, lens_rows in LENS_ROWS.items() if set(rows) & set(lens_rows)]
    steps = [str(step) for step, step_rows in STEP_ROWS.items() if set(rows) & set(step_rows)]
    sources = [f"ML Lens {', '.join(lens)}"] if lens else []
    sources += [f"guidance {_format_list('step', steps)}"] if steps else []
    return _format_list("Practice", map(str, rows)) + (f" ({', '.join(sources)})" if sources else "")


def _format_list(word: str, items: Iterable[str]) -> str:
    texts = list(items)
    return f"{word}{'s' * (len(texts) > 1)} {', '.join(texts)}"
