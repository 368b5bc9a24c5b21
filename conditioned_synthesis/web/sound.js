// The sound of the page: noise and recordings made ready in a Worker, an audio thread that plays, and what is heard of it.

const sourceOf = (id) => document.getElementById(id).textContent;
// From file:// browsers refuse blob: and relative addresses for an AudioWorklet, but not data:.
const asAddress = (...sources) =>
  "data:text/javascript;charset=utf-8," + encodeURIComponent(sources.join("\n"));

function bytesOf(base64) {
  const text = atob(base64.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

// -> a promise of what the instrument needs at a rate; made beside the page, which stays quick.
function materialAt(instrument, rate) {
  const source = "onmessage = ({ data: [instrument, rate] }) => postMessage(materialOf(instrument, rate));";
  const worker = new Worker(asAddress(sourceOf("core"), source));
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (resolve(data), worker.terminate());
    worker.onerror = (error) => reject(new Error(error.message));
    worker.postMessage([instrument, rate]);
  });
}

// -> an AudioWorkletNode that plays in this context.
async function playerNode(context, options) {
  await context.audioWorklet.addModule(asAddress(sourceOf("core"), sourceOf("worklet")));
  return new AudioWorkletNode(context, "instrument", {
    numberOfInputs: 0, outputChannelCount: [2], processorOptions: options,
  });
}

class Sound {
  constructor(instrument) {
    this.instrument = instrument;
    this.context = new AudioContext({ latencyHint: "interactive" });
    this.material = materialAt(instrument, this.context.sampleRate);
    this.waiting = []; // messages from before the sound
    this.recorded = null;
  }

  async start(seed) {
    const { context, instrument } = this;
    context.resume();
    if (!this.node) {
      this.node = await playerNode(context, { instrument, material: await this.material, seed });
      this.node.port.onmessage = ({ data }) => this.recorded?.push(data.samples);
      this.waiting.forEach((message) => this.node.port.postMessage(message));
      this.volume = context.createGain();
      this.volume.gain.value = 0;
      this.analyser = new AnalyserNode(context, { fftSize: 2048, smoothingTimeConstant: 0 });
      this.node.connect(this.volume).connect(this.analyser).connect(context.destination);
    }
  }

  async stop() {
    this.fadeTo(0);
    await new Promise((resolve) => setTimeout(resolve, 80));
    await this.context.suspend();
  }

  send(message) {
    if (this.node) this.node.port.postMessage(message);
    else this.waiting.push(message);
  }

  fadeTo(gain) {
    this.volume?.gain.setTargetAtTime(gain, this.context.currentTime, 0.015);
  }

  record() {
    this.recorded = [];
    this.send({ record: true });
  }

  // -> a wav file, 16 bit, of what was played since.
  stopRecording() {
    this.send({ record: false });
    const blocks = this.recorded;
    this.recorded = null;
    return wavFile(blocks, this.context.sampleRate);
  }
}

// blocks: of [left, right] -> Blob
function wavFile(blocks, rate) {
  const n = blocks.reduce((sum, [left]) => sum + left.length, 0);
  const view = new DataView(new ArrayBuffer(44 + 4 * n));
  const write = (place, text) => [...text].forEach((c, i) => view.setUint8(place + i, c.charCodeAt(0)));
  write(0, "RIFF"), view.setUint32(4, 36 + 4 * n, true), write(8, "WAVEfmt ");
  view.setUint32(16, 16, true), view.setUint16(20, 1, true), view.setUint16(22, 2, true);
  view.setUint32(24, rate, true), view.setUint32(28, 4 * rate, true);
  view.setUint16(32, 4, true), view.setUint16(34, 16, true);
  write(36, "data"), view.setUint32(40, 4 * n, true);
  let place = 44;
  for (const [left, right] of blocks)
    for (let i = 0; i < left.length; i++)
      for (const sample of [left[i], right[i]]) {
        view.setInt16(place, Math.round(32767 * Math.min(1, Math.max(-1, sample))), true);
        place += 2;
      }
  return new Blob([view], { type: "audio/wav" });
}
