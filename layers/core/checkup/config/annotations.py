"""What the annotation of a settings field says: its bare type, its limits, its marks, its words."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import Meta


def unwrap_annotation(annotation: Any) -> tuple[Any, list[Meta]]:  # noqa: ANN401
    """Return the bare type and all that is said about it; ``X | None`` is X."""
    if get_origin(annotation) is Annotated:
        inner, *metas = get_args(annotation)
        bare, more = unwrap_annotation(inner)
        return bare, more + [meta for meta in metas if isinstance(meta, Meta)]
    if get_origin(annotation) in {Union, UnionType}:
        (only,) = (choice for choice in get_args(annotation) if choice is not type(None))
        return unwrap_annotation(only)
    return annotation, []


def meta_extra(annotation: Any, name: str) -> str:  # noqa: ANN401
    """Return what the type's marks say under this name, if they do."""
    marks = (meta.extra for meta in unwrap_annotation(annotation)[1] if meta.extra)
    return next((mark[name] for mark in marks if name in mark), "")


def meta_description(annotation: Any) -> str:  # noqa: ANN401
    """Return what the outermost description says, or an empty string."""
    metas = reversed(unwrap_annotation(annotation)[1])
    return next((meta.description for meta in metas if meta.description), "")
