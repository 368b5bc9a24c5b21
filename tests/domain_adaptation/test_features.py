import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy import signal

from domain_adaptation.data.waveforms import prepared
from domain_adaptation.features._noise import LowNoise
from domain_adaptation.features._randomise import Randomise
from domain_adaptation.features.log_bands import LogBands
from domain_adaptation.features.mel import Mel
from domain_adaptation.features.waveform import Waveform
from domain_adaptation.training.augment.draws import Pitches, from_db
from domain_adaptation.training.augment.slow_down import slowed
from texturelib.errors import UsageError

RATE = 32000  # the default of every kind of features
KINDS = [Mel(), Waveform(), LogBands()]
DISTURBED = [
    Mel(),
    Waveform(),
    LogBands(noise=LowNoise()),
    LogBands(randomise=Randomise()),
    LogBands(noise=LowNoise(), randomise=Randomise()),
]


def noise_clips(n_clips: int, n_samples: int = RATE, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(
        np.random.default_rng(seed).standard_normal((n_clips, n_samples)).astype(np.float32)
    )


def tone(frequency_hz: float, n_samples: int = RATE, sample_rate: int = RATE) -> torch.Tensor:
    return torch.sin(
        2 * np.pi * frequency_hz * torch.arange(n_samples, dtype=torch.float64) / sample_rate
    ).float()


def drawn(seed: int, draw: Callable[[], torch.Tensor]) -> torch.Tensor:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return draw()


def level_db(values: "np.ndarray | torch.Tensor") -> float:
    return float(10 * np.log10(np.mean(np.square(np.asarray(values, dtype=np.float64)))))


@pytest.mark.parametrize("features", KINDS)
def test_a_clips_features_depend_on_no_other_clip_and_not_on_its_level(features):
    clips = noise_clips(40)  # more than are computed at a time
    together = features.compute(clips)
    for row in (1, 39):
        alone = features.compute(0.01 * clips[row : row + 1])
        # float32 rounding through an FFT and a logarithm
        torch.testing.assert_close(together[row : row + 1], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("features", KINDS)
def test_clips_of_16_bits_at_full_scale_have_the_features_of_the_clips_that_they_were(features):
    clips = noise_clips(2)
    steps = (clips / clips.abs().amax(dim=1, keepdim=True) * 32767).round()
    # Rounding leaves noise some 90 dB below the clip; features are logarithms over 80 dB, of noise
    # that fills every band.
    torch.testing.assert_close(features.compute(steps), features.compute(clips), atol=2e-3, rtol=0)


@pytest.mark.parametrize("features", DISTURBED)
def test_disturbing_changes_each_clip_by_torchs_chance_alone(features):
    clips = noise_clips(4)
    kept = clips.clone()
    first, again, other = (drawn(seed, lambda: features.augment(clips)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert first.shape == clips.shape
    assert torch.equal(clips, kept)
    before, after, otherwise = (features.compute(sounds) for sounds in (clips, first, other))
    for row in range(4):
        # A thousandth is above all rounding of features that are about 1 wide; least is changed of
        # a waveform: the noise lies 25 to 40 dB under its peak, so at most samples it is over
        # 0.003.
        assert float((after[row] - before[row]).abs().mean()) > 1e-3
        assert float((after[row] - otherwise[row]).abs().mean()) > 1e-3


@pytest.mark.parametrize("features", DISTURBED)
def test_the_level_of_a_clip_does_not_matter_to_what_is_done_to_it(features):
    clips = noise_clips(3)
    as_it_is, softer = (
        drawn(3, lambda gain=gain: features.compute(features.augment(gain * clips)))
        for gain in (1.0, 1e-3)
    )
    # Features in decibels: where rooms or band limits leave little, float32 rounding counts a
    # little more.
    torch.testing.assert_close(softer, as_it_is, atol=1e-3, rtol=0)


@pytest.mark.parametrize("features", DISTURBED)
def test_disturbed_clips_are_numbers_also_where_a_clip_is_one_click_or_one_tone(features):
    click = torch.zeros(RATE)
    click[100] = 1.0
    clips = torch.stack([click, tone(440), 32767 * tone(5000)])
    assert torch.isfinite(features.compute(drawn(0, lambda: features.augment(clips)))).all()


@pytest.mark.parametrize("features", [Mel(noise=None), Waveform(noise=None), LogBands()])
def test_features_without_noise_leave_synthetic_clips_alone(features):
    clips = noise_clips(1, 1000)
    assert features.augment(clips) is clips


@pytest.mark.parametrize("features", [*KINDS, Mel(decibels=False), Waveform(renormalise=False)])
def test_an_offset_of_a_clip_is_no_sound(features):
    # A tenth of the peak: -20 dBFS of nothing. What is left is float32's rounding.
    clips = noise_clips(2) / 10
    torch.testing.assert_close(
        features.compute(clips + 0.1), features.compute(clips), atol=2e-3, rtol=1e-3
    )


def test_where_the_thesis_asks_for_it_an_offset_is_left_in():
    clips = noise_clips(1) / 10
    kept = Mel(remove_mean=False).compute(clips + 0.1)
    assert float((kept - Mel(remove_mean=False).compute(clips)).abs().max()) > 0.05


def test_mel_features_have_the_thesis_shape_and_fill_zero_to_one():
    spectrogram = Mel().compute(noise_clips(2))
    assert spectrogram.shape == (2, 1, 56, 161)
    assert spectrogram.amin(dim=(1, 2, 3)).tolist() == [0, 0]
    assert spectrogram.amax(dim=(1, 2, 3)).tolist() == [1, 1]


def test_power_is_torchaudios_at_the_level_that_resampling_left():
    from torchaudio.transforms import MelSpectrogram

    clips = 0.9 * noise_clips(3) / noise_clips(3).abs().amax(dim=1, keepdim=True)
    expected = MelSpectrogram(RATE, n_mels=56, normalized=True)(clips)
    power = Mel(decibels=False, remove_mean=False).compute(clips)[:, 0]
    # Sums of another order.
    torch.testing.assert_close(power, expected, atol=1e-5 * float(expected.max()), rtol=1e-4)


@pytest.mark.parametrize("features", [Mel(decibels=False), Waveform(renormalise=False)])
def test_where_the_level_matters_clips_of_16_bits_are_those_with_a_peak_of_1(features):
    clips = noise_clips(2)
    clips = clips / clips.abs().amax(dim=1, keepdim=True)
    stored = (clips * 32767).round()
    expected = features.compute(clips)
    # Half a step of 16 bits, against the loudest.
    torch.testing.assert_close(
        features.compute(stored), expected, atol=1e-4 * float(expected.abs().max()), rtol=0
    )
    assert not torch.allclose(features.compute(0.9 * clips), expected, rtol=0.05)


def test_ten_decibels_less_are_an_eighth_of_the_way_down():
    # Two equally long tones, 10 dB apart, in bands far from each other: 80 dB fill the range 0..1.
    loud, soft = tone(1000), 10**-0.5 * tone(6000)
    spectrogram = (
        Mel().compute(torch.stack([loud, soft, loud + soft]))[:, 0, :, 20:140].mean(dim=-1)
    )
    rows = spectrogram[0].argmax(), spectrogram[1].argmax()
    difference = spectrogram[2, rows[0]] - spectrogram[2, rows[1]]
    # Mel bands of different width catch a little more or less of a tone's energy: 2 dB at most
    # here.
    assert float(difference) == pytest.approx(10 / 80, abs=2 / 80)


def test_waveform_features_are_the_clip_at_a_peak_of_one():
    waveform = Waveform(sample_rate=16000).compute(0.1 * tone(440, 16000, 16000)[None])
    assert waveform.shape == (1, 1, 16000)
    # Its peak falls between two samples.
    np.testing.assert_allclose(waveform[0, 0], tone(440, 16000, 16000), atol=1e-3)


def test_preparing_resamples_and_leaves_a_peak_of_one_before_that():
    clip = 0.1 * tone(440, 44100, 44100)[None]
    expected = tone(440, 16000, 16000)
    # away from the ends, where the resampler's filter reaches past the clip
    np.testing.assert_allclose(
        prepared(clip, 44100, 16000)[0, 100:-100], expected[100:-100], atol=0.01
    )
    assert float(prepared(clip, 44100, 44100).abs().max()) == 1


# The thesis's noise: white and peak-normalised, at 44.1 kHz, then through a second-order low-pass, scaled. -------------


def thesis_noise(cutoff_hz: float, amount: float, n_clips: int) -> np.ndarray:
    """Return clips, [clips, 44100], made as described by another library: the cookbook's low-pass
    with Q 0.707 in scipy's lfilter."""
    white = np.random.default_rng(0).standard_normal((n_clips, 44100))
    white /= np.abs(white).max(axis=1, keepdims=True)
    w0 = 2 * np.pi * cutoff_hz / 44100
    alpha = np.sin(w0) / (2 * 0.707)
    b = (1 - np.cos(w0)) / 2
    return amount * signal.lfilter(
        [b, 2 * b, b], [1 + alpha, -2 * np.cos(w0), 1 - alpha], white, axis=1
    )


def our_noise(cutoff_hz: float, amount: float, n_clips: int, sample_rate: int) -> np.ndarray:
    """Return what is added, [clips, samples], to clips that are a click at full scale, and silent
    from there on."""
    clips = torch.zeros(n_clips, sample_rate)
    clips[:, 0] = 1.0
    noise = LowNoise(cutoff_hz=(cutoff_hz, cutoff_hz), amount=(amount, amount))
    noisy = drawn(0, lambda: noise.add(clips, sample_rate)).numpy()
    return noisy[:, 1:] / noisy[:, :1]


@pytest.mark.parametrize("sample_rate", [44100, 32000, 16000])
@pytest.mark.parametrize("cutoff_hz", [50, 400])
def test_noise_is_as_loud_as_the_thesis_made_it_whatever_rate_the_features_have(
    cutoff_hz, sample_rate
):
    thesis = level_db(thesis_noise(cutoff_hz, 0.3, 40))
    # 40 seconds of noise 50 Hz wide scatter by 0.1 dB; the highest of 16,000 draws is on average 0.4 dB under that of
    # 44,100; and where the rate is low, half of it bends the low-pass a little.
    assert level_db(our_noise(cutoff_hz, 0.3, 40, sample_rate)) == pytest.approx(thesis, abs=0.8)


def test_noise_falls_by_twelve_decibels_an_octave_above_its_cutoff_and_is_white_below():
    frequency_hz, power = signal.welch(our_noise(200, 0.3, 20, 44100), 44100, nperseg=8192)
    _, expected = signal.welch(thesis_noise(200, 0.3, 20), 44100, nperseg=8192)
    power, expected = power.mean(axis=0), expected.mean(axis=0)

    def mean_db(values: np.ndarray, low_hz: float, high_hz: float) -> float:
        return float(
            10 * np.log10(values[(frequency_hz >= low_hz) & (frequency_hz < high_hz)].mean())
        )

    # The estimate scatters by 0.5 dB.
    assert mean_db(power, 20, 60) == pytest.approx(mean_db(power, 60, 100), abs=1)
    # Q 0.707: half of it, at the cutoff.
    assert mean_db(power, 150, 250) - mean_db(power, 20, 60) == pytest.approx(-3, abs=1)
    octave = mean_db(power, 800, 1600) - mean_db(power, 1600, 3200)
    assert octave == pytest.approx(12, abs=1)
    for low_hz, high_hz in [(20, 100), (150, 250), (400, 800), (1600, 3200), (3200, 6400)]:
        assert mean_db(power, low_hz, high_hz) == pytest.approx(
            mean_db(expected, low_hz, high_hz), abs=1
        )


def test_noise_has_the_amount_and_the_cutoff_of_its_range_drawn_for_each_clip():
    low, high = (
        np.sqrt(np.mean(our_noise(cutoff_hz, 1.0, 20, RATE) ** 2)) for cutoff_hz in (50, 400)
    )
    clips = torch.zeros(50, RATE)
    clips[:, 0] = 1.0
    noisy = drawn(0, lambda: LowNoise().add(clips, RATE)).numpy()
    np.testing.assert_allclose(np.abs(noisy).max(axis=1), 1, rtol=1e-6)
    levels = np.sqrt(np.mean((noisy[:, 1:] / noisy[:, :1]) ** 2, axis=1))
    # Each clip's own noise of 50 Hz width has a level that scatters by some 15 percent.
    assert 0.2 * low * 0.7 < levels.min() < 0.2 * high < levels.max() < 0.4 * high * 1.3


# Bands of equal steps of pitch. ---------------------------------------------------------------------------------------


def pitches_apart(features: LogBands) -> float:
    """Return the ratio between neighbouring bands."""
    return (features.high_hz / features.low_hz) ** (1 / (features.n_bands - 1))


def test_a_clip_slowed_by_a_bands_step_shifts_the_picture_by_one_band():
    # Where bands are as wide as their pitch asks for (not the narrowest, nor the widest), the shift
    # must be exact.
    features = LogBands(narrowest_hz=0.5, widest_hz=7000.0)
    step = pitches_apart(features)
    clip = noise_clips(1)
    coloured = torch.fft.rfft(clip) * (
        1 + torch.linspace(0, 12 * math.pi, RATE // 2 + 1).cos() * 0.9
    )
    clip = torch.fft.irfft(coloured, RATE)
    for n_bands in (1, 3, -2):
        slow, factor = slowed(clip, step**n_bands)
        # Slowed() takes the nearest length that transforms fast.
        shift = math.log(factor) / math.log(step)
        picture, shifted = (
            features.compute(sound)[0, 0].mean(dim=-1).numpy() for sound in (clip, slow)
        )
        bands = np.arange(features.n_bands)
        expected = np.interp(bands + shift, bands, picture)
        inside = slice(20, -8)  # the lowest bands are less than a bin of a second's spectrum wide
        here = np.abs(shifted - expected)[inside].mean()
        # 0.012 was measured, 0.3 dB: a slowed clip holds only a part of the noise. Unshifted, even one band is six times that.
        assert here < 0.02
        assert np.abs(shifted - picture)[inside].mean() > 0.06


def test_a_tone_lies_in_the_band_of_its_pitch_and_an_octave_is_as_many_bands_anywhere():
    features = LogBands()
    pictures = [
        features.compute(tone(frequency_hz)[None])[0, 0] for frequency_hz in (500, 1000, 2000, 4000)
    ]
    bands = [int(picture.mean(dim=-1).argmax()) for picture in pictures]
    per_octave = math.log(2) / math.log(pitches_apart(features))
    assert bands[0] == round(math.log(500 / features.low_hz) / math.log(pitches_apart(features)))
    assert np.diff(bands) == pytest.approx([per_octave] * 3, abs=1)  # rounded to whole bands


def test_white_noise_lies_flat_over_all_bands():
    decibels = LogBands().compute(noise_clips(24))[:, 0] * 25 - 40  # against each clip's mean
    power = 10 ** (decibels / 10)
    per_band = 10 * power.mean(dim=(0, -1)).log10()
    # The narrowest band, 12 Hz under a Hann window, has 6 independent values a second: 24 seconds
    # scatter by 1/sqrt(24 * 6) of the power, 0.36 dB. Three of these either way.
    assert float(per_band.abs().max()) < 1.1


def test_a_band_has_the_power_of_its_part_of_the_spectrum_however_finely_it_is_transformed():
    # From 12 Hz to 2 kHz wide: five lengths of transform.
    features = LogBands(n_bands=60, widest_hz=2000.0, overlap=6.0)
    clip = noise_clips(1)[0]
    power = (10 ** ((features.compute(clip[None])[0, 0] * 25 - 40) / 10)).mean(dim=-1).numpy()
    spectrum = np.abs(np.fft.rfft(clip.double().numpy())) ** 2
    centres = np.geomspace(features.low_hz, features.high_hz, features.n_bands)
    widths = np.clip(
        features.overlap * centres * (pitches_apart(features) - 1),
        features.narrowest_hz,
        features.widest_hz,
    )
    distance = (np.fft.rfftfreq(len(clip), 1 / RATE) - centres[:, None]) / widths[:, None]
    window = (
        np.where(np.abs(distance) < 0.5, np.cos(np.pi * distance) ** 2, 0) ** 2 / widths[:, None]
    )
    expected = window @ spectrum
    np.testing.assert_allclose(power, expected / expected.mean(), rtol=1e-3)


def test_log_bands_have_a_row_per_band_and_a_column_per_frame():
    assert LogBands(n_bands=40, frames_per_second=50).compute(noise_clips(2)).shape == (
        2,
        1,
        40,
        50,
    )
    # 3000 / 32000 of 64.
    assert LogBands(n_bands=40).compute(noise_clips(2, 3000)).shape == (2, 1, 40, 6)


# Domain randomisation. ------------------------------------------------------------------------------------------------

NOTHING = {
    "chance_of_room": 0.0,
    "tilt_db_per_octave": 0.0,
    "bumps_db": 0.0,
    "noise_level_db": (-119.0, -119.0),
    "chance_of_band_limits": 0.0,
}


def test_randomising_with_everything_turned_off_leaves_clips_as_they_are():
    clips = noise_clips(3)
    # -119 dB of noise, and float32 through an FFT and back
    torch.testing.assert_close(Randomise(**NOTHING).apply(clips, RATE), clips, atol=2e-5, rtol=0)


def test_background_noise_is_as_loud_as_asked_against_the_sound():
    clips = noise_clips(8)
    randomise = Randomise(**{**NOTHING, "noise_level_db": (-20.0, -20.0)})
    added = randomise.apply(clips, RATE) - clips
    for clip, noise in zip(clips, added, strict=True):
        # Parseval's theorem over half a spectrum counts its first and last bin double: nothing for
        # noise without much below.
        assert level_db(noise) - level_db(clip) == pytest.approx(-20, abs=0.3)


def test_a_room_rings_on_after_the_sound_and_no_longer_than_its_time():
    click = torch.zeros(16, RATE)
    click[:, 0] = 1.0
    rooms = Randomise(
        **{
            **NOTHING,
            "chance_of_room": 1.0,
            "reverberation_seconds": (0.4, 0.4),
            "room_level_db": (-6.0, -6.0),
        }
    )
    heard = drawn(0, lambda: rooms.apply(click, RATE)).numpy()[:, 1:]
    # The tail against the direct sound.
    assert level_db(heard) - level_db(click) == pytest.approx(-6, abs=0.5)
    early, late = level_db(heard[:, 1600:3200]), level_db(heard[:, 8000:9600])
    # 60 dB in 0.4 s are 150 dB a second; these are 0.2 s apart. The bright part dies twice as fast and is all but gone.
    assert early - late == pytest.approx(30, abs=3)


def test_band_limits_leave_what_is_between_and_take_what_is_beyond():
    clips = noise_clips(8)
    limits = Randomise(
        **{
            **NOTHING,
            "chance_of_band_limits": 1.0,
            "low_pass_hz": (3000.0, 3000.0),
            "high_pass_hz": (80.0, 80.0),
        }
    )
    gain = torch.fft.rfft(limits.apply(clips, RATE)).abs() / torch.fft.rfft(clips).abs()
    assert gain[:, 100:2900].mean(dim=1).tolist() == pytest.approx([1.0] * 8, abs=0.01)
    octave_above = 20 * gain[:, 5990:6010].mean(dim=1).log10()
    assert float(octave_above.max()) < -11  # 12 dB at least
    assert float(octave_above.min()) > -75  # 72 dB at most; below them the other noise


def test_values_between_pitches_are_interpolated_for_the_bins_of_a_spectrum():
    pitches = Pitches(noise_clips(1), RATE)
    frequency_hz = np.fft.rfftfreq(RATE, 1 / RATE)
    gain = pitches.gain(-6.0 * pitches.octaves[None])[0].numpy()
    above = frequency_hz > 30  # the lowest pitch: what is below is as it
    expected = 10 ** (-6 * np.log2(frequency_hz[above] / 1000) / 20)
    # Straight lines between gains a 16th of an octave apart, on a curve: an eighth of (6 dB / 16)^2
    # in nepers at most.
    np.testing.assert_allclose(gain[above], expected, rtol=1e-3)
    assert gain[:31] == pytest.approx(gain[30])
    flat = pitches.gain(torch.zeros(2, len(pitches.octaves)))
    np.testing.assert_allclose(flat, 1, rtol=1e-6)


def test_decibels_become_gains_down_to_a_floor():
    assert from_db(torch.tensor([0.0, -20.0, 20.0])).tolist() == pytest.approx([1, 0.1, 10])
    assert from_db(torch.tensor([-500.0, -math.inf])).tolist() == pytest.approx([1e-6] * 2)


# Settings. ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: LowNoise(cutoff_hz=(400, 50)), r"cutoff_hz: \[400, 50\] should be \[low, high\]"),
        (
            lambda: Mel(sample_rate=600),
            "noise.cutoff_hz: 400 should be under half of sample_rate, 300",
        ),
        (
            lambda: Waveform(sample_rate=600),
            "noise.cutoff_hz: 400 should be under half of sample_rate, 300",
        ),
        (
            lambda: LogBands(sample_rate=16000),
            "low_hz, high_hz: 40, 11000 should rise, to under 8000",
        ),
        (
            lambda: LogBands(narrowest_hz=600),
            "narrowest_hz, widest_hz: 600, 500 should rise, to under 8000",
        ),
        (
            lambda: Randomise(room_level_db=(0, -10)),
            r"room_level_db: \[0, -10\] should be \[low, high\]",
        ),
    ],
)
def test_settings_that_do_not_fit_each_other_are_named(make, sentence):
    with pytest.raises(ValidationError, match=sentence):
        make()


def test_an_fft_longer_than_the_clips_is_named():
    with pytest.raises(
        UsageError, match=r"features\.n_fft: 400 is too long for clips of 160 samples at 32000 Hz"
    ):
        Mel().compute(noise_clips(1, 160))
