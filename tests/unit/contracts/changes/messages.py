"""What is sent and received under an OpenAPI document: requests by users, responses by implementers.

A parameter, a status or a media type that is not declared is never sent, and not understood when it is received.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from changes.row import Answer, Ask
from changes.sent import Documents, documents

Holds = Callable[[Documents, Any], bool]
_READ = {"integer": int, "number": float, "boolean": lambda text: {"true": True, "false": False}[text]}


class Api:
    """The messages of one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def sent(self, message: Ask | Answer) -> bool:
        """Return whether somebody may send this message."""
        return self._says(message, Documents.sent)

    def received(self, message: Ask | Answer) -> bool:
        """Return whether somebody who receives this message can work with it."""
        return self._says(message, Documents.received)

    def _says(self, message: Ask | Answer, holds: Holds) -> bool:
        method, target = message.target.split(" ")
        for path, item in self._document["paths"].items():
            found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path), urlsplit(target).path)
            if found is not None and method.lower() in item:
                operation = item[method.lower()]
                if isinstance(message, Answer):
                    return self._answers(operation["responses"], message, holds)
                parameters = [
                    self._real(one) for one in (*item.get("parameters", ()), *operation.get("parameters", ()))
                ]
                given = {("path", name): value for name, value in found.groupdict().items()}
                given |= {("query", name): value for name, value in parse_qsl(urlsplit(target).query)}
                given |= {("header", name): value for name, value in message.headers.items() if name != "authorization"}
                return (
                    self._given(parameters, given, holds)
                    and ("authorization" in message.headers or not operation.get("security"))
                    and self._body(operation.get("requestBody"), message, holds)
                )
        return False

    def _given(self, parameters: list[Any], given: Mapping[tuple[str, str], str], holds: Holds) -> bool:
        declared = {(one["in"], one["name"]): one for one in parameters}
        needed = {place for place, one in declared.items() if one.get("required")}
        return needed <= given.keys() <= declared.keys() and all(
            self._holds(declared[place]["schema"], _read(declared[place]["schema"], text), holds)
            for place, text in given.items()
        )

    def _body(self, declared: Any, message: Ask, holds: Holds) -> bool:
        if message.body is None:
            return declared is None or not declared.get("required")
        return declared is not None and self._content(declared["content"], message, holds)

    def _answers(self, responses: Mapping[str, Any], message: Answer, holds: Holds) -> bool:
        for status in (str(message.status), f"{message.status // 100}XX", "default"):
            if status in responses:
                content = self._real(responses[status]).get("content")
                return (
                    not content if message.media is None else bool(content) and self._content(content, message, holds)
                )
        return False

    def _content(self, content: Mapping[str, Any], message: Ask | Answer, holds: Holds) -> bool:
        return message.media in content and self._holds(content[message.media]["schema"], message.body, holds)

    def _holds(self, schema: Mapping[str, Any], value: Any, holds: Holds) -> bool:
        return holds(documents({**schema, "components": self._document.get("components", {})}), value)

    def _real(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a parameter or response itself where there is a reference to it."""
        if "$ref" not in part:
            return part
        kind, name = part["$ref"].split("/")[2:]
        found: Mapping[str, Any] = self._document["components"][kind][name]
        return found


def _read(schema: Mapping[str, Any], text: str) -> Any:
    try:
        return _READ.get(schema.get("type", "string"), str)(text)
    except (ValueError, KeyError):
        return text
