"""What people may see of an address, and what not."""

from __future__ import annotations

import re
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from checkup.text import mask_address, mask_secrets

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
WORDS = st.text(LETTERS, min_size=4, max_size=20)
PASSWORDS = st.text(LETTERS + "!$&()*+,;=:@/?#[]%.~_-", min_size=4, max_size=20)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://example.com/path", "https://example.com/path"),
        ("https://user:pass@example.com/", "https://user:***@example.com/"),
        ("https://user:p@ss@example.com/", "https://user:***@example.com/"),
        ("https://user:p/a?s#s@example.com/x", "https://user:***@example.com/x"),
        ("https://user:@example.com", "https://user:***@example.com"),
        ("https://token@example.com/", "https://***@example.com/"),
        ("https://example.com/?key=1&b=2;c=a=b&flag", "https://example.com/?key=***&b=***;c=***&flag"),
        ("https://example.com/?wsdl", "https://example.com/?wsdl"),
        ("https://example.com/?empty=", "https://example.com/?empty="),
        ("https://example.com/#part", "https://example.com/#part"),
        ("https://example.com/#access_token=1", "https://example.com/#access_token=***"),
        ("https://medium.com/@user", "https://medium.com/@user"),
        ("https://example.com:8443/@scope/name", "https://example.com:8443/@scope/name"),
        ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
        ("example.com:443", "example.com:443"),
        ("[::1]:80", "[::1]:80"),
        ("user:pass@example.com:22", "user:***@example.com:22"),
        ("user:1234@example.com", "user:***@example.com"),
        ("git@example.com:22", "git@example.com:22"),
        ("user:pass@tcp(db:3306)/name?tls=true", "user:***@tcp(db:3306)/name?tls=***"),
        ("host=db user=me password='a b' dbname=x", "host=db user=me password=*** dbname=x"),
        ('Get "https://u:p4ss@h/?q=1": refused', 'Get "https://u:***@h/?q=***": refused'),
        ("curl --token=abcd https://a:bcde@h", "curl --token=*** https://a:***@h"),
        ("/usr/lib/check_disk", "/usr/lib/check_disk"),
        ("", ""),
    ],
)  # fmt: skip
def test_addresses_show_what_is_checked_and_no_secret(address: str, shown: str) -> None:
    assert mask_address(address) == shown


@example(user="user", password="/pass", host="host", path="path")
@example(user="user", password="a:1/b", host="host", path="path")
@given(user=WORDS, password=PASSWORDS, host=WORDS, path=WORDS)
def test_a_password_never_shows(user: str, password: str, host: str, path: str) -> None:
    rest = f"{user}{host}.example{path}://***@"
    assume(password not in rest)
    # A number before a slash is a port: nobody can tell it from half a password.
    assume(not re.match("[0-9]+[/?#]", password))
    shown = mask_address(f"https://{user}:{password}@{host}.example/{path}")
    assert shown == f"https://{user}:***@{host}.example/{path}"


@given(st.lists(st.tuples(WORDS, PASSWORDS), max_size=4), WORDS)
def test_values_of_a_query_never_show(pairs: list[tuple[str, str]], host: str) -> None:
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
    expected = "&".join(f"{name}=***" for name, _ in pairs)
    assert mask_address(f"https://{host}/?{query}") == f"https://{host}/?{expected}"


@given(st.lists(WORDS, min_size=1, max_size=4), st.lists(st.text(max_size=8), max_size=5))
def test_known_secrets_show_nowhere(secrets: list[str], around: list[str]) -> None:
    text = "".join(part + secret for part, secret in zip(around, secrets * 2, strict=False))
    for hide in (mask_secrets, mask_address):
        shown = hide(text, secrets)
        assert not any(secret in shown for secret in secrets)


@given(PASSWORDS)
def test_known_secrets_show_in_no_spelling(secret: str) -> None:
    for spelling in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret)):
        assert mask_secrets(f"<{spelling}>", [secret]) in {
            "<***>",
            f"<{spelling}>".replace(secret, "***"),
        }


@given(st.text(max_size=60), st.lists(st.text(max_size=6), max_size=3))
def test_masking_twice_changes_nothing_more(text: str, secrets: list[str]) -> None:
    once = mask_address(text)
    assert mask_address(once) == once
    assert isinstance(mask_address(text, secrets), str)


def test_the_longest_secret_is_hidden_whole() -> None:
    assert mask_secrets("secret-and-more", ["secret", "secret-and-more"]) == "***"


def test_a_short_secret_is_hidden_where_it_stands_alone() -> None:
    assert mask_secrets("eu europe eu-1 8080 80", ["eu", "80"]) == "*** europe ***-1 8080 ***"


def test_nothing_to_hide_hides_nothing() -> None:
    assert mask_secrets("plain", ["", " ", "***"]) == "plain"


@pytest.mark.parametrize("part", ["(", "a:,", "a-", "://", "://:", ":@", "?=", "'", "token=", "a"])
def test_long_texts_take_time_by_their_length(part: str) -> None:
    started = time.process_time()
    mask_address(part * 100_000, ["secret"])
    assert time.process_time() - started < 10
