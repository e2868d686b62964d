"""What of the configuration decides how runs count."""

from __future__ import annotations

from checkup.config.settings import Config
from checkup.history.fold import EvaluationRules
from checkup.incidents.model import IncidentDocument


def setting_of(config: Config, announced: IncidentDocument | None = None) -> EvaluationRules:
    """Return the setting of a fold.

    Args:
        config: the checkers, and the maintenance that was known beforehand.
        announced: where the other maintenance is.
    """
    others = announced.maintenance.values() if announced else ()
    return EvaluationRules(
        checkers=config.checkers,
        regions=config.regions,
        quorum=config.quorum,
        references=frozenset(config.reference_targets),
        windows=(
            *(planned.window for planned in config.maintenance),
            *(maintenance.planned.window for maintenance in others),
        ),
    )
