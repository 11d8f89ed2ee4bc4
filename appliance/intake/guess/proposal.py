"""A feed profile proposed from files of an unknown export, as TOML with a confidence and harmless samples.

Owns: what kind of file it is, what the profile says, and the child that looks (`python -m
appliance.intake.guess.proposal`): the process that asks is handed the finished TOML and no cell. Must never print:
narratives, names, addresses, plates.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from appliance.errors import WardwellError
from appliance.intake.guess import steps as guess_steps
from appliance.intake.guess import unit_log as guess_log
from appliance.intake.guess.columns import Column, Layout, layout, samples
from appliance.intake.guess.types import guess_type, nearest
from appliance.intake.guess.unit_log import quoted, shown
from appliance.intake.profile.feed_profile import SHIPPED, Columns, Profile, about_conduct
from appliance.intake.read import mapping
from appliance.intake.read.formats import DOCUMENTS, Unusable, open_table
from appliance.intake.read.opening import Source
from appliance.intake.records import CallVersion
from appliance.spool.messages import RefusedRow

CHILD = [sys.executable, "-m", "appliance.intake.guess.proposal"]
_CHILD_BYTES = 2 * 1024**3
_SECONDS = 300
_ROWS = 3000
_TRIED = 200_000
_HEAD = 64 * 1024
_CODES = 400
_DISPATCH = "(COM|COMM|DISP|DSP|CALLTAKER)[A-Z]*\\d*"
_CANCEL = re.compile(r"cancel|\bcncl|\bcanc\b|disregard|\b10-?22\b", re.IGNORECASE)
_STAMPS = [(r"(\d{8}_\d{6})", "%Y%m%d_%H%M%S"), (r"(\d{14})", "%Y%m%d%H%M%S"), (r"(\d{4}-\d{2}-\d{2})", "%Y-%m-%d")]
_COLUMNS = list(Columns.__struct_fields__)
_EMPTY = Columns(number="", received="", type="", units="")


class _Request(msgspec.Struct):
    paths: list[bytes]
    zone: str
    zone_known: bool


class _Answer(msgspec.Struct):
    toml: str = ""
    problem: str = ""


def guess(paths: Sequence[Path], zone: str, zone_known: bool) -> str:
    """The profile (TOML) that reads `paths`, found by a child. Raises WardwellError when it finds none."""
    request = msgspec.msgpack.encode(_Request([os.fsencode(path) for path in paths], zone, zone_known))
    try:
        done = subprocess.run(
            CHILD, input=request, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_SECONDS, check=False
        )
        answer = msgspec.msgpack.decode(done.stdout, type=_Answer)
    except (subprocess.TimeoutExpired, msgspec.DecodeError):
        raise WardwellError("Looking at the files took too long or failed.", "Give one smaller file.") from None
    if answer.problem:
        raise WardwellError(answer.problem, "Give an export with calls, or write the profile by hand.")
    return answer.toml


@dataclass
class _Look:
    """One file as far as it was looked at."""

    profile: Profile
    header: list[str]
    rows: list[list[str]]
    chosen: list[str] = field(default_factory=list)
    blank: dict[str, str] = field(default_factory=dict)  # column without a value -> step that its name means


def _probe(form: str, zone: str, **more: Any) -> Profile:
    return Profile(
        name="guessed",
        description="Proposed from a file; check it",
        format=form,  # type: ignore[arg-type]
        time_zone=zone,
        columns=_EMPTY,
        types={},
        encoding="detect",
        delimiter="detect",
        **more,
    )


def _text(head: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if head.startswith(mark):
            return head.decode(encoding, errors="replace")
    return head.replace(b"\0", b"").decode("latin-1")


def _format(head: bytes, zone: str) -> Profile:
    """The probe that reads a file beginning with `head`."""
    if head.startswith(b"PK"):
        return _probe("xlsx", zone)
    text = _text(head).lstrip()
    if text.startswith("<"):
        if "Aegis/CAD" in text or re.search(r"<(\w+:)?CallExport\b", text):
            return _shipped("newworld-callexport", zone)
        return _probe("niem-xml", zone, record=_xml_record(text))
    if text[:1] in ("{", "["):
        if re.search(r'eidoMetadata|"eido|incidentTrackingIdentifier|incidentTypeCommonRegistryText', text):
            return _shipped("eido", zone)
        if text.startswith("["):
            return _probe("json-array", zone)
        first, _, more = text.partition("\n")
        try:
            msgspec.json.decode(first.strip())
        except (msgspec.DecodeError, UnicodeError):
            return _probe("json-array", zone, record=_json_record(text))
        if not more.strip() and (record := _json_record(text)):
            return _probe("json-array", zone, record=record)
        return _probe("json-lines", zone)
    return _probe("delimited", zone)


def _xml_record(text: str) -> str:
    """The path of the element that a file repeats, by its first part: the shallowest with a sibling of its name."""
    path: list[str] = []
    seen: Counter[str] = Counter()
    for closing, name, alone in re.findall(r"<(/?)([A-Za-z_][\w:.-]*)[^<>]*?(/?)>", text):
        local = name.rpartition(":")[2]
        if closing:
            del path[-1:]
            continue
        seen["/".join([*path, local])] += 1
        if not alone:
            path.append(local)
    again = [
        one
        for one, count in seen.items()
        if count > 1 and one.count("/") and any(o.startswith(one + "/") for o in seen)
    ]
    best = min(again, key=lambda one: one.count("/"), default="")
    return best.split("/", 1)[1] if best.count("/") > 1 else ""


def _json_record(text: str) -> str:
    """The dotted path of the first list of objects."""
    before = re.match(r'\s*\{(?:\s*"(?:[^"\\]|\\.)*"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[\w.+-]+)\s*,)*', text)
    path: list[str] = []
    rest = text[before.end() :] if before else text
    while found := re.match(r'\s*"((?:[^"\\]|\\.)*)"\s*:\s*([\[{])', rest):
        path.append(found[1])
        if found[2] == "[":
            return ".".join(path)
        rest = rest[found.end() :]
        skip = re.match(r'(?:\s*"(?:[^"\\]|\\.)*"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[\w.+-]+)\s*,)*', rest)
        rest = rest[skip.end() :] if skip else rest
    return ""


def _shipped(name: str, zone: str) -> Profile:
    shipped = msgspec.toml.decode((SHIPPED / f"{name}.toml").read_bytes(), type=Profile)
    return msgspec.structs.replace(shipped, time_zone=zone, encoding="detect")


def _look(path: Path, zone: str) -> _Look:
    """The beginning of the first file in `path`. Raises Unusable."""
    with Source(path) as source:
        # Read as a workbook, a workbook is a file, and everything else is what it is.
        for _, stream in source.members("xlsx"):
            head = stream.read(_HEAD)
            stream.seek(0)
            probe = _format(head, zone)
            if probe.format in DOCUMENTS:
                return _Look(probe, [], [])
            if probe.format in ("delimited", "xlsx"):
                return _headed(stream, probe)
            table = open_table(stream, probe)
            rows = [cells for _, cells in itertools.islice(table.rows, _ROWS)]
            return _Look(probe, table.header, rows, table.chosen)
    raise Unusable(0, "", "an archive without a file in it")


def _headed(stream: BinaryIO, probe: Profile) -> _Look:
    """A table's header and rows: the header is the first wide record whose cells are words, not data."""
    table = open_table(stream, msgspec.structs.replace(probe, header=False))
    records = [cells for _, cells in itertools.islice(table.rows, _ROWS)]
    if not records:
        raise Unusable(0, "", "it is empty")
    width = Counter(len(cells) for cells in records).most_common(1)[0][0]
    for place, cells in enumerate(records[:15]):
        named = [cell for cell in cells if cell.strip()]
        if len(cells) == width and len(named) > 0.6 * width:
            if not _is_header(named):
                break
            found = msgspec.structs.replace(probe, skip=place)
            return _Look(found, [cell.strip() for cell in cells], records[place + 1 :], table.chosen)
    header = [str(index + 1) for index in range(width)]
    return _Look(msgspec.structs.replace(probe, header=False), header, records, table.chosen)


def _is_header(cells: Sequence[str]) -> bool:
    plain = sum(bool(re.fullmatch(r"[^\d]*[A-Za-z#][^\d]*\d{0,2}[^\d]*", cell)) and len(cell) <= 60 for cell in cells)
    data = sum(bool(re.search(r"\d{1,2}:\d{2}|\d{1,4}[/-]\d{1,2}[/-]\d{1,4}|\d{4,}|=\d", cell)) for cell in cells)
    return data == 0 and plain >= 0.8 * len(cells) and len(set(cells)) > 0.7 * len(cells)


def _profile(look: _Look, found: Layout, canceled: Sequence[str], types: dict[str, str]) -> Profile:
    taken = {role: found.name(role) for role in _COLUMNS}
    dropped = [name for name in dict.fromkeys(look.header) if name not in taken.values()]
    return msgspec.structs.replace(
        look.profile,
        columns=Columns(**taken),
        types=types,
        row=found.row,
        date_format=found.date_format or "%m/%d/%y",
        time_format=found.time_format or "clock",
        step_format=found.step_format,
        unit_separator=found.unit_separator,
        unit_times=found.unit_times,
        unit_times_are=found.packed_are,
        canceled=list(canceled),
        dropped=dropped,
    )


@dataclass
class _Try:
    """What the proposed profile makes of the files."""

    rows: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    dispositions: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    flagged: int = 0

    def add(self, one: CallVersion | RefusedRow) -> None:
        self.rows += 1
        if isinstance(one, RefusedRow):
            if one.reason not in mapping.HARMLESS:
                self.refused[f"{one.column}: {one.reason}"] += 1
            return
        self.types.update(code for code in (one.type, one.observed) if code)
        self.dispositions[one.disposition] += 1
        self.units.update(unit.unit for unit in one.units)


def _try(paths: Sequence[Path], profile: Profile) -> _Try:
    from appliance.intake.read.child import versions

    tried = _Try()
    for path in paths:
        notes = mapping.Notes()
        with Source(path) as source:
            for one in itertools.islice(versions(source, path, profile, notes), _TRIED):
                tried.add(one)
        tried.flagged += notes.flagged
    return tried


def propose(paths: Sequence[Path], zone: str, zone_known: bool) -> str:
    """The TOML for `paths` (inside the child). Raises Unusable."""
    look = _look(paths[0], zone)
    found = Layout()
    if look.profile.format in DOCUMENTS:
        profile = look.profile
    else:
        # Totals and signatures beneath the table say nothing about its columns.
        full = [row for row in look.rows if len(row) == len(look.header) and sum(map(bool, row)) * 4 > len(row)]
        columns = [
            Column(name, [mapping.cell_text(row[place]) for row in full]) for place, name in enumerate(look.header)
        ]
        if log := guess_log.roles([column for column in columns if column.name]):
            return guess_log.propose(paths, look.profile, look.header, log, _zone_note(zone_known))
        look.blank = {one.name: guess_steps.named(one.words) for one in columns if not one.values and not one.shut}
        again = {name for name, count in Counter(look.header).items() if count > 1}
        found = layout([column for column in columns if column.name and column.name not in again])
        profile = _profile(look, found, [], {})
    tried = _try(paths, profile)
    known = {code for code in tried.types if code in profile.types}
    sure = {code: guess_type(code)[0] for code in tried.types if code not in known and guess_type(code)[1] >= 0.5}
    profile = msgspec.structs.replace(
        profile,
        types={**profile.types, **sure},
        canceled=[
            *profile.canceled,
            *(one for one in tried.dispositions if _CANCEL.search(one) and one not in profile.canceled),
        ],
        dispatch_units=profile.dispatch_units
        or (_DISPATCH if any(re.fullmatch(_DISPATCH, u) for u in tried.units) else ""),
        refuse="row" if tried.refused else "file",
    )
    for pattern, form in _STAMPS:
        if profile.format not in DOCUMENTS and all(re.search(pattern, path.name) for path in paths):
            profile = msgspec.structs.replace(profile, version_pattern=pattern, version_format=form)
            break
    return _toml(look, found, profile, tried, zone_known)


def _zone_note(known: bool) -> str:
    return "" if known else "  # ? nothing in the file says it: check, or give --time-zone"


def _toml(look: _Look, found: Layout, profile: Profile, tried: _Try, zone_known: bool) -> str:
    lines = ["# Proposed from the file; check what is marked with a question mark before it is used."]
    lines += [f"# {shown(sentence)}" for sentence in look.chosen]
    lines += [f"# {tried.rows} rows read, {sum(tried.refused.values())} of them cannot be taken."]
    lines += [f"# cannot be taken: {shown(reason)} ({count} rows)" for reason, count in tried.refused.most_common(5)]
    if tried.flagged:
        lines += [f"# {tried.flagged} times lie in an hour that the clock change repeats or skips."]
    note = _zone_note(zone_known)
    for name in Profile.__struct_fields__:
        if name not in ("columns", "types", "dropped"):
            value = getattr(profile, name)
            text = quoted(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            lines.append(f"{name} = {text}{note if name == 'time_zone' else ''}")
    lines += ["# Never read:", "dropped = ["]
    for name in profile.dropped:
        step = look.blank.get(name, "")
        why = "  # about conduct: Wardwell takes none" if about_conduct(name) else ""
        if step in _COLUMNS and not getattr(profile.columns, step):
            why = f"  # ? blank in every row, named like {step}: name it there if other exports fill it"
        lines.append(f"    {quoted(name)},{why}")
    lines += ["]", "", "[columns]"]
    some = dict(samples(found))
    for role in _COLUMNS:
        name = getattr(profile.columns, role)
        _, sure, why = found.roles.get(role, (None, 0.0, ""))
        sample = "; ".join(shown(one) for one in some.get(role, ()))
        note = f"  # {sure:.0%}, {why}{'; such as ' + sample if sample else ''}" if sure else ""
        if not name and role in ("number", "received", "type", "units") and profile.format not in DOCUMENTS:
            note = "  # ? no column seems to hold it"
        lines.append(f"{role} = {quoted(name)}{note}")
    lines += ["", "[types]"]
    normal = set[str]()
    for code, kind in profile.types.items():
        if " ".join(code.split()).casefold() not in normal:
            normal.add(" ".join(code.split()).casefold())
            sure = guess_type(code)[1]
            lines.append(f"{quoted(code)} = {quoted(kind)}  # {tried.types.get(code, 0)} times, {sure:.0%}")
    rest = [(code, count) for code, count in tried.types.most_common() if code not in profile.types]
    if rest:
        lines.append("# These weigh nothing until they are mapped (nearest first):")
    lines += [
        f"# {quoted(code)} = {' or '.join(map(quoted, nearest(code)))}  # {count} times"
        for code, count in rest[:_CODES]
    ]
    return "\n".join(lines) + "\n"


def _child(source: BinaryIO, sink: BinaryIO) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_CHILD_BYTES, _CHILD_BYTES))
    request = msgspec.msgpack.decode(source.read(), type=_Request)
    try:
        paths = [Path(os.fsdecode(path)) for path in request.paths]
        answer = _Answer(toml=propose(paths, request.zone, request.zone_known))
    except Unusable as error:
        place = f", line {error.line}" if error.line else ""
        column = f", {error.column}" if error.column else ""
        answer = _Answer(problem=f"The file cannot be read{place}{column}: {error.reason}.")
    sink.write(msgspec.msgpack.encode(answer))


if __name__ == "__main__":
    _child(sys.stdin.buffer, sys.stdout.buffer)
