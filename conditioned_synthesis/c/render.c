/* Renders a portable instrument into a wav file, 16 bit, stereo:

     cc -O3 -o render render.c -lm
     ./render water.texinst water.wav 10 size=0.8 density=0.2

   10 seconds, at 48 kHz, with these positions (0..1) on its sliders; others stay in their middle. */

#define TEXTURE_IMPLEMENTATION
#include "texture_instrument.h"

#include <stdio.h>

enum { RATE = 48000, BLOCK = 512, MOST_BYTES = 1 << 28 };

static void write_number(FILE* file, uint32_t number, int n_bytes) {
  for (int i = 0; i < n_bytes; i++) fputc((int)(number >> 8 * i & 255), file);
}

static void write_head(FILE* file, uint32_t n_samples) {
  fputs("RIFF", file), write_number(file, 36 + 4 * n_samples, 4), fputs("WAVEfmt ", file);
  write_number(file, 16, 4), write_number(file, 1, 2), write_number(file, 2, 2), write_number(file, RATE, 4);
  write_number(file, 4 * RATE, 4), write_number(file, 4, 2), write_number(file, 16, 2);
  fputs("data", file), write_number(file, 4 * n_samples, 4);
}

static int fail(const char* what, const char* why) {
  fprintf(stderr, "%s: %s\n", what, why);
  return 1;
}

int main(int n_words, char** words) {
  if (n_words < 4) return fail("render", "INSTRUMENT SOUND.wav SECONDS [SLIDER=POSITION ...]");
  FILE* file = fopen(words[1], "rb");
  unsigned char* bytes = (unsigned char*)malloc(MOST_BYTES);
  if (!file || !bytes) return fail(words[1], "cannot be read");
  size_t n_bytes = fread(bytes, 1, MOST_BYTES, file);
  fclose(file);
  const char* problem;
  texture_instrument* instrument = texture_open(bytes, n_bytes, RATE, 1, &problem);
  free(bytes);
  if (!instrument) return fail(words[1], problem);
  for (int word = 4; word < n_words; word++) {
    const char* value = strchr(words[word], '=');
    int slider = 0, n = texture_n_sliders(instrument);
    while (value && slider < n &&
           (strncmp(texture_slider_name(instrument, slider), words[word], (size_t)(value - words[word])) ||
            strlen(texture_slider_name(instrument, slider)) != (size_t)(value - words[word])))
      slider++;
    if (!value || slider == n) return fail(words[word], "no such slider; it should look like NAME=0.5");
    texture_set(instrument, slider, (float)atof(value + 1));
  }
  double seconds = atof(words[3]);
  if (!(seconds > 0 && seconds < 20000)) return fail(words[3], "the seconds should lie between 0 and 20000");
  uint32_t n_samples = (uint32_t)(seconds * RATE);
  if (!(file = fopen(words[2], "wb"))) return fail(words[2], "cannot be written");
  write_head(file, n_samples);
  for (uint32_t done = 0; done < n_samples; done += BLOCK) {
    float sound[2][BLOCK];
    texture_render(instrument, sound[0], sound[1], BLOCK);
    for (uint32_t i = 0; i < BLOCK && done + i < n_samples; i++)
      for (int channel = 0; channel < 2; channel++) {
        float sample = sound[channel][i];
        sample = sample > 1 ? 1 : sample < -1 ? -1 : sample;
        write_number(file, (uint32_t)(int32_t)lrintf(32767 * sample), 2);
      }
  }
  texture_close(instrument);
  return fclose(file) ? fail(words[2], "cannot be written") : 0;
}
