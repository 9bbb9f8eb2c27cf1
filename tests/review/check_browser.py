"""Reports in a headless browser: hostile scripts do not run, and pages fit a phone. `make browser`.

Other test runs do not collect this file, because it needs Chromium on PATH.
"""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from sustainable_mlops.plan import load
from sustainable_mlops.review import Review, review
from sustainable_mlops.review.budgets import Budget
from sustainable_mlops.review.formats import render
from tests.browser import run_browser
from tests.plan.plan_builder import build_change, build_plan
from tests.plan.test_load import FIXTURES
from tests.review.hostile_plan import SCRIPT, TODAY, build_hostile_plan

#: Effect of a successful attack on the page.
RAN = 'data-run="1"'


def load_page(browser: str, text: str, folder: Path) -> str:
    """Return the page after all scripts ran."""
    file = folder / "page.html"
    file.write_text(text)
    return run_browser(browser, file.as_uri(), folder / "profile", "--virtual-time-budget=3000", "--dump-dom")


def test_the_attack_runs_where_nothing_stops_it(browser: str, tmp_path: Path) -> None:
    assert RAN in load_page(browser, f"<!doctype html><html><body>{SCRIPT}</body></html>", tmp_path)


SEVERAL = [review(build_hostile_plan(), today=TODAY)._replace(name=name) for name in (SCRIPT, "b")]


@pytest.mark.parametrize("results", [SEVERAL[:1], SEVERAL], ids=["one plan", "several"])
def test_no_script_runs_in_the_html_report(results: list[Review], browser: str, tmp_path: Path) -> None:
    page = render(results, "html")
    # Without the policy that forbids all scripts: the escaping alone must hold.
    unguarded = page.replace("Content-Security-Policy", "x-nothing")
    assert unguarded != page
    loaded = load_page(browser, unguarded, tmp_path)
    assert "Data at risk" in loaded
    assert RAN not in loaded


@pytest.mark.parametrize("results", [SEVERAL[:1], SEVERAL], ids=["one plan", "several"])
def test_no_script_runs_in_the_comment(results: list[Review], browser: str, tmp_path: Path) -> None:
    comment = render(results, "markdown")
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(comment)
    loaded = load_page(browser, f"<!doctype html><html><body>{page}</body></html>", tmp_path)
    assert "Data at risk" in loaded
    assert RAN not in loaded


def test_no_script_runs_where_a_viewer_takes_sarif_for_html(browser: str, tmp_path: Path) -> None:
    sarif = render(review(build_hostile_plan(), today=TODAY), "sarif")
    loaded = load_page(browser, f"<!doctype html><html><body>{json.loads(sarif)}</body></html>", tmp_path)
    assert "ruleId" in loaded
    assert RAN not in loaded


#: The widths of a small phone, a phone and a desktop, in pixels: of frames, as no headless window is below 500.
WIDTHS = (320, 390, 1180)
LONG = "x" * 120
#: Measures each page in a frame of its own, folded and unfolded: how wide it is, and whose text or box sticks out.
MEASURE = """
<script>onload = () => document.querySelectorAll("iframe").forEach(frame => {
  const page = frame.contentDocument, width = page.documentElement.clientWidth;
  for (const open of [false, true]) {
    page.querySelectorAll("details").forEach(one => one.open ||= open);
    const out = [...page.querySelectorAll("body *")].filter(one => !one.closest(".wide")
      && (one.getBoundingClientRect().right > width + 1 || one.clientWidth && one.scrollWidth > one.clientWidth + 1));
    const names = [...new Set(out.map(one => `${one.tagName}.${one.className}`))];
    document.body.append(`measured ${page.scrollingElement.scrollWidth} of ${frame.width}, out: ${names};`);
  }
})</script>"""


def review_long_names() -> Review:
    """Return the review of a plan with long names, texts and addresses that cannot wrap."""
    variant = {"variant_name": LONG, "model_name": LONG, "instance_type": "ml.g5.xlarge", "initial_instance_count": 2}
    statements = [{"Effect": "Allow", "Action": action, "Resource": LONG} for action in (f"s3:{LONG}*", "*")]
    kinds: dict[str, dict[str, Any]] = {
        "aws_sagemaker_endpoint_configuration": {
            "name": LONG,
            "production_variants": [variant, {**variant, "variant_name": f"{LONG}y"}],
        },
        "aws_s3_bucket": {"bucket": LONG},
        "aws_sagemaker_notebook_instance": {"name": LONG, "instance_type": LONG},
        "aws_sagemaker_pipeline": {"pipeline_name": LONG, "pipeline_definition_s3_location": [{"bucket": LONG}]},
        "aws_batch_unheard_of": {"name": LONG},
        "aws_iam_role_policy": {"role": LONG, "policy": json.dumps({"Statement": statements})},
    }
    changes = []
    for kind, values in kinds.items():
        values["region"] = "eu-north-1"
        changes += [
            build_change(f"{kind}.new", values, index=LONG),
            build_change(f"{kind}.kept", values, before=values, index=LONG),
            build_change(f"{kind}.gone", before=values, index=LONG),
            build_change(f"{kind}.moved", values, before=values, index=LONG, previous_address=f"{kind}.{LONG}"),
        ]
    budgets = [Budget(LONG, {}, {"usd_per_month": 1, "kg_per_month": 1})]
    result = review(build_plan(*changes, complete=False), budgets=budgets, today=TODAY)
    return result._replace(name=f"{LONG}/plan.json", notes=(LONG, *result.notes), remarks=(LONG,), scope=(LONG,))


@pytest.mark.parametrize("number", [0, 1, 3], ids=["an ordinary plan", "long names", "three of them"])
def test_nothing_is_wider_than_the_screen(number: int, browser: str, tmp_path: Path) -> None:
    result = [review_long_names()._replace(name=f"{LONG}{n}") for n in range(number)]
    page = html.escape(render(result or [review(load(FIXTURES / "change.json"))], "html"))
    frames = "".join(f'<iframe width="{width}" height="900" srcdoc="{page}"></iframe>' for width in WIDTHS)
    loaded = load_page(browser, f"<!doctype html><html><body>{frames}{MEASURE}</body></html>", tmp_path)
    measured = re.findall(r"measured (\d+) of (\d+), out: ([^;]*);", loaded)
    assert len(measured) == 2 * len(WIDTHS)
    assert [out for _, _, out in measured if out] == []
    assert [(page, width) for page, width, _ in measured if int(page) > int(width)] == []
