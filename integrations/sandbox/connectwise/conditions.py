"""ConnectWise's filter language, read by a tokenizer and a recursive-descent parser.

    expression := conjunction ("or" conjunction)*
    conjunction := factor ("and" factor)*
    factor := "not" factor | "(" expression ")" | comparison
    comparison := path (= | != | < | <= | > | >=) literal
                | path ["not"] "in" "(" literal ("," literal)* ")"
                | path ["not"] ("like" | "contains") string, not an empty one
    literal := "string" | number | [date] | true | false | null

Keywords and string comparison ignore case. In a string `\\"` and `\\\\` are escapes; in `like` both `%` and `*` stand
for any characters. A null never equals, precedes or contains anything: only `= null` and `!= null` see it, and
negation does not turn "unknown" into "true". Whatever is not in this grammar raises BadCondition.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from integrations.sandbox.connectwise.shapes import Column, Type, UnknownField
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.store import World

Test = Callable[[World, Record], bool | None]
"""True, false, or None where a null makes the answer unknown."""

FindColumn = Callable[[str], Column]

_DEEPEST = 40
_LONGEST = 20_000  # characters
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<date>\[[^\[\]]*\])
      | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
      | (?P<word>[A-Za-z_]\w*(?:/[A-Za-z_]\w*)*)
      | (?P<sign><=|>=|!=|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE | re.DOTALL,
)
_KEYWORDS = frozenset({"and", "or", "not", "in", "like", "contains", "true", "false", "null"})
_ORDERINGS: dict[str, Callable[[float | datetime, float | datetime], bool]] = {
    "<": lambda left, right: left < right,  # type: ignore[operator]  # both sides are of one type, checked before
    "<=": lambda left, right: left <= right,  # type: ignore[operator]
    ">": lambda left, right: left > right,  # type: ignore[operator]
    ">=": lambda left, right: left >= right,  # type: ignore[operator]
}


class BadCondition(Exception):
    """The expression is not in the grammar, or names a field that the record type does not have."""


@dataclass(frozen=True)
class _Token:
    sort: str
    text: str
    at: int


@dataclass(frozen=True)
class _Literal:
    type: Type | None
    value: str | float | bool | datetime | None


def parse_moment(value: str) -> datetime:
    """A moment or a day as UTC; raises ValueError if it is neither."""
    moment = datetime.fromisoformat(value.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_conditions(expression: str, find_column: FindColumn) -> Test:
    """Compile an expression for one record type. Raises BadCondition."""
    if len(expression) > _LONGEST:
        raise BadCondition(f"conditions are longer than {_LONGEST} characters")
    return _Parser(_tokens(expression), find_column).whole()


def _tokens(expression: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    end = len(expression.rstrip())
    while at < end:
        match = _TOKEN.match(expression, at)
        if match is None or match.lastgroup is None:
            raise BadCondition(f"unexpected character at position {at} of conditions")
        sort, found = match.lastgroup, match.group(match.lastgroup)
        if sort == "word" and found.lower() in _KEYWORDS:
            sort, found = "keyword", found.lower()
        tokens.append(_Token(sort, found, at))
        at = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[_Token], find_column: FindColumn) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0
        self._find_column = find_column

    def whole(self) -> Test:
        test = self._expression()
        if self._next < len(self._tokens):
            raise self._unexpected("the end")
        return test

    def _expression(self) -> Test:
        tests = [self._conjunction()]
        while self._take("keyword", "or"):
            tests.append(self._conjunction())
        return tests[0] if len(tests) == 1 else _any_of(tests)

    def _conjunction(self) -> Test:
        tests = [self._factor()]
        while self._take("keyword", "and"):
            tests.append(self._factor())
        return tests[0] if len(tests) == 1 else _all_of(tests)

    def _factor(self) -> Test:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadCondition("conditions are nested too deeply")
        try:
            if self._take("keyword", "not"):
                return _negation(self._factor())
            if self._take("sign", "("):
                test = self._expression()
                self._expect("sign", ")")
                return test
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Test:
        path = self._expect("word").text
        try:
            column = self._find_column(path)
        except UnknownField as error:
            raise BadCondition(str(error)) from error
        negated = self._take("keyword", "not")
        if self._take("keyword", "in"):
            test = self._membership(column)
        elif self._take("keyword", "like"):
            test = _text_test(column, _like(self._string(column)))
        elif self._take("keyword", "contains"):
            needle = self._string(column).casefold()
            test = _text_test(column, lambda value: needle in value.casefold())
        elif negated:
            raise self._unexpected("in, like or contains")
        else:
            sign = self._expect("sign").text
            test = _compare(column, sign, self._literal())
        return _negation(test) if negated else test

    def _membership(self, column: Column) -> Test:
        self._expect("sign", "(")
        tests = [_compare(column, "=", self._listed())]
        while self._take("sign", ","):
            tests.append(_compare(column, "=", self._listed()))
        self._expect("sign", ")")
        return _any_of(tests)

    def _listed(self) -> _Literal:
        literal = self._literal()
        if literal.type is None:
            raise BadCondition("null cannot stand in a list")
        return literal

    def _string(self, column: Column) -> str:
        if column.type is not Type.TEXT:
            raise BadCondition(f"'{column.path}' is not text")
        text = _unquote(self._expect("string").text)
        if not text:
            raise BadCondition(f"'{column.path}' is searched for nothing, which would find everything")
        return text

    def _literal(self) -> _Literal:
        token = self._peek()
        if token is None:
            raise self._unexpected("a value")
        self._next += 1
        if token.sort == "string":
            return _Literal(Type.TEXT, _unquote(token.text))
        if token.sort == "number":
            return _Literal(Type.NUMBER, float(token.text))
        if token.sort == "date":
            try:
                return _Literal(Type.DATE, parse_moment(token.text[1:-1]))
            except ValueError as error:
                raise BadCondition(f"{token.text} is not a date") from error
        if token.sort == "keyword" and token.text in ("true", "false"):
            return _Literal(Type.BOOL, token.text == "true")
        if token.sort == "keyword" and token.text == "null":
            return _Literal(None, None)
        self._next -= 1
        raise self._unexpected("a value")

    def _peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self, sort: str, found: str) -> bool:
        token = self._peek()
        if token is None or token.sort != sort or token.text != found:
            return False
        self._next += 1
        return True

    def _expect(self, sort: str, found: str | None = None) -> _Token:
        token = self._peek()
        if token is None or token.sort != sort or (found is not None and token.text != found):
            raise self._unexpected(found or sort)
        self._next += 1
        return token

    def _unexpected(self, wanted: str) -> BadCondition:
        token = self._peek()
        place = f"'{token.text}' at position {token.at}" if token else "the end"
        return BadCondition(f"expected {wanted}, found {place} of conditions")


def _unquote(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted[1:-1], flags=re.DOTALL)


def _like(pattern: str) -> Callable[[str], bool]:
    parts = [re.escape(part) for part in re.split(r"[%*]+", pattern)]
    compiled = re.compile(".*".join(parts), re.IGNORECASE | re.DOTALL)
    return lambda value: compiled.fullmatch(value) is not None


def _text_test(column: Column, accepts: Callable[[str], bool]) -> Test:
    def test(world: World, record: Record) -> bool | None:
        value = column.read(world, record)
        return accepts(value) if isinstance(value, str) else None

    return test


def _compare(column: Column, sign: str, literal: _Literal) -> Test:
    if literal.type is None:
        return _null_test(column, sign)
    if literal.type is not column.type:
        raise BadCondition(f"'{column.path}' is {column.type.value}, compared with {literal.type.value}")
    wanted = literal.value.casefold() if isinstance(literal.value, str) else literal.value
    if sign in ("=", "!="):

        def equal(world: World, record: Record) -> bool | None:
            value = _comparable(column, column.read(world, record))
            return None if value is None else (value == wanted) is (sign == "=")

        return equal
    ordering = _ORDERINGS.get(sign)
    if ordering is None or not isinstance(wanted, float | datetime) or isinstance(wanted, bool):
        raise BadCondition(f"'{sign}' does not fit '{column.path}'")
    bound = wanted

    def ordered(world: World, record: Record) -> bool | None:
        value = _comparable(column, column.read(world, record))
        if isinstance(value, bool) or not isinstance(value, float | datetime):
            return None
        return ordering(value, bound)

    return ordered


def _null_test(column: Column, sign: str) -> Test:
    if sign not in ("=", "!="):
        raise BadCondition(f"'{sign}' does not go with null")
    return lambda world, record: (column.read(world, record) is None) is (sign == "=")


def _comparable(column: Column, value: Json) -> str | float | bool | datetime | None:
    if isinstance(value, str):
        return parse_moment(value) if column.type is Type.DATE else value.casefold()
    if isinstance(value, bool) or value is None:
        return value
    return float(value) if isinstance(value, int | float) else None


def _negation(test: Test) -> Test:
    def negated(world: World, record: Record) -> bool | None:
        known = test(world, record)
        return None if known is None else not known

    return negated


def _all_of(tests: list[Test]) -> Test:
    def all_hold(world: World, record: Record) -> bool | None:
        unknown = False
        for test in tests:
            known = test(world, record)
            if known is False:
                return False
            unknown = unknown or known is None
        return None if unknown else True

    return all_hold


def _any_of(tests: list[Test]) -> Test:
    def one_holds(world: World, record: Record) -> bool | None:
        unknown = False
        for test in tests:
            known = test(world, record)
            if known:
                return True
            unknown = unknown or known is None
        return None if unknown else False

    return one_holds
