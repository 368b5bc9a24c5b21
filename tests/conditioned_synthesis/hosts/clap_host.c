/* Plays a CLAP plugin without a window: PLUGIN.clap SOUND.f32. 200 blocks of 96 samples at 48 kHz, variation 5;
   slider 0 goes to 1.8 after half of them, when the state is also saved, and loaded into a second instance, whose
   sliders are written to stdout. Writes left and right in turn. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "entry.h"
#include "ext/params.h"
#include "ext/state.h"
#include "plugin-factory.h"
#include "plugin.h"

#include <dlfcn.h>
#include <stdio.h>

static clap_event_param_value_t events[3];
static uint32_t n_events;
static unsigned char state[65536];
static size_t n_state, n_read;

static uint32_t size(const clap_input_events_t* list) { return (void)list, n_events; }
static const clap_event_header_t* get(const clap_input_events_t* list, uint32_t index) { return (void)list, &events[index].header; }
static bool push(const clap_output_events_t* list, const clap_event_header_t* event) { return (void)list, (void)event, true; }
static const void* extension(const clap_host_t* host, const char* name) { return (void)host, (void)name, NULL; }
static void request(const clap_host_t* host) { (void)host; }

static int64_t save(const clap_ostream_t* stream, const void* bytes, uint64_t n) {
  (void)stream;
  memcpy(state + n_state, bytes, n);
  n_state += n;
  return (int64_t)n;
}

static int64_t load(const clap_istream_t* stream, void* bytes, uint64_t n) {
  (void)stream;
  if (n > n_state - n_read) n = n_state - n_read;
  memcpy(bytes, state + n_read, n);
  n_read += n;
  return (int64_t)n;
}

static void set(uint32_t parameter, double value) {
  clap_event_param_value_t event = {{sizeof event, 0, CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_PARAM_VALUE, 0}, parameter, NULL, -1, -1, -1, -1, value};
  events[n_events++] = event;
}

int main(int n_words, char** words) {
  void* library = n_words == 3 ? dlopen(words[1], RTLD_NOW) : NULL;
  const clap_plugin_entry_t* entry = library ? (const clap_plugin_entry_t*)dlsym(library, "clap_entry") : NULL;
  if (!entry || !entry->init(words[1])) return 2;
  const clap_plugin_factory_t* factory = (const clap_plugin_factory_t*)entry->get_factory(CLAP_PLUGIN_FACTORY_ID);
  const clap_host_t host = {CLAP_VERSION, NULL, "test", "", "", "1", extension, request, request, request};
  const char* id = factory->get_plugin_descriptor(factory, 0)->id;
  const clap_plugin_t* plugin = factory->create_plugin(factory, &host, id);
  if (!plugin || !plugin->init(plugin) || !plugin->activate(plugin, 48000, 1, 96) || !plugin->start_processing(plugin)) return 3;
  float left[96], right[96], *channels[] = {left, right};
  clap_audio_buffer_t output = {channels, NULL, 2, 0, 0};
  const clap_input_events_t in = {NULL, size, get};
  const clap_output_events_t out = {NULL, push};
  FILE* file = fopen(words[2], "wb");
  set(0, 1.0), set(1, 4.5), set(2, 5);
  for (int block = 0; block < 200; block++) {
    if (block == 100) set(0, 1.8);
    clap_process_t process = {96 * block, 96, NULL, NULL, &output, 0, 1, &in, &out};
    if (plugin->process(plugin, &process) == CLAP_PROCESS_ERROR) return 4;
    n_events = 0;
    for (int i = 0; i < 96; i++) fwrite(&left[i], 4, 1, file), fwrite(&right[i], 4, 1, file);
  }
  fclose(file);
  plugin->stop_processing(plugin);
  const clap_ostream_t to = {NULL, save};
  const clap_istream_t from = {NULL, load};
  const clap_plugin_state_t* keeper = (const clap_plugin_state_t*)plugin->get_extension(plugin, CLAP_EXT_STATE);
  const clap_plugin_t* other = factory->create_plugin(factory, &host, id);
  if (!keeper || !keeper->save(plugin, &to) || !other || !other->init(other)) return 5;
  if (!((const clap_plugin_state_t*)other->get_extension(other, CLAP_EXT_STATE))->load(other, &from)) return 6;
  const clap_plugin_params_t* parameters = (const clap_plugin_params_t*)other->get_extension(other, CLAP_EXT_PARAMS);
  for (uint32_t index = 0; index < parameters->count(other); index++) {
    double value = -1;
    parameters->get_value(other, index, &value);
    printf("%.4f\n", value);
  }
  other->destroy(other);
  plugin->deactivate(plugin);
  plugin->destroy(plugin);
  entry->deinit();
  return 0;
}
