"""The tag policies take the recordings that a person means."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from real_datasets.sources import Recording
from real_datasets.tags import TagPolicy, fold
from texturelib._config_errors import sentence
from texturelib.errors import TextureError, UsageError

# The 200 classes of FSD50K (vocabulary.csv of its ground truth; Fonseca et al., 2020, CC BY 4.0).
CLASSES = """
Accelerating_and_revving_and_vroom Accordion Acoustic_guitar Aircraft Alarm Animal Applause Bark Bass_drum Bass_guitar
Bathtub_(filling_or_washing) Bell Bicycle Bicycle_bell Bird Bird_vocalization_and_bird_call_and_bird_song
Boat_and_Water_vehicle Boiling Boom Bowed_string_instrument Brass_instrument Breathing Burping_and_eructation Bus Buzz Camera
Car Car_passing_by Cat Chatter Cheering Chewing_and_mastication Chicken_and_rooster Child_speech_and_kid_speaking Chime
Chink_and_clink Chirp_and_tweet Chuckle_and_chortle Church_bell Clapping Clock Coin_(dropping) Computer_keyboard Conversation
Cough Cowbell Crack Crackle Crash_cymbal Cricket Crow Crowd Crumpling_and_crinkling Crushing Crying_and_sobbing
Cupboard_open_or_close Cutlery_and_silverware Cymbal Dishes_and_pots_and_pans Dog Domestic_animals_and_pets
Domestic_sounds_and_home_sounds Door Doorbell Drawer_open_or_close Drill Drip Drum Drum_kit Electric_guitar Engine
Engine_starting Explosion Fart Female_singing Female_speech_and_woman_speaking Fill_(with_liquid) Finger_snapping Fire
Fireworks Fixed-wing_aircraft_and_airplane Fowl Frog Frying_(food) Gasp Giggle Glass Glockenspiel Gong Growling Guitar
Gull_and_seagull Gunshot_and_gunfire Gurgling Hammer Hands Harmonica Harp Hi-hat Hiss Human_group_actions Human_voice Idling
Insect Keyboard_(musical) Keys_jangling Knock Laughter Liquid Livestock_and_farm_animals_and_working_animals Male_singing
Male_speech_and_man_speaking Mallet_percussion Marimba_and_xylophone Mechanical_fan Mechanisms Meow Microwave_oven
Motor_vehicle_(road) Motorcycle Music Musical_instrument Ocean Organ Packing_tape_and_duct_tape Percussion Piano
Plucked_string_instrument Pour Power_tool Printer Purr Race_car_and_auto_racing Rail_transport Rain Raindrop Ratchet_and_pawl
Rattle Rattle_(instrument) Respiratory_sounds Ringtone Run Sawing Scissors Scratching_(performance_technique) Screaming
Screech Shatter Shout Sigh Singing Sink_(filling_or_washing) Siren Skateboard Slam Sliding_door Snare_drum Sneeze Speech
Speech_synthesizer Splash_and_splatter Squeak Stream Strum Subway_and_metro_and_underground Tabla Tambourine Tap Tearing
Telephone Thump_and_thud Thunder Thunderstorm Tick Tick-tock Toilet_flush Tools Traffic_noise_and_roadway_noise Train
Trickle_and_dribble Truck Trumpet Typewriter Typing Vehicle Vehicle_horn_and_car_horn_and_honking Walk_and_footsteps Water
Water_tap_and_faucet Waves_and_surf Whispering Whoosh_and_swoosh_and_swish Wild_animals Wind Wind_chime
Wind_instrument_and_woodwind_instrument Wood Writing Yell Zipper_(clothing)
"""
FSD50K_CLASSES = CLASSES.split()

WATERS = ["Water", "Stream", "Rain", "Ocean", "Splash_and_splatter"]

NAMES = [
    "ignore",
    "exactly",
    "at_least_all",
    "at_least_all_and_none_of",
    "at_least_one",
    "at_least_one_and_none_of",
]


def is_meant(name, wanted, excluded, tags):
    """What each policy means, in plain sets."""
    if name == "ignore":
        return True
    if name == "exactly":
        return tags == wanted
    is_enough = wanted <= tags if name.startswith("at_least_all") else bool(wanted & tags)
    return is_enough and not (name.endswith("none_of") and excluded & tags)


def recordings_with(tag_sets):
    return [
        Recording(f"{number}.wav", Path(f"{number}.wav"), tags=tuple(tags))
        for number, tags in enumerate(tag_sets)
    ]


def policy_of(name, wanted, excluded, **more):
    """A policy is given only the tags that it looks at."""
    keys = {} if name == "ignore" else {"wanted": wanted}
    if name.endswith("none_of"):
        keys["excluded"] = excluded
    return TagPolicy(policy=name, **keys, **more)


tag_sets = st.lists(st.frozensets(st.sampled_from(WATERS)), max_size=8)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(
    wanted=st.sets(st.sampled_from(WATERS), min_size=1, max_size=4),
    excluded=st.sets(st.sampled_from(WATERS), min_size=1),
    tag_sets=tag_sets,
)
def test_each_policy_is_what_plain_sets_say(name, wanted, excluded, tag_sets):
    excluded = excluded - wanted or set(WATERS) - wanted
    # One more recording has every tag, so that none is unknown.
    recordings = recordings_with([*tag_sets, frozenset(WATERS)])
    kept, left_out = policy_of(name, sorted(wanted), sorted(excluded)).choose(recordings)
    assert kept == [
        recording
        for recording in recordings
        if is_meant(name, wanted, excluded, set(recording.tags))
    ]
    assert left_out.keys() == {recording.name for recording in recordings} - {
        recording.name for recording in kept
    }


@pytest.mark.parametrize(
    ("name", "tags", "reason"),
    [
        ("exactly", "Water", "lacks Stream"),
        ("exactly", "Water Stream Rain", "also has Rain"),
        ("at_least_all", "Rain", "lacks Water, Stream"),
        ("at_least_all_and_none_of", "Water Stream Rain", "has Rain, which is excluded"),
        ("at_least_one", "Rain", "has none of Water, Stream"),
        ("at_least_one_and_none_of", "Stream Ocean", "has Ocean, which is excluded"),
    ],
)
def test_what_is_left_out_has_a_reason_that_names_the_tag(name, tags, reason):
    policy = policy_of(name, ["Water", "Stream"], ["Rain", "Ocean"])
    _, left_out = policy.choose(recordings_with([tags.split(), WATERS]))
    assert left_out["0.wav"] == reason


def test_the_thesis_set_is_water_streams_without_rain_gurgling_and_ocean():
    policy = TagPolicy(
        policy="at_least_all_and_none_of",
        wanted=("Water", "Stream"),
        excluded=("Rain", "Gurgling", "Ocean"),
    )
    tag_sets = [
        "Stream Water",
        "Stream Water Wind",
        "Water",
        "Gurgling Stream Water",
        "Ocean Water",
        "Rain Stream Water",
    ]
    kept, _ = policy.choose(recordings_with(tags.split() for tags in tag_sets))
    assert [recording.name for recording in kept] == ["0.wav", "1.wav"]


# How tags are spelt


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Splash_and_splatter", "splash and splatter"),
        ("Splash_and_splatter", "Splash, splatter"),  # as AudioSet has it
        ("Water_tap_and_faucet", "Water tap, faucet"),
        ("Fixed-wing_aircraft_and_airplane", "Fixed-wing aircraft, airplane"),
        ("Bathtub_(filling_or_washing)", "bathtub filling or washing"),
        ("dog_bark", "Dog-Bark"),
        ("Fl\u00fcssig", "flu\u0308ssig"),  # one letter, or a letter and its dots
    ],
)
def test_two_spellings_of_a_tag_are_one(one, other):
    kept, _ = TagPolicy(policy="at_least_all", wanted=(one,)).choose(recordings_with([[other]]))
    assert len(kept) == 1


def test_no_two_classes_of_fsd50k_become_one_when_spelling_does_not_count():
    assert len(FSD50K_CLASSES) == len({fold(name) for name in FSD50K_CLASSES}) == 200


def test_a_tag_that_is_all_separators_and_words_that_do_not_count_still_differs_from_another():
    assert len({fold(tag) for tag in ["and", "_", "(and)", "rock", ""]}) == 5


# Tags that nobody has


@pytest.mark.parametrize("key", ["wanted", "excluded"])
def test_a_tag_that_no_recording_has_is_answered_with_the_nearest(key):
    policy = TagPolicy(
        **{
            "policy": "at_least_all_and_none_of",
            "wanted": ["Water"],
            "excluded": ["Rain"],
            key: ["Oceam"],
        }
    )
    with pytest.raises(
        UsageError, match=f'^tags.{key}: no recording has the tag "Oceam" .did you mean "Ocean"'
    ):
        policy.choose(recordings_with([WATERS]))


def test_of_many_tags_only_the_nearest_are_listed():
    # FSD50K has no class Steam, though the thesis names it among those to leave out.
    policy = TagPolicy(policy="at_least_one_and_none_of", wanted=("Water",), excluded=("Steam",))
    with pytest.raises(UsageError) as error:
        policy.choose(recordings_with([[name] for name in FSD50K_CLASSES]))
    assert str(error.value).startswith(
        'tags.excluded: no recording has the tag "Steam" (the nearest of 200 tags: Stream, '
    )
    assert len(str(error.value)) < 150  # characters: it stays one line


def test_whoever_ignores_tags_needs_none():
    recordings = recordings_with([[], ["Rain"]])
    assert TagPolicy().choose(recordings) == (recordings, {})


# Wrong configs


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            {"policy": "at_least_all"},
            'wanted: is empty; the policy "at_least_all" needs at least one tag',
        ),
        (
            {"policy": "at_least_one_and_none_of", "wanted": ["Rain"]},
            'excluded: is empty; the policy "at_least_one_and_none_of" needs at least one tag',
        ),
        (
            {"policy": "exactly", "wanted": ["Rain"], "excluded": ["Wind"]},
            'excluded: the policy "exactly" does not look at it',
        ),
        ({"wanted": ["Rain"]}, 'wanted: the policy "ignore" does not look at it'),
        ({"ontology": "ontology.json"}, 'ontology: the policy "ignore" does not look at it'),
        (
            {
                "policy": "at_least_all_and_none_of",
                "wanted": ["Splash, splatter"],
                "excluded": ["splash_and_splatter"],
            },
            'excluded: "splash_and_splatter" is wanted too',
        ),
        (
            {"policy": "at_least_all", "wanted": ["Rain", ""]},
            'wanted: "" is not a tag: it has no letter and no digit',
        ),
        (
            {"policy": "at_least_all", "wanted": ["_ "]},
            'wanted: "_ " is not a tag: it has no letter and no digit',
        ),
        (
            {"policy": "at_least_al", "wanted": ["Rain"]},
            'policy: "at_least_al" is not known (did you mean "at_least_all"?',
        ),
        ({"policy": "at_least_all", "wanted": "Rain"}, 'wanted: "Rain": should be a list [...]'),
        ({"policy": "at_least_all", "wanted": [3]}, "wanted.0: 3: should be a valid string"),
    ],
)
def test_a_config_that_cannot_be_meant_is_a_sentence(keys, expected):
    with pytest.raises(ValidationError) as error:
        TagPolicy.model_validate(keys)
    assert sentence(error.value, TagPolicy).startswith(expected)


# AudioSet's ontology


def write_ontology(path, children, names=None):
    """children: id -> the ids below it."""
    classes = [
        {
            "id": id_,
            "name": (names or {}).get(id_, id_),
            "child_ids": list(below),
            "restrictions": [],
        }
        for id_, below in children.items()
    ]
    path.write_text(json.dumps(classes))
    return path


@pytest.fixture
def waters(tmp_path):
    """A part of AudioSet's ontology."""
    below = {
        "Water": ["Rain", "Stream", "Steam", "Splash, splatter"],
        "Rain": ["Raindrop"],
        "Stream": [],
        "Raindrop": [],
    }
    return write_ontology(tmp_path / "ontology.json", below | {"Steam": [], "Splash, splatter": []})


def test_with_the_ontology_a_tag_stands_for_all_below_it(waters):
    policy = TagPolicy(
        policy="at_least_all_and_none_of", wanted=("Water",), excluded=("Rain",), ontology=waters
    )
    tag_sets = [["Stream"], ["Raindrop", "Water"], ["Splash_and_splatter"], ["Wind"]]
    kept, left_out = policy.choose(recordings_with(tag_sets))
    assert [recording.name for recording in kept] == ["0.wav", "2.wav"]
    assert left_out == {
        "1.wav": "has Raindrop, which is excluded with Rain",
        "3.wav": "lacks Water",
    }


def test_with_the_ontology_exactly_means_nothing_outside_what_is_wanted(waters):
    policy = TagPolicy(policy="exactly", wanted=("Rain", "Stream"), ontology=waters)
    _, left_out = policy.choose(
        recordings_with([["Raindrop", "Stream"], ["Rain", "Stream", "Water"], ["Rain"]])
    )
    assert left_out == {"1.wav": "also has Water", "2.wav": "lacks Stream"}


def test_a_tag_that_only_the_ontology_knows_is_known(waters):
    policy = TagPolicy(
        policy="at_least_all_and_none_of", wanted=("Stream",), excluded=("Steam",), ontology=waters
    )
    assert len(policy.choose(recordings_with([["Stream"]]))[0]) == 1


def test_a_tag_that_only_the_recordings_know_stands_for_itself(waters):
    policy = TagPolicy(policy="at_least_all", wanted=("my_river",), ontology=waters)
    assert len(policy.choose(recordings_with([["my_river"], ["Stream"]]))[0]) == 1


def test_a_tag_below_an_excluded_one_cannot_be_wanted(waters):
    policy = TagPolicy(
        policy="at_least_one_and_none_of", wanted=("Stream",), excluded=("Water",), ontology=waters
    )
    with pytest.raises(UsageError, match='"Water" stands for "Stream" too, which is wanted'):
        policy.choose(recordings_with([["Stream"]]))


@settings(max_examples=60)
@given(
    # Each number may have larger ones below it, so that no number lies below itself.
    below=st.fixed_dictionaries(
        {n: st.sets(st.integers(n + 1, 7)) if n < 7 else st.just(set()) for n in range(8)}
    ),
    wanted=st.integers(0, 7),
    excluded=st.integers(0, 7),
    tag_sets=st.lists(st.sets(st.integers(0, 7)), max_size=6),
    name=st.sampled_from([name for name in NAMES if name not in ("ignore", "exactly")]),
)
def test_the_ontology_is_the_same_as_giving_each_recording_all_tags_above_its_own(
    below, wanted, excluded, tag_sets, name, tmp_path_factory
):
    def is_at_or_below(tag, above):
        return tag == above or any(is_at_or_below(tag, child) for child in below[above])

    if is_at_or_below(wanted, excluded):
        return  # an error, tested above
    path = tmp_path_factory.mktemp("ontology") / "ontology.json"
    write_ontology(path, {str(number): map(str, children) for number, children in below.items()})
    recordings = recordings_with([map(str, tags) for tags in tag_sets])
    kept, _ = policy_of(name, [str(wanted)], [str(excluded)], ontology=path).choose(recordings)
    with_those_above = [
        {above for above in range(8) if any(is_at_or_below(tag, above) for tag in tags)}
        for tags in tag_sets
    ]
    expected = [
        recording
        for recording, tags in zip(recordings, with_those_above, strict=True)
        if is_meant(name, {wanted}, {excluded}, tags)
    ]
    assert kept == expected


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            '[{"id": "a", "name": "Water", "child_ids": ["b"]}]',
            '"Water" has the child "b", which is missing',
        ),
        (
            '[{"id": "a", "name": "Water", "child_ids": ["b"]}, {"id": "b", "name": "Rain", "child_ids": ["a"]}]',
            "lies below itself",
        ),
        ('[{"id": "a", "name": "Water", "child_ids": ["a"]}]', '"Water" lies below itself'),
        (
            '[{"id": "a", "name": "Water"}]',
            "not AudioSet's ontology.json .0.child_ids: Field required",
        ),
        ('{"Water": []}', "not AudioSet's ontology.json"),
        ("[" * 100_000, "ontology.json: not JSON"),  # deeper than Python reads
        ("[" + "1" * 5000 + "]", "ontology.json: not JSON"),  # more digits than Python reads
        ("[{", "not JSON"),
        (" " * 16_000_001, "has 16 MB; AudioSet's ontology.json has 0.3"),
        (None, "no such file|No such file"),
    ],
)
def test_a_file_that_is_no_ontology_is_a_sentence(tmp_path, content, problem):
    path = tmp_path / "ontology.json"
    if content is not None:
        path.write_text(content)
    policy = TagPolicy(policy="at_least_all", wanted=("Water",), ontology=path)
    with pytest.raises(TextureError, match=problem) as error:
        policy.choose(recordings_with([["Water"]]))
    assert str(error.value).startswith("tags.ontology: ")
    assert len(str(error.value)) < 300  # characters, the folder's name included


def test_a_long_chain_in_an_ontology_is_followed_to_its_end(tmp_path):
    # 30,000 is deeper than any recursion goes, and what lies below all of them would be 450 million names.
    n = 30_000
    path = write_ontology(
        tmp_path / "ontology.json", {f"t{i}": [f"t{i + 1}"] if i < n else [] for i in range(n + 1)}
    )
    policy = TagPolicy(policy="at_least_all", wanted=("t0",), ontology=path)
    assert len(policy.choose(recordings_with([[f"t{n}"], ["wind"]]))[0]) == 1


def test_many_ways_down_an_ontology_cost_no_more_than_one(tmp_path):
    # 60 diamonds, one below the other: 2^60 ways from the top to the bottom.
    below = {"t60": []}
    for n in range(60):
        below |= {
            f"t{n}": [f"left{n}", f"right{n}"],
            f"left{n}": [f"t{n + 1}"],
            f"right{n}": [f"t{n + 1}"],
        }
    policy = TagPolicy(
        policy="at_least_all",
        wanted=("t0",),
        ontology=write_ontology(tmp_path / "ontology.json", below),
    )
    assert len(policy.choose(recordings_with([["t60"], ["left30"], ["wind"]]))[0]) == 2


def test_two_classes_of_an_ontology_that_share_a_name_are_one_tag(tmp_path):
    below, names = {"a": ["c"], "b": ["d"], "c": [], "d": []}, {"a": "Rattle", "b": "rattle"}
    path = write_ontology(tmp_path / "ontology.json", below, names)
    policy = TagPolicy(policy="at_least_all", wanted=("Rattle",), ontology=path)
    assert len(policy.choose(recordings_with([["c"], ["d"]]))[0]) == 2


def test_the_ontology_is_an_input_so_that_a_change_in_it_is_noticed(waters):
    assert TagPolicy(policy="exactly", wanted=("Rain",), ontology=waters).inputs == {
        "tags.ontology": waters
    }
    assert TagPolicy().inputs == {}
