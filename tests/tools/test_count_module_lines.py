"""Lines of code of the modules."""

from tools.count_module_lines import count_hcl_lines, count_python_lines, list_rows

PYTHON = '''"""Docstring
of two lines."""

# A comment.
TEXT = """
text
"""


def get_one() -> int:
    """Return 1."""
    return 1
'''
HCL = """# A comment.

locals {
  # Another comment.
  a = 1
}
"""


def test_blank_lines_comments_and_docstrings_do_not_count() -> None:
    assert (count_python_lines(PYTHON), count_hcl_lines(HCL)) == (5, 3)


def test_all_modules_have_less_python_than_hcl() -> None:
    ratios = {name: python / hcl for name, python, hcl in list_rows() if hcl}
    assert {name: ratio for name, ratio in ratios.items() if ratio >= 1} == {}
