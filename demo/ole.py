"""OLE2 compound files (MS-CFB), written from nothing: Word 97–2003 documents, locked Office files, ZED containers.

Enough for whoever looks at their structure; nothing in them is encrypted, and no text can be read.
"""

import struct
import uuid

ZED_CLASS = "00000FE0-8804-4CA8-8868-36F59DEFD14D"
ZED_STREAM = "\x055haaaaqaIekzeecnWj31zxh0Nc"
SIGNATURE = bytes.fromhex("D0CF11E0A1B11AE1")
FREE, END, FAT_SECTOR, NOTHING = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
SMALLEST_REGULAR = 4096  # shorter streams would need the mini stream: they are filled up with zeros instead


def compound_bytes(streams: dict[str, bytes], *, class_id: str = "", sector: int = 512) -> bytes:
    """A compound file. `streams` by path: "WordDocument", "Macros/VBA/dir"; `sector`: 512 (version 3) or 4096 (4)."""
    paths = {path: data.ljust(SMALLEST_REGULAR, b"\0") for path, data in streams.items()}
    tree = _tree(paths)
    per_sector = sector // 4
    directory_count = -(-len(tree) * 128 // sector)
    data_counts = {path: -(-len(data) // sector) for path, data in paths.items()}
    body = directory_count + sum(data_counts.values())
    fat_count = 1
    while fat_count * per_sector < body + fat_count:
        fat_count += 1
    if fat_count > 109:
        raise ValueError("take sectors of 4096 bytes")

    fat, starts = [FAT_SECTOR] * fat_count, {}
    for path, count in [("", directory_count), *data_counts.items()]:
        starts[path] = len(fat)
        fat += [*range(len(fat) + 1, len(fat) + count), END]
    fat += [FREE] * (fat_count * per_sector - len(fat))

    header = _header(sector, fat_count, directory_start=starts[""], directory_count=directory_count)
    directory = b"".join(_entry(node, tree, paths, starts, class_id) for node in tree)
    content = [header, struct.pack(f"<{len(fat)}L", *fat), _filled(directory, sector)]
    content += [_filled(data, sector) for data in paths.values()]
    return b"".join(content)


def _filled(data: bytes, sector: int) -> bytes:
    return data + bytes(-len(data) % sector)


def _header(sector: int, fat_count: int, *, directory_start: int, directory_count: int) -> bytes:
    version, shift = (3, 9) if sector == 512 else (4, 12)
    fields = struct.pack("<16x5H6x", 0x3E, version, 0xFFFE, shift, 6)
    fields += struct.pack("<3L", directory_count if version == 4 else 0, fat_count, directory_start)
    fields += struct.pack("<6L", 0, SMALLEST_REGULAR, END, 0, END, 0)
    sectors = [*range(fat_count), *[FREE] * (109 - fat_count)]
    return (SIGNATURE + fields + struct.pack("<109L", *sectors)).ljust(sector, b"\0")


class _Node:
    def __init__(self, path: str, kind: int):
        self.path, self.kind, self.right = path, kind, NOTHING
        self.children: list[_Node] = []


def _tree(paths) -> list[_Node]:
    """The root, its storages and streams; brothers hang to the right of one another."""
    nodes = [_Node("", 5)]
    known = {"": nodes[0]}
    for path in paths:
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            here, parent = "/".join(parts[:depth]), "/".join(parts[: depth - 1])
            if here not in known:
                known[here] = _Node(here, 2 if depth == len(parts) else 1)
                nodes.append(known[here])
                known[parent].children.append(known[here])
    for node in nodes:
        node.children.sort(key=lambda child: (len(child.path), child.path.upper()))
        for child, brother in zip(node.children, node.children[1:], strict=False):
            child.right = nodes.index(brother)
    return nodes


def _entry(node, tree, paths, starts, class_id) -> bytes:
    name = ("Root Entry" if node.kind == 5 else node.path.rpartition("/")[2]).encode("utf-16-le") + b"\0\0"
    child = tree.index(node.children[0]) if node.children else NOTHING
    own_class = uuid.UUID(class_id).bytes_le if node.kind == 5 and class_id else bytes(16)
    start = starts[node.path] if node.kind == 2 else (END if node.kind == 5 else 0)
    size = len(paths[node.path]) if node.kind == 2 else 0
    entry = name.ljust(64, b"\0") + struct.pack("<HBB3L", len(name), node.kind, 1, NOTHING, node.right, child)
    return entry + own_class + struct.pack("<L16xLQ", 0, start, size)


def zed_bytes(size: int = 20_480, *, content: bytes = b"") -> bytes:
    """A container as ZED makes it, seen from outside; exactly `size` bytes when that is a multiple of 4096."""
    sector = 4096
    payload = size
    while True:
        made = compound_bytes(
            {
                ZED_STREAM: b"",
                "Contents": (content * (1 + payload // max(1, len(content))))[:payload] or bytes(payload),
            },
            class_id=ZED_CLASS,
            sector=sector,
        )
        if len(made) <= max(size, 5 * sector):
            return made
        payload -= len(made) - size


def doc_bytes(*, streams: dict[str, bytes] | None = None, flags: int = 0) -> bytes:
    """A Word 97–2003 document as far as its structure goes."""
    start = struct.pack("<HH6xH", 0xA5EC, 0x00C1, flags)
    return compound_bytes({"WordDocument": start, "1Table": b"", "\x05SummaryInformation": b"", **(streams or {})})
