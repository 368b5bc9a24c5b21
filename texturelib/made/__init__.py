"""Which files of a folder this toolkit made: a list in the folder names each of them before it
appears, and nothing else is removed.

A file is ours when the list names it, it is a plain file, and no link leads to it from within the
folder. The folder itself may be reached through a link: results may lie on another disk.
"""

from texturelib.made._claims import (
    InTheWayError,
    Place,
    add_to_list,
    claim,
    named_by_the_user,
    open_ours,
    place_of,
)
from texturelib.made._content import Found, look_through
from texturelib.made._list import (
    LIST,
    begin_list,
    begin_list_anew,
    finish_list,
    is_listed_folder,
    names_in,
)
from texturelib.made._parts import new_part, target_of_part
from texturelib.made._removal import (
    remove_all_ours,
    remove_folder_of_ours,
    remove_ours,
    remove_parts,
)

__all__ = [
    "LIST",
    "Found",
    "InTheWayError",
    "Place",
    "add_to_list",
    "begin_list",
    "begin_list_anew",
    "claim",
    "finish_list",
    "is_listed_folder",
    "look_through",
    "named_by_the_user",
    "names_in",
    "new_part",
    "open_ours",
    "place_of",
    "remove_all_ours",
    "remove_folder_of_ours",
    "remove_ours",
    "remove_parts",
    "target_of_part",
]
