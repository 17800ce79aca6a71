"""What a route takes and gives: one description for its function and the OpenAPI document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from restmon.api.models import Answer, Parameters

Content = type[Answer] | type[dict] | str
"""A model or ``dict`` stands for JSON; a string is the media type of text."""


@dataclass(frozen=True)
class Operation:
    """What a route takes and gives.

    Attributes
    ----------
    id
        The ``operationId`` of the ``main`` method. Another method's is followed by its name.
    takes
        The model of its parameters. Its function is called with them. None: it takes none.
    gives
        The contents of its answers, by status.
    errors
        The statuses of its errors, besides those that follow from its role and its parameters.
    texts
        Descriptions of answers, by status, if the usual ones do not fit.
    takes_files
        Whether its body is a form with files, so that its parameters are in the query alone.
    takes_items
        The model of the items in its body: JSON lines, or a JSON array.
    """

    id: str
    gives: Mapping[int, Sequence[Content]]
    takes: type[Parameters] | None = None
    errors: tuple[int, ...] = ()
    main: str = "GET"
    texts: Mapping[int, str] = field(default_factory=dict)
    takes_files: bool = False
    takes_items: type[BaseModel] | None = None
