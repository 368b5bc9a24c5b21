"use strict";
// Plays a portable instrument: no library, no network, any sample rate. The same arithmetic, in the
// same order, as conditioned_synthesis/portable/player.py, with which it is compared in the tests.

const PURPOSE = { loop: 1, place: 2, noise: 3, side: 4 };

// ---- random numbers -----------------------------------------------------------------------------

// lowbias32 (C. Wellons, 2018).
function mixed(word) {
  word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
  return (word ^ (word >>> 16)) >>> 0;
}

// -> a whole number below 2^32 that depends on all four.
function hashOf(seed, number, purpose, item) {
  let drawn = mixed((seed + 0x9e3779b9) >>> 0);
  for (const word of [number, purpose, item]) drawn = mixed(((drawn ^ word) >>> 0) + 0x9e3779b9);
  return drawn;
}

// -> two normally distributed numbers (G. Box and M. Muller, 1958).
function normals(seed, number, purpose, item) {
  const first = (hashOf(seed, number, purpose, 2 * item) + 1) / 4294967296;
  const angle = hashOf(seed, number, purpose, 2 * item + 1) * ((2 * Math.PI) / 4294967296);
  const radius = Math.sqrt(-2 * Math.log(first));
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

// ---- Fourier transforms of lengths with no prime factor above 5 ---------------------------------

function nextFastLength(least) {
  for (let length = least; ; length++) {
    let rest = length;
    for (const factor of [2, 3, 5]) while (rest % factor === 0) rest /= factor;
    if (rest === 1) return length;
  }
}

// Transforms of one length, factor by factor (Stockham's order, which needs no sorting).
class Fourier {
  constructor(length) {
    this.length = length;
    this.factors = [];
    let rest = length;
    for (const factor of [4, 2, 3, 5])
      for (; rest % factor === 0; rest /= factor) this.factors.push(factor);
    this.cos = new Float64Array(length);
    this.sin = new Float64Array(length);
    for (let k = 0; k < length; k++) {
      this.cos[k] = Math.cos((2 * Math.PI * k) / length);
      this.sin[k] = Math.sin((2 * Math.PI * k) / length);
    }
    this.spareReal = new Float64Array(length);
    this.spareImaginary = new Float64Array(length);
  }

  // sign: -1 forward, 1 inverse. Not scaled; the result lies in `real` and `imaginary`.
  transform(real, imaginary, sign) {
    const passes = { 2: pass2, 3: pass3, 4: pass4, 5: pass5 };
    let from = [real, imaginary], to = [this.spareReal, this.spareImaginary];
    let done = 1; // product of the factors so far
    for (const factor of this.factors) {
      passes[factor](this, from[0], from[1], to[0], to[1], done, sign);
      done *= factor;
      [from, to] = [to, from];
    }
    if (from[0] !== real) {
      real.set(from[0]);
      imaginary.set(from[1]);
    }
  }
}

// One pass: from x to y, for each of the blocks p that are left. With q the factor, output r of the
// butterfly of x[p], x[p + m], ... is turned by e^(sign 2 pi i r p done / length).
function pass2({ length, cos, sin }, xr, xi, yr, yi, done, sign) {
  const apart = length / 2;
  for (let p = 0, to = 0; p < length / (2 * done); p++, to += 2 * done) {
    const c = cos[p * done], s = sign * sin[p * done];
    for (let j = 0; j < done; j++) {
      const a = p * done + j, b = a + apart;
      const dr = xr[a] - xr[b], di = xi[a] - xi[b];
      yr[to + j] = xr[a] + xr[b];
      yi[to + j] = xi[a] + xi[b];
      yr[to + done + j] = dr * c - di * s;
      yi[to + done + j] = dr * s + di * c;
    }
  }
}

function pass3({ length, cos, sin }, xr, xi, yr, yi, done, sign) {
  const apart = length / 3, h = sign * Math.sqrt(0.75);
  for (let p = 0, to = 0; p < length / (3 * done); p++, to += 3 * done) {
    const c1 = cos[p * done], s1 = sign * sin[p * done];
    const c2 = cos[2 * p * done], s2 = sign * sin[2 * p * done];
    for (let j = 0; j < done; j++) {
      const a = p * done + j, b = a + apart, c = b + apart;
      const sr = xr[b] + xr[c], si = xi[b] + xi[c];
      const hr = -h * (xi[b] - xi[c]), hi = h * (xr[b] - xr[c]);
      const mr = xr[a] - sr / 2, mi = xi[a] - si / 2;
      yr[to + j] = xr[a] + sr;
      yi[to + j] = xi[a] + si;
      turn(yr, yi, to + done + j, mr + hr, mi + hi, c1, s1);
      turn(yr, yi, to + 2 * done + j, mr - hr, mi - hi, c2, s2);
    }
  }
}

function pass4({ length, cos, sin }, xr, xi, yr, yi, done, sign) {
  const apart = length / 4;
  for (let p = 0, to = 0; p < length / (4 * done); p++, to += 4 * done) {
    const c1 = cos[p * done], s1 = sign * sin[p * done];
    const c2 = cos[2 * p * done], s2 = sign * sin[2 * p * done];
    const c3 = cos[3 * p * done], s3 = sign * sin[3 * p * done];
    for (let j = 0; j < done; j++) {
      const a = p * done + j, b = a + apart, c = b + apart, d = c + apart;
      const pr = xr[a] + xr[c], pi = xi[a] + xi[c], qr = xr[b] + xr[d], qi = xi[b] + xi[d];
      const mr = xr[a] - xr[c], mi = xi[a] - xi[c];
      const nr = -sign * (xi[b] - xi[d]), ni = sign * (xr[b] - xr[d]);
      yr[to + j] = pr + qr;
      yi[to + j] = pi + qi;
      turn(yr, yi, to + done + j, mr + nr, mi + ni, c1, s1);
      turn(yr, yi, to + 2 * done + j, pr - qr, pi - qi, c2, s2);
      turn(yr, yi, to + 3 * done + j, mr - nr, mi - ni, c3, s3);
    }
  }
}

function pass5({ length, cos, sin }, xr, xi, yr, yi, done, sign) {
  const apart = length / 5, t1 = (2 * Math.PI) / 5;
  const [c1, s1, c2, s2] = [Math.cos(t1), sign * Math.sin(t1), Math.cos(2 * t1), sign * Math.sin(2 * t1)];
  for (let p = 0, to = 0; p < length / (5 * done); p++, to += 5 * done) {
    for (let j = 0; j < done; j++) {
      const a = p * done + j, b = a + apart, c = b + apart, d = c + apart, e = d + apart;
      const pr = xr[b] + xr[e], pi = xi[b] + xi[e], qr = xr[c] + xr[d], qi = xi[c] + xi[d];
      const mr = xr[b] - xr[e], mi = xi[b] - xi[e], nr = xr[c] - xr[d], ni = xi[c] - xi[d];
      const ur = xr[a] + c1 * pr + c2 * qr, ui = xi[a] + c1 * pi + c2 * qi;
      const vr = xr[a] + c2 * pr + c1 * qr, vi = xi[a] + c2 * pi + c1 * qi;
      const fr = -(s1 * mi + s2 * ni), fi = s1 * mr + s2 * nr;
      const gr = -(s2 * mi - s1 * ni), gi = s2 * mr - s1 * nr;
      yr[to + j] = xr[a] + pr + qr;
      yi[to + j] = xi[a] + pi + qi;
      const k = p * done;
      turn(yr, yi, to + done + j, ur + fr, ui + fi, cos[k], sign * sin[k]);
      turn(yr, yi, to + 2 * done + j, vr + gr, vi + gi, cos[2 * k], sign * sin[2 * k]);
      turn(yr, yi, to + 3 * done + j, vr - gr, vi - gi, cos[3 * k], sign * sin[3 * k]);
      turn(yr, yi, to + 4 * done + j, ur - fr, ui - fi, cos[4 * k], sign * sin[4 * k]);
    }
  }
}

// y[place] = (real + i imaginary) (c + i s)
function turn(yr, yi, place, real, imaginary, c, s) {
  yr[place] = real * c - imaginary * s;
  yi[place] = real * s + imaginary * c;
}

// The real signal whose spectrum has these bins 0..length/2 (length even), by a transform of half
// the length. real, imaginary: Float64Array(length/2 + 1) -> Float64Array(length), scaled by 1.
function realSignal(real, imaginary, length) {
  const half = length / 2;
  const [er, ei] = [new Float64Array(half), new Float64Array(half)];
  for (let k = 0; k < half; k++) {
    const c = Math.cos((2 * Math.PI * k) / length), s = Math.sin((2 * Math.PI * k) / length);
    const ar = real[k], ai = imaginary[k], br = real[half - k], bi = -imaginary[half - k];
    const dr = ar - br, di = ai - bi;
    // even samples plus i times odd samples
    er[k] = ar + br - (dr * s + di * c);
    ei[k] = ai + bi + (dr * c - di * s);
  }
  new Fourier(half).transform(er, ei, 1);
  const signal = new Float64Array(length);
  for (let t = 0; t < half; t++) {
    signal[2 * t] = er[t];
    signal[2 * t + 1] = ei[t];
  }
  return signal;
}

// ---- noise --------------------------------------------------------------------------------------

const LEAST_ENVELOPE = 0.05;
const hertz = (erb) => (10 ** (erb / 21.4) - 1) / 0.00437;
const erbNumber = (frequency) => 21.4 * Math.log10(1 + 0.00437 * frequency);

function loopLengths(nBands, seconds, rate) {
  const lengths = [];
  let half = Math.ceil((seconds * rate) / 2) - 1;
  for (let band = 0; band < nBands; band++) {
    half = nextFastLength(half + 1);
    lengths.push(2 * half);
  }
  return lengths;
}

// -> Float32Array(length): a band's noise, of root mean square 1; its slow fluctuations are divided out.
// angle: how much side noise goes in; with angle and -angle, the loops of two channels.
function noiseLoop(band, centreErb, stepErb, length, rate, slowHz, angle) {
  const binHz = rate / length;
  const first = Math.max(1, Math.floor(hertz(centreErb - stepErb) / binHz) + 1);
  const last = Math.min(length / 2 - 1, Math.ceil(hertz(centreErb + stepErb) / binHz) - 1);
  const nBins = last - first + 1;
  if (nBins < 1) return new Float32Array(length);
  const middle = Math.floor((first + last) / 2);
  const nSmall = 2 * nextFastLength(2 * nBins + Math.ceil(slowHz / binHz));
  const fourier = new Fourier(nSmall);
  const [zr, zi] = [new Float64Array(nSmall), new Float64Array(nSmall)];
  for (let bin = first; bin <= last; bin++) {
    const distance = Math.max(-1, Math.min(1, (erbNumber(bin * binHz) - centreErb) / stepErb));
    const shape = Math.cos((Math.PI / 2) * distance);
    const drawn = normals(0, bin, PURPOSE.loop, band);
    const side = angle ? normals(0, bin, PURPOSE.side, band) : drawn;
    const place = (bin - middle + nSmall) % nSmall;
    zr[place] = shape * (Math.cos(angle) * drawn[0] + Math.sin(angle) * side[0]);
    zi[place] = shape * (Math.cos(angle) * drawn[1] + Math.sin(angle) * side[1]);
  }
  fourier.transform(zr, zi, 1);
  const envelope = new Float64Array(nSmall);
  let mean = 0;
  for (let t = 0; t < nSmall; t++) mean += envelope[t] = Math.sqrt(zr[t] * zr[t] + zi[t] * zi[t]);
  mean /= nSmall;
  const imaginaryPart = new Float64Array(nSmall);
  fourier.transform(envelope, imaginaryPart, -1);
  for (let k = 0; k < nSmall; k++) {
    const modulationHz = Math.min(k, nSmall - k) * binHz;
    const gain = Math.cos((Math.PI / 2) * Math.min(modulationHz / slowHz, 1)) / nSmall;
    envelope[k] *= gain;
    imaginaryPart[k] *= gain;
  }
  fourier.transform(envelope, imaginaryPart, 1);
  for (let t = 0; t < nSmall; t++) {
    const by = Math.max(envelope[t], LEAST_ENVELOPE * mean);
    zr[t] /= by;
    zi[t] /= by;
  }
  fourier.transform(zr, zi, -1);
  const half = length / 2;
  const [real, imaginary] = [new Float64Array(half + 1), new Float64Array(half + 1)];
  for (let offset = -nSmall / 2; offset < nSmall / 2; offset++) {
    const place = middle + offset, from = (offset + nSmall) % nSmall;
    if (place > 0 && place < half) {
      real[place] += zr[from];
      imaginary[place] += zi[from];
    } else if (place < 0 && place > -half) {
      real[-place] += zr[from];
      imaginary[-place] -= zi[from];
    }
  }
  const signal = realSignal(real, imaginary, length);
  let power = 0;
  for (let t = 0; t < length; t++) power += signal[t] * signal[t];
  const scale = 1 / Math.sqrt(power / length);
  const loop = new Float32Array(length);
  for (let t = 0; t < length; t++) loop[t] = signal[t] * scale;
  return loop;
}

// -> for each channel of the instrument, a loop for each band.
function noiseLoops(header, rate) {
  const { n, first_erb, step_erb, angles } = header.bands;
  const slowHz = header.sample_rate / header.hop / 2;
  const lengths = loopLengths(n, header.loop_seconds, rate);
  return [1, -1].slice(0, header.channels).map((sign) => lengths.map((length, band) =>
    noiseLoop(band, first_erb + band * step_erb, step_erb, length, rate, slowHz, sign * (angles?.[band] ?? 0))));
}

// ---- the file -----------------------------------------------------------------------------------

function floatOfHalf(bits) {
  const exponent = (bits >> 10) & 31, fraction = bits & 1023, sign = bits & 32768 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

// bytes: Uint8Array of the whole file -> { header, tensors: by name { shape, values: Float32Array,
// or of bytes Uint8Array } }
function readInstrument(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ascii = String.fromCharCode(...bytes.subarray(0, 8));
  if (ascii !== "texinst\n") throw new Error("this is no portable instrument");
  if (view.getUint32(8, true) !== 1) throw new Error(`version ${view.getUint32(8, true)} of the format is not known here`);
  const begin = 16 + view.getUint32(12, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(16, begin)));
  const tensors = {};
  for (const { name, shape, type, begin: place } of header.tensors) {
    const n = shape.reduce((a, b) => a * b, 1);
    if (type === "uint8") {
      tensors[name] = { shape, values: bytes.subarray(begin + place, begin + place + n) };
      continue;
    }
    const values = new Float32Array(n);
    for (let i = 0; i < values.length; i++)
      values[i] =
        type === "float32" ? view.getFloat32(begin + place + 4 * i, true)
        : type === "float16" ? floatOfHalf(view.getUint16(begin + place + 2 * i, true))
        : view.getInt16(begin + place + 2 * i, true);
    tensors[name] = { shape, values };
  }
  return { header, tensors };
}

// ---- the network and the player -----------------------------------------------------------------

// y = W x + b. name: of the layer's tensors.
function linear(tensors, name, x) {
  const weight = tensors[`${name}.weight`].values, bias = tensors[`${name}.bias`].values;
  const y = new Float64Array(bias.length);
  const n = x.length;
  for (let row = 0, w = 0; row < y.length; row++) {
    let sum = bias[row];
    for (let column = 0; column < n; column++, w++) sum += weight[w] * x[column];
    y[row] = sum;
  }
  return y;
}

const silu = (values) => values.map((value) => value / (1 + Math.exp(-value)));

// The value of a line through breakpoints [place, value], constant beyond its ends.
function along(points, place) {
  if (place <= points[0][0]) return points[0][1];
  for (let i = 1; i < points.length; i++) {
    const [[begin, low], [end, high]] = [points[i - 1], points[i]];
    if (place <= end) return low + ((high - low) * (place - begin)) / (end - begin);
  }
  return points[points.length - 1][1];
}

// The sliders of an instrument, at first in their middle, which glide to where they are put.
class Sliders {
  // frameHz: how often they move
  constructor(header, frameHz) {
    this.header = header;
    this.targets = header.sliders.map(({ low, high }) => (low + high) / 2);
    this.glide = 1 - Math.exp(-1 / (frameHz * header.glide_seconds));
    this.jump();
  }

  set(index, position) {
    const { low, high } = this.header.sliders[index];
    this.targets[index] = Math.min(Math.max(Math.fround(position), low), high); // as in C
  }

  // Move all sliders to their targets at once.
  jump() {
    this.places = [...this.targets];
  }

  // Move all sliders on by one frame.
  move() {
    for (let i = 0; i < this.places.length; i++) {
      this.places[i] += this.glide * (this.targets[i] - this.places[i]);
      if (Math.abs(this.targets[i] - this.places[i]) < 1e-6) this.places[i] = this.targets[i];
    }
  }

  // -> what the network is given
  given() {
    return Float32Array.from(this.header.sliders, ({ curve }, i) => along(curve, this.places[i]));
  }

  // -> the gain that makes every position as loud as the recordings were.
  gain(given) {
    const { sliders, most_gain_db: most } = this.header;
    const decibels = sliders.reduce((sum, { loudness }, i) => sum + along(loudness, given[i]), 0);
    return 10 ** (Math.min(Math.max(decibels, -most), most) / 20);
  }
}

// Plays a texenv instrument.
class Player {
  // loops: of noiseLoops, at the same rate. seed: another one is another variation of the sound.
  constructor({ header, tensors }, loops, rate, seed = 0) {
    Object.assign(this, { header, tensors, loops });
    this.frameHz = header.sample_rate / header.hop;
    this.samplesPerFrame = rate / this.frameHz;
    this.longestFrame = Math.ceil(this.samplesPerFrame) + 1;
    this.sliders = new Sliders(header, this.frameHz);
    this.channels = [new Float32Array(this.longestFrame), new Float32Array(this.longestFrame)];
    this.restart(seed);
  }

  // Begin again, with another variation.
  restart(seed) {
    this.seed = seed >>> 0;
    this.states = null;
    this.placesBefore = [];
    this.nFrames = this.begin = this.nPlayed = 0;
    this.nLeft = this.firstLeft = 0;
    const firstPlaces = (draw) =>
      this.loops[0].map((loop, band) => hashOf(this.seed, band, PURPOSE.place, draw) % loop.length);
    // The two channels of a stereo instrument stay in step, as they are alike; of a mono one, two
    // draws of noise have the same envelopes.
    this.loopPlaces = [firstPlaces(0), firstPlaces(this.loops.length > 1 ? 0 : 1)];
  }

  // Move slider number `index`; it glides there.
  set(index, position) {
    this.sliders.set(index, position);
  }

  // Fill two Float32Arrays of one length with the next samples.
  render(left, right) {
    for (let done = 0; done < left.length; ) {
      if (!this.nLeft) this.frame();
      const n = Math.min(this.nLeft, left.length - done);
      left.set(this.channels[0].subarray(this.firstLeft, this.firstLeft + n), done);
      right.set(this.channels[1].subarray(this.firstLeft, this.firstLeft + n), done);
      this.firstLeft += n;
      this.nLeft -= n;
      done += n;
    }
  }

  frame() {
    if (!this.states) {
      this.sliders.jump();
      this.start();
    }
    this.sliders.move();
    const envelopes = this.envelopes();
    const end = Math.ceil((this.nPlayed + 1) * this.samplesPerFrame);
    const n = end - this.begin;
    const firstShare = this.begin / this.samplesPerFrame - this.nPlayed;
    for (let channel = 0; channel < 2; channel++) {
      const out = this.channels[channel].fill(0);
      const loops = this.loops[channel % this.loops.length];
      const first = (channel % this.loops.length) * loops.length; // among the envelopes
      for (let band = 0; band < loops.length; band++) {
        const loop = loops[band];
        const rise = envelopes[first + band] - this.last[first + band];
        const step = rise / this.samplesPerFrame;
        let gain = this.last[first + band] + rise * firstShare;
        let place = this.loopPlaces[channel][band];
        for (let i = 0; i < n; i++) {
          out[i] += loop[place] * gain;
          gain += step;
          if (++place === loop.length) place = 0;
        }
        this.loopPlaces[channel][band] = place;
      }
    }
    this.begin = end;
    this.last = envelopes;
    this.nPlayed++;
    this.nLeft = n;
    this.firstLeft = 0;
  }

  // Begin as if the sound had been going on for as long as the network looks back.
  start() {
    const width = this.tensors["enter.bias"].values.length;
    this.states = [];
    let reach = 1;
    for (let layer = 0, apart = 1; layer < this.header.n_layers; layer++, apart *= 3) {
      this.states.push({ apart, next: 0, rows: Array.from({ length: 2 * apart }, () => new Float64Array(width)) });
      reach += 2 * apart;
    }
    for (let i = 0; i < reach; i++) this.last = this.envelopes();
  }

  // -> the envelope of each band at the end of the next frame, as amplitudes; one channel after the other.
  envelopes() {
    const { tensors, header } = this;
    if (this.sliders.places.some((place, i) => place !== this.placesBefore[i])) this.listen();
    const { films, levels, gain } = this;
    const noise = Float64Array.from({ length: header.n_noises }, (_, item) =>
      normals(this.seed, this.nFrames, PURPOSE.noise, item)[0]);
    let hidden = linear(tensors, "enter", noise);
    const width = hidden.length;
    this.states.forEach((state, index) => {
      const { rows, apart, next } = state;
      const seen = new Float64Array(3 * width);
      seen.set(rows[next]); // two steps before
      seen.set(rows[(next + apart) % rows.length], width);
      seen.set(hidden, 2 * width);
      rows[next].set(hidden);
      state.next = (next + 1) % rows.length;
      const film = films[index];
      const looked = linear(tensors, `layers.${index}.look`, seen);
      for (let i = 0; i < width; i++) looked[i] = looked[i] * (1 + film[i]) + film[width + i];
      const added = linear(tensors, `layers.${index}.add`, silu(looked));
      hidden = hidden.map((value, i) => value + added[i]);
    });
    this.nFrames++;
    const means = tensors.mean_levels.values, reach = header.reach_nepers;
    return linear(tensors, "leave", hidden).map((value, band) =>
      gain * Math.exp(means[band] + reach * Math.tanh((value + levels[band]) / reach)));
  }

  // What depends on the sliders alone, which mostly stand still.
  listen() {
    const { tensors, sliders } = this;
    this.placesBefore = [...sliders.places];
    const given = sliders.given();
    let conditions = silu(linear(tensors, "conditions.0", given));
    conditions = silu(linear(tensors, "conditions.2", conditions));
    this.films = this.states.map((_, index) => linear(tensors, `layers.${index}.film`, conditions));
    this.levels = linear(tensors, "levels", conditions);
    this.gain = sliders.gain(given);
  }
}

// ---- of any kind ----------------------------------------------------------------------------------

// -> what an instrument needs at a rate, and takes a while to make.
function materialOf(instrument, rate) {
  return instrument.header.type === "grains" ? grainsMaterial(instrument) : noiseLoops(instrument.header, rate);
}

function playerOf(instrument, material, rate, seed) {
  const Kind = instrument.header.type === "grains" ? GrainsPlayer : Player;
  return new Kind(instrument, material, rate, seed);
}
