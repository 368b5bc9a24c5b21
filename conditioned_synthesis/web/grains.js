// ---- an instrument of grains: as conditioned_synthesis/synthesisers/grains, line by line ------------

const TICK = 64; // samples that are played with the same controls
const TAPS = 64, EDGE = 32, PHASES = 256, BANKS = 8; // of kernels that read between samples
const FRAMES_PER_UNIT = 8;
const [SLOW_DOWN, MIXING, GAIN] = [0, 1, 2];
const [BY_POSITION, LINEAR] = [0, 1];
const DRAWN_FOR = { near: 0, length: 1, layer: 2, place: 3 };
const LN_MOST_GAIN = Math.log(10 ** (12 / 20));

function bessel(x) {
  let sum = 1;
  for (let k = 1, term = 1; term > 1e-17 * sum; k++) sum += term *= (x / (2 * k)) ** 2;
  return sum;
}

// -> Float64Array of [PHASES + 1, TAPS], of numbers of 32 bits: kernels that cut off at 1/ratio of the band.
function kernelsAt(ratio) {
  const kernels = new Float64Array((PHASES + 1) * TAPS), one = new Float64Array(TAPS), whole = bessel(8);
  for (let phase = 0; phase <= PHASES; phase++) {
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap++) {
      const distance = tap - (EDGE - 1) - phase / PHASES;
      const window = bessel(8 * Math.sqrt(Math.max(0, 1 - (distance / EDGE) ** 2))) / whole;
      const turn = (Math.PI * distance) / ratio;
      sum += one[tap] = (turn ? Math.sin(turn) / turn : 1) * window;
    }
    for (let tap = 0; tap < TAPS; tap++) kernels[phase * TAPS + tap] = Math.fround(one[tap] / sum);
  }
  return kernels;
}

// -> what takes a while to make: the recordings, and the kernels for each range of speeds.
function grainsMaterial({ header, tensors }) {
  const ratio = Math.exp(header.sizes.ln_ratio);
  return {
    sounds: readFlac(tensors.sounds.values),
    kernels: Array.from({ length: BANKS + 1 }, (_, bank) => kernelsAt(ratio ** (bank / BANKS))),
  };
}

const speedOf = (slowDown) => Math.round(Math.exp(-slowDown) * 2 ** 20) / 2 ** 20;

// -> [how many layers are as dense as `factor` of them, the power of the last one]
function lastLayer(factor) {
  const nFull = Math.floor(factor + 1e-9);
  if (factor - nFull < 1e-6) return [nFull, 1];
  const under = nFull * nFull - (factor - 1) * nFull * (factor - nFull);
  return [nFull + 1, (nFull - Math.sqrt(Math.max(under, 0))) / (factor - 1)];
}

class Grains {
  constructor({ header, tensors }, material) {
    Object.assign(this, material, header.laws, header.moments, { sizes: header.sizes, nClips: header.clips });
    this.places = tensors.places.values;
    this.spectra = tensors.spectra.values;
    this.nControls = header.sliders.length;
    this.nUnits = tensors.places.shape[0];
    this.nStarts = this.nUnits / this.nClips;
    this.nBands = tensors.spectra.shape[1];
    this.nFrames = tensors.spectra.shape[0] / this.nClips;
    this.nSamples = this.sounds[0].length / this.nClips;
    const { fade, search, neighbours, most_layers, ln_ratio } = this.sizes;
    this.stillNeeded = Math.ceil((fade + 2 * TICK) * Math.exp(ln_ratio) - 1e-6) + EDGE + 1;
    this.powers = [SLOW_DOWN, MIXING, GAIN].map((law) =>
      this.exponents.reduce((sum, row) => sum + row[law] ** 2, 0));
    this.lowest = new Float64Array(3);
    this.highest = new Float64Array(3);
    this.change = new Float64Array(3);
    this.left = new Float64Array(this.nControls);
    this.target = new Float64Array(this.nControls);
    this.near = new Int32Array(neighbours);
    this.nearKey = new Float64Array(neighbours);
    this.glimpseOfLast = new Float64Array(fade);
    this.glimpse = new Float64Array(fade + search + 1);
    this.lastUsed = new Float64Array(this.nUnits);
    const span = Math.ceil(TICK * Math.exp(ln_ratio)) + TAPS + 2; // what a tick is read from
    this.read = this.sounds.map(() => new Float64Array(span));
    this.slots = [0, 1].map(() => ({
      buffer: this.sounds.map(() => new Float64Array(TICK)),
      layers: Array.from({ length: most_layers }, () => ({ unit: 0, position: 0, step: 1, gain: 0, weight: 0 })),
    }));
    this.restart(0);
  }

  restart(seed) {
    Object.assign(this, { seed, clock: 0, number: 0, slot: 0, due: 0, faded: this.sizes.fade, correlation: 0 });
    this.hasMoved = this.isNew = false;
    this.target.fill(NaN);
    this.lastUsed.fill(-(2 ** 52));
    for (const slot of this.slots) Object.assign(slot, { nLayers: 0, mixing: 0, off: 0 });
  }

  // ---- controls ----

  // given: slider positions as the network gets them
  setPlaces(given) {
    for (let i = 0; i < this.nControls; i++) {
      const [kind, low, high, offset] = this.shapes[i];
      let place = given[i];
      if (kind !== BY_POSITION) {
        place = Math.min(Math.max(place, 0), 1);
        const value =
          kind === LINEAR ? low + (high - low) * place
          : offset + (low - offset) * ((high - offset) / (low - offset)) ** place;
        place = Math.log(value / low) / Math.log(high / low);
      }
      if (place !== this.target[i]) {
        this.target[i] = place;
        this.hasMoved = true;
      }
    }
  }

  setLimits(leastMixing, mostMixing) {
    const { ln_ratio } = this.sizes;
    this.lowest.set([-ln_ratio, leastMixing, -LN_MOST_GAIN]);
    this.highest.set([ln_ratio, mostMixing, LN_MOST_GAIN]);
  }

  // Find the change within the limits that brings a unit nearest to the target. -> how far it is off.
  changeUnit(unit) {
    const { exponents, change, left, lowest, highest, powers, nControls } = this;
    for (let law = 0; law < 3; law++) change[law] = Math.min(Math.max(0, lowest[law]), highest[law]);
    for (let i = 0; i < nControls; i++) {
      left[i] = this.target[i] - this.places[unit * nControls + i];
      for (let law = 0; law < 3; law++) left[i] -= exponents[i][law] * change[law];
    }
    for (let round = 0; round < 3; round++)
      for (let law = 0; law < 3; law++) {
        if (powers[law] === 0) continue;
        let along = 0;
        for (let i = 0; i < nControls; i++) along += exponents[i][law] * left[i];
        const wanted = Math.min(Math.max(change[law] + along / powers[law], lowest[law]), highest[law]);
        for (let i = 0; i < nControls; i++) left[i] -= exponents[i][law] * (wanted - change[law]);
        change[law] = wanted;
      }
    let total = 0;
    for (let i = 0; i < nControls; i++) total += left[i] ** 2;
    return Math.sqrt(total);
  }

  // ---- the choice of the next unit ----

  // Write the units near the target into `near`, nearest first. -> how many
  findNear() {
    const { sizes, near, nearKey, change } = this;
    this.setLimits(0, Math.log(sizes.most_layers));
    let drawn = mixed((this.seed + 0x9e3779b9) >>> 0); // hashOf, but for the unit
    for (const word of [this.number, DRAWN_FOR.near]) drawn = mixed(((drawn ^ word) >>> 0) + 0x9e3779b9);
    let nNear = 0;
    for (let unit = 0; unit < this.nUnits; unit++) {
      let key = this.changeUnit(unit);
      key += (0.02 * change[MIXING]) / Math.log(2);
      if (sizes.ln_ratio > 0) key += (0.02 * Math.abs(change[SLOW_DOWN])) / sizes.ln_ratio;
      key += sizes.tolerance * (mixed(((drawn ^ unit) >>> 0) + 0x9e3779b9) / 4294967296);
      const since = this.clock - this.lastUsed[unit];
      if (since < sizes.no_repeat) key += 10 * (1 - since / sizes.no_repeat);
      if (nNear === sizes.neighbours && key >= nearKey[nNear - 1]) continue;
      let place = Math.min(nNear, sizes.neighbours - 1);
      for (; place > 0 && nearKey[place - 1] > key; place--) {
        near[place] = near[place - 1];
        nearKey[place] = nearKey[place - 1];
      }
      near[place] = unit;
      nearKey[place] = key;
      nNear = Math.min(nNear + 1, sizes.neighbours);
    }
    return nNear;
  }

  clipOf(unit) {
    return Math.floor(unit / this.nStarts);
  }

  startOf(unit) {
    return EDGE + (unit % this.nStarts) * this.sizes.hop;
  }

  // -> how much the spectrum where a unit begins differs from that of what plays, in dB
  difference(playing, position, unit) {
    const { nFrames, nBands, spectra } = this;
    const frame = Math.min(Math.max(Math.trunc((position - EDGE) / this.sizes.hop + 0.5), 0), nFrames - 1);
    const one = (playing * nFrames + frame) * nBands;
    const other = (this.clipOf(unit) * nFrames + (unit % this.nStarts)) * nBands;
    let total = 0;
    for (let band = 0; band < nBands; band++)
      total += Math.min(Math.abs(Math.fround(spectra[one + band] - spectra[other + band])), 20);
    return total / nBands;
  }

  // Write sums of `width` samples of all channels, at a speed: whole numbers.
  glimpseOf(out, n, clip, position, step, width) {
    const base = clip * this.nSamples;
    for (let i = 0; i < n; i++) {
      const first = base + Math.floor(position + i * step);
      let total = 0;
      for (const sound of this.sounds)
        for (let sample = first; sample < first + width; sample++) total += sound[sample];
      out[i] = total;
    }
  }

  // -> [the place where other[place..] agrees most with one, their correlation there]
  bestPlace(one, other, n, nPlaces) {
    let ofOne = 0, ofOther = 0, best = 0, highest = -2;
    for (let i = 0; i < n; i++) {
      ofOne += one[i] * one[i];
      ofOther += other[i] * other[i];
    }
    for (let place = 0; place < nPlaces; place++) {
      const power = ofOne * ofOther;
      let both = 0;
      for (let i = 0; i < n; i++) both += one[i] * other[place + i];
      const found = power > 0 ? both / Math.sqrt(power) : 0;
      if (found > highest) [best, highest] = [place, found];
      ofOther += other[place + n] * other[place + n] - other[place] * other[place];
    }
    return [best, highest];
  }

  // -> [where a clip begins so that it agrees most with what plays, their correlation there]
  bestOffset(playing, position, step, clip, start, ownStep) {
    const { fade, search, coarse } = this.sizes;
    const n = Math.floor(fade / coarse), nPlaces = Math.floor(search / coarse) + 1;
    this.glimpseOf(this.glimpseOfLast, n, playing, position, coarse * step, coarse);
    this.glimpseOf(this.glimpse, n + nPlaces, clip, start, coarse * ownStep, coarse);
    const [rough] = this.bestPlace(this.glimpseOfLast, this.glimpse, n, nPlaces);
    const first = Math.max(0, (rough - 1) * coarse + 1);
    const last = Math.min(search, (rough + 1) * coarse - 1);
    this.glimpseOf(this.glimpseOfLast, fade, playing, position, step, 1);
    this.glimpseOf(this.glimpse, fade + last - first + 1, clip, start + first * ownStep, ownStep, 1);
    const [best, highest] = this.bestPlace(this.glimpseOfLast, this.glimpse, fade, last - first + 1);
    return [start + (first + best) * ownStep, highest];
  }

  // -> of the nearest units, [the one that fits best to what plays, where it begins, their correlation]
  bestJoin({ unit: last, position, step }, nNear) {
    const { near, nearKey: apart } = this, playing = this.clipOf(last);
    for (let i = 0; i < nNear; i++) apart[i] = this.difference(playing, position, near[i]);
    let best = near[0], begins = this.startOf(near[0]), highest = -2;
    for (let round = 0; round < Math.min(this.sizes.compared, nNear); round++) {
      let index = 0;
      for (let other = 0; other < nNear; other++) if (apart[other] < apart[index]) index = other;
      apart[index] = Infinity;
      const unit = near[index];
      this.changeUnit(unit);
      const own = speedOf(this.change[SLOW_DOWN]);
      const [place, found] = this.bestOffset(playing, position, step, this.clipOf(unit), this.startOf(unit), own);
      if (found > highest) [best, begins, highest] = [unit, place, found];
    }
    return [best, begins, highest];
  }

  // Put the next grain into the slot that does not play, and begin the crossfade to it.
  begin() {
    const { sizes, seed, number } = this, ending = this.slots[this.slot], slot = this.slots[1 - this.slot];
    const uniform = (purpose, item) => hashOf(seed, number, purpose, item) / 4294967296;
    const nNear = this.findNear(), near = [...this.near.subarray(0, nNear)];
    let [unit, position, correlation] = [near[0], this.startOf(near[0]), 0];
    if (number > 0) {
      [unit, position, correlation] = this.bestJoin(ending.layers[0], nNear);
      this.faded = 0;
    }
    this.slot = 1 - this.slot;
    this.number++;
    this.isNew = true;
    this.due = this.clock + Math.trunc(sizes.unit * (1 + 0.25 * (2 * uniform(DRAWN_FOR.length, 0) - 1)));

    const units = [unit], positions = [position];
    this.setLimits(0, Math.log(sizes.most_layers));
    this.changeUnit(unit);
    let mixing = this.change[MIXING], [nLayers, power] = lastLayer(Math.exp(mixing));
    if (Math.exp(mixing) < 1.05 || nNear < nLayers) [nLayers, power, mixing] = [1, 1, 0];
    const others = near.filter((each) => each !== unit);
    for (let layer = 1; layer < nLayers; layer++) {
      const [other] = others.splice(hashOf(seed, number, DRAWN_FOR.layer, layer) % others.length, 1);
      units.push(other);
      positions.push(this.startOf(other) + Math.trunc(sizes.search * uniform(DRAWN_FOR.place, layer)));
    }
    Object.assign(slot, { nLayers, mixing });
    const louder = 1 / Math.sqrt(nLayers - 1 + power); // as loud as one
    this.setLimits(mixing, mixing);
    for (let layer = nLayers - 1; layer >= 0; layer--) {
      const weight = louder * (layer === nLayers - 1 ? Math.sqrt(power) : 1);
      slot.off = this.changeUnit(units[layer]);
      Object.assign(slot.layers[layer], {
        unit: units[layer], position: positions[layer], step: speedOf(this.change[SLOW_DOWN]), weight,
        gain: weight * Math.exp(this.change[GAIN]),
      });
    }
    this.markUsed(units);
    this.correlation = correlation * slot.layers[0].weight * ending.layers[0].weight;
  }

  // Note that units begin, and with them all that would repeat them.
  markUsed(units) {
    for (const unit of units) {
      const first = this.clipOf(unit) * this.nStarts;
      const end = Math.min(first + this.nStarts, unit + FRAMES_PER_UNIT + 1);
      this.lastUsed.fill(this.clock, Math.max(first, unit - FRAMES_PER_UNIT), end);
    }
    if (this.begins[0].length) this.markMoments(units);
  }

  // Note the units of which half or more is what these are of: the same moments of a recording.
  markMoments(units) {
    const { begins, speeds, nStarts, sizes } = this, heard = [];
    for (const unit of units) {
      const clip = this.clipOf(unit), place = EDGE + (unit % nStarts) * sizes.hop;
      for (const layer of begins[clip])
        if (layer >= 0) {
          const begin = layer + place * speeds[clip];
          heard.push([begin, begin + sizes.unit * speeds[clip]]);
        }
    }
    const isHeard = (begin, end) => heard.some(([from, to]) => begin < to && from < end);
    for (let clip = 0; clip < this.nClips; clip++) {
      const own = begins[clip].filter((layer) => layer >= 0), speed = speeds[clip];
      const least = Math.max(own.length, heard.length);
      if (2 * own.length < least) continue;
      // Most clips share nothing, not even as a whole.
      const longest = (EDGE + nStarts * sizes.hop + sizes.unit) * speed;
      if (2 * own.filter((layer) => isHeard(layer, layer + longest)).length < least) continue;
      const noRepeat = Math.min(sizes.no_repeat, this.recorded[clip] / 16);
      const used = this.clock - sizes.no_repeat + Math.trunc(noRepeat);
      for (let start = 0; start < nStarts; start++) {
        let nShared = 0;
        for (const layer of own) {
          const begin = layer + (EDGE + start * sizes.hop) * speed;
          if (isHeard(begin, begin + sizes.unit * speed)) nShared++;
        }
        const unit = clip * nStarts + start;
        if (2 * nShared >= least && this.lastUsed[unit] < used) this.lastUsed[unit] = used;
      }
    }
  }

  // ---- playing ----

  isDue() {
    const slot = this.slots[this.slot];
    if (this.number === 0) return true;
    if (this.faded < this.sizes.fade) return false;
    if (this.clock >= this.due) return true;
    for (let layer = 0; layer < slot.nLayers; layer++)
      if (slot.layers[layer].position + this.stillNeeded >= this.nSamples) return true;
    if (!this.hasMoved) return false;
    this.setLimits(slot.mixing, slot.mixing);
    return this.changeUnit(slot.layers[0].unit) > slot.off + 0.03;
  }

  bankOf(step) {
    if (step <= 1) return 0;
    return Math.min(BANKS, Math.ceil((Math.log(step) / this.sizes.ln_ratio) * BANKS - 1e-9));
  }

  // Play a tick of a grain into its buffer.
  playSlot(slot) {
    for (const out of slot.buffer) out.fill(0);
    for (let index = 0; index < slot.nLayers; index++) {
      const layer = slot.layers[index];
      let lastGain = layer.gain;
      if (this.hasMoved) {
        this.setLimits(slot.mixing, slot.mixing);
        this.changeUnit(layer.unit);
        layer.step = speedOf(this.change[SLOW_DOWN]);
        lastGain = layer.weight * Math.exp(this.change[GAIN]);
      }
      this.addResampled(slot.buffer, layer, lastGain);
      layer.gain = lastGain;
    }
  }

  addResampled(buffer, layer, lastGain) {
    const { position, step } = layer, base = this.clipOf(layer.unit) * this.nSamples;
    const slope = (lastGain - layer.gain) / 32768 / TICK;
    let gain = layer.gain / 32768;
    layer.position = position + TICK * step;
    if (step === 1 && position === Math.floor(position)) {
      for (let i = 0; i < TICK; i++) {
        gain += slope;
        for (let channel = 0; channel < buffer.length; channel++)
          buffer[channel][i] += gain * this.sounds[channel][base + position + i];
      }
      return;
    }
    const kernels = this.kernels[this.bankOf(step)];
    const first = Math.floor(position) - (EDGE - 1), n = Math.floor(layer.position) - first + EDGE + 1;
    for (let channel = 0; channel < buffer.length; channel++) {
      const sound = this.sounds[channel], read = this.read[channel];
      for (let i = 0; i < n; i++) read[i] = sound[base + first + i];
    }
    const one = this.read[0], other = this.read[buffer.length - 1];
    const left = buffer[0], right = buffer[buffer.length - 1], isPair = buffer.length > 1;
    for (let i = 0; i < TICK; i++) {
      gain += slope;
      const at = position + i * step, whole = Math.floor(at);
      between(kernels, at - whole, one, other, whole - (EDGE - 1) - first);
      left[i] += gain * READ[0];
      if (isPair) right[i] += gain * READ[1];
    }
  }

  // Fill out, a Float64Array of TICK for each channel, with the next samples.
  tick(given, out) {
    this.setPlaces(given);
    if (this.isDue()) this.begin();
    const begins = this.slots[this.slot], ends = this.slots[1 - this.slot];
    this.playSlot(begins);
    if (this.faded < this.sizes.fade) {
      this.playSlot(ends);
      for (let i = 0; i < TICK; i++) {
        const share = (this.faded + i + 0.5) / this.sizes.fade;
        const rises = Math.sin(0.5 * Math.PI * share) ** 2, falls = 1 - rises;
        const power = falls ** 2 + rises ** 2 + 2 * falls * rises * Math.max(this.correlation, -0.5);
        const louder = 1 / Math.sqrt(power);
        for (let channel = 0; channel < out.length; channel++)
          out[channel][i] = louder * (falls * ends.buffer[channel][i] + rises * begins.buffer[channel][i]);
      }
      this.faded += TICK;
    } else {
      out.forEach((each, channel) => each.set(begins.buffer[channel]));
    }
    this.clock += TICK;
    this.hasMoved = this.isNew = false;
  }
}

const READ = new Float64Array(2);

// Read two sounds at a place between two samples, 0..1, into READ. first: EDGE - 1 samples before it.
function between(kernels, place, one, other, first) {
  const phase = Math.floor(place * PHASES), share = place * PHASES - phase;
  let row = phase * TAPS, one0 = 0, one1 = 0, other0 = 0, other1 = 0; // sums that need not wait for one another
  for (const end = row + TAPS; row < end; row += 2, first += 2) {
    const weight0 = kernels[row] + share * (kernels[row + TAPS] - kernels[row]);
    const weight1 = kernels[row + 1] + share * (kernels[row + 1 + TAPS] - kernels[row + 1]);
    one0 += weight0 * one[first];
    one1 += weight1 * one[first + 1];
    other0 += weight0 * other[first];
    other1 += weight1 * other[first + 1];
  }
  READ[0] = one0 + one1;
  READ[1] = other0 + other1;
}

const ROOM = 32 * TICK; // samples that are kept at the instrument's rate

// As Player: plays at the rate of the host.
class GrainsPlayer {
  constructor(instrument, material, rate, seed = 0) {
    this.grains = new Grains(instrument, material);
    this.sliders = new Sliders(instrument.header, instrument.header.sample_rate / TICK);
    this.ratio = instrument.header.sample_rate / rate;
    this.kernels = kernelsAt(Math.max(1, this.ratio));
    this.ticked = material.sounds.map(() => new Float64Array(TICK));
    this.made = material.sounds.map(() => new Float64Array(ROOM));
    this.restart(seed);
  }

  restart(seed) {
    this.grains.restart(seed >>> 0);
    this.gain = null; // none has played yet
    this.n = 0; // the next sample at the host's rate
    // What was made and may still be read, from sample number `first` on: silence before 0.
    this.made.forEach((each) => each.fill(0));
    this.first = -EDGE;
    this.nMade = EDGE;
  }

  set(index, position) {
    this.sliders.set(index, position);
  }

  render(left, right) {
    const isSame = this.ratio === 1, one = this.made[0], other = this.made[this.made.length - 1];
    for (let i = 0; i < left.length; i++, this.n++) {
      const at = this.n * this.ratio, whole = Math.floor(at);
      const begin = whole - (EDGE - 1), end = isSame ? whole + 1 : whole + EDGE + 1;
      while (this.first + this.nMade < end) this.make(begin);
      if (isSame) {
        READ[0] = one[whole - this.first];
        READ[1] = other[whole - this.first];
      } else {
        between(this.kernels, at - whole, one, other, begin - this.first);
      }
      left[i] = READ[0]; // of a mono instrument the same
      right[i] = READ[1];
    }
  }

  // Make the next tick. begin: what comes before may be forgotten.
  make(begin) {
    if (this.nMade + TICK > ROOM) {
      const over = begin - this.first;
      for (const each of this.made) each.copyWithin(0, over, this.nMade);
      this.first += over;
      this.nMade -= over;
    }
    if (this.gain === null) {
      this.sliders.jump();
      this.gain = this.sliders.gain(this.sliders.given());
    }
    this.sliders.move();
    const given = this.sliders.given(), gain = this.sliders.gain(given);
    this.grains.tick(given, this.ticked);
    for (let channel = 0; channel < this.made.length; channel++)
      for (let i = 0; i < TICK; i++)
        this.made[channel][this.nMade + i] = this.ticked[channel][i] * (this.gain + ((gain - this.gain) * i) / TICK);
    this.gain = gain;
    this.nMade += TICK;
  }
}
