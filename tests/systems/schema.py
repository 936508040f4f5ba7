"""Whether a JSON value is what an OpenAPI document says: the part of JSON Schema that ours uses, and nothing else."""

import re
from datetime import date, datetime

KNOWN = {
    "$ref", "anyOf", "type", "enum", "properties", "required", "additionalProperties", "items", "format", "minimum",
    "maximum", "pattern", "description", "default", "maxLength", "title",
}  # fmt: skip
TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list, "null": type(None)}
FORMATS = {"date-time": datetime.fromisoformat, "date": date.fromisoformat}


def faults(value, schema: dict, document: dict, path: str = "$") -> list[str]:
    assert set(schema) <= KNOWN, f"{path}: {set(schema) - KNOWN} is not checked here"
    if "$ref" in schema:
        return faults(value, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, path)
    if "anyOf" in schema:
        tried = [faults(value, one, document, path) for one in schema["anyOf"]]
        return [] if [] in tried else min(tried, key=len)
    if type(value) is not TYPES[schema["type"]]:
        return [f"{path}: {value!r} is no {schema['type']}"]
    return [*_of_value(value, schema, path), *_of_parts(value, schema, document, path)]


def _of_value(value, schema, path):
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is not one of {schema['enum']}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{path}: {value} < {schema['minimum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path}: {value!r} does not match"
    if "format" in schema:
        try:
            FORMATS[schema["format"]](value)
        except ValueError:
            yield f"{path}: {value!r} is no {schema['format']}"


def _of_parts(value, schema, document, path):
    if schema["type"] == "array":
        for rank, one in enumerate(value):
            yield from faults(one, schema["items"], document, f"{path}[{rank}]")
    if schema["type"] == "object":
        assert schema["additionalProperties"] is False, path
        for name in set(schema.get("required", [])) ^ set(value):
            yield f"{path}: {name} is missing, or is not described"
        for name, one in value.items():
            if name in schema["properties"]:
                yield from faults(one, schema["properties"][name], document, f"{path}.{name}")
