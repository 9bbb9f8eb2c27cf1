"""Build of a release into a folder. Nothing is uploaded.

- `python -m tools.release 0.1.0 --output out/release`: packages, mirror repositories, SBOMs, checksums and notes
- `python -m tools.release 0.1.0 --tagged`: the same, but only for a tag that may be published
- `python -m tools.release 0.2.0 --prepare`: write the version, its references and its date into the tree
"""

import hashlib
import io
import tarfile
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from sustainable_mlops.base import cli, program
from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.git import run_git
from sustainable_mlops.base.terraform import ROOT
from tools.release import checks, mirrors, packages
from tools.release.links import relocate_links
from tools.release.references import PROJECT

app = cli.create_app()


@app.command(help=__doc__)
def build_release(
    version: Annotated[str, typer.Argument(help="Version of the release, such as 0.1.0.", show_default=False)],
    output: Annotated[Path, typer.Option(help="Folder of the release.")] = Path("out/release"),
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Write version, references and date into the tree, and build nothing.")
    ] = False,
    tagged: Annotated[
        bool, typer.Option("--tagged", help="Require a tag of this commit, on main, with a date in the changelog.")
    ] = False,
    only_mirrors: Annotated[bool, typer.Option("--only-mirrors", help="Build only the mirror repositories.")] = False,
) -> None:
    """Build a release, or prepare the tree for it."""
    if prepare:
        changed = checks.prepare_release(ROOT, version)
        cli.say("\n".join([f"wrote {name}" for name in changed] or [f"{version}: the tree is prepared already"]))
        return
    for reminder in checks.check_release(ROOT, version):
        cli.say(f"reminder: {reminder}")
    if tagged:
        checks.check_tag(ROOT, version)
    output = output.resolve()
    if output.is_file():
        raise UserError(f"{output}: is a file; --output takes a folder")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        source = export_commit(ROOT, version, Path(folder))
        commits = mirrors.write_mirrors(source, ROOT, output / "mirrors")
        if not only_mirrors:
            build_files(source, output)
        for line in list_next_steps(source, output, commits, only_mirrors=only_mirrors):
            cli.make_stdout_console().print(line, markup=False)


def export_commit(root: Path, version: str, folder: Path) -> mirrors.Source:
    """Write the files of the current commit into a folder, without anything that git ignores or does not know."""
    commit = run_git(root, "rev-parse", "HEAD")
    archive = folder.parent / f"{folder.name}.tar"
    try:
        run_git(root, "archive", f"--output={archive}", commit)
        with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as content:
            content.extractall(folder, filter="data")
    finally:
        archive.unlink(missing_ok=True)
    return mirrors.Source(folder, version, commit)


def build_files(source: mirrors.Source, output: Path) -> None:
    """Build the packages, and write the SBOMs, the notes and the checksums beside them.

    SHA256SUMS has the published files by their names, without folders: a release on GitHub has no folders.
    """
    dist = output / "dist"
    date = run_git(ROOT, "log", "-1", "--format=%ct", source.commit)
    built = packages.build_packages(source, dist, date)
    (wheel,) = (path for path in built if path.suffix == ".whl")
    name = f"{PROJECT}-{source.version}"
    sboms = {output / f"{name}.cdx.json": [], output / f"{name}-extras.cdx.json": packages.list_extras(source)}
    for sbom, extras in sboms.items():
        packages.write_sbom(source, wheel, sbom, extras)
    (output / "RELEASE_NOTES.md").write_text(render_notes(source), encoding="utf-8")
    sums = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in [*built, *sboms])
    (output / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")


def render_notes(source: mirrors.Source) -> str:
    """Return the release notes: how to use each artifact, and the changes."""
    _, changes = checks.read_changes(source.folder, source.version)
    changes = relocate_links(changes, checks.CHANGELOG, checks.CHANGELOG, {}, source.web)
    return source.render("notes.md.txt", changes=changes, commit=source.commit)


def list_next_steps(source: mirrors.Source, output: Path, commits: dict[str, str], *, only_mirrors: bool) -> list[str]:
    """Return the files of a release, and the commands that publish them."""
    siblings = source.address.rpartition("/")[0]
    built = [f"{name}.git: {source.tag} is commit {commit[:10]}" for name, commit in commits.items()]
    if only_mirrors:
        return built
    return [
        *built,
        *(output / "SHA256SUMS").read_text(encoding="utf-8").splitlines(),
        f"{output} has the release. Nothing is published. To publish it:",
        f"  git tag --sign {source.tag} -m 'Release {source.tag}' && git push {source.address}.git {source.tag}",
        *(f"  git -C {output / 'mirrors' / name}.git push {siblings}/{name}.git main {source.tag}" for name in commits),
    ]


if __name__ == "__main__":
    program.run(app)
