"""The model card of a synthesiser, whose controls may be called anything."""

import re

from conditioned_synthesis.instrument.card import write_imported_card
from conditioned_synthesis.instrument.instrument import ModelSpec, Slider
from conditioned_synthesis.synthesisers.mtcrnn import Mtcrnn
from texturelib.controls import Control

NAME = "<script>alert(1)</script>|`![x](http://a)"


def test_names_that_others_gave_stay_text_and_leave_the_table_whole(tmp_path):
    slider = Slider(control=Control(NAME, 0.0, 1.0, "|<b>").describe(), low=0, high=1)
    spec = ModelSpec(synthesiser=Mtcrnn(hidden_size=4), sliders=(slider,), sample_rate=8000)
    write_imported_card(tmp_path, spec, f"{NAME}.pkl")
    card = (tmp_path / "README.md").read_text()
    outside_code = re.sub(r"```.*?```", "", card, flags=re.DOTALL)
    unescaped = re.sub(r"\\.", "", outside_code)
    assert "<" not in unescaped
    assert "](" not in unescaped
    rows = [line for line in unescaped.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {rows[0].count("|")}
