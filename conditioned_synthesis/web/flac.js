// ---- FLAC (RFC 9639), 16 bits, as much of it as encoders write --------------------------------------

// Bits of bytes, the highest first.
class Bits {
  constructor(bytes) {
    Object.assign(this, { bytes, place: 0, cache: 0, n: 0 }); // n: bits of the cache that are left
  }

  more() {
    if (this.place >= this.bytes.length) throw new Error("the recordings are cut off");
    this.cache = (this.cache << 8) | this.bytes[this.place++];
    this.n += 8;
  }

  // n: 0 to 24
  read(n) {
    while (this.n < n) this.more();
    this.n -= n;
    return (this.cache >>> this.n) & ((1 << n) - 1);
  }

  // n: 0 to 32, two's complement
  signed(n) {
    if (n === 0) return 0;
    const high = n > 16 ? this.read(n - 16) : 0;
    const value = n > 16 ? high * 65536 + this.read(16) : this.read(n);
    return value >= 2 ** (n - 1) ? value - 2 ** n : value;
  }

  // -> how many zeros come before the next one.
  unary() {
    for (let zeros = 0; ; ) {
      if (this.n === 0) this.more();
      const rest = this.cache & ((1 << this.n) - 1);
      if (rest) {
        const before = Math.clz32(rest) - (32 - this.n);
        this.n -= before + 1;
        return zeros + before;
      }
      zeros += this.n;
      this.n = 0;
    }
  }

  align() {
    this.n -= this.n % 8;
  }

  // The place of the next whole byte.
  get byte() {
    return this.place - this.n / 8;
  }
}

// Differences between what was predicted and what is, into samples[order..].
function readResidual(bits, samples, order) {
  const method = bits.read(2);
  if (method > 1) throw new Error("the recordings are damaged");
  const nParts = 1 << bits.read(4), width = method ? 5 : 4;
  for (let part = 0, i = order; part < nParts; part++) {
    const end = ((part + 1) * samples.length) / nParts, parameter = bits.read(width);
    if (parameter === (1 << width) - 1) {
      const raw = bits.read(5);
      for (; i < end; i++) samples[i] = bits.signed(raw);
      continue;
    }
    for (; i < end; i++) {
      const high = bits.unary();
      const low = parameter > 16 ? bits.read(parameter - 16) * 65536 + bits.read(16) : bits.read(parameter);
      const folded = high * 2 ** parameter + low; // 0, -1, 1, -2, 2, ...
      samples[i] = folded % 2 ? -(folded + 1) / 2 : folded / 2;
    }
  }
}

const FIXED = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

// One channel of a frame, into samples: Float64Array, as whole numbers.
function readSubframe(bits, samples, depth) {
  bits.read(1);
  const type = bits.read(6), wasted = bits.read(1) ? bits.unary() + 1 : 0;
  const order = type >= 32 ? type - 31 : type >= 8 && type <= 12 ? type - 8 : 0;
  depth -= wasted;
  if (depth < 1 || order > samples.length) throw new Error("the recordings are damaged");
  if (type === 0) {
    samples.fill(bits.signed(depth));
  } else if (type === 1) {
    for (let i = 0; i < samples.length; i++) samples[i] = bits.signed(depth);
  } else if (type >= 32 || (type >= 8 && type <= 12)) {
    for (let i = 0; i < order; i++) samples[i] = bits.signed(depth);
    let factors = FIXED[order], shift = 0;
    if (type >= 32) {
      const precision = bits.read(4) + 1;
      shift = bits.signed(5);
      if (shift < 0) throw new Error("the recordings are damaged");
      factors = Array.from({ length: order }, () => bits.signed(precision));
    }
    readResidual(bits, samples, order);
    const scale = 2 ** -shift;
    for (let i = order; i < samples.length; i++) {
      let sum = 0;
      for (let k = 0; k < order; k++) sum += factors[k] * samples[i - 1 - k];
      samples[i] += Math.floor(sum * scale);
    }
  } else {
    throw new Error("the recordings are damaged");
  }
  if (wasted) for (let i = 0; i < samples.length; i++) samples[i] *= 2 ** wasted;
}

// bytes: Uint8Array of a file -> an Int16Array for each channel
function readFlac(bytes) {
  const bits = new Bits(bytes);
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== "fLaC") throw new Error("the recordings are no FLAC");
  bits.place = 4;
  let nChannels = 0, nSamples = 0;
  for (let isLast = 0; !isLast; ) {
    isLast = bits.read(1);
    const type = bits.read(7), length = bits.read(24), begin = bits.byte;
    if (type === 0) {
      bits.place += 10;
      bits.read(20);
      nChannels = bits.read(3) + 1;
      const depth = bits.read(5) + 1;
      if (depth !== 16) throw new Error("the recordings should have 16 bits");
      nSamples = bits.read(12) * 2 ** 24 + bits.read(24);
    }
    Object.assign(bits, { place: begin + length, n: 0 });
  }
  const channels = Array.from({ length: nChannels }, () => new Int16Array(nSamples));
  for (let done = 0; done < nSamples; ) {
    if (bits.read(14) !== 0x3ffe) throw new Error("the recordings are damaged");
    bits.read(2);
    const sizeCode = bits.read(4), rateCode = bits.read(4), assignment = bits.read(4);
    bits.read(4);
    let first = bits.read(8); // the frame's number, as UTF-8
    for (; (first & 0xc0) === 0xc0; first = (first << 1) & 0xff) bits.read(8);
    const size =
      sizeCode === 1 ? 192
      : sizeCode < 6 ? 576 << (sizeCode - 2)
      : sizeCode === 6 ? bits.read(8) + 1
      : sizeCode === 7 ? bits.read(16) + 1
      : 256 << (sizeCode - 8);
    if (rateCode >= 12) bits.read(rateCode === 12 ? 8 : 16);
    bits.read(8);
    const isPair = assignment >= 8;
    if (assignment > 10 || (isPair ? 2 : assignment + 1) !== nChannels || size > nSamples - done)
      throw new Error("the recordings are damaged");
    const parts = channels.map((_, channel) => {
      const samples = new Float64Array(size);
      const isSide = isPair && channel === (assignment === 9 ? 0 : 1);
      readSubframe(bits, samples, 16 + isSide);
      return samples;
    });
    for (let i = 0; isPair && i < size; i++) {
      const [one, other] = [parts[0][i], parts[1][i]];
      if (assignment === 8) parts[1][i] = one - other;
      else if (assignment === 9) parts[0][i] = one + other;
      else {
        const sum = 2 * one + Math.abs(other % 2);
        parts[0][i] = (sum + other) / 2;
        parts[1][i] = (sum - other) / 2;
      }
    }
    parts.forEach((samples, channel) => channels[channel].set(samples, done));
    bits.align();
    bits.read(16);
    done += size;
  }
  return channels;
}
