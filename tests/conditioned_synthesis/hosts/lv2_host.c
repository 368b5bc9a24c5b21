/* Plays an LV2 plugin without a window: PLUGIN.so SOUND.f32. 200 blocks of 96 samples at 48 kHz, variation 5;
   slider 0 goes to 1.8 after half of them. Writes left and right in turn. */

#include "lv2.h"

#include <dlfcn.h>
#include <stdio.h>

int main(int n_words, char** words) {
  void* library = n_words == 3 ? dlopen(words[1], RTLD_NOW) : NULL;
  const LV2_Descriptor* (*descriptor_of)(uint32_t) = NULL;
  if (library) *(void**)&descriptor_of = dlsym(library, "lv2_descriptor");
  if (!descriptor_of || descriptor_of(1)) return 2;
  const LV2_Descriptor* plugin = descriptor_of(0);
  const LV2_Feature* features[] = {NULL};
  LV2_Handle handle = plugin->instantiate(plugin, 48000, "", features);
  if (!handle) return 3;
  float left[96], right[96], size = 1.0f, density = 4.5f, variation = 5;
  float* ports[] = {left, right, &size, &density, &variation};
  for (uint32_t port = 0; port < 5; port++) plugin->connect_port(handle, port, ports[port]);
  plugin->activate(handle);
  FILE* file = fopen(words[2], "wb");
  for (int block = 0; block < 200; block++) {
    if (block == 100) size = 1.8f;
    plugin->run(handle, 96);
    for (int i = 0; i < 96; i++) fwrite(&left[i], 4, 1, file), fwrite(&right[i], 4, 1, file);
  }
  plugin->cleanup(handle);
  return fclose(file);
}
