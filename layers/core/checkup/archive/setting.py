"""What of the configuration decides how runs count."""

from __future__ import annotations

from checkup.config.settings import Config
from checkup.history.fold import Setting


def setting_of(config: Config) -> Setting:
    """Return the setting of a fold."""
    return Setting(
        checkers=config.checkers,
        regions=config.regions,
        quorum=config.quorum,
        references=frozenset(config.reference_targets),
        windows=tuple(planned.window for planned in config.maintenance),
    )
