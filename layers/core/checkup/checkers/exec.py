"""Checks by running a program. This version reads its settings and cannot look yet."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from checkup.deadline import Deadline
from checkup.errors import CannotTell
from checkup.model import Attempt
from checkup.options import Strings
from checkup.ports import Checker


class ExecChecker(Checker, frozen=True, kw_only=True, rename={"raise_": "raise"}):
    """Runs ``command`` without a shell; its exit status and output decide."""

    kind: ClassVar[str] = "exec"

    name: Annotated[str, Meta(description="The title; `endpoint_name` works as well.")] = ""
    command: Annotated[str, Meta(description="The program, by its path or found in PATH.")] = ""
    arguments: Annotated[Strings, Meta(description="Its arguments.")] = ()
    must_contain: Annotated[str, Meta(description="Text that the output must contain.")] = ""
    must_not_contain: Annotated[str, Meta(description="Text that it must not contain.")] = ""
    raise_: Annotated[
        str, Meta(description="`warn` or `warning`: failures are degraded, not down.")
    ] = ""

    @property
    def title(self) -> str:
        """The name that results carry."""
        return self.name or self.endpoint_name

    @property
    def endpoint(self) -> str:
        """The program, without its arguments: they may hold secrets."""
        return self.command

    def attempt(self, deadline: Deadline) -> Attempt:  # noqa: ARG002 - of the port
        """Say that this cannot be done yet.

        Raises:
            CannotTell: always.
        """
        raise CannotTell("unsupported", "this version cannot check by exec yet")
