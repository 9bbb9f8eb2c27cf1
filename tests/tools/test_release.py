"""Release: references of the pages, conditions, and the mirror repositories, which a stranger's Terraform reads."""

import datetime
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import sustainable_mlops
from clone import synth
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.terraform import ROOT, find_engine
from tests.cases import check_cases
from tests.cloned_repository import clone, git
from tests.docs.test_links import LINK
from tests.modules.examples import plan, terraform
from tools.release import checks, mirrors, references
from tools.release.__main__ import export_commit, render_notes
from tools.release.links import relocate_links

VERSION = sustainable_mlops.__version__
TAG = f"v{VERSION}"
MODULES = synth.list_names()[0]
#: A tree with one reference of each form.
TREE = {
    "sustainable_mlops/__init__.py": '__version__ = "1.2.3"\n',
    "pyproject.toml": '[project.urls]\nRepository = "https://example.org/team/sustainable-mlops"\n',
    "CHANGELOG.md": "# Changelog\n\n## 1.2.3 (unreleased)\n\n- New.\n\n## 1.2.2 (2026-01-01)\n\n- Old.\n",
    "README.md": (
        'source = "git::https://example.org/team/terraform-aws-sustainable-mlops.git//modules/storage?ref=v1.2.3"\n'
        "pipx install git+https://example.org/team/sustainable-mlops.git@v1.2.3\n"
    ),
    "ci.yml": "uses: team/sustainable-mlops-action@v1.2.3\nuses: actions/checkout@v4.2.2\n",
    "hooks.yaml": "repo: https://example.org/team/sustainable-mlops-pre-commit.git\nrev: v1.2.3\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a committed repository with the references."""
    for name, text in TREE.items():
        write(tmp_path / name, text)
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    return tmp_path


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def commit(repository: Path) -> None:
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "--allow-empty", "-m", "change")


def test_every_page_and_ci_file_names_this_version_and_address() -> None:
    parts = references.list_parts(ROOT, VERSION)
    assert [str(part) for part in parts if part.value != part.expected] == []
    assert {part.file for part in parts} >= {
        "README.md",
        "docs/ci/atlantis.yaml",
        "docs/ci/github.yml",
        "docs/ci/pre-commit-config.yaml",
    }
    assert checks.read_version(ROOT) == VERSION


def test_preparing_writes_version_date_and_every_reference(tree: Path) -> None:
    write(tree / "pyproject.toml", '[project.urls]\nRepository = "https://example.net/group/sub/sustainable-mlops"\n')
    text = TREE["CHANGELOG.md"].replace("## 1.2.3 (unreleased)", "## 1.3.0 (unreleased)")
    write(tree / "CHANGELOG.md", text)
    changed = checks.prepare_release(tree, "1.3.0")
    assert changed == ["CHANGELOG.md", "README.md", "ci.yml", "hooks.yaml", "sustainable_mlops/__init__.py"]
    today = datetime.datetime.now(tz=datetime.UTC).date()
    assert f"## 1.3.0 ({today})\n" in (tree / "CHANGELOG.md").read_text()
    for name, before in TREE.items():
        if name not in ("CHANGELOG.md", "pyproject.toml"):
            expected = before.replace("example.org/team", "example.net/group/sub").replace("1.2.3", "1.3.0")
            assert (tree / name).read_text() == expected.replace("team/", "sub/")
    commit(tree)
    assert checks.check_release(tree, "1.3.0") == []
    assert checks.prepare_release(tree, "1.3.0") == []


@check_cases(
    ("version", "edits", "message"),
    [
        ("1.2", {}, "1.2: must be a version of the form 1.2.3"),
        ("v1.2.3", {}, "v1.2.3: must be a version of the form 1.2.3"),
        ("1.3.0", {}, "1.3.0: sustainable_mlops/__init__.py has version 1.2.3; write the new one"),
        ("1.2.3", {"CHANGELOG.md": "# Changelog\n"}, "CHANGELOG.md: has no section `## 1.2.3`; add one"),
        ("1.2.3", {"hooks.yaml": "rev: v1.2.2\n"}, "hooks.yaml:1: v1.2.2 instead of v1.2.3; write all references"),
        ("1.2.3", {"note.txt": "new"}, "the work tree has changes: note.txt; commit or remove them"),
    ],
)
def test_an_unmet_condition_is_one_line(version: str, edits: dict[str, str], message: str, tree: Path) -> None:
    git(tree, "reset", "-q", "--hard")
    git(tree, "clean", "-q", "-f")
    for name, text in edits.items():
        write(tree / name, text)
    with pytest.raises(UserError) as error:
        checks.check_release(tree, version)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_tag_on_another_commit_stops_a_release(tree: Path) -> None:
    git(tree, "tag", "-a", "-m", "1.2.3", "v1.2.3")
    assert checks.check_release(tree, "1.2.3")[0].startswith("CHANGELOG.md: section 1.2.3 is unreleased")
    commit(tree)
    with pytest.raises(UserError, match=r"^tag v1\.2\.3 is commit \w{10}, not \w{10}; check it out"):
        checks.check_release(tree, "1.2.3")


def test_only_a_dated_tag_on_main_is_published(tree: Path) -> None:
    def check() -> str:
        try:
            checks.check_tag(tree, "1.2.3")
        except UserError as error:
            return str(error)
        return ""

    assert check().startswith("tag v1.2.3 does not exist")
    git(tree, "tag", "-a", "-m", "1.2.3", "v1.2.3")
    assert check().startswith("CHANGELOG.md: section 1.2.3 is unreleased; delete the tag")
    git(tree, "tag", "-d", "v1.2.3")
    checks.prepare_release(tree, "1.2.3")
    commit(tree)
    git(tree, "tag", "-a", "-m", "1.2.3", "v1.2.3")
    assert check() == "origin/main is unknown; fetch the whole history (fetch-depth: 0)"
    git(tree, "update-ref", "refs/remotes/origin/main", "main~1")
    assert "which is not on main; delete the tag, and merge first" in check()
    git(tree, "update-ref", "refs/remotes/origin/main", "main")
    assert check() == ""
    commit(tree)
    git(tree, "update-ref", "refs/remotes/origin/main", "main")
    git(tree, "checkout", "-q", "v1.2.3")
    assert check() == "", "main may have newer commits"


def test_the_workflow_publishes_what_it_checked() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())["jobs"]
    steps = jobs["build"]["steps"]
    (build,) = (step["run"] for step in steps if "tools.release" in step.get("run", ""))
    assert "--tagged" in build
    commands = [step.get("run") or step["uses"].partition("@")[0] for step in steps]
    upload_step = commands.index("actions/upload-artifact")
    assert {"make test", "make release"} <= set(commands[:upload_step]), "nothing is uploaded before the tests pass"
    assert steps[0]["with"]["fetch-depth"] == 0
    (upload,) = (step["run"] for step in jobs["github"]["steps"] if "run" in step)
    (copy,) = (step["run"] for step in jobs["attest"]["steps"] if "SHA256SUMS assets" in step.get("run", ""))
    files = "release/dist/* release/*.cdx.json release/SHA256SUMS"
    assert files in upload
    assert f"cp {files} assets" in copy


def test_links_lead_to_moved_files_or_to_the_web_pages_of_the_tag() -> None:
    text = '[a](examples/x/main.tf "title") [b](../../docs/a.md#part) [c](#here) [d](https://aws.amazon.com/)'
    moved = {"modules/m/examples/x/main.tf": "examples/m_x/main.tf"}
    assert relocate_links(text, "modules/m/README.md", "modules/m/README.md", moved, "https://web") == (
        '[a](../../examples/m_x/main.tf "title") [b](https://web/docs/a.md#part) [c](#here) [d](https://aws.amazon.com/)'
    )


@pytest.fixture(scope="session")
def mirror_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the mirrors of this tree, each cloned at its tag beside its bare repository."""
    folder = tmp_path_factory.mktemp("mirrors")
    origin = clone(folder / "origin")
    source = export_commit(origin, VERSION, folder / "exported")
    for name, released in mirrors.write_mirrors(source, origin, folder).items():
        git(folder, "clone", "-q", "-c", "advice.detachedHead=false", "--branch", TAG, f"{name}.git", name)
        assert git(folder / name, "rev-parse", "HEAD") == released
    assert f"modules/storage?ref={TAG}" in render_notes(source)
    return folder


@pytest.mark.slow
def test_the_mirror_of_the_modules_has_the_structure_of_the_registry(mirror_folder: Path) -> None:
    mirror = mirror_folder / references.TERRAFORM_MIRROR
    files = git(mirror, "ls-files").splitlines()
    assert {"LICENSE", "README.md", "main.tf", "outputs.tf", "variables.tf", "versions.tf"} <= set(files)
    assert {file.parent.name for file in mirror.glob("modules/*/main.tf")} == set(MODULES)
    for module in MODULES:
        assert {"README.md", "main.tf", "outputs.tf", "variables.tf"} <= {
            file.name for file in (mirror / "modules" / module).iterdir()
        }
        assert (mirror / "examples" / f"{module}_complete" / "main.tf").is_file()
    assert [file for file in files if file.endswith(".py") or "cdktn" in file] == []


@pytest.mark.slow
@check_cases("name", list(mirrors.MIRRORS))
def test_the_pages_of_a_mirror_use_the_tag_and_their_links_lead_to_files(name: str, mirror_folder: Path) -> None:
    mirror = mirror_folder / name
    texts = {page: page.read_text() for page in mirror.rglob("*.md") if ".git" not in page.parts}
    assert TAG in texts[mirror / "README.md"]
    for page, text in texts.items():
        if page.is_relative_to(mirror / "sustainable_mlops") or page.is_relative_to(mirror / "sagemaker_sandbox"):
            continue  # pages of the package, as in its wheel
        assert '"./modules/' not in text
        targets = [target.partition("#")[0] for target in LINK.findall(text) if not target.startswith(("http", "#"))]
        assert [target for target in targets if not (page.parent / target).exists()] == [], page
        web = [link for link in LINK.findall(text) if "/blob/" in link]
        paths = [link.partition(f"/blob/{TAG}/")[2].partition("#")[0] for link in web]
        # The pages of these names belong to the repository, not to a mirror.
        assert [path for path in paths if not (ROOT / path).exists()] == [], page


@pytest.mark.slow
def test_the_action_and_the_hook_have_no_workflow_and_the_package(mirror_folder: Path) -> None:
    for name in (references.ACTION_MIRROR, references.HOOK_MIRROR):
        top = {path.partition("/")[0] for path in git(mirror_folder / name, "ls-files").splitlines()}
        assert {"LICENSE", "README.md", "pyproject.toml", "sustainable_mlops"} <= top
        assert not top & {".github", "modules", "tests"}
    action = yaml.safe_load((mirror_folder / references.ACTION_MIRROR / "action.yml").read_text())
    assert action["branding"].keys() == {"icon", "color"}
    hooks = yaml.safe_load((mirror_folder / references.HOOK_MIRROR / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == ["review-plan"]


@pytest.mark.slow
def test_a_release_adds_a_commit_and_never_moves_a_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin, folder = tmp_path / "origin", tmp_path / "mirrors"
    for name, text in TREE.items():
        write(origin / name, text)
    git(origin, "init", "-q", "-b", "main")
    commit(origin)

    def release(version: str, content: bytes) -> str:
        monkeypatch.setattr(mirrors, "MIRRORS", {"mirror": lambda _: {"folder/file": content}})
        source = mirrors.Source(origin, version, git(origin, "rev-parse", "HEAD"))
        return mirrors.write_mirrors(source, origin, folder)["mirror"]

    first = release("1.2.3", b"one")
    assert release("1.2.3", b"one") == first, "the same release again"
    with pytest.raises(UserError, match=r"tag v1\.2\.3 has other files; raise the version"):
        release("1.2.3", b"two")
    second = release("1.3.0", b"two")
    repository = folder / "mirror.git"
    assert git(repository, "log", "--format=%H", "main").splitlines() == [second, first]
    assert git(repository, "tag").splitlines() == ["v1.2.3", "v1.3.0"]
    assert git(repository, "cat-file", "-t", "v1.2.3") == "tag"


@pytest.mark.plan
def test_a_stranger_plans_a_module_from_the_tag(
    mirror_folder: Path, tmp_path: Path, terraform_environment: dict[str, str]
) -> None:
    page = (mirror_folder / references.TERRAFORM_MIRROR / "modules" / "storage" / "README.md").read_text()
    (example,) = re.findall(r"^```hcl minimal\n(.*?)^```$", page, re.M | re.S)
    address = references.read_address(ROOT).rpartition("/")[0]
    assert f'"git::{address}/{references.TERRAFORM_MIRROR}.git//modules/storage?ref={TAG}"' in example
    write(tmp_path / "main.tf", example.replace(address, mirror_folder.as_uri()))
    resources = plan(terraform(tmp_path, terraform_environment))["resource_changes"]
    assert {"module.storage.aws_s3_bucket.logs"} <= {
        resource["address"] for resource in resources if resource["change"]["actions"] == ["create"]
    }
    modules = json.loads((tmp_path / ".terraform" / "modules" / "modules.json").read_text())["Modules"]
    assert [one["Source"].endswith(f"?ref={TAG}") for one in modules if one["Key"]] == [True]


@pytest.mark.plan
def test_the_examples_and_the_tests_of_the_mirror_run(
    mirror_folder: Path, tmp_path: Path, terraform_environment: dict[str, str]
) -> None:
    mirror = tmp_path / "mirror"
    git(tmp_path, "clone", "-q", str(mirror_folder / f"{references.TERRAFORM_MIRROR}.git"), str(mirror))
    driver: Any = terraform(mirror / "modules" / "async_endpoint", {})
    process = subprocess.run(
        [find_engine().path, "test", "-no-color"],
        cwd=mirror / "modules" / "async_endpoint",
        env=driver.env | terraform_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert "3 passed, 0 failed" in process.stdout
