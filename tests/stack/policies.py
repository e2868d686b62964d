"""The template as CloudFormation sees it, read by the tests; its policies above all.

``python -m tests.stack.policies TEMPLATE.json`` prints the policies of a translated template, for
``golden/policies.json``: whoever changes a right changes that file, and somebody reads it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).with_name("golden") / "policies.json"
Resources = dict[str, Any]


def of_type(resources: Resources, kind: str) -> Iterator[tuple[str, Any]]:
    """Yield name and properties of the resources of a type."""
    return ((name, it["Properties"]) for name, it in resources.items() if it["Type"] == kind)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def met(value: Any) -> Any:
    """Return what stands behind a condition, as if it were met."""
    return value["Fn::If"][1] if "Fn::If" in value else value


def statements(document: Any) -> list[Any]:
    """Return all statements of a policy."""
    return [met(statement) for statement in document["Statement"]]


def by_sid(resource: Any) -> dict[str, Any]:
    """Return the statements of a resource's policy by their names."""
    document = resource["Properties"]["PolicyDocument"]
    return {statement["Sid"]: statement for statement in statements(document)}


def policies_of(resources: Resources) -> dict[str, Any]:
    """Return the documents of roles, buckets, queues and topics, by the resource that has them."""
    keys = ("PolicyDocument", "AssumeRolePolicyDocument")
    return {
        name: resource["Properties"][key]
        for name, resource in sorted(resources.items())
        for key in keys
        if key in resource["Properties"]
    }


if __name__ == "__main__":
    translated = json.loads(Path(sys.argv[1]).read_text())
    print(json.dumps(policies_of(translated["Resources"]), indent=1))
