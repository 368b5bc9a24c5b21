/* Plays portable instruments in C99: one header, no dependency but libm.

   #define TEXTURE_IMPLEMENTATION in one file before including it, then:

     texture_instrument* t = texture_open(bytes, n_bytes, 48000.0, 1, &error);
     texture_set(t, 0, 0.8f);            // slider 0, position 0..1: it glides there
     texture_render(t, left, right, n);  // any number of samples
     texture_close(t);

   texture_open reads the file and makes the noise, which takes some tenths of a second and memory;
   texture_set, texture_restart and texture_render neither allocate, lock nor touch files, so they
   may be called from an audio callback. One instrument belongs to one thread at a time. The same
   arithmetic, in the same order, as conditioned_synthesis/portable/player.py. */

#ifndef TEXTURE_INSTRUMENT_H
#define TEXTURE_INSTRUMENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct texture_instrument texture_instrument;

/* Read an instrument. bytes: the whole file; it is copied. rate: samples per second, 8000 to
   384000. seed: another one is another variation of the sound. error: where to put a sentence, or
   NULL. -> NULL when the file is none, or memory is lacking. */
texture_instrument* texture_open(const void* bytes, size_t n_bytes, double rate, uint32_t seed, const char** error);
void texture_close(texture_instrument* t);

int texture_n_sliders(const texture_instrument* t);
const char* texture_slider_name(const texture_instrument* t, int slider);
const char* texture_slider_unit(const texture_instrument* t, int slider);
/* The range that a slider was trained on, within 0..1. */
void texture_slider_range(const texture_instrument* t, int slider, float* low, float* high);
/* A position in the slider's unit, and back. */
double texture_to_physical(const texture_instrument* t, int slider, double position);
double texture_to_position(const texture_instrument* t, int slider, double physical);

void texture_set(texture_instrument* t, int slider, float position);
/* Begin again with another variation. */
void texture_restart(texture_instrument* t, uint32_t seed);
void texture_render(texture_instrument* t, float* left, float* right, size_t n_samples);

#ifdef __cplusplus
}
#endif
#endif /* TEXTURE_INSTRUMENT_H */

#ifdef TEXTURE_IMPLEMENTATION

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXTURE_PI 3.14159265358979323846
#define TEXTURE_CHANNELS 2
enum { TEXTURE_LOOP = 1, TEXTURE_PLACE = 2, TEXTURE_NOISE = 3, TEXTURE_SIDE = 4 };

typedef struct { double place, value; } texture_point;

typedef struct {
  char *name, *unit;
  double physical_low, physical_high, offset;
  int is_exponential;
  double low, high;
  texture_point *curve, *loudness;
  int n_curve, n_loudness;
} texture_slider;

typedef struct { char* name; float* values; size_t n; int rows, columns; } texture_tensor;

typedef struct {
  const float *look, *look_bias, *film, *film_bias, *add, *add_bias;
  float* rows; /* ring of 2 * apart rows */
  float* films; /* scale and shift of the sliders where they stand */
  int apart, next;
} texture_layer;

/* samples: for each channel of the instrument. place: where each of the two that are played goes on. */
typedef struct { float* samples[TEXTURE_CHANNELS]; uint32_t length, place[TEXTURE_CHANNELS]; } texture_loop;

struct texture_instrument {
  texture_slider* sliders;
  texture_tensor* tensors;
  texture_layer* layers;
  texture_loop* loops;
  int n_sliders, n_tensors, n_layers, n_bands, n_channels, n_noises, width;
  double sample_rate, hop, loop_seconds, reach, glide, most_gain_db, first_erb, step_erb;
  double frame_hz, samples_per_frame;
  double *targets, *places, *places_before;
  const float *conditions_0, *conditions_0_bias, *conditions_2, *conditions_2_bias;
  const float *enter, *enter_bias, *leave, *leave_bias, *levels, *levels_bias, *means;
  float *given, *noise, *hidden, *seen, *looked, *added, *conditions, *conditions_1, *band_levels;
  double *envelopes, *last;
  double gain;
  float* out[TEXTURE_CHANNELS];
  uint32_t seed, n_frames;
  uint64_t begin, n_played;
  size_t n_left, first_left, longest_frame;
  int has_begun;
};

/* ---- random numbers ---------------------------------------------------------------------------- */

/* lowbias32 (C. Wellons, 2018). */
static uint32_t texture_mixed(uint32_t word) {
  word ^= word >> 16;
  word *= 0x7feb352du;
  word ^= word >> 15;
  word *= 0x846ca68bu;
  return word ^ (word >> 16);
}

static uint32_t texture_hash(uint32_t seed, uint32_t number, uint32_t purpose, uint32_t item) {
  uint32_t drawn = texture_mixed(seed + 0x9e3779b9u);
  drawn = texture_mixed((drawn ^ number) + 0x9e3779b9u);
  drawn = texture_mixed((drawn ^ purpose) + 0x9e3779b9u);
  return texture_mixed((drawn ^ item) + 0x9e3779b9u);
}

/* Two normally distributed numbers (G. Box and M. Muller, 1958). */
static void texture_normals(uint32_t seed, uint32_t number, uint32_t purpose, uint32_t item, double* real, double* imaginary) {
  double first = (texture_hash(seed, number, purpose, 2 * item) + 1.0) / 4294967296.0;
  double angle = texture_hash(seed, number, purpose, 2 * item + 1) * (2 * TEXTURE_PI / 4294967296.0);
  double radius = sqrt(-2 * log(first));
  *real = radius * cos(angle);
  *imaginary = radius * sin(angle);
}

/* ---- Fourier transforms of lengths with no prime factor above 5 --------------------------------- */

static uint32_t texture_next_fast(uint32_t length) {
  for (;; length++) {
    uint32_t rest = length;
    while (rest % 2 == 0) rest /= 2;
    while (rest % 3 == 0) rest /= 3;
    while (rest % 5 == 0) rest /= 5;
    if (rest == 1) return length;
  }
}

/* Transform n complex numbers, pairs of doubles, in place; not scaled (Stockham). spare: as many.
   turns: cos and sin of 2 pi k / n. sign: -1 forward, 1 inverse. */
static void texture_transform(double* data, double* spare, const double* turns, uint32_t n, int sign) {
  double *x = data, *y = spare;
  uint32_t done = 1, rest = n;
  while (rest > 1) {
    uint32_t q = rest % 4 == 0 ? 4 : rest % 2 == 0 ? 2 : rest % 3 == 0 ? 3 : 5;
    uint32_t apart = n / q, blocks = rest / q;
    for (uint32_t p = 0; p < blocks; p++) {
      for (uint32_t j = 0; j < done; j++) {
        const double* from = x + 2 * (p * done + j);
        double* to = y + 2 * (p * q * done + j);
        for (uint32_t r = 0; r < q; r++) {
          double real = 0, imaginary = 0;
          for (uint32_t s = 0; s < q; s++) {
            const double* turn = turns + 2 * (size_t)((r * s % q) * apart);
            double c = turn[0], d = sign * turn[1], a = from[2 * (size_t)s * apart], b = from[2 * (size_t)s * apart + 1];
            real += a * c - b * d;
            imaginary += a * d + b * c;
          }
          const double* turn = turns + 2 * (size_t)(((uint64_t)r * p * done) % n);
          double c = turn[0], d = sign * turn[1];
          to[2 * (size_t)r * done] = real * c - imaginary * d;
          to[2 * (size_t)r * done + 1] = real * d + imaginary * c;
        }
      }
    }
    done *= q;
    rest /= q;
    double* other = x;
    x = y;
    y = other;
  }
  if (x != data) memcpy(data, x, 2 * (size_t)n * sizeof(double));
}

static double* texture_turns(uint32_t n) {
  double* turns = (double*)malloc(2 * (size_t)n * sizeof(double));
  if (turns)
    for (uint32_t k = 0; k < n; k++) {
      turns[2 * (size_t)k] = cos(2 * TEXTURE_PI * k / n);
      turns[2 * (size_t)k + 1] = sin(2 * TEXTURE_PI * k / n);
    }
  return turns;
}

/* ---- noise --------------------------------------------------------------------------------------- */

static double texture_hertz(double erb) { return (pow(10, erb / 21.4) - 1) / 0.00437; }
static double texture_erb(double hertz) { return 21.4 * log10(1 + 0.00437 * hertz); }

/* Make a band's loop, of root mean square 1. angle: how much side noise goes in; with angle and -angle, the
   loops of two channels. -> 0 when memory is lacking. */
static int texture_make_loop(float* loop, uint32_t band, double centre, double step, uint32_t length, double rate, double slow_hz, double angle) {
  double bin_hz = rate / length;
  int64_t half = length / 2;
  int64_t first = (int64_t)floor(texture_hertz(centre - step) / bin_hz) + 1;
  int64_t last = (int64_t)ceil(texture_hertz(centre + step) / bin_hz) - 1;
  if (first < 1) first = 1;
  if (last > half - 1) last = half - 1;
  int64_t n_bins = last - first + 1;
  memset(loop, 0, length * sizeof(float));
  if (n_bins < 1) return 1;
  int64_t middle = (first + last) / 2;
  uint32_t n = 2 * texture_next_fast((uint32_t)(2 * n_bins + (int64_t)ceil(slow_hz / bin_hz)));
  uint32_t larger = n > (uint32_t)half ? n : (uint32_t)half;
  double* z = (double*)calloc(2 * (size_t)n, sizeof(double));
  double* envelope = (double*)calloc(2 * (size_t)n, sizeof(double));
  double* spare = (double*)malloc(2 * (size_t)larger * sizeof(double));
  double* whole = (double*)calloc(2 * ((size_t)half + 1), sizeof(double));
  double* packed = (double*)malloc(2 * (size_t)half * sizeof(double));
  double *turns = texture_turns(n), *half_turns = texture_turns((uint32_t)half);
  int is_made = z && envelope && spare && whole && packed && turns && half_turns;
  if (is_made) {
    for (int64_t bin = first; bin <= last; bin++) {
      double distance = (texture_erb((double)bin * bin_hz) - centre) / step, real, imaginary, side_real, side_imaginary;
      distance = distance < -1 ? -1 : distance > 1 ? 1 : distance;
      double shape = cos(TEXTURE_PI / 2 * distance);
      texture_normals(0, (uint32_t)bin, TEXTURE_LOOP, band, &real, &imaginary);
      texture_normals(0, (uint32_t)bin, TEXTURE_SIDE, band, &side_real, &side_imaginary);
      size_t place = (size_t)((bin - middle + n) % n);
      z[2 * place] = shape * (cos(angle) * real + sin(angle) * side_real);
      z[2 * place + 1] = shape * (cos(angle) * imaginary + sin(angle) * side_imaginary);
    }
    texture_transform(z, spare, turns, n, 1);
    double mean = 0;
    for (uint32_t t = 0; t < n; t++) mean += envelope[2 * (size_t)t] = sqrt(z[2 * (size_t)t] * z[2 * (size_t)t] + z[2 * (size_t)t + 1] * z[2 * (size_t)t + 1]);
    mean /= n;
    texture_transform(envelope, spare, turns, n, -1);
    for (uint32_t k = 0; k < n; k++) {
      double share = (k < n - k ? k : n - k) * bin_hz / slow_hz;
      double gain = cos(TEXTURE_PI / 2 * (share < 1 ? share : 1)) / n;
      envelope[2 * (size_t)k] *= gain;
      envelope[2 * (size_t)k + 1] *= gain;
    }
    texture_transform(envelope, spare, turns, n, 1);
    for (uint32_t t = 0; t < n; t++) {
      double slow = envelope[2 * (size_t)t], by = slow > 0.05 * mean ? slow : 0.05 * mean;
      z[2 * (size_t)t] /= by;
      z[2 * (size_t)t + 1] /= by;
    }
    texture_transform(z, spare, turns, n, -1);
    for (int64_t offset = -(int64_t)(n / 2); offset < (int64_t)(n / 2); offset++) {
      int64_t place = middle + offset;
      const double* from = z + 2 * (size_t)((offset + n) % n);
      if (place > 0 && place < half) {
        whole[2 * place] += from[0];
        whole[2 * place + 1] += from[1];
      } else if (place < 0 && place > -half) {
        whole[-2 * place] += from[0];
        whole[-2 * place + 1] -= from[1];
      }
    }
    /* A real signal of this spectrum, by a transform of half the length. */
    for (int64_t k = 0; k < half; k++) {
      double c = cos(2 * TEXTURE_PI * (double)k / length), s = sin(2 * TEXTURE_PI * (double)k / length);
      double ar = whole[2 * k], ai = whole[2 * k + 1], br = whole[2 * (half - k)], bi = -whole[2 * (half - k) + 1];
      double dr = ar - br, di = ai - bi;
      packed[2 * k] = ar + br - (dr * s + di * c);
      packed[2 * k + 1] = ai + bi + (dr * c - di * s);
    }
    texture_transform(packed, spare, half_turns, (uint32_t)half, 1);
    double power = 0;
    for (uint32_t t = 0; t < length; t++) power += packed[t] * packed[t];
    double scale = 1 / sqrt(power / length);
    for (uint32_t t = 0; t < length; t++) loop[t] = (float)(packed[t] * scale);
  }
  free(z), free(envelope), free(spare), free(whole), free(packed), free(turns), free(half_turns);
  return is_made;
}

/* ---- the header, in JSON ------------------------------------------------------------------------- */

typedef struct { const char *at, *end; } texture_json;

static void texture_blank(texture_json* j) {
  while (j->at < j->end && strchr(" \t\r\n", *j->at)) j->at++;
}

static int texture_take(texture_json* j, char wanted) {
  texture_blank(j);
  if (j->at >= j->end || *j->at != wanted) return 0;
  j->at++;
  return 1;
}

/* Move past one value of any kind. -> 0 when there is none. */
static int texture_skip(texture_json* j) {
  int depth = 0;
  do {
    texture_blank(j);
    if (j->at >= j->end) return 0;
    char c = *j->at++;
    if (c == '"') {
      while (j->at < j->end && *j->at != '"') j->at += *j->at == '\\' ? 2 : 1;
      if (j->at++ >= j->end) return 0;
    } else if (c == '{' || c == '[') {
      depth++;
    } else if (c == '}' || c == ']') {
      if (--depth < 0) return 0;
    } else if (c != ',' && c != ':') {
      while (j->at < j->end && !strchr(",]} \t\r\n", *j->at)) j->at++;
    }
  } while (depth > 0);
  return 1;
}

/* Find the value of a key of the object that begins here. */
static int texture_find(texture_json object, const char* key, texture_json* value) {
  size_t n = strlen(key);
  if (!texture_take(&object, '{')) return 0;
  while (!texture_take(&object, '}')) {
    texture_take(&object, ',');
    texture_blank(&object);
    const char* name = object.at;
    if (!texture_skip(&object) || *name != '"' || !texture_take(&object, ':')) return 0;
    texture_blank(&object);
    if ((size_t)(object.end - name) > n + 1 && !strncmp(name + 1, key, n) && name[1 + n] == '"') {
      *value = object;
      return 1;
    }
    if (!texture_skip(&object)) return 0;
  }
  return 0;
}

static int texture_read_number(texture_json* j, double* value) {
  char text[64];
  size_t n = 0;
  texture_blank(j);
  while (j->at < j->end && n < sizeof text - 1 && strchr("+-.0123456789eE", *j->at)) text[n++] = *j->at++;
  text[n] = 0;
  char* rest;
  *value = strtod(text, &rest);
  return n > 0 && !*rest && isfinite(*value);
}

static int texture_number(texture_json object, const char* key, double low, double high, double* value) {
  texture_json found;
  return texture_find(object, key, &found) && texture_read_number(&found, value) && *value >= low && *value <= high;
}

/* -> a copy of a text, as it is written in JSON; NULL when it is none, or memory is lacking. */
static char* texture_text(texture_json object, const char* key) {
  texture_json found;
  if (!texture_find(object, key, &found) || found.at >= found.end || *found.at != '"') return NULL;
  const char* begin = found.at + 1;
  if (!texture_skip(&found)) return NULL;
  size_t n = (size_t)(found.at - 1 - begin);
  char* text = (char*)malloc(n + 1);
  if (text) memcpy(text, begin, n), text[n] = 0;
  return text;
}

/* Read [[place, value], ...]. -> how many; 0 when it is none, or memory is lacking. */
static int texture_points(texture_json object, const char* key, texture_point** points) {
  texture_json found;
  int n = 0, room = 0;
  *points = NULL;
  if (!texture_find(object, key, &found) || !texture_take(&found, '[')) return 0;
  do {
    if (n == room) {
      texture_point* more = (texture_point*)realloc(*points, (size_t)(room = 2 * room + 8) * sizeof(texture_point));
      if (!more) return 0;
      *points = more;
    }
    texture_point* point = *points + n++;
    if (!texture_take(&found, '[') || !texture_read_number(&found, &point->place) || !texture_take(&found, ',') ||
        !texture_read_number(&found, &point->value) || !texture_take(&found, ']'))
      return 0;
    if (n > 1 && point->place < point[-1].place) return 0;
  } while (texture_take(&found, ','));
  return texture_take(&found, ']') ? n : 0;
}

static double texture_along(const texture_point* points, int n, double place) {
  if (place <= points[0].place) return points[0].value;
  for (int i = 1; i < n; i++)
    if (place <= points[i].place) {
      double wide = points[i].place - points[i - 1].place;
      return points[i - 1].value + (points[i].value - points[i - 1].value) * (place - points[i - 1].place) / wide;
    }
  return points[n - 1].value;
}

static int texture_read_slider(texture_json object, texture_slider* slider) {
  texture_json control;
  if (!texture_find(object, "control", &control)) return 0;
  slider->name = texture_text(control, "name");
  slider->unit = texture_text(control, "unit");
  if (!slider->unit && (slider->unit = (char*)malloc(1))) slider->unit[0] = 0;
  char* curve = texture_text(control, "curve");
  slider->is_exponential = curve && !strcmp(curve, "exponential");
  free(curve);
  if (!texture_number(control, "offset", -1e12, 1e12, &slider->offset)) slider->offset = 0;
  slider->n_curve = texture_points(object, "curve", &slider->curve);
  slider->n_loudness = texture_points(object, "loudness", &slider->loudness);
  return slider->name && slider->unit && slider->n_curve && slider->n_loudness &&
         texture_number(control, "low", -1e12, 1e12, &slider->physical_low) &&
         texture_number(control, "high", -1e12, 1e12, &slider->physical_high) &&
         texture_number(object, "low", -0.01, 1.01, &slider->low) && texture_number(object, "high", slider->low, 1.01, &slider->high);
}

/* Count the values of the array that begins here, and call `each`, unless it is NULL, for one of them. */
static int texture_elements(texture_json array, int wanted, texture_json* element) {
  int n = 0;
  if (!texture_take(&array, '[')) return -1;
  if (texture_take(&array, ']')) return 0;
  do {
    texture_blank(&array);
    if (n == wanted) *element = array;
    if (!texture_skip(&array)) return -1;
    n++;
  } while (texture_take(&array, ','));
  return texture_take(&array, ']') ? n : -1;
}

/* ---- tensors ------------------------------------------------------------------------------------- */

static uint32_t texture_u32(const unsigned char* bytes) {
  return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint32_t texture_crc(const unsigned char* bytes, size_t n) {
  uint32_t crc = 0xffffffffu;
  for (size_t i = 0; i < n; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

static float texture_float(const unsigned char* bytes) {
  uint32_t bits = texture_u32(bytes);
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static float texture_half(const unsigned char* bytes) {
  uint32_t bits = bytes[0] | (uint32_t)bytes[1] << 8, exponent = bits >> 10 & 31, fraction = bits & 1023;
  double size = exponent ? ldexp(1024.0 + fraction, (int)exponent - 25) : ldexp(fraction, -24);
  return (float)(bits & 32768 ? -size : size);
}

static int texture_read_tensor(texture_json object, const unsigned char* body, size_t n_body, texture_tensor* tensor) {
  texture_json shape, element = {0, 0};
  double begin, size[2] = {1, 1};
  if (!texture_find(object, "shape", &shape) || !texture_number(object, "begin", 0, 4e9, &begin)) return 0;
  int n_axes = texture_elements(shape, -1, &element);
  if (n_axes < 1 || n_axes > 2) return 0;
  for (int axis = 0; axis < n_axes; axis++) {
    texture_elements(shape, axis, &element);
    if (!texture_read_number(&element, &size[axis]) || size[axis] < 1 || size[axis] > 1e7) return 0;
  }
  char* type = texture_text(object, "type");
  int is_half = type && !strcmp(type, "float16"), is_float = type && !strcmp(type, "float32");
  free(type);
  tensor->name = texture_text(object, "name");
  tensor->rows = (int)size[0], tensor->columns = (int)size[1];
  tensor->n = (size_t)tensor->rows * (size_t)tensor->columns;
  size_t width = is_half ? 2 : 4;
  if (!tensor->name || !(is_half || is_float) || begin + (double)tensor->n * (double)width > (double)n_body) return 0;
  if (!(tensor->values = (float*)malloc(tensor->n * sizeof(float)))) return 0;
  for (size_t i = 0; i < tensor->n; i++) {
    const unsigned char* from = body + (size_t)begin + i * width;
    tensor->values[i] = is_half ? texture_half(from) : texture_float(from);
  }
  return 1;
}

/* -> the tensor's values, NULL unless it has this shape. */
static const float* texture_tensor_of(const texture_instrument* t, const char* name, int rows, int columns) {
  for (int i = 0; i < t->n_tensors; i++)
    if (!strcmp(t->tensors[i].name, name) && t->tensors[i].rows == rows && t->tensors[i].columns == columns) return t->tensors[i].values;
  return NULL;
}

/* ---- opening and closing ------------------------------------------------------------------------- */

static int texture_layer_of(texture_instrument* t, int index, int apart) {
  static const char* parts[] = {"look.weight", "look.bias", "film.weight", "film.bias", "add.weight", "add.bias"};
  texture_layer* layer = &t->layers[index];
  const float** to[] = {&layer->look, &layer->look_bias, &layer->film, &layer->film_bias, &layer->add, &layer->add_bias};
  int w = t->width, rows[] = {w, w, 2 * w, 2 * w, w, w}, columns[] = {3 * w, 1, w, 1, w, 1};
  for (int part = 0; part < 6; part++) {
    char name[32] = "layers.0.";
    name[7] = (char)('0' + index);
    strcat(name, parts[part]);
    if (!(*to[part] = texture_tensor_of(t, name, rows[part], columns[part]))) return 0;
  }
  layer->apart = apart;
  layer->rows = (float*)calloc((size_t)(2 * apart) * (size_t)w, sizeof(float));
  layer->films = (float*)calloc(2 * (size_t)w, sizeof(float));
  return layer->rows && layer->films;
}

static const char* texture_read(texture_instrument* t, const unsigned char* bytes, size_t n_bytes, double rate) {
  static const char* damaged = "the instrument's file is damaged";
  static const char* memory = "there is not enough memory for the instrument";
  texture_json header, sliders, tensors, bands, angles, element;
  double n_layers, n_noises, n_bands, n_channels, glide_seconds;
  if (n_bytes < 20 || memcmp(bytes, "texinst\n", 8)) return "this is no portable instrument";
  if (texture_u32(bytes + 8) != 1) return "the instrument's file has another version than this player";
  size_t n_header = texture_u32(bytes + 12);
  if (n_header > n_bytes - 20 || texture_crc(bytes, n_bytes - 4) != texture_u32(bytes + n_bytes - 4)) return damaged;
  header.at = (const char*)bytes + 16, header.end = header.at + n_header;
  const unsigned char* body = bytes + 16 + n_header;
  size_t n_body = n_bytes - 20 - n_header;
  char* type = texture_text(header, "type");
  int is_texenv = type && !strcmp(type, "texenv");
  free(type);
  if (!is_texenv) return "this player plays texenv instruments alone";
  if (!texture_find(header, "sliders", &sliders) || !texture_find(header, "tensors", &tensors) || !texture_find(header, "bands", &bands) ||
      !texture_number(header, "sample_rate", 1000, 384000, &t->sample_rate) || !texture_number(header, "hop", 1, 1e6, &t->hop) ||
      !texture_number(header, "loop_seconds", 0.01, 60, &t->loop_seconds) || !texture_number(header, "n_layers", 1, 9, &n_layers) ||
      !texture_number(header, "n_noises", 1, 1000, &n_noises) || !texture_number(header, "reach_nepers", 0.1, 100, &t->reach) ||
      !texture_number(header, "glide_seconds", 1e-4, 10, &glide_seconds) || !texture_number(header, "most_gain_db", 0, 100, &t->most_gain_db) ||
      !texture_number(header, "channels", 1, 2, &n_channels) || !texture_number(bands, "n", 1, 1000, &n_bands) || !texture_number(bands, "first_erb", -10, 100, &t->first_erb) ||
      !texture_number(bands, "step_erb", 1e-3, 100, &t->step_erb))
    return damaged;
  t->n_layers = (int)n_layers, t->n_noises = (int)n_noises, t->n_bands = (int)n_bands, t->n_channels = (int)n_channels;
  if (t->n_channels > 1 && (!texture_find(bands, "angles", &angles) || texture_elements(angles, -1, &element) != t->n_bands)) return damaged;
  int n_sliders = texture_elements(sliders, -1, &element), n_tensors = texture_elements(tensors, -1, &element);
  if (n_sliders < 0 || n_sliders > 1000 || n_tensors < 0 || n_tensors > 1000) return damaged;
  t->sliders = (texture_slider*)calloc((size_t)n_sliders + 1, sizeof(texture_slider));
  t->tensors = (texture_tensor*)calloc((size_t)n_tensors + 1, sizeof(texture_tensor));
  t->layers = (texture_layer*)calloc((size_t)t->n_layers, sizeof(texture_layer));
  t->loops = (texture_loop*)calloc((size_t)t->n_bands, sizeof(texture_loop));
  if (!t->sliders || !t->tensors || !t->layers || !t->loops) return memory;
  for (t->n_sliders = 0; t->n_sliders < n_sliders;) {
    texture_elements(sliders, t->n_sliders, &element);
    if (!texture_read_slider(element, &t->sliders[t->n_sliders++])) return damaged;
  }
  for (t->n_tensors = 0; t->n_tensors < n_tensors;) {
    texture_elements(tensors, t->n_tensors, &element);
    if (!texture_read_tensor(element, body, n_body, &t->tensors[t->n_tensors++])) return damaged;
  }
  for (int i = 0; i < t->n_tensors; i++)
    if (!strcmp(t->tensors[i].name, "enter.bias")) t->width = t->tensors[i].rows;
  int w = t->width, n_envelopes = t->n_channels * t->n_bands;
  struct { const float** to; const char* name; int rows, columns; } wanted[] = {
      {&t->conditions_0, "conditions.0.weight", w, n_sliders}, {&t->conditions_0_bias, "conditions.0.bias", w, 1},
      {&t->conditions_2, "conditions.2.weight", w, w},         {&t->conditions_2_bias, "conditions.2.bias", w, 1},
      {&t->enter, "enter.weight", w, t->n_noises},             {&t->enter_bias, "enter.bias", w, 1},
      {&t->leave, "leave.weight", n_envelopes, w},             {&t->leave_bias, "leave.bias", n_envelopes, 1},
      {&t->levels, "levels.weight", n_envelopes, w},           {&t->levels_bias, "levels.bias", n_envelopes, 1},
      {&t->means, "mean_levels", n_envelopes, 1}};
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
    if (!(*wanted[i].to = texture_tensor_of(t, wanted[i].name, wanted[i].rows, wanted[i].columns))) return damaged;
  for (int index = 0, apart = 1; index < t->n_layers; index++, apart *= 3)
    if (!texture_layer_of(t, index, apart)) return damaged;

  t->frame_hz = t->sample_rate / t->hop;
  t->samples_per_frame = rate / t->frame_hz;
  t->longest_frame = (size_t)ceil(t->samples_per_frame) + 1;
  t->glide = 1 - exp(-1 / (t->frame_hz * glide_seconds));
  size_t n = (size_t)n_sliders + 1, width = (size_t)w, n_of_bands = (size_t)n_envelopes;
  struct { double** to; size_t n; } doubles[] = {{&t->targets, n}, {&t->places, n}, {&t->places_before, n}, {&t->envelopes, n_of_bands}, {&t->last, n_of_bands}};
  for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++)
    if (!(*doubles[i].to = (double*)calloc(doubles[i].n, sizeof(double)))) return memory;
  struct { float** to; size_t n; } floats[] = {
      {&t->given, n}, {&t->noise, (size_t)t->n_noises}, {&t->hidden, width}, {&t->seen, 3 * width}, {&t->looked, width}, {&t->added, width},
      {&t->conditions, width}, {&t->conditions_1, width}, {&t->band_levels, n_of_bands}, {&t->out[0], t->longest_frame}, {&t->out[1], t->longest_frame}};
  for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
    if (!(*floats[i].to = (float*)calloc(floats[i].n, sizeof(float)))) return memory;
  uint32_t half = (uint32_t)ceil(t->loop_seconds * rate / 2) - 1;
  for (int band = 0; band < t->n_bands; band++) {
    half = texture_next_fast(half + 1);
    texture_loop* loop = &t->loops[band];
    loop->length = 2 * half;
    for (int channel = 0; channel < t->n_channels; channel++) {
      double angle = 0;
      if (t->n_channels > 1) {
        texture_elements(angles, band, &element);
        if (!texture_read_number(&element, &angle)) return damaged;
      }
      if (!(loop->samples[channel] = (float*)malloc(loop->length * sizeof(float))) ||
          !texture_make_loop(loop->samples[channel], (uint32_t)band, t->first_erb + band * t->step_erb, t->step_erb, loop->length, rate,
                             t->frame_hz / 2, channel ? -angle : angle))
        return memory;
    }
  }
  for (int i = 0; i < n_sliders; i++) t->targets[i] = (t->sliders[i].low + t->sliders[i].high) / 2;
  return NULL;
}

texture_instrument* texture_open(const void* bytes, size_t n_bytes, double rate, uint32_t seed, const char** error) {
  const char* problem = "the sample rate should lie between 8000 and 384000";
  texture_instrument* t = (texture_instrument*)calloc(1, sizeof *t);
  if (!t) problem = "there is not enough memory for the instrument";
  else if (rate >= 8000 && rate <= 384000) problem = texture_read(t, (const unsigned char*)bytes, n_bytes, rate);
  if (error) *error = problem;
  if (problem) {
    texture_close(t);
    return NULL;
  }
  texture_restart(t, seed);
  return t;
}

void texture_close(texture_instrument* t) {
  if (!t) return;
  for (int i = 0; t->sliders && i < t->n_sliders; i++)
    free(t->sliders[i].name), free(t->sliders[i].unit), free(t->sliders[i].curve), free(t->sliders[i].loudness);
  for (int i = 0; t->tensors && i < t->n_tensors; i++) free(t->tensors[i].name), free(t->tensors[i].values);
  for (int i = 0; t->layers && i < t->n_layers; i++) free(t->layers[i].rows), free(t->layers[i].films);
  for (int i = 0; t->loops && i < t->n_bands; i++) free(t->loops[i].samples[0]), free(t->loops[i].samples[1]);
  void* others[] = {t->sliders, t->tensors, t->layers, t->loops, t->targets, t->places, t->places_before, t->envelopes, t->last, t->given, t->noise,
                    t->hidden, t->seen, t->looked, t->added, t->conditions, t->conditions_1, t->band_levels, t->out[0], t->out[1], t};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) free(others[i]);
}

/* ---- sliders ------------------------------------------------------------------------------------- */

int texture_n_sliders(const texture_instrument* t) { return t->n_sliders; }
const char* texture_slider_name(const texture_instrument* t, int slider) { return t->sliders[slider].name; }
const char* texture_slider_unit(const texture_instrument* t, int slider) { return t->sliders[slider].unit; }

void texture_slider_range(const texture_instrument* t, int slider, float* low, float* high) {
  *low = (float)t->sliders[slider].low;
  *high = (float)t->sliders[slider].high;
}

double texture_to_physical(const texture_instrument* t, int slider, double position) {
  const texture_slider* s = &t->sliders[slider];
  if (!s->is_exponential) return s->physical_low + (s->physical_high - s->physical_low) * position;
  double low = s->physical_low - s->offset, high = s->physical_high - s->offset;
  return s->offset + low * pow(high / low, position);
}

double texture_to_position(const texture_instrument* t, int slider, double physical) {
  const texture_slider* s = &t->sliders[slider];
  if (!s->is_exponential) return (physical - s->physical_low) / (s->physical_high - s->physical_low);
  double low = s->physical_low - s->offset, high = s->physical_high - s->offset;
  return log((physical - s->offset) / low) / log(high / low);
}

void texture_set(texture_instrument* t, int slider, float position) {
  if (slider < 0 || slider >= t->n_sliders || !isfinite(position)) return;
  const texture_slider* s = &t->sliders[slider];
  t->targets[slider] = position < s->low ? s->low : position > s->high ? s->high : position;
}

/* ---- the network --------------------------------------------------------------------------------- */

static void texture_linear(const float* weight, const float* bias, int rows, int columns, const float* x, float* y) {
  for (int row = 0; row < rows; row++, weight += columns) {
    /* Eight sums side by side, which compilers turn into vectors. */
    float sums[8] = {0};
    int column = 0;
    for (; column + 8 <= columns; column += 8)
      for (int i = 0; i < 8; i++) sums[i] += weight[column + i] * x[column + i];
    float sum = bias[row];
    for (; column < columns; column++) sum += weight[column] * x[column];
    for (int i = 0; i < 8; i++) sum += sums[i];
    y[row] = sum;
  }
}

static void texture_silu(float* values, int n) {
  for (int i = 0; i < n; i++) values[i] /= 1 + expf(-values[i]);
}

/* What depends on the sliders alone, which mostly stand still. */
static void texture_listen(texture_instrument* t) {
  double decibels = 0;
  for (int i = 0; i < t->n_sliders; i++) {
    const texture_slider* s = &t->sliders[i];
    t->places_before[i] = t->places[i];
    t->given[i] = (float)texture_along(s->curve, s->n_curve, t->places[i]);
    decibels += texture_along(s->loudness, s->n_loudness, t->given[i]);
  }
  int w = t->width;
  texture_linear(t->conditions_0, t->conditions_0_bias, w, t->n_sliders, t->given, t->conditions_1);
  texture_silu(t->conditions_1, w);
  texture_linear(t->conditions_2, t->conditions_2_bias, w, w, t->conditions_1, t->conditions);
  texture_silu(t->conditions, w);
  for (int i = 0; i < t->n_layers; i++)
    texture_linear(t->layers[i].film, t->layers[i].film_bias, 2 * w, w, t->conditions, t->layers[i].films);
  texture_linear(t->levels, t->levels_bias, t->n_channels * t->n_bands, w, t->conditions, t->band_levels);
  double most = t->most_gain_db;
  t->gain = pow(10, (decibels < -most ? -most : decibels > most ? most : decibels) / 20);
}

/* The envelope of each band at the end of the next frame, as amplitudes; one channel after the other. */
static void texture_envelopes(texture_instrument* t, double* envelopes) {
  int w = t->width, has_moved = t->n_frames == 0;
  for (int i = 0; i < t->n_sliders; i++) has_moved |= t->places[i] != t->places_before[i];
  if (has_moved) texture_listen(t);
  for (int i = 0; i < t->n_noises; i++) {
    double real, imaginary;
    texture_normals(t->seed, t->n_frames, TEXTURE_NOISE, (uint32_t)i, &real, &imaginary);
    t->noise[i] = (float)real;
  }
  texture_linear(t->enter, t->enter_bias, w, t->n_noises, t->noise, t->hidden);
  for (int index = 0; index < t->n_layers; index++) {
    texture_layer* layer = &t->layers[index];
    int n_rows = 2 * layer->apart, bytes = w * (int)sizeof(float);
    float* oldest = layer->rows + (size_t)layer->next * (size_t)w;
    memcpy(t->seen, oldest, (size_t)bytes);
    memcpy(t->seen + w, layer->rows + (size_t)((layer->next + layer->apart) % n_rows) * (size_t)w, (size_t)bytes);
    memcpy(t->seen + 2 * w, t->hidden, (size_t)bytes);
    memcpy(oldest, t->hidden, (size_t)bytes);
    layer->next = (layer->next + 1) % n_rows;
    texture_linear(layer->look, layer->look_bias, w, 3 * w, t->seen, t->looked);
    for (int i = 0; i < w; i++) t->looked[i] = t->looked[i] * (1 + layer->films[i]) + layer->films[w + i];
    texture_silu(t->looked, w);
    texture_linear(layer->add, layer->add_bias, w, w, t->looked, t->added);
    for (int i = 0; i < w; i++) t->hidden[i] += t->added[i];
  }
  t->n_frames++;
  for (int band = 0; band < t->n_channels * t->n_bands; band++) {
    float nepers;
    texture_linear(t->leave + (size_t)band * (size_t)w, t->leave_bias + band, 1, w, t->hidden, &nepers);
    nepers += t->band_levels[band];
    envelopes[band] = t->gain * exp(t->means[band] + t->reach * tanh(nepers / t->reach));
  }
}

/* ---- playing ------------------------------------------------------------------------------------- */

void texture_restart(texture_instrument* t, uint32_t seed) {
  t->seed = seed;
  t->n_frames = 0;
  t->begin = t->n_played = 0;
  t->n_left = t->first_left = 0;
  t->has_begun = 0;
  for (int band = 0; band < t->n_bands; band++)
    for (int channel = 0; channel < TEXTURE_CHANNELS; channel++)
      /* The two channels of a stereo instrument stay in step, as they are alike; of a mono one, two draws of
         noise have the same envelopes. */
      t->loops[band].place[channel] =
          texture_hash(seed, (uint32_t)band, TEXTURE_PLACE, t->n_channels > 1 ? 0 : (uint32_t)channel) % t->loops[band].length;
}

/* Begin as if the sound had been going on for as long as the network looks back. */
static void texture_start(texture_instrument* t) {
  int reach = 1;
  for (int i = 0; i < t->n_layers; i++) {
    memset(t->layers[i].rows, 0, (size_t)(2 * t->layers[i].apart) * (size_t)t->width * sizeof(float));
    t->layers[i].next = 0;
    reach += 2 * t->layers[i].apart;
  }
  for (int i = 0; i < reach; i++) texture_envelopes(t, t->last);
}

static void texture_frame(texture_instrument* t) {
  if (!t->has_begun) {
    memcpy(t->places, t->targets, (size_t)t->n_sliders * sizeof(double));
    texture_start(t);
    t->has_begun = 1;
  }
  for (int i = 0; i < t->n_sliders; i++) {
    t->places[i] += t->glide * (t->targets[i] - t->places[i]);
    if (fabs(t->targets[i] - t->places[i]) < 1e-6) t->places[i] = t->targets[i];
  }
  texture_envelopes(t, t->envelopes);
  uint64_t end = (uint64_t)ceil((double)(t->n_played + 1) * t->samples_per_frame);
  size_t n = (size_t)(end - t->begin);
  double first_share = (double)t->begin / t->samples_per_frame - (double)t->n_played;
  for (int channel = 0; channel < TEXTURE_CHANNELS; channel++) {
    float* out = t->out[channel];
    memset(out, 0, n * sizeof(float));
    for (int band = 0; band < t->n_bands; band++) {
      texture_loop* loop = &t->loops[band];
      int own = channel % t->n_channels, envelope = own * t->n_bands + band;
      double rise = t->envelopes[envelope] - t->last[envelope];
      float first = (float)(t->last[envelope] + rise * first_share), step = (float)(rise / t->samples_per_frame);
      uint32_t place = loop->place[channel];
      for (size_t done = 0; done < n;) {
        size_t part = loop->length - place < n - done ? loop->length - place : n - done;
        const float* noise = loop->samples[own] + place;
        for (size_t i = 0; i < part; i++) out[done + i] += noise[i] * (first + step * (float)(done + i));
        done += part;
        place = (uint32_t)((place + part) % loop->length);
      }
      loop->place[channel] = place;
    }
  }
  memcpy(t->last, t->envelopes, (size_t)(t->n_channels * t->n_bands) * sizeof(double));
  t->begin = end;
  t->n_played++;
  t->n_left = n;
  t->first_left = 0;
}

void texture_render(texture_instrument* t, float* left, float* right, size_t n_samples) {
  for (size_t done = 0; done < n_samples;) {
    if (!t->n_left) texture_frame(t);
    size_t n = t->n_left < n_samples - done ? t->n_left : n_samples - done;
    memcpy(left + done, t->out[0] + t->first_left, n * sizeof(float));
    memcpy(right + done, t->out[1] + t->first_left, n * sizeof(float));
    t->first_left += n;
    t->n_left -= n;
    done += n;
  }
}

#endif /* TEXTURE_IMPLEMENTATION */
