from __future__ import annotations

import pytest

from checkup.deadline import Deadline
from checkup.interfaces import Checker
from checkup.interfaces.checker import select_checkers
from checkup.model import Attempt


class Toy(Checker, frozen=True, kw_only=True):
    kind = "toy"

    def attempt(self, deadline: Deadline) -> Attempt:
        return Attempt(rtt=1)


WEBSITE = Toy(endpoint_name="Website", id="website")
USERS = Toy(endpoint_name="User Service", id="users")
TWIN = Toy(endpoint_name="User Service", id="users-2")
ALL = (WEBSITE, USERS, TWIN)


def test_no_name_means_all() -> None:
    assert select_checkers(ALL, []) == ALL


@pytest.mark.parametrize("name", ["Website", "website", "WEBSITE"])
def test_title_or_id_is_meant_without_regard_to_case(name: str) -> None:
    assert select_checkers(ALL, [name]) == (WEBSITE,)


def test_order_is_that_of_the_configuration() -> None:
    assert select_checkers(ALL, ["users", "website"]) == (WEBSITE, USERS)


def test_shared_title_means_every_checker_that_has_it() -> None:
    assert select_checkers(ALL, ["user service"]) == (USERS, TWIN)


def test_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(LookupError, match=r'no checker "web-site"; did you mean "Website"\?'):
        select_checkers(ALL, ["users", "web-site"])


def test_unknown_name_that_resembles_nothing_is_refused() -> None:
    with pytest.raises(LookupError, match=r'no checker "qqq"$'):
        select_checkers(ALL, ["qqq"])


INTERNAL = (
    *("169.254.169.254", "169.254.170.2", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"),
    *("2852039166", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "169.16689662"),
    *("[::a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "169.254.169.254.nip.io"),
    *("127.0.0.1:9001", "127.1:2773", "localhost", "[::1]", "instance-data", "metadata"),
)
"""Where credentials lie or the function itself listens, as people write it."""


@pytest.mark.row("154")
@pytest.mark.parametrize("form", ["{}", "http://{}/", "HTTP://{}/latest/", "http://a@{}/", "//{}/"])
@pytest.mark.parametrize("address", INTERNAL)
def test_address_is_no_name_of_a_checker(address: str, form: str) -> None:
    with pytest.raises(LookupError, match="no checker"):
        select_checkers(ALL, [form.format(address)])
