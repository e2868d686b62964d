"""Azure Application Insights: the settings are valid, but sending results is not supported yet."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, field

from checkup.errors import UnavailableError
from checkup.interfaces import Clients, Storage, StorageSettings
from checkup.interfaces.kinds import Seconds, Secret


class AppInsightsSettings(StorageSettings, frozen=True, kw_only=True):
    """Results as availability items in Azure Application Insights (not supported yet)."""

    kind: ClassVar[str] = "appinsights"

    instrumentation_key: Annotated[
        Secret, Meta(min_length=1, description="Instrumentation key of the resource.")
    ]
    test_location: Annotated[
        str, Meta(description="Name of the location that runs the checks.")
    ] = "Checkup Monitor"
    tags: Annotated[dict[str, str], Meta(description="Custom properties of every item.")] = field(
        default_factory=dict
    )
    max_retries: Annotated[int, Meta(ge=0, description="Retries per item.")] = 0
    retry_interval: Annotated[Seconds, Meta(ge=0, description="Seconds between retries.")] = 0
    timeout: Annotated[
        Seconds, Meta(ge=0, description="Timeout per request in seconds; 0 for the default of 2.")
    ] = 0

    def open(self, clients: Clients) -> Storage:
        """Not supported yet.

        Raises:
            UnavailableError: always.
        """
        raise UnavailableError("appinsights: sending results to Azure is not supported yet")
