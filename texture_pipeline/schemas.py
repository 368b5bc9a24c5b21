"""Write the JSON Schemas with which editors check and complete the configs: `python -m
texture_pipeline.schemas FOLDER`."""

import json
import sys
from pathlib import Path
from typing import Any

from texture_pipeline.stages import STAGES
from texturelib.files import write_text


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each stage's config, by file name."""
    return {
        f"{stage.name}.json": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **stage.config_model.model_json_schema(by_alias=True),
        }
        for stage in STAGES
    }


def main() -> None:
    folder = Path(sys.argv[1])
    for name, schema in schemas().items():
        write_text(folder / name, json.dumps(schema, indent=2) + "\n")
        print(folder / name)


if __name__ == "__main__":
    main()
