// In the audio thread. What the page says comes as messages: {set: [index, position]}, {seed},
// {record: true or false}. It answers with {samples: [left, right]} while it records.
class Instrument extends AudioWorkletProcessor {
  constructor({ processorOptions: { instrument, material, seed, script } }) {
    super();
    this.player = playerOf(instrument, material, sampleRate, seed);
    this.script = script ?? []; // [first sample, slider, position], for the self-test
    this.isRecording = false;
    this.port.onmessage = ({ data }) => {
      if (data.set) this.player.set(...data.set);
      if (data.seed !== undefined) this.player.restart(data.seed);
      if (data.record !== undefined) this.isRecording = data.record;
    };
  }

  process(_, [[left, right]]) {
    while (this.script.length && this.script[0][0] <= currentFrame) {
      const [, slider, position] = this.script.shift();
      this.player.set(slider, position);
    }
    this.player.render(left, right);
    if (this.isRecording) this.port.postMessage({ samples: [left.slice(), right.slice()] });
    return true;
  }
}
registerProcessor("instrument", Instrument);
