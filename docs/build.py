"""`make docs`: makes the reference from the code, then checks every relative link of the documentation.

`--check` makes nothing and fails where the reference is not what the code says. Exit status 1 with a line for each fault.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# A generator prints one page: the file in docs/reference and the script in docs/generators that prints it.
GENERATORS = ROOT / "docs" / "generators"

_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"(?<!\\)\]\(\s*<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)


def main() -> int:
    """Make or check everything; print each fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="make nothing; fail where a page is out of date")
    options = parser.parse_args()
    faults = [*reference_faults(write=not options.check), *link_faults(pages())]
    print("\n".join(faults) or f"{len(pages())} pages, every link resolves")
    return 1 if faults else 0


def pages() -> list[Path]:
    """Every Markdown page of the repository; folders that start with a dot are not documentation."""
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    return [ROOT / path for path in sorted(found) if not any(part.startswith(".") for part in path.parts)]


def reference_faults(*, write: bool) -> Iterator[str]:
    """Run each generator; write its page, or say that the page is not what the generator prints."""
    for script in sorted(GENERATORS.glob("*.py")):
        page = ROOT / "docs" / "reference" / f"{script.stem.replace('_', '-')}.md"
        made = subprocess.run([sys.executable, str(script)], cwd=ROOT, capture_output=True, text=True)
        if made.returncode:
            yield f"{script.relative_to(ROOT)}: ended with status {made.returncode}\n{made.stderr}"
        elif write:
            page.write_text(made.stdout, encoding="utf-8")
        elif not page.is_file() or page.read_text(encoding="utf-8") != made.stdout:
            yield f"{page.relative_to(ROOT)}: not what the code says; run make docs"


def link_faults(sources: Iterable[Path]) -> Iterator[str]:
    """A line for each relative link whose file or heading is not there."""
    for source in sources:
        text = source.read_text(encoding="utf-8")
        for match in _LINK.finditer(_blank_code(text)):
            target = match[1] or match[2]
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            path, _, anchor = target.partition("#")
            aim = (source.parent / path) if path else source
            where = f"{source.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}"
            if not aim.exists():
                yield f"{where}: there is no {target}"
            elif anchor and aim.suffix == ".md" and anchor not in _anchors(aim):
                yield f"{where}: {path or 'this page'} has no heading #{anchor}"


def _blank_code(text: str) -> str:
    """Code shows links, it does not make them. Blanked at the same length, so that positions stay."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match[0])

    return _CODE.sub(blank, _FENCED.sub(blank, text))


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = _HEADING.findall(_FENCED.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


if __name__ == "__main__":
    sys.exit(main())
