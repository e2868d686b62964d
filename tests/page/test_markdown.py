"""Markdown of people, as HTML that can do nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup_page.incidents.markdown import LIMIT, clean_markdown, render_markdown
from tests.page.test_attacks import ATTACKS

ALLOWED = {"p", "a", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "br"}
MARKDOWN_ATTACKS = [
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "[x](//evil.example/)",
    "[x](file:///etc/passwd)",
    '[x](http://a.example/ "a\\" onmouseover=alert(1)")',
    '[x](http://a.example/"onmouseover=alert(1))',
    "![x](http://evil.example/pixel.png)",
    "![x](javascript:alert(1))",
    "<javascript:alert(1)>",
    "<http://a.example/'onclick=alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "`<script>alert(1)</script>`",
    "<!-- <script>alert(1)</script> -->",
    "<svg/onload=alert(1)>",
    "# <img src=x onerror=alert(1)>",
    "| <script>alert(1)</script> |",
]


def tags(html: str) -> list[tuple[str, str]]:
    """Every opening tag of what is rendered, and its attributes."""
    return re.findall(r"<([^\s/>]+)([^>]*)>", html)


def harmless(html: str) -> bool:
    return all(
        name in ALLOWED
        and re.fullmatch(
            r'(?: (?:href="(?:https?://|mailto:)[^"<>]*"|rel="nofollow ugc noopener"'
            r'|title="[^"<>]*"|class="language-[^"<>]*"|start="\d+"))*',
            attributes,
        )
        for name, attributes in tags(html)
    )


@pytest.mark.row("133")
@pytest.mark.parametrize("attack", [*ATTACKS, *MARKDOWN_ATTACKS])
def test_no_text_does_anything(attack: str) -> None:
    html = render_markdown(clean_markdown(attack))
    assert harmless(html)


@pytest.mark.row("133")
@given(st.text(alphabet="<>\"'&[]()!`*_#-:/\\ \nabjavscripthtp.1=\u202e", max_size=80))
def test_no_text_at_all_does_anything(text: str) -> None:
    assert harmless(render_markdown(clean_markdown(text)))


@pytest.mark.row("133")
def test_what_is_checked_here_would_be_found() -> None:
    assert not harmless('<a href="javascript:alert(1)">x</a>')
    assert not harmless("<script>")
    assert not harmless('<a href="http://x/" onclick="y">x</a>')


def test_what_people_write_is_shown_as_they_mean_it() -> None:
    text = (
        "**Sorry.** See https://a.example/b?c=d&e=f, or [this](http://b.example).\n\n- one\n- two"
    )
    assert render_markdown(clean_markdown(text)) == (
        '<p><strong>Sorry.</strong> See <a href="https://a.example/b?c=d&amp;e=f" '
        'rel="nofollow ugc noopener">https://a.example/b?c=d&amp;e=f</a>, or '
        '<a href="http://b.example" rel="nofollow ugc noopener">this</a>.</p>\n'
        "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"
    )


@pytest.mark.row("134")
def test_a_text_keeps_its_lines_and_loses_what_disturbs() -> None:
    assert clean_markdown("one\u202e\n\n  two\x00\r\nthree\u200b\n") == "one\n\n  two\nthree"
    assert len(clean_markdown("x\n" * LIMIT)) <= LIMIT


def test_columns_of_code_stay_columns() -> None:
    text = "```\nname      ready\ndb-\u202e0   0/1\n```"
    shown = render_markdown(clean_markdown(text))
    assert "name      ready\ndb-0   0/1\n" in shown
    assert len(clean_markdown("a" + 99 * " " + "b")) < 99


def test_a_text_in_one_line_is_as_good_as_one_in_many() -> None:
    text = "word " * (LIMIT // 5 - 1) + "last"
    assert clean_markdown(text) == text
