"""JSON Schemas (2020-12) of every document, made from the same annotations that check the values.

Whatever a schema accepts the loader accepts, and the other way round, as far as a schema can say: not that ids are
unique, that a zone exists, or that 30 February does not.
"""

from datetime import date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from attrs import NOTHING, Attribute, Factory, fields, has

from enrolpolicy.codec import PlanDocument
from enrolpolicy.constraints import Between, IdText, ZoneName
from enrolpolicy.errors import InvalidValue
from enrolpolicy.model import Guards, Snapshot, Validity
from enrolpolicy.plans import Action, Counts
from enrolpolicy.structuring import ACTIONS, INSTANT

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# `$` also matches before a last newline in some dialects of regular expressions; this is the end in all of them.
END = "(?![\\s\\S])"
VERSION_PATTERN = f"^1\\.(?:0|[1-9][0-9]{{0,8}}){END}"
DATE_PATTERN = f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{END}"
INSTANT_PATTERN = f"^{INSTANT}{END}"
CONTROL_PATTERN = "[\\u0000-\\u001f\\u007f-\\u009f]"


def snapshot_schema() -> Schema:
    """The JSON Schema of a snapshot document, for this format version."""
    return _document("enrolpolicy snapshot", Snapshot)


def plan_schema() -> Schema:
    """The JSON Schema of a plan document, for this format version."""
    return _document("enrolpolicy plan", PlanDocument)


DOCUMENTS = ("snapshot", "plan", "what-if", "forecast", "coverage", "back-test", "changes", "enrolments")
"""The documents there is a schema of."""


def document_schema(name: str) -> Schema:
    """The JSON Schema of one of `DOCUMENTS`; raises `InvalidValue` for another name."""
    from enrolpolicy.ahead.forms import FORMS  # noqa: PLC0415 - only some callers look ahead

    if name in _SCHEMAS:
        return _SCHEMAS[name]()
    if name not in FORMS:
        raise InvalidValue("name", f"must be one of {', '.join(f'`{one}`' for one in DOCUMENTS)}")
    schema = _form(FORMS[name])
    return {
        "$schema": DIALECT,
        "title": f"enrolpolicy {name}",
        **(_versioned(schema) if "properties" in schema else schema),
    }


_SCHEMAS = {"snapshot": snapshot_schema, "plan": plan_schema}


def _form(form: Any) -> Schema:
    """The schema of a form, see `enrolpolicy.ahead.forms`."""
    match form:
        case dict():
            properties = {key: _form(getattr(value, "form", value)) for key, value in form.items()}
            required = [key for key, value in form.items() if not hasattr(value, "form")]
            return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
        case tuple():
            return {"oneOf": [_form(one) for one in form]}
        case [one]:
            return {"type": "array", "items": _form(one)}
    return describe(form, {})


def _document(title: str, kind: type) -> Schema:
    definitions: Schema = {}
    schema = _versioned(_object(kind, definitions))
    return {"$schema": DIALECT, "title": title, **schema, "$defs": dict(sorted(definitions.items()))}


def _versioned(schema: Schema) -> Schema:
    properties = {"format_version": _VERSION, **schema["properties"]}
    required = list(dict.fromkeys(["format_version", *schema["required"]]))
    return {**schema, "properties": properties, "required": required}


_VERSION: Schema = {"type": "string", "pattern": VERSION_PATTERN}


def _object(kind: type, definitions: Schema) -> Schema:
    properties = {field.name: _field(field, definitions) for field in fields(kind)}
    required = [field.name for field in fields(kind) if field.default is NOTHING]
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    if kind is Validity:
        schema["oneOf"] = [_only("months", "days"), _only("days", "months")]
    return schema


def _only(present: str, absent: str) -> Schema:
    """One of two keys, whatever the schemas of both allow."""
    return {"required": [present], "properties": {present: {"type": "integer"}, absent: {"type": "null"}}}


def _field(field: "Attribute[Any]", definitions: Schema) -> Schema:
    schema = describe(field.type, definitions)
    if field.default is NOTHING:
        return schema
    return {**schema, "default": _plain(field.default)}


def _plain(default: Any) -> Any:
    """A default as JSON has it."""
    if default == Factory(Guards):
        return {}
    if isinstance(default, Enum):
        return default.value
    if isinstance(default, frozenset):
        return sorted(item.value for item in default)
    return list(default) if isinstance(default, tuple) else default


def describe(annotation: Any, definitions: Schema) -> Schema:
    """The schema of an annotation; those of the objects it names are added to the definitions."""
    if annotation in _LEAVES:
        return dict(_LEAVES[annotation])
    if annotation == Action:
        return {"oneOf": [_action(name, kind, definitions) for name, kind in ACTIONS.items()]}
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _limited(args[0], args[1])
    if origin in (Union, UnionType):
        [inner] = (arg for arg in args if arg is not NoneType)
        return {"anyOf": [describe(inner, definitions), {"type": "null"}]}
    if origin is Literal:
        return {"const": args[0]}
    if origin is dict:
        keys = {"propertyNames": describe(args[0], definitions)}
        return {"type": "object", **keys, "additionalProperties": describe(args[1], definitions)}
    if origin in (tuple, frozenset):
        return {"type": "array", "items": describe(args[0], definitions)}
    if issubclass(annotation, Enum):
        return {"enum": [member.value for member in annotation]}
    assert has(annotation)
    if annotation.__name__ not in definitions:
        definitions[annotation.__name__] = {}  # holds the place while its fields are described
        definitions[annotation.__name__] = _object(annotation, definitions)
    return {"$ref": f"#/$defs/{annotation.__name__}"}


def _action(name: str, kind: type, definitions: Schema) -> Schema:
    schema = _object(kind, definitions)
    schema["properties"] = {"type": {"const": name}, **schema["properties"]}
    schema["required"] = ["type", *schema["required"]]
    return schema


def _limited(base: type, limit: object) -> Schema:
    match limit:
        case Between(low, high):
            return {"type": "number" if base is float else "integer", "minimum": low, "maximum": high}
        case IdText(longest):
            return {"type": "string", "minLength": 1, "maxLength": longest, "not": {"pattern": CONTROL_PATTERN}}
        case ZoneName():
            return {"type": "string", "description": "an IANA time zone"}
    raise TypeError(f"no schema for {limit!r}")


_COUNTS = ("enrol", "cancel", "invite", "deferred")
_COUNT: Schema = {"type": "integer"}
_LEAVES: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    date: {"type": "string", "format": "date", "pattern": DATE_PATTERN},
    datetime: {"type": "string", "format": "date-time", "pattern": INSTANT_PATTERN},
    Counts: {
        "type": "object",
        "properties": {
            **dict.fromkeys(_COUNTS, _COUNT),
            "not-enrolled": {"type": "object", "additionalProperties": _COUNT},
        },
        "required": [*_COUNTS, "not-enrolled"],
        "additionalProperties": False,
    },
}
