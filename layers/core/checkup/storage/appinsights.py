"""Azure Application Insights: the settings are valid, but sending results is not supported yet."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, field

from checkup.errors import UnavailableError
from checkup.interfaces import Clients, Storage, StorageSettings
from checkup.interfaces.kinds import Seconds, Secret


class AppInsightsSettings(StorageSettings, frozen=True, kw_only=True):
    """Results as availability items of Azure Application Insights, which keeps no documents."""

    kind: ClassVar[str] = "appinsights"

    instrumentation_key: Annotated[
        Secret, Meta(min_length=1, description="The key of the resource.")
    ]
    test_location: Annotated[str, Meta(description="Where the checks run.")] = "Checkup Monitor"
    tags: Annotated[dict[str, str], Meta(description="Properties of every item.")] = field(
        default_factory=dict
    )
    max_retries: Annotated[int, Meta(ge=0, description="How often an item is sent again.")] = 0
    retry_interval: Annotated[Seconds, Meta(ge=0, description="Seconds between tries.")] = 0
    timeout: Annotated[Seconds, Meta(ge=0, description="Seconds per try; 0 for 2.")] = 0

    def open(self, clients: Clients) -> Storage:
        """Not supported yet.

        Raises:
            UnavailableError: always.
        """
        raise UnavailableError("appinsights: this version cannot send to Azure yet")
