"""Print what CloudFormation makes of a SAM template; run by the SAM CLI's own interpreter.

cfn-lint reads the source leniently where a transform will come: a wrong cron expression, a
timeout out of range or a misspelt action shows only in the result.
"""

import json
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

PLACEHOLDER = "s3://bucket/key"


class NoManagedPolicies:
    """The template names none, so that no look-up at AWS is needed."""

    def load(self) -> dict[str, str]:
        return {}


def main(source: str) -> None:
    template = yaml_parse(Path(source).read_text())
    for resource in template["Resources"].values():
        for uri in ("CodeUri", "ContentUri"):
            if uri in resource.get("Properties", {}):
                resource["Properties"][uri] = PLACEHOLDER
    print(json.dumps(transform(template, {}, NoManagedPolicies()), indent=1))


if __name__ == "__main__":
    main(sys.argv[1])
