"""Writes docs/api.md from the contract's descriptor set, comments included.

usage: api_doc.py PROTOSET >docs/api.md

Reads the descriptor set by its wire format: Debian's Python has no protobuf unless more is installed.
"""

import re
import sys

PACKAGE = "callbridge.v1"
SCOPE = 51740  # callbridge.v1.scope, an option of methods.

LABEL_REPEATED = 3
TYPE_MESSAGE = 11
SCALARS = {1: "double", 2: "float", 3: "int64", 4: "uint64", 5: "int32", 8: "bool", 9: "string", 12: "bytes", 13: "uint32"}


def wire(data):
    """-> [(number, int or bytes)] of a message."""
    found, at = [], 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        kind = key & 7
        if kind == 0:
            found.append((key >> 3, varint()))
        else:
            size = {1: 8, 5: 4}.get(kind) or varint()
            found.append((key >> 3, data[at:at + size]))
            at += size
    return found


def all_of(message, number):
    return [value for key, value in wire(message) if key == number]


def one(message, number, default=b""):
    return (all_of(message, number) or [default])[-1]


def text(message, number):
    return one(message, number).decode()


def varints(data):
    found, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            found.append(value)
            value = shift = 0
    return tuple(found)


class File:
    """One .proto: what is in it, and the comment at each path of it."""

    def __init__(self, data):
        self.data, self.name, self.package = data, text(data, 1), text(data, 2)
        self.comments = {varints(one(place, 1)): text(place, 3) or text(place, 4) for place in all_of(one(data, 9), 1)}

    def comment(self, *path):
        """As one text; paragraphs keep their blank line between them."""
        lines = [line.strip() for line in self.comments.get(path, "").splitlines()]
        paragraphs = re.split(r"\n\n+", "\n".join(lines).strip())
        return "\n\n".join(" ".join(part.split("\n")) for part in paragraphs)


def link(type_name):
    """`.callbridge.v1.Call` as a link to it; others by their name."""
    name = type_name.lstrip(".")
    if not name.startswith(PACKAGE + "."):
        return "`%s`" % name
    short = name[len(PACKAGE) + 1:]
    return "[%s](#%s)" % (short, anchor(short))


def anchor(title):
    return re.sub(r"[^a-z0-9_-]", "", title.lower())


def field_type(field, entries):
    kind, type_name = one(field, 5, 0), text(field, 6)
    if type_name in entries:
        return "map of %s to %s" % tuple(field_type(each, entries) for each in entries[type_name])
    shown = SCALARS.get(kind) or link(type_name)
    return "repeated " + shown if one(field, 4, 0) == LABEL_REPEATED else shown


def cell(words):
    return words.replace("\n\n", "<br>").replace("|", "\\|")


def describe_message(file, message, path, prefix, out):
    name = prefix + text(message, 1)
    nested = list(enumerate(all_of(message, 3)))
    entries = {".%s.%s.%s" % (PACKAGE, name, text(each, 1)): all_of(each, 2) for _, each in nested if one(one(each, 7), 7, 0)}
    out += ["### " + name, "", file.comment(*path), ""]
    oneofs = [text(each, 1) for each in all_of(message, 8)]
    rows = []
    for index, field in enumerate(all_of(message, 2)):
        said = file.comment(*path, 2, index)
        if all_of(field, 9) and not one(field, 17, 0):
            said = "One of `%s`. %s" % (oneofs[one(field, 9)], said)
        rows.append("| `%s` | %s | %s |" % (text(field, 1), field_type(field, entries), cell(said)))
    if rows:
        out += ["| field | type | |", "|---|---|---|"] + rows + [""]
    for index, each in nested:
        if not one(one(each, 7), 7, 0):
            describe_message(file, each, path + (3, index), name + ".", out)
    for index, each in enumerate(all_of(message, 4)):
        describe_enum(file, each, path + (4, index), name + ".", out)


def describe_enum(file, enum, path, prefix, out):
    out += ["### " + prefix + text(enum, 1), "", file.comment(*path), "", "| value | number | |", "|---|---|---|"]
    for index, value in enumerate(all_of(enum, 2)):
        out.append("| `%s` | %d | %s |" % (text(value, 1), one(value, 2, 0), cell(file.comment(*path, 2, index))))
    out.append("")


def describe_service(file, service, path, out):
    name = text(service, 1)
    out += ["## " + name, "", file.comment(*path), ""]
    for index, method in enumerate(all_of(service, 2)):
        scope = text(one(method, 4), SCOPE)
        stream = "stream of " if one(method, 6, 0) else ""
        out += ["### " + text(method, 1), "", "%s → %s%s, scope `%s`" % (
            link(text(method, 2)), stream, link(text(method, 3)), scope), "", file.comment(*path, 2, index), ""]


def document(protoset):
    """-> the whole page."""
    files = [File(each) for each in all_of(protoset, 1)]
    files = sorted((each for each in files if each.package == PACKAGE), key=lambda each: each.name)
    out = ["# The API", "", "Made from proto/callbridge/v1 by `./dev api`; do not edit. How to use it: [crm-guide.md](crm-guide.md); from a terminal: "
           "[grpcurl.md](grpcurl.md).", ""]
    for file in files:
        for index, service in enumerate(all_of(file.data, 6)):
            describe_service(file, service, (6, index), out)
    out += ["## Messages", ""]
    for file in files:
        for index, message in enumerate(all_of(file.data, 4)):
            describe_message(file, message, (4, index), "", out)
        for index, enum in enumerate(all_of(file.data, 5)):
            describe_enum(file, enum, (5, index), "", out)
    return "\n".join(out).rstrip() + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as source:
        sys.stdout.write(document(source.read()))
