/* A portable instrument as an LV2 plugin. Ports: left, right, a control for each slider, in its unit, and the
   variation: 0 is another one in each instance. The instrument is compiled in. */

#define TEXTURE_IMPLEMENTATION
#include "texture_instrument.h"

#include "instrument_bytes.h"
#include "plugin_names.h"

#include "lv2.h"
#include <time.h>

enum { LEFT, RIGHT, FIRST_SLIDER, VARIATION = FIRST_SLIDER + TEXTURE_N_SLIDERS, N_PORTS };

typedef struct {
  texture_instrument* instrument;
  float* ports[N_PORTS];
  float before[N_PORTS]; /* values of the controls in the last block */
  uint32_t own_seed;
} texture_plugin;

static uint32_t texture_seed_of(const texture_plugin* plugin, float variation) {
  return variation >= 0.5f ? (uint32_t)(variation + 0.5f) : plugin->own_seed;
}

static LV2_Handle texture_instantiate(const LV2_Descriptor* descriptor, double rate, const char* path, const LV2_Feature* const* features) {
  (void)descriptor, (void)path, (void)features;
  static uint32_t n_instances;
  texture_plugin* plugin = (texture_plugin*)calloc(1, sizeof *plugin);
  if (!plugin) return NULL;
  plugin->own_seed = texture_hash((uint32_t)time(NULL), ++n_instances, (uint32_t)(uintptr_t)plugin, 0);
  plugin->instrument = texture_open(texture_bytes, sizeof texture_bytes, rate, plugin->own_seed, NULL);
  if (!plugin->instrument) {
    free(plugin);
    return NULL;
  }
  return plugin;
}

static void texture_connect_port(LV2_Handle handle, uint32_t port, void* data) {
  if (port < N_PORTS) ((texture_plugin*)handle)->ports[port] = (float*)data;
}

static void texture_activate(LV2_Handle handle) {
  texture_plugin* plugin = (texture_plugin*)handle;
  for (int port = 0; port < N_PORTS; port++) plugin->before[port] = NAN; /* all are new */
}

static void texture_run(LV2_Handle handle, uint32_t n_samples) {
  texture_plugin* plugin = (texture_plugin*)handle;
  for (int slider = 0; slider < TEXTURE_N_SLIDERS; slider++) {
    int port = FIRST_SLIDER + slider;
    if (!plugin->ports[port] || *plugin->ports[port] == plugin->before[port]) continue;
    plugin->before[port] = *plugin->ports[port];
    texture_set(plugin->instrument, slider, (float)texture_to_position(plugin->instrument, slider, plugin->before[port]));
  }
  if (plugin->ports[VARIATION] && *plugin->ports[VARIATION] != plugin->before[VARIATION]) {
    plugin->before[VARIATION] = *plugin->ports[VARIATION];
    texture_restart(plugin->instrument, texture_seed_of(plugin, plugin->before[VARIATION]));
  }
  if (plugin->ports[LEFT] && plugin->ports[RIGHT]) texture_render(plugin->instrument, plugin->ports[LEFT], plugin->ports[RIGHT], n_samples);
}

static void texture_cleanup(LV2_Handle handle) {
  texture_close(((texture_plugin*)handle)->instrument);
  free(handle);
}

static const LV2_Descriptor texture_descriptor = {
    DISTRHO_PLUGIN_URI, texture_instantiate, texture_connect_port, texture_activate, texture_run, NULL, texture_cleanup, NULL};

LV2_SYMBOL_EXPORT const LV2_Descriptor* lv2_descriptor(uint32_t index) { return index == 0 ? &texture_descriptor : NULL; }
