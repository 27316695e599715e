"""How Sphinx makes a site of these pages: `python -m sphinx -W docs site`; open site/index.html, no internet needed."""

import os
import re
import sys
from importlib.util import find_spec
from inspect import isroutine
from pathlib import Path

os.environ["NUMBA_DISABLE_JIT"] = "1"  # compiled rules are plain functions then, with their docstrings
ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("sim", "experiments")
sys.path.insert(0, str(ROOT))

from sim import __version__  # noqa: E402

project, author = "Partnership peacekeeping", "The partnership-peacekeeping developers"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.napoleon", "sphinx.ext.autodoc", "sphinx.ext.apidoc", "sphinx.ext.viewcode"]
exclude_patterns = ["**/__main__*"]
default_role, highlight_language = "code", "text"  # `names` in docstrings; equations are not Python
html_theme, html_title = "furo", project
html_copy_source = html_show_sourcelink = html_show_copyright = False

myst_heading_anchors = 4
myst_links_external_new_tab = True

apidoc_modules = [
    {"path": ROOT / package, "destination": f"reference/{package}", "exclude_patterns": ["**/__main__.py"],
     "separate_modules": True, "module_first": True, "max_depth": 3,
     "automodule_options": {"members", "show-inheritance", "ignore-module-all"}}
    for package in PACKAGES
]  # fmt: skip
suppress_warnings = ["ref.python"]  # a hint names a class by its short name, which two modules may have
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_mock_imports = sorted(  # extras that need not be installed to read about what uses them
    {
        name
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for name in re.findall(r"^ *(?:from|import) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        if not find_spec(name)
    }
)
napoleon_use_ivar = True
napoleon_google_docstring = napoleon_use_param = napoleon_use_rtype = False  # types are prose, not links
OF_THE_ROOT = {"README.md": "index", "CONTRIBUTING.md": "reference/contributing", "CHANGELOG.md": "reference/changelog"}
TO_THE_ROOT = re.compile(rf"\]\((?:\.\./)*({'|'.join(map(re.escape, OF_THE_ROOT))})")
SPECIAL = re.compile(r"(?<!\\)([*|_])")


def inside(text):
    """Lead the links of a page to documents of the root to where they stand on the site."""
    return TO_THE_ROOT.sub(lambda found: f"](/{OF_THE_ROOT[found[1]]}.md", text)


def _join(app):
    """Have two documents of the root join the site, beside the reference that is written for it."""
    for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
        page = Path(app.srcdir, f"{OF_THE_ROOT[name]}.md")
        page.parent.mkdir(exist_ok=True)
        page.write_text((ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](/"), encoding="utf-8")


def _read(app, docname, source):
    source[0] = inside(source[0])


def as_restructured_text(lines):
    """Return the lines of a docstring as Sphinx reads them.

    An equation (indented by four, outside of the list of parameters) stays as it stands; parameters that share a line
    get one each; no sign but the backtick is special.
    """
    out, section, equation = [], False, False
    for line in lines:
        section = section or bool(re.fullmatch(r"-{3,}", line))
        if line.strip():
            here = line.startswith("    ") and not section
            if here != equation:
                out += ["", "::", ""] if here else [""]
            equation = here
        if equation:
            out.append(line)
        elif section and not line.startswith(" "):
            out += re.split(r"; (?=[\w, *]+ : )", line)
        else:
            parts = line.split("`")
            out.append("`".join(part if n % 2 else SPECIAL.sub(r"\\\1", part) for n, part in enumerate(parts)))
    return out


def _prepare(app, what, name, obj, options, lines):
    lines[:] = as_restructured_text(lines)


def _skip(app, what, name, obj, skip, options):
    """Leave out methods that a class of ours has from somebody else's."""
    foreign = isroutine(obj) and (getattr(obj, "__module__", None) or "sim").split(".")[0] not in PACKAGES
    return True if foreign else None


def setup(app):
    """Have Sphinx call what stands above; docstrings are read before napoleon reads them."""
    app.connect("builder-inited", _join)
    app.connect("source-read", _read)
    app.connect("autodoc-process-docstring", _prepare, priority=100)
    app.connect("autodoc-skip-member", _skip)
