"""Other spellings of an event's text, some of which say the same and some not: for readers that must agree on them."""

from __future__ import annotations

from collections.abc import Callable

# How a sender's library, a proxy or somebody's hand may write the same event, or nearly the same.
REWRITTEN: dict[str, Callable[[str, str, str], str]] = {
    "a key comes twice": lambda text, name, value: text.replace(f'"{name}":', f'"{name}":{value},"{name}":', 1),
    "a key comes again at the end": lambda text, name, value: text.replace("}}", f',"{name}":{value}}}}}', 1),
    "a null stands before": lambda text, name, _: text.replace(f'"{name}":', f'"{name}":null,"{name}":', 1),
    "a null stands behind": lambda text, name, _: text.replace("}}", f',"{name}":null}}}}', 1),
    "another value": lambda text, name, value: text.replace(f'"{name}":', f'"{name}":{value},"x":', 1),
    "a key is escaped": lambda text, name, _: text.replace(f'"{name}"', f'"\\u{ord(name[0]):04x}{name[1:]}"', 1),
    "a blank behind the colon": lambda text, name, _: text.replace(f'"{name}":', f'"{name}": ', 1),
    "a line ends within": lambda text, name, _: text.replace(f'"{name}":', f'"{name}":\n', 1),
    "a comma too many": lambda text, name, _: text.replace(f'"{name}":', f',"{name}":', 1),
    "cut off": lambda text, name, _: text[: text.index(f'"{name}":')] if f'"{name}":' in text else text,
    "a brace within": lambda text, name, _: text.replace(f'"{name}":"', f'"{name}":"a,{{', 1),
    "in the envelope": lambda text, name, value: text.replace('"data":', f'"{name}":{value},"data":', 1),
    "behind the data": lambda text, name, value: text[:-1] + f',"{name}":{value}}}',
    "data twice": lambda text, name, value: text[:-1] + f',"data":{{"{name}":{value}}}}}',
}
_BARE = """
0 -0 1 -1 1.0 1.5 -0.0 -0.5 1e3 1E-2 0.1000000 12345678.9012345 123456789.123456 9999999999.999 99999999999999999
9223372036854775808 01 +1 .5 NaN Infinity null true false [] {} "" "x" "a\\"b" "\\u0041" "a{b}" "đ" "null" "a\\nb"
"2024-10-05" "2024-02-30" "2024-10-5" "0000-01-01" "2024-10-05T08:00:00Z" "2024-10-05T08:00:00.000000Z"
"2024-10-05T08:00:00.5+07:00" "2024-10-05T08:00:00.123456+07:00" "2024-10-05T08:00:00-00:00" "2024-10-05T08:00:60Z"
"2024-10-05t08:00:00z" "2024-10-05T08:00:00" "2024-10-05T24:00:00Z"
"""
VALUES = (*_BARE.split(), '"2024-10-05 08:00:00Z"', '"\x7f"', '" "')
