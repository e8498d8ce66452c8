"""Modules that can be read in one sitting, and that say what they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.laws.reading import PACKAGES, ROOT, Module, modules, read

MOST_LINES = 500
ALL = modules()
_Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def unsaid(module: Module) -> list[str]:
    """Public things without a docstring. A method may leave it to the protocol of its module that describes it."""
    described = {
        method.name
        for node in module.tree.body
        if isinstance(node, ast.ClassDef)
        and any(getattr(base, "id", "") == "Protocol" for base in node.bases)
        for method in node.body
        if isinstance(method, ast.FunctionDef) and ast.get_docstring(method)
    }
    found = [] if ast.get_docstring(module.tree) else ["the module"]
    for node in _public(module.tree.body):
        if not ast.get_docstring(node):
            found.append(node.name)
        if isinstance(node, ast.ClassDef):
            methods = [
                m
                for m in _public(node.body)
                if not ast.get_docstring(m) and m.name not in described
            ]
            found += [f"{node.name}.{method.name}" for method in methods]
    return found


def _public(body: list[ast.stmt]) -> Iterator[_Documented]:
    for node in body:
        if isinstance(node, _Documented) and not node.name.startswith("_"):
            yield node


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.name)
def test_no_module_is_long(module: Module) -> None:
    lines = module.text.count("\n")
    assert lines <= MOST_LINES, (
        f"{module.name} has {lines} lines: a module of more than {MOST_LINES} does two things; part them"
    )


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.name)
def test_everything_public_says_what_it_is(module: Module) -> None:
    assert not unsaid(module), (
        f"{module.name}: no docstring on {', '.join(unsaid(module))}; a name alone promises nothing"
    )


def test_every_folder_with_modules_is_a_package_that_says_what_it_is() -> None:
    for folder in sorted(
        {path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    ):
        init = folder / "__init__.py"
        assert init.exists(), (
            f"{folder.relative_to(ROOT)} is no package: it would be left out of an installation"
        )
        said = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8")))
        assert said, f"{folder.relative_to(ROOT)} does not say what it is"


def test_the_laws_see_an_offence() -> None:
    text = (
        "import typing\nclass P(typing.Protocol):\n    def said(self): 'doc'\n"
        "class A:\n    'doc'\n    def f(self): ...\n    def _g(self): ...\ndef h(): ...\nclass B: ...\n"
    )
    assert unsaid(read("core/x.py", text)) == ["the module", "P", "A.f", "h", "B"]
