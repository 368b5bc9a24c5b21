/* A portable instrument as a plugin, by DPF (the DISTRHO Plugin Framework): a parameter for each slider,
   in its unit, and one for the variation. The instrument is compiled in. */

#include "DistrhoPlugin.hpp"
#include "instrument_bytes.h"
#include "texture_instrument.h"

#include <random>
#include <vector>

START_NAMESPACE_DISTRHO

class TexturePlugin : public Plugin {
 public:
  TexturePlugin() : Plugin(TEXTURE_N_SLIDERS + 1, 0, 0), values(texture_defaults, texture_defaults + TEXTURE_N_SLIDERS) {
    // Two instances of variation 0 do not sound alike.
    own_seed = std::random_device()();
  }

  ~TexturePlugin() override { texture_close(instrument); }

 protected:
  const char* getLabel() const override { return DISTRHO_PLUGIN_NAME; }
  const char* getMaker() const override { return DISTRHO_PLUGIN_BRAND; }
  const char* getLicense() const override { return "the licence of the recordings that it was learnt from"; }
  uint32_t getVersion() const override { return d_version(1, 0, 0); }
  int64_t getUniqueId() const override { return TEXTURE_DIGEST; }

  void initParameter(uint32_t index, Parameter& parameter) override {
    parameter.hints = kParameterIsAutomatable;
    if (index == TEXTURE_N_SLIDERS) {
      parameter.hints |= kParameterIsInteger;
      parameter.name = "Variation";
      parameter.symbol = "variation";
      parameter.description = "0 is another one in each instance";
      parameter.ranges.min = 0;
      parameter.ranges.max = 9999;
      parameter.ranges.def = 0;
      return;
    }
    const texture_parameter& own = texture_parameters[index];
    if (own.is_logarithmic) parameter.hints |= kParameterIsLogarithmic;
    parameter.name = own.name;
    parameter.symbol = own.symbol;
    parameter.unit = own.unit;
    parameter.ranges.min = own.low;
    parameter.ranges.max = own.high;
    parameter.ranges.def = texture_defaults[index];
  }

  float getParameterValue(uint32_t index) const override {
    return index == TEXTURE_N_SLIDERS ? static_cast<float>(variation) : values[index];
  }

  void setParameterValue(uint32_t index, float value) override {
    if (index == TEXTURE_N_SLIDERS) {
      const uint32_t wanted = value > 0 ? static_cast<uint32_t>(value + 0.5f) : 0;
      if (wanted == variation) return;
      variation = wanted;
      if (instrument) texture_restart(instrument, seed());
      return;
    }
    values[index] = value;
    if (instrument) move(index);
  }

  // There is no state beside the parameters, but without these a CLAP host could not save those.
  void initState(uint32_t, State&) override {}
  void setState(const char*, const char*) override {}

  // Hosts call these two while nothing plays, so here is the place to make the noise.
  void activate() override {
    if (!instrument) open(getSampleRate());
  }

  void sampleRateChanged(double rate) override { open(rate); }

  void run(const float**, float** outputs, uint32_t n_samples) override {
    if (instrument) {
      texture_render(instrument, outputs[0], outputs[1], n_samples);
      return;
    }
    for (uint32_t i = 0; i < n_samples; i++) outputs[0][i] = outputs[1][i] = 0;
  }

 private:
  uint32_t seed() const { return variation ? variation : own_seed; }

  void move(uint32_t index) {
    texture_set(instrument, static_cast<int>(index), static_cast<float>(texture_to_position(instrument, static_cast<int>(index), values[index])));
  }

  void open(double rate) {
    texture_close(instrument);
    const char* problem = nullptr;
    instrument = texture_open(texture_bytes, sizeof texture_bytes, rate, seed(), &problem);
    if (!instrument) d_stderr("%s: %s", DISTRHO_PLUGIN_NAME, problem);
    for (uint32_t index = 0; instrument && index < TEXTURE_N_SLIDERS; index++) move(index);
  }

  texture_instrument* instrument = nullptr;
  std::vector<float> values;
  uint32_t variation = 0, own_seed = 0;

  DISTRHO_DECLARE_NON_COPYABLE_WITH_LEAK_DETECTOR(TexturePlugin)
};

Plugin* createPlugin() { return new TexturePlugin(); }

END_NAMESPACE_DISTRHO
