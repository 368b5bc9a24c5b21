"""TexEnv: its bands of noise, its network, and sounds as long as one likes."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.signal import welch

from conditioned_synthesis.data.mtcrnn_format import params
from conditioned_synthesis.dsp.filterbank import Bands
from conditioned_synthesis.dsp.noise_bands import Carriers, put_on
from conditioned_synthesis.dsp.stereo import coherences
from conditioned_synthesis.dsp.texture_statistics import TextureStatistics
from conditioned_synthesis.instrument.automation import Automation, constant
from conditioned_synthesis.instrument.instrument import (
    Instrument,
    ModelSpec,
    Slider,
    load_instrument,
    new_instrument,
    save_instrument,
)
from conditioned_synthesis.portable.make import portable_of
from conditioned_synthesis.synthesisers.texenv.network import TexEnvNetwork
from conditioned_synthesis.synthesisers.texenv.settings import TexEnv
from texturelib.audio import write_wav
from texturelib.controls import Control
from texturelib.errors import UsageError
from texturelib.learning.weights import save_weights

RATE = 8000
SMALL = TexEnv(n_bands=8, low_hz=60, channels=8, n_layers=3)
SLIDERS = tuple(
    Slider(control=Control(name, 0.0, 1.0, "").describe(), low=0.0, high=1.0) for name in ("a", "b")
)


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    made = new_instrument(ModelSpec(synthesiser=SMALL, sliders=SLIDERS, sample_rate=RATE), seed=3)
    made.network.eval()
    return made


@pytest.fixture(scope="module")
def network(instrument) -> TexEnvNetwork:
    return instrument.network


# Bands of noise. ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bands() -> Bands:
    return Bands(RATE, 8, 60.0)


@pytest.fixture(scope="module")
def carriers(bands) -> Carriers:
    return Carriers(bands, RATE, envelope_hz=250.0)


def test_each_band_of_noise_lies_where_its_band_does_and_is_1_loud(bands, carriers):
    ends = [0.0, *bands.centres_hz, RATE / 2]
    for loop, low, high in zip(carriers.loops, ends[:-2], ends[2:], strict=True):
        assert float(loop.square().mean()) == pytest.approx(1.0, rel=1e-3)
        power = torch.fft.rfft(loop).abs().square().numpy()
        hz = np.arange(len(power)) * RATE / len(loop)
        assert power[(hz > low) & (hz < high)].sum() > 0.9 * power.sum()


def test_noise_with_flat_envelopes_has_none_that_an_envelope_could_make(carriers):
    for loop in carriers.loops:
        spectrum = torch.fft.fft(loop)
        spectrum[len(loop) // 2 :] = 0
        envelope = torch.fft.ifft(2 * spectrum).abs().numpy()
        frequencies, density = welch(envelope - envelope.mean(), RATE, nperseg=4096)
        slow = density[frequencies < 40].sum() * frequencies[1]
        # Gaussian noise of the narrowest of these bands has nearly all of its variance, 0.27 of the
        # squared mean, below 40 Hz.
        assert slow / envelope.mean() ** 2 < 0.01


def test_loops_differ_in_length_and_go_round(carriers):
    assert len({len(loop) for loop in carriers.loops}) == len(carriers.loops)
    starts = torch.tensor([[len(loop) - 2 for loop in carriers.loops]])
    drawn = carriers.draw(starts, 5)[0]
    for row, loop in zip(drawn, carriers.loops, strict=True):
        assert row.tolist() == [*loop[-2:].tolist(), *loop[:3].tolist()]
    long = 2 * len(carriers.loops[0]) + 7
    assert torch.equal(
        carriers.draw(starts, long)[0, 0],
        carriers.loops[0].repeat(4)[len(carriers.loops[0]) - 2 :][:long],
    )


def test_envelopes_are_straight_lines_from_frame_to_frame():
    envelopes = torch.tensor([[[0.0, 1.0], [4.0, 1.0], [4.0, 3.0]]])  # 3 frames, 2 bands
    ones = torch.stack([torch.ones(1, 8), torch.zeros(1, 8)], dim=1)
    assert put_on(envelopes, ones)[0].tolist() == [0, 1, 2, 3, 4, 4, 4, 4]
    assert put_on(envelopes, ones.flip(1))[0].tolist() == [1, 1, 1, 1, 1, 1.5, 2, 2.5]


def test_noise_read_where_it_lies_sounds_as_that_which_is_written_out(carriers):
    hop, n_frames = 12, 40
    starts = torch.randint(2**31, (3, 8), generator=torch.Generator().manual_seed(0))
    # One that ends within the sound, in the middle of a frame.
    starts[0, 2] = len(carriers.loops[2]) - 5 * hop - 7
    envelopes = torch.rand(3, n_frames + 1, 8, generator=torch.Generator().manual_seed(1))
    gradients = []
    sounds = []
    for put in (
        lambda: put_on(envelopes, carriers.draw(starts, n_frames * hop)),
        lambda: carriers.put_on(envelopes, starts, hop),
    ):
        envelopes.requires_grad_()
        envelopes.grad = None
        sounds.append(put())
        (sounds[-1] * torch.linspace(-1, 1, n_frames * hop)).sum().backward()
        gradients.append(envelopes.grad.clone())
    torch.testing.assert_close(sounds[1], sounds[0])
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-4, rtol=1e-4)


def test_the_noise_of_two_channels_is_as_coherent_as_is_wanted_and_flat(bands):
    wanted = [1.0, 0.9, 0.5, 0.2, 0.0, -0.3, -0.8, -1.0]
    two = Carriers(bands, RATE, 250.0, wanted)
    assert two.n_channels == 2
    for left, right, coherence in zip(two.loops[:8], two.loops[8:], wanted, strict=True):
        assert len(left) == len(right)  # they go round together
        assert float((left * right).mean()) == pytest.approx(coherence, abs=0.03)
        for loop in (left, right):
            assert float(loop.square().mean()) == pytest.approx(1.0, rel=1e-3)


# The network. ---------------------------------------------------------------------------------------------------------


def test_frames_made_in_parts_are_those_made_at_once_and_know_nothing_of_later_ones(network):
    torch.manual_seed(0)
    controls, noise = torch.rand(2, 70, 2), torch.randn(2, 70, network.n_noises)
    with torch.no_grad():
        whole, _ = network(controls, noise, network.no_states(2))
        states, parts = network.no_states(2), []
        for part in (slice(0, 1), slice(1, 40), slice(40, 70)):
            made, states = network(controls[:, part], noise[:, part], states)
            parts.append(made)
        later = torch.cat([controls[:, :50], torch.rand(2, 20, 2)], dim=1)
        other, _ = network(later, noise, network.no_states(2))
    torch.testing.assert_close(torch.cat(parts, dim=1), whole)
    torch.testing.assert_close(other[:, :50], whole[:, :50])
    assert not torch.allclose(other[:, 50:], whole[:, 50:])


def test_a_frame_depends_on_as_many_before_it_as_is_said(network):
    controls, noise = torch.rand(1, 60, 2), torch.randn(1, 60, network.n_noises)
    changed = noise.clone()
    changed[:, 10] += 1
    with torch.no_grad():
        made = [network(controls, each, network.no_states(1))[0] for each in (noise, changed)]
    differs = (made[0] != made[1]).any(-1)[0].nonzero().flatten()
    assert (int(differs[0]), int(differs[-1])) == (10, 10 + network.n_back)


def test_controls_that_are_held_make_the_frames_that_they_make_when_each_frame_is_told(network):
    controls, noise = torch.rand(2, 2), torch.randn(2, network.n_back + 20, network.n_noises)
    frames = controls[:, None].expand(-1, noise.shape[1], -1)
    with torch.no_grad():
        told, _ = network(frames, noise, network.no_states(2))
        held = network._held(controls, noise)
    torch.testing.assert_close(held, told[:, network.n_back :])


def test_a_folder_from_before_there_was_a_key_for_it_keeps_its_frames(tmp_path: Path):
    """They were a power of two then: 128 samples at 44.1 kHz, where 250 a second are 176 now."""
    spec = ModelSpec(synthesiser=SMALL, sliders=SLIDERS, sample_rate=44100)
    new, settings = new_instrument(spec, seed=0), spec.model_dump(mode="json")
    del settings["synthesiser"]["hop"]
    save_weights(tmp_path, new.network, settings)
    old = load_instrument(tmp_path)
    assert (new.network.hop, old.network.hop) == (176, 128)
    save_instrument(tmp_path, old)
    again = load_instrument(tmp_path)
    assert again.network.hop == 128
    assert np.array_equal(again.play({}, 0.1, 1), old.play({}, 0.1, 1))


def test_training_begins_at_the_levels_of_the_bands():
    network = SMALL.network(2, RATE).train()
    low_noise = network.carriers.loops[1][:RATE].repeat(4, 1) * 0.1
    network.losses(low_noise, torch.rand(4, 1, 2).expand(-1, RATE, -1))
    # A power of 0.01 within band 1 and its neighbours, next to nothing elsewhere.
    power = (2 * network.mean_levels).exp()
    assert float(power[:3].sum()) == pytest.approx(0.01, rel=0.05)
    assert float(power[4:].sum()) < 1e-6
    before = network.mean_levels.clone()
    network.losses(0.5 * low_noise, torch.rand(4, 1, 2).expand(-1, RATE, -1))
    assert torch.equal(network.mean_levels, before)  # once


# Sounds. --------------------------------------------------------------------------------------------------------------


def test_a_sound_is_the_same_however_it_is_divided(instrument):
    lines = {"a": Automation(np.array([0.0, 1.0]), np.array([0.0, 1.0]))}
    whole = np.concatenate([*instrument.stream(lines, 1.0, 5, block=RATE)])
    for block in (1, 37, 2048):
        seconds = 0.05 if block == 1 else 1.0
        parts = [*instrument.stream(lines, seconds, 5, block=block)]
        assert {len(part) for part in parts[:-1]} == {block}
        np.testing.assert_allclose(np.concatenate(parts), whole[: round(seconds * RATE)], atol=1e-6)


def test_a_seed_is_a_sound_and_a_sound_does_not_come_again(instrument):
    sounds = [instrument.play({}, 8.0, seed) for seed in (1, 1, 2)]
    assert np.array_equal(sounds[0], sounds[1])
    assert abs(np.corrcoef(sounds[0], sounds[2])[0, 1]) < 0.1
    spectrum = np.fft.rfft(sounds[0], 2 * len(sounds[0]))
    again = np.fft.irfft(np.abs(spectrum) ** 2)[: len(sounds[0])] / np.square(sounds[0]).sum()
    # One band's noise comes again, the others' at other times.
    assert np.abs(again[RATE // 2 :]).max() < 0.35


def test_a_held_control_is_a_steady_sound_from_the_first_sample(instrument):
    levels = np.array(
        [np.sqrt(np.mean(instrument.play({}, 0.5, seed)[:400] ** 2)) for seed in range(20)]
    )
    later = np.array(
        [np.sqrt(np.mean(instrument.play({}, 0.5, seed)[-400:] ** 2)) for seed in range(20)]
    )
    assert levels.mean() == pytest.approx(later.mean(), rel=0.2)


def test_a_control_that_moves_leaves_no_seam(instrument):
    moving = {"a": Automation(np.array([0.0, 2.0]), np.array([0.0, 1.0]))}
    steps = [np.abs(np.diff(instrument.play(lines, 2.0, 1))).max() for lines in (moving, {})]
    assert steps[0] < 1.5 * steps[1]


def test_a_sound_to_go_on_from_is_refused(instrument, command, tmp_path: Path):
    save_instrument(tmp_path, instrument)
    status, _, errors = command(
        "generate",
        "--model",
        tmp_path,
        "--output",
        tmp_path / "x.wav",
        "--prime",
        tmp_path / "y.wav",
        "--seconds",
        0.1,
    )
    assert status == 2
    assert (
        '--prime: a synthesiser of type "texenv" has no memory of a sound to go on from' in errors
    )


def test_rougher_where_that_is_faster_is_elsewhere_the_same(instrument, command, tmp_path: Path):
    save_instrument(tmp_path, instrument)
    for name, words in (("plain", []), ("rough", ["--fast"])):
        output = tmp_path / f"{name}.wav"
        assert (
            command("generate", "--model", tmp_path, "--output", output, "--seconds", 0.1, *words)[
                0
            ]
            == 0
        )
    assert (tmp_path / "plain.wav").read_bytes() == (tmp_path / "rough.wav").read_bytes()


def test_temperature_0_is_an_envelope_without_chance(instrument):
    """What is left moves no more than the noise under it does."""
    player = instrument.network.player(1, temperature=0.0)
    player.play(np.full((1, 2), 0.5, dtype=np.float32))
    frames = player._frames(torch.full((1, 100, 2), 0.5)).detach()
    assert float((frames[0, 1:] / frames[0, :1] - 1).abs().max()) < 1e-4


@pytest.mark.parametrize("rings", [False, True])
def test_a_tone_of_the_clips_rings_where_it_should(rings):
    network = SMALL.model_copy(update={"rings": rings}).network(2, RATE).train()
    seconds = torch.arange(RATE) / RATE
    noise = 0.01 * torch.randn(8, RATE, generator=torch.Generator().manual_seed(0))
    # In a band of 500 Hz, by far not at its middle.
    clips = noise + 0.1 * torch.sin(2 * np.pi * 720 * seconds)
    network.losses(clips, torch.rand(8, 1, 2).expand(-1, RATE, -1))
    sound = network.eval().player(1).play(np.full((4 * RATE, 2), 0.5, dtype=np.float32))
    hz, density = welch(sound, RATE, nperseg=RATE // 8)
    power = density * hz[1]
    around = (hz > 500) & (hz < 1000)
    share = power[(hz > 700) & (hz < 740)].sum() / power[around].sum()
    assert share > 0.5 if rings else share < 0.3


def test_other_players_are_not_given_what_rings():
    settings = SMALL.model_copy(update={"rings": True})
    ringing = new_instrument(ModelSpec(synthesiser=settings, sliders=SLIDERS, sample_rate=RATE), 0)
    with pytest.raises(UsageError, match='"rings": true plays here and as ONNX only'):
        portable_of(ringing, "float32")


# Two channels. --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stereo() -> Instrument:
    """An instrument that has measured clips whose right channel is 6 dB below the left, alike in
    low bands and unrelated in high ones."""
    settings = SMALL.model_copy(update={"stereo": True})
    spec = ModelSpec(synthesiser=settings, sliders=SLIDERS, sample_rate=RATE, channels=2)
    made = new_instrument(spec, seed=3)
    made.network.train()
    made.network.losses(two_channels(), torch.rand(16, 1, 2).expand(-1, RATE, -1))
    made.network.eval()
    return made


def two_channels() -> torch.Tensor:
    """Return [16, RATE, 2]: noise, the same below 1 kHz."""
    left, right = 0.1 * torch.randn(2, 16, RATE, generator=torch.Generator().manual_seed(0))
    spectra = torch.fft.rfft(torch.stack([left, right]))
    spectra[1, :, :1000] = spectra[0, :, :1000]  # a second long: a bin is 1 Hz
    left, right = torch.fft.irfft(spectra, RATE)
    return torch.stack([left, 0.5 * right], dim=-1)


def test_two_channels_have_the_coherence_and_the_levels_of_the_clips(stereo):
    bands, sounds = stereo.network.bands, two_channels()
    of_clips = coherences(sounds, bands, RATE)
    low, high = (torch.tensor(bands.centres_hz) < limit for limit in (600, 1700))
    assert of_clips[low].min() > 0.99
    assert of_clips[~high].abs().max() < 0.1
    steady = copy.deepcopy(stereo)
    for weights in steady.network.leave.parameters():
        torch.nn.init.zeros_(weights)
    played = torch.from_numpy(steady.play({}, 8.0, 1))
    assert played.shape == (8 * RATE, 2)
    found = coherences(played[None], bands, RATE)
    torch.testing.assert_close(found, of_clips, atol=0.12, rtol=0)
    power = played.square().mean(0)
    assert 10 * float((power[0] / power[1]).log10()) == pytest.approx(6.0, abs=1.0)


def test_two_channels_are_the_same_however_they_are_divided(stereo):
    automations = {"a": Automation(np.array([0.0, 1.0]), np.array([0.0, 1.0]))}
    whole = stereo.play(automations, 1.0, 5)
    parts = [*stereo.stream(automations, 1.0, 5, block=37)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)


def test_two_channels_differ_also_in_how_their_envelopes_go_together(stereo):
    """Each channel alone has the statistics of the other sound's."""
    texture, sounds = TextureStatistics(RATE, RATE), two_channels()
    other = torch.stack([sounds[..., 0], 0.5 * sounds[..., 0].roll(1, dims=0)], dim=-1)
    same = torch.stack([sounds[..., 0], 0.5 * sounds[..., 0]], dim=-1)
    assert float(texture.loss(same, same)) == 0
    apart = torch.stack([other[..., 0], same[..., 1]], dim=-1)
    assert float(texture.loss(apart, same)) == 0
    assert float(texture.loss(other, same)) > float(0.5 * texture.loss(other[..., 1], same[..., 1]))


@pytest.mark.slow
def test_it_learns_what_a_control_does(command, tmp_path: Path):
    """Clips of noise, low or high and soft or loud, as two controls have it: so are new sounds."""
    carriers = Carriers(Bands(RATE, 8, 60.0), RATE, 250.0)
    rng = np.random.default_rng(0)
    controls = [Control("pitch", 0.0, 1.0, ""), Control("level", 0.0, 1.0, "")]
    for index in range(48):
        pitch, level = rng.random(2)
        place = rng.integers(10_000)
        low, high = (carriers.loops[band][place : place + RATE].numpy() for band in (1, 6))
        write_wav(
            tmp_path / f"{index}.wav", 10 ** (level - 2) * ((1 - pitch) * low + pitch * high), RATE
        )
        lines = {"pitch": constant(pitch), "level": constant(level)}
        (tmp_path / f"{index}.params").write_text(
            json.dumps(params(f"{index}.wav", lines, 1.0, controls))
        )
    settings = SMALL.model_dump(mode="json") | {
        "num_steps": 200,
        "batch_size": 12,
        "checkpoint": 100,
        "lr": 0.01,
        "losses": [{"type": "texture"}],
    }
    config = {
        "output": "out",
        "labelled": "none",
        "synthesiser": settings,
        "train": {"sounds": "."},
    }
    (tmp_path / "synthesis.json").write_text(json.dumps(config))
    status, _, errors = command("train", tmp_path / "synthesis.json")
    assert status == 0, errors

    learnt = load_instrument(tmp_path / "out" / "synthesiser")

    def heard(pitch: float, level: float) -> tuple[float, float]:
        """Return the centroid in Hz, and the level in dB."""
        sound = learnt.play({"pitch": constant(pitch), "level": constant(level)}, 1.0, 1)
        power = np.abs(np.fft.rfft(sound)) ** 2
        hz = np.fft.rfftfreq(len(sound), 1 / RATE)
        return float(np.average(hz, weights=power)), float(10 * np.log10(np.mean(sound**2)))

    assert heard(0.9, 0.5)[0] > 2.5 * heard(0.1, 0.5)[0]
    assert heard(0.5, 0.9)[1] - heard(0.5, 0.1)[1] == pytest.approx(16, abs=5)
