from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from headrace_hookspecs.errors import FlowFileError, UsageError
from headrace_packaging import PackagedFile, collect, identity


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def paths(root: Path, *include: str) -> list[str]:
    return [file.path for file in collect(root, root / "flow.py", include or ("*.py",))]


def test_a_file_is_described_by_path_digest_size_and_mode(tmp_path: Path) -> None:
    write(tmp_path, {"flow.py": "x = 1\n", "tools/run.py": "#!\n"})
    (tmp_path / "tools/run.py").chmod(0o755)

    assert collect(tmp_path, tmp_path / "flow.py") == [
        PackagedFile("flow.py", hashlib.sha256(b"x = 1\n").hexdigest(), 6, False, str(tmp_path / "flow.py")),
        PackagedFile("tools/run.py", hashlib.sha256(b"#!\n").hexdigest(), 3, True, str(tmp_path / "tools/run.py")),
    ]


def test_patterns_choose_the_files(tmp_path: Path) -> None:
    write(tmp_path, {"flow.py": "", "a.txt": "", "data/b.csv": "", "data/deep/c.csv": "", "tests/test_x.py": ""})

    assert paths(tmp_path) == ["flow.py", "tests/test_x.py"]
    assert paths(tmp_path, "*.py", "!tests/", "data/*.csv") == ["data/b.csv", "flow.py"]


def test_the_flow_file_is_always_there(tmp_path: Path) -> None:
    write(tmp_path, {"flow.py": "", "other.py": "", ".gitignore": "*.py\n"})

    assert paths(tmp_path) == ["flow.py"]


def test_hidden_things_caches_and_virtual_environments_never_travel(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "flow.py": "",
            ".env.py": "",
            ".git/hook.py": "",
            "__pycache__/flow.py": "",
            "venv/pyvenv.cfg": "",
            "venv/lib/site.py": "",
        },
    )

    assert paths(tmp_path, "*") == ["flow.py"]


def test_ignore_files_follow_git(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "flow.py": "",
            ".gitignore": "# a comment\n*_test.py\n/local.py\nbuild/\n",
            "local.py": "",
            "a_test.py": "",
            "build/out.py": "",
            "lib/local.py": "",
            "lib/b_test.py": "",
            "lib/.gitignore": "!b_test.py\nprivate.py\n",
            "lib/private.py": "",
            "lib/deep/private.py": "",
            "private.py": "",
        },
    )

    assert paths(tmp_path) == ["flow.py", "lib/b_test.py", "lib/local.py", "private.py"]


def test_what_git_ignores_can_be_taken_in_again(tmp_path: Path) -> None:
    write(tmp_path, {"flow.py": "", ".gitignore": "generated_*.py\n", ".headraceignore": "!generated_a.py\nsecret.py\n"})
    write(tmp_path, {"generated_a.py": "", "generated_b.py": "", "secret.py": ""})

    assert paths(tmp_path) == ["flow.py", "generated_a.py"]


def test_a_file_inside_an_ignored_folder_stays_out(tmp_path: Path) -> None:
    write(tmp_path, {"flow.py": "", ".gitignore": "build/\n!build/keep.py\n", "build/keep.py": ""})

    assert paths(tmp_path) == ["flow.py"]


def test_a_link_inside_the_root_is_packaged_as_what_it_points_to(tmp_path: Path) -> None:
    write(tmp_path, {"flow.py": "", "real.py": "yes", "shared/x.py": ""})
    (tmp_path / "alias.py").symlink_to("real.py")
    (tmp_path / "again").symlink_to("shared", target_is_directory=True)
    (tmp_path / "shared" / "loop").symlink_to(tmp_path, target_is_directory=True)

    found = {file.path: file.digest for file in collect(tmp_path, tmp_path / "flow.py")}

    assert sorted(found) == ["again/x.py", "alias.py", "flow.py", "real.py", "shared/x.py"]
    assert found["alias.py"] == found["real.py"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_link_out_of_the_root_is_refused_until_it_is_ignored(tmp_path: Path, kind: str) -> None:
    outside = write(tmp_path / "outside", {"secret.py": "", "flow.py": ""})
    root = write(tmp_path / "root", {"flow.py": ""})
    link = root / ("link.py" if kind == "file" else "link")
    link.symlink_to(outside / "secret.py" if kind == "file" else outside)

    with pytest.raises(UsageError) as caught:
        paths(root)
    assert caught.value.code == "package-link-outside"
    assert str(link) in caught.value.message

    write(root, {".headraceignore": f"{link.name}\n"})
    # git sees a link as a file; what a user means by the name of a link to a folder is the link
    assert paths(root) == ["flow.py"]


def test_a_link_that_is_not_wanted_is_not_judged(tmp_path: Path) -> None:
    root = write(tmp_path / "root", {"flow.py": ""})
    (root / "data.csv").symlink_to("/etc/passwd")
    (root / ".#flow.py").symlink_to("user@host.1234")

    assert paths(root) == ["flow.py"]


def test_a_broken_link_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"flow.py": ""})
    (tmp_path / "gone.py").symlink_to("nowhere.py")

    with pytest.raises(UsageError) as caught:
        paths(tmp_path)
    assert caught.value.code == "package-link-broken"
    assert "gone.py" in caught.value.message


def test_a_flow_outside_the_root_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"flow.py": "", "sub/x.py": ""})

    with pytest.raises(UsageError) as caught:
        collect(tmp_path / "sub", tmp_path / "flow.py")
    assert caught.value.code == "package-link-outside"


def test_a_missing_flow_is_named(tmp_path: Path) -> None:
    with pytest.raises(FlowFileError) as caught:
        collect(tmp_path, tmp_path / "flow.py")
    assert caught.value.code == "flow-file-missing"
    assert caught.value.exit_status == 2


def test_a_name_that_cannot_travel_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"flow.py": "", "a\nb.py": ""})

    with pytest.raises(UsageError) as caught:
        paths(tmp_path)
    assert caught.value.code == "package-name"


def test_an_ignore_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"flow.py": ""})
    (tmp_path / ".gitignore").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(UsageError) as caught:
        paths(tmp_path)
    assert caught.value.code == "package-unreadable"
    assert caught.value.where == str(tmp_path / ".gitignore")


def test_a_pattern_that_means_nothing_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"flow.py": ""})

    with pytest.raises(UsageError) as caught:
        paths(tmp_path, "!")
    assert caught.value.code == "package-pattern"


def test_a_root_given_through_a_link_and_a_relative_path_is_the_same_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path / "root", {"flow.py": "", "a/b.py": ""})
    (tmp_path / "way").symlink_to(root)
    monkeypatch.chdir(root / "a")

    assert collect(tmp_path / "way", tmp_path / "way" / "flow.py") == collect(root, root / "flow.py") == collect("..", "../flow.py")


def test_the_identity_is_of_content_and_not_of_place(tmp_path: Path) -> None:
    first = write(tmp_path / "1", {"flow.py": "a", "x.py": "b"})
    second = write(tmp_path / "2", {"x.py": "b", "flow.py": "a"})
    third = write(tmp_path / "3", {"flow.py": "a", "x.py": "c"})
    os.utime(second / "flow.py", (0, 0))

    one, two, three = (identity(collect(root, root / "flow.py")) for root in (first, second, third))

    assert one == two
    assert one != three
