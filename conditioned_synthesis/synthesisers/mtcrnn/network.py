"""The network of MTCRNN's audio tier, whose modules have the names of its checkpoints."""

import numpy as np
import torch
from torch import nn

from conditioned_synthesis.dsp.mu_law import LEVELS, SILENCE, decode, encode
from conditioned_synthesis.synthesisers._base import Graph
from conditioned_synthesis.synthesisers.mtcrnn.player import FastGru
from texturelib.errors import UsageError

_SECONDS_TO_BEGIN = 3.0


class ConditionalGru(nn.Module):
    """A recurrent network that predicts each sample's mu-law index from the one before and the
    controls."""

    loss_in_words = "nats per sample (knowing nothing: 5.545)"

    def __init__(
        self,
        n_controls: int,
        sample_rate: int,
        hidden_size: int = 256,
        n_layers: int = 1,
        onehot: bool = False,
        tfr: float = 1.0,
    ) -> None:
        """Build the network.

        Args:
            n_controls: number of controls.
            sample_rate: of the sounds, in Hz.
            hidden_size: units of each layer of gated recurrent units.
            n_layers: number of these layers.
            onehot: whether the last sample is given as one of 256 inputs; else as a number.
            tfr: teacher forcing rate, 0..1: the share of input samples in training that are the
                clip's, not the network's prediction.
        """
        super().__init__()
        self._onehot, self._tfr = onehot, tfr
        self._n_to_begin = round(_SECONDS_TO_BEGIN * sample_rate)
        self.i2d = nn.Linear((LEVELS if onehot else 1) + n_controls, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size, n_layers, batch_first=True)
        self.h2o = nn.Linear(hidden_size, LEVELS)

    def forward(
        self, before: torch.Tensor, controls: torch.Tensor, state: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the logits of each sample's index, and the state after them.

        Args:
            before: the index before each sample, int64, 0..255.
            controls: of each sample, 0..1.
            state: None is an empty one.

        Shape:
            before: [batch, samples]
            controls: [batch, samples, n_controls]
            state: [n_layers, batch, hidden_size]
            -> [batch, samples, 256], [n_layers, batch, hidden_size]
        """
        hidden, after = self._hidden(before, controls, state)
        return self.h2o(hidden), after

    def _hidden(
        self, before: torch.Tensor, controls: torch.Tensor, state: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        heard = (
            nn.functional.one_hot(before, LEVELS) if self._onehot else before.unsqueeze(-1) / LEVELS
        )
        return self.gru(
            self.i2d(torch.cat([heard.to(controls.dtype), controls], dim=-1)).relu(), state
        )

    def loss(
        self, audio: torch.Tensor, controls: torch.Tensor, carried: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss of a window, and the state after it.

        Args:
            audio: -1..1, the first sample is the one before the window.
            controls: of each sample of the window, 0..1.
            carried: the state that the window before left; None is an empty one.

        Returns: the mean cross-entropy of a sample, in nats; ln 256 is that of a network that knows
        nothing. The state after the window, without a gradient.

        Shape:
            audio: [batch, 1 + samples]
            controls: [batch, samples, n_controls]
            carried: [n_layers, batch, hidden_size], before and after
        """
        indices = torch.from_numpy(encode(audio.cpu().numpy())).long().to(audio.device)
        before, target = indices[:, :-1], indices[:, 1:]
        if self.training and self._tfr < 1:
            before = self._with_own_guesses(before, controls, carried)
        logits, state = self(before, controls, carried)
        return nn.functional.cross_entropy(
            logits.float().flatten(0, 1), target.flatten()
        ), state.detach()

    @torch.no_grad()
    def _with_own_guesses(
        self, before: torch.Tensor, controls: torch.Tensor, carried: torch.Tensor | None
    ) -> torch.Tensor:
        is_guessed = torch.rand(before.shape, device=before.device) >= self._tfr
        is_guessed[:, 0] = False  # what the window before would have predicted
        hidden, _ = self._hidden(before, controls, carried)
        # Only where they are wanted: drawing one takes as long as the rest of a sample's way
        # through the network.
        row, sample = is_guessed.nonzero(as_tuple=True)
        chances = self.h2o(hidden[row, sample - 1]).float().softmax(dim=-1)
        before = before.clone()
        before[row, sample] = torch.multinomial(chances, 1).squeeze(1)
        return before

    def player(
        self,
        seed: int,
        *,
        temperature: float = 1.0,
        prime: np.ndarray | None = None,
        fast: bool = False,
    ) -> "_Player":
        """Return a player that plays sample by sample on one core; see `SynthesisNetwork.player`.

        Args:
            prime: a sound to go on from, -1..1, as if it had been made with the controls of the
                beginning; [samples].
            fast: weights are rounded to bytes; a quarter of the time where they do not fit the
                core's cache (more than 256 units or one layer).
        """
        weights = {
            name: value.detach().float().cpu().numpy() for name, value in self.state_dict().items()
        }
        step = FastGru(weights, n_layers=self.gru.num_layers, onehot=self._onehot, in_bytes=fast)
        empty = np.zeros((self.gru.num_layers, self.gru.hidden_size), dtype=np.float32)
        return _Player(step, empty, seed, temperature, prime, self._n_to_begin)

    def graph(self) -> Graph:
        raise UsageError(
            'a synthesiser of type "mtcrnn" is no graph that makes many samples at once; "texenv" is one'
        )


class _Player:
    def __init__(
        self,
        step: FastGru,
        state: np.ndarray,
        seed: int,
        temperature: float,
        prime: np.ndarray | None,
        n_to_begin: int,
    ) -> None:
        self._step, self._state, self._temperature = step, state, temperature
        self._rng = np.random.default_rng(seed)
        self._last = SILENCE
        self._prime = encode(prime) if prime is not None and len(prime) else None
        self._n_to_begin = 0 if self._prime is not None else n_to_begin

    def play(self, controls: np.ndarray) -> np.ndarray:
        controls = np.ascontiguousarray(controls, dtype=np.float32)
        if not len(controls):
            return np.zeros(0, dtype=np.float32)
        if self._prime is not None:
            before = np.concatenate([[SILENCE], self._prime[:-1]]).astype(np.uint8)
            self._state = self._step.prime(
                before, np.repeat(controls[:1], len(before), axis=0), self._state
            )
            self._last, self._prime = int(self._prime[-1]), None
        if self._n_to_begin:
            # Its first seconds, out of nothing, are unlike all that follow, louder or softer by
            # chance: they are left out.
            first, self._n_to_begin = np.repeat(controls[:1], self._n_to_begin, axis=0), 0
            self._go_on(first)
        return decode(self._go_on(controls))

    def _go_on(self, controls: np.ndarray) -> np.ndarray:
        uniforms = self._rng.random(len(controls))
        indices, self._state = self._step.generate(
            controls, uniforms, self._temperature, self._last, self._state
        )
        self._last = int(indices[-1])
        return indices
