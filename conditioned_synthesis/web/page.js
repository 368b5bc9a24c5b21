// What one sees and touches.

const $ = (id) => document.getElementById(id);
const instrument = readInstrument(bytesOf(sourceOf("instrument")));
const sliders = instrument.header.sliders;
const sound = new Sound(instrument);
const FADE_SECONDS = 1.5; // from one snapshot to another

let seed = 1;
let isPlaying = false;
const positions = sliders.map(({ low, high }) => (low + high) / 2);

// ---- positions and what they mean ---------------------------------------------------------------

function physical({ low, high, curve = "linear", offset = 0 }, position) {
  if (curve === "linear") return low + (high - low) * position;
  return offset + (low - offset) * ((high - offset) / (low - offset)) ** position;
}

// Three figures, no exponent.
function figures(value) {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return String(Number(Number(value.toPrecision(3)).toFixed(Math.min(digits, 10))));
}

// A description as a sentence, and the space after it.
const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1).replace(/\.?$/, ".")} ` : "");

const inUnits = ({ control }, position) =>
  `${figures(physical(control, position))} ${control.unit ?? ""}`.trim();

function moveTo(index, position, isOwnInput = false) {
  const slider = sliders[index];
  positions[index] = Math.min(slider.high, Math.max(slider.low, position));
  sound.send({ set: [index, positions[index]] });
  const input = $(`slider-${index}`);
  if (!isOwnInput) input.value = positions[index];
  const words = inUnits(slider, positions[index]);
  input.setAttribute("aria-valuetext", words);
  $(`value-${index}`).textContent = words;
  drawDot();
}

function makeSliders() {
  sliders.forEach((slider, index) => {
    const row = $("slider").content.cloneNode(true);
    const input = row.querySelector("input");
    const { name, description } = slider.control;
    Object.assign(input, { id: `slider-${index}`, min: slider.low, max: slider.high });
    input.step = (slider.high - slider.low) / 200;
    input.addEventListener("input", () => (stopFade(), moveTo(index, Number(input.value), true)));
    row.querySelector("label").textContent = name;
    row.querySelector("label").htmlFor = input.id;
    row.querySelector("output").id = `value-${index}`;
    row.querySelector("output").htmlFor = input.id;
    row.querySelector(".of").textContent =
      `${sentence(description)}Trained from ${inUnits(slider, slider.low)} to ` +
      `${inUnits(slider, slider.high)}.${slider.note ? " " + slider.note : ""}`;
    const learn = row.querySelector("button");
    learn.addEventListener("click", () => learnMidi(index, learn));
    learn.setAttribute("aria-label", `Learn a MIDI knob for ${name}`);
    learn.hidden = !navigator.requestMIDIAccess;
    $("sliders").append(row);
    for (const axis of ["x", "y"]) $(axis).add(new Option(name, index));
  });
}

// ---- the pad ------------------------------------------------------------------------------------

const axes = () => [Number($("x").value), Number($("y").value)];
const shareOf = (index) =>
  (positions[index] - sliders[index].low) / (sliders[index].high - sliders[index].low || 1);

function drawDot() {
  if (sliders.length < 2) return;
  const [x, y] = axes();
  $("dot").style.left = `${100 * shareOf(x)}%`;
  $("dot").style.bottom = `${100 * shareOf(y)}%`;
  $("pad").setAttribute("aria-label",
    `Pad: ${sliders[x].control.name} ${inUnits(sliders[x], positions[x])}, ` +
    `${sliders[y].control.name} ${inUnits(sliders[y], positions[y])}; arrow keys move it`);
}

function movePad(shares) {
  stopFade();
  axes().forEach((index, axis) => {
    const { low, high } = sliders[index];
    moveTo(index, low + (high - low) * Math.min(1, Math.max(0, shares[axis])));
  });
}

function makePad() {
  const pad = $("pad");
  $("xy").hidden = sliders.length < 2;
  if (sliders.length < 2) return;
  $("y").value = 1;
  const at = ({ clientX, clientY }) => {
    const { left, bottom, width, height } = pad.getBoundingClientRect();
    movePad([(clientX - left) / width, (bottom - clientY) / height]);
  };
  pad.addEventListener("pointerdown", (event) => (pad.setPointerCapture(event.pointerId), at(event)));
  pad.addEventListener("pointermove", (event) => event.buttons && at(event));
  pad.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!step) return;
    event.preventDefault();
    movePad(axes().map((index, axis) => shareOf(index) + step[axis] / 50));
  });
  for (const axis of ["x", "y"]) $(axis).addEventListener("change", drawDot);
}

// ---- playing, variations, snapshots, recording --------------------------------------------------

async function togglePlay() {
  isPlaying = !isPlaying;
  $("play").textContent = isPlaying ? "Stop" : "Play";
  $("play").setAttribute("aria-pressed", isPlaying);
  if (!isPlaying) return sound.stop();
  $("state").textContent = "getting ready …";
  await sound.start(seed);
  $("state").textContent = "";
  if (isPlaying) sound.fadeTo(Number($("volume").value));
}

function vary() {
  seed = Math.floor(Math.random() * 2 ** 32);
  $("seed").textContent = seed;
  sound.send({ seed });
}

const snapshots = [null, null, null, null];
let fade = 0;
const stopFade = () => clearInterval(fade);

function fadeToSnapshot(wanted) {
  stopFade();
  const from = [...positions], began = performance.now();
  fade = setInterval(() => {
    const share = Math.min(1, (performance.now() - began) / 1000 / FADE_SECONDS);
    wanted.forEach((position, index) => moveTo(index, from[index] + (position - from[index]) * share));
    if (share === 1) stopFade();
  }, 20);
}

function makeSnapshots() {
  snapshots.forEach((_, number) => {
    const row = $("snapshot").content.cloneNode(true);
    const [keep, recall] = row.querySelectorAll("button");
    keep.textContent = `Keep ${number + 1}`;
    recall.textContent = `Go to ${number + 1}`;
    keep.addEventListener("click", () => {
      snapshots[number] = [...positions];
      recall.disabled = false;
    });
    recall.addEventListener("click", () => fadeToSnapshot(snapshots[number]));
    $("snapshots").append(row);
  });
}

function toggleRecord() {
  if (!sound.recorded) {
    sound.record();
    $("record").textContent = "Stop and save";
    return;
  }
  const file = sound.stopRecording();
  $("record").textContent = "Record";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `${document.title}.wav`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// ---- MIDI ---------------------------------------------------------------------------------------

const knobs = new Map(); // "channel and number" -> slider
let learning = null;

async function learnMidi(index, button) {
  try {
    const midi = await navigator.requestMIDIAccess();
    for (const input of midi.inputs.values()) input.onmidimessage = onMidi;
    if (!midi.inputs.size) return void ($("state").textContent = "no MIDI device is connected");
  } catch {
    return void ($("state").textContent = "the browser does not let this page have MIDI");
  }
  if (learning) learning.button.textContent = "MIDI";
  learning = { index, button };
  button.textContent = "turn a knob …";
}

function onMidi({ data: [status, number, value] }) {
  if (status >> 4 !== 11) return; // no control change
  const knob = `${status & 15} ${number}`;
  if (learning) {
    knobs.set(knob, learning.index);
    learning.button.textContent = `CC ${number}`;
    learning = null;
  }
  const index = knobs.get(knob);
  if (index === undefined) return;
  const { low, high } = sliders[index];
  stopFade();
  moveTo(index, low + ((high - low) * value) / 127);
}

// ---- pictures -----------------------------------------------------------------------------------

const LOWEST_HZ = 50, FLOOR_DB = -110, CEILING_DB = -30;
const bins = new Float32Array(1024), wave = new Float32Array(2048);

// Black, violet, orange, white: dark to light, for eyes of every kind.
const SHADES = [[0, 0, 4], [81, 18, 124], [183, 55, 121], [252, 137, 97], [252, 253, 191]];

function shade(share) {
  const place = share * (SHADES.length - 1), from = Math.min(SHADES.length - 2, Math.floor(place));
  return `rgb(${SHADES[from].map((low, i) => low + (SHADES[from + 1][i] - low) * (place - from))})`;
}

function draw() {
  requestAnimationFrame(draw);
  if (!sound.analyser || !isPlaying) return;
  const canvas = $("spectrogram"), picture = canvas.getContext("2d");
  sound.analyser.getFloatFrequencyData(bins);
  sound.analyser.getFloatTimeDomainData(wave);
  picture.drawImage(canvas, -1, 0);
  const nyquist = sound.context.sampleRate / 2;
  for (let y = 0; y < canvas.height; y++) {
    const frequency = LOWEST_HZ * (nyquist / LOWEST_HZ) ** (1 - y / canvas.height);
    const level = bins[Math.min(bins.length - 1, Math.round((frequency / nyquist) * bins.length))];
    const share = Math.min(1, Math.max(0, (level - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
    picture.fillStyle = shade(share);
    picture.fillRect(canvas.width - 1, y, 1, 1);
  }
  const power = wave.reduce((sum, sample) => sum + sample * sample, 0) / wave.length;
  $("level").value = Math.max(-60, 10 * Math.log10(power + 1e-12));
}

// ---- begin --------------------------------------------------------------------------------------

makeSliders();
makePad();
makeSnapshots();
sliders.forEach((_, index) => moveTo(index, positions[index]));
$("play").addEventListener("click", togglePlay);
$("vary").addEventListener("click", vary);
$("record").addEventListener("click", toggleRecord);
$("volume").addEventListener("input", () => isPlaying && sound.fadeTo(Number($("volume").value)));
$("seed").textContent = seed;
document.addEventListener("keydown", (event) => {
  // Space plays, but where it already presses a button.
  if (event.code !== "Space" || ["BUTTON", "SELECT", "SUMMARY"].includes(event.target.tagName)) return;
  event.preventDefault();
  togglePlay();
});
draw();

// For tests: `seconds` of sound without a sound card, while sliders move as `script` says:
// [first sample, slider, position]. -> Float32Array, left and right in turn.
async function selfTest(rate, seconds, ownSeed, script) {
  const n = Math.round(seconds * rate);
  const context = new OfflineAudioContext(2, n, rate);
  const material = await materialAt(instrument, rate);
  const node = await playerNode(context, { instrument, material, seed: ownSeed, script });
  node.connect(context.destination);
  const buffer = await context.startRendering();
  const samples = new Float32Array(2 * n);
  [0, 1].forEach((channel) => buffer.getChannelData(channel).forEach((sample, i) => (samples[2 * i + channel] = sample)));
  return samples;
}
