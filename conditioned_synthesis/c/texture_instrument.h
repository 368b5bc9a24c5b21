/* Plays portable instruments in C99: one header, no dependency but libm.

   #define TEXTURE_IMPLEMENTATION in one file before including it, then:

     texture_instrument* t = texture_open(bytes, n_bytes, 48000.0, 1, &error);
     texture_set(t, 0, 0.8f);            // slider 0, position 0..1: it glides there
     texture_render(t, left, right, n);  // any number of samples
     texture_close(t);

   texture_open reads the file and makes the noise, or decodes the recordings, which takes up to a
   second and memory;
   texture_set, texture_restart and texture_render neither allocate, lock nor touch files, so they
   may be called from an audio callback. One instrument belongs to one thread at a time. The same
   arithmetic, in the same order, as conditioned_synthesis/portable/player.py, and of grains as
   conditioned_synthesis/synthesisers/grains. */

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

/* values: NULL of bytes, which are those of the file, and stay no longer than it does. */
typedef struct { char* name; float* values; const unsigned char* bytes; size_t n; int rows, columns; } texture_tensor;

typedef struct {
  const float *look, *look_bias, *film, *film_bias, *add, *add_bias;
  float* rows; /* ring of 2 * apart rows */
  float* films; /* scale and shift of the sliders where they stand */
  int apart, next;
} texture_layer;

/* samples: for each channel of the instrument. place: where each of the two that are played goes on. */
typedef struct { float* samples[TEXTURE_CHANNELS]; uint32_t length, place[TEXTURE_CHANNELS]; } texture_loop;

typedef struct texture_grains texture_grains;

struct texture_instrument {
  texture_grains* grains; /* NULL of a texenv */
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
    if (!texture_read_number(&element, &size[axis]) || size[axis] < 1 || size[axis] > 1e9) return 0;
  }
  char* type = texture_text(object, "type");
  int is_half = type && !strcmp(type, "float16"), is_float = type && !strcmp(type, "float32"), is_bytes = type && !strcmp(type, "uint8");
  free(type);
  tensor->name = texture_text(object, "name");
  tensor->rows = (int)size[0], tensor->columns = (int)size[1];
  tensor->n = (size_t)tensor->rows * (size_t)tensor->columns;
  size_t width = is_bytes ? 1 : is_half ? 2 : 4;
  if (!tensor->name || !(is_half || is_float || is_bytes) || begin + (double)tensor->n * (double)width > (double)n_body) return 0;
  if (is_bytes) {
    tensor->bytes = body + (size_t)begin;
    return 1;
  }
  if (!(tensor->values = (float*)malloc(tensor->n * sizeof(float)))) return 0;
  for (size_t i = 0; i < tensor->n; i++) {
    const unsigned char* from = body + (size_t)begin + i * width;
    tensor->values[i] = is_half ? texture_half(from) : texture_float(from);
  }
  return 1;
}

static const texture_tensor* texture_tensor_named(const texture_instrument* t, const char* name) {
  for (int i = 0; i < t->n_tensors; i++)
    if (!strcmp(t->tensors[i].name, name)) return &t->tensors[i];
  return NULL;
}

/* -> the tensor's values, NULL unless it has this shape. */
static const float* texture_tensor_of(const texture_instrument* t, const char* name, int rows, int columns) {
  const texture_tensor* tensor = texture_tensor_named(t, name);
  return tensor && tensor->rows == rows && tensor->columns == columns ? tensor->values : NULL;
}

/* ---- sliders that glide ---------------------------------------------------------------------------- */

/* Move all sliders on by one frame. */
static void texture_glide(texture_instrument* t) {
  for (int i = 0; i < t->n_sliders; i++) {
    t->places[i] += t->glide * (t->targets[i] - t->places[i]);
    if (fabs(t->targets[i] - t->places[i]) < 1e-6) t->places[i] = t->targets[i];
  }
}

/* Write what the network is given. -> the gain that makes every position as loud as the recordings were. */
static double texture_give(texture_instrument* t) {
  double decibels = 0, most = t->most_gain_db;
  for (int i = 0; i < t->n_sliders; i++) {
    const texture_slider* s = &t->sliders[i];
    t->given[i] = (float)texture_along(s->curve, s->n_curve, t->places[i]);
    decibels += texture_along(s->loudness, s->n_loudness, t->given[i]);
  }
  return pow(10, (decibels < -most ? -most : decibels > most ? most : decibels) / 20);
}

/* ---- FLAC (RFC 9639), 16 bits, as much of it as encoders write ------------------------------------ */

typedef struct { const unsigned char *at, *end; uint64_t cache; int n, is_over; } texture_bits;

static void texture_more_bits(texture_bits* b) {
  if (b->at >= b->end) b->is_over = 1;
  b->cache = b->cache << 8 | (b->at < b->end ? *b->at++ : 0);
  b->n += 8;
}

/* n: 0 to 32 */
static uint32_t texture_unsigned(texture_bits* b, int n) {
  while (b->n < n) texture_more_bits(b);
  b->n -= n;
  return (uint32_t)(b->cache >> b->n & (((uint64_t)1 << n) - 1));
}

/* Two's complement. */
static int64_t texture_signed(texture_bits* b, int n) {
  int64_t value = texture_unsigned(b, n);
  return n > 0 && value >> (n - 1) ? value - ((int64_t)1 << n) : value;
}

/* -> how many zeros come before the next one. */
static uint64_t texture_unary(texture_bits* b) {
  uint64_t zeros = 0;
  while (!b->is_over && !texture_unsigned(b, 1)) zeros++;
  return zeros;
}

enum { TEXTURE_MOST_FRAME = 65535, TEXTURE_MOST_ORDER = 32 };
static const int64_t texture_most_value = 1 << 24; /* beyond it, a file is damaged */

/* Differences between what was predicted and what is, into samples[order..n]. -> 0 when they are none. */
static int texture_residual(texture_bits* b, int64_t* samples, uint32_t n, uint32_t order) {
  uint32_t method = texture_unsigned(b, 2), n_parts = 1u << texture_unsigned(b, 4), i = order;
  int width = method ? 5 : 4;
  if (method > 1) return 0;
  for (uint32_t part = 0; part < n_parts; part++) {
    uint32_t end = (uint32_t)((uint64_t)(part + 1) * n / n_parts), parameter = texture_unsigned(b, width);
    if (parameter == (1u << width) - 1) {
      int raw = (int)texture_unsigned(b, 5);
      for (; i < end; i++) samples[i] = texture_signed(b, raw);
      continue;
    }
    for (; i < end; i++) {
      uint64_t high = texture_unary(b), folded = high << parameter | texture_unsigned(b, (int)parameter); /* 0, -1, 1, -2, 2, ... */
      if (b->is_over || high > 1u << 26 || folded > 1u << 26) return 0;
      samples[i] = folded & 1 ? -(int64_t)(folded / 2) - 1 : (int64_t)(folded / 2);
    }
  }
  return 1;
}

/* One channel of a frame. -> 0 when it is none. */
static int texture_subframe(texture_bits* b, int64_t* samples, uint32_t n, int depth) {
  static const int64_t fixed[5][4] = {{0}, {1}, {2, -1}, {3, -3, 1}, {4, -6, 4, -1}};
  int64_t factors[TEXTURE_MOST_ORDER];
  if (texture_unsigned(b, 1)) return 0;
  uint32_t type = texture_unsigned(b, 6), order = type >= 32 ? type - 31 : type >= 8 && type <= 12 ? type - 8 : 0;
  uint64_t wasted = texture_unsigned(b, 1) ? texture_unary(b) + 1 : 0;
  if (wasted >= (uint64_t)depth || order > n) return 0;
  depth -= (int)wasted;
  if (type == 0) {
    int64_t value = texture_signed(b, depth);
    for (uint32_t i = 0; i < n; i++) samples[i] = value;
  } else if (type == 1) {
    for (uint32_t i = 0; i < n; i++) samples[i] = texture_signed(b, depth);
  } else if (type >= 32 || (type >= 8 && type <= 12)) {
    int64_t shift = 0;
    for (uint32_t i = 0; i < order; i++) samples[i] = texture_signed(b, depth);
    for (uint32_t k = 0; k < order && type < 32; k++) factors[k] = fixed[order][k];
    if (type >= 32) {
      int precision = (int)texture_unsigned(b, 4) + 1;
      shift = texture_signed(b, 5);
      for (uint32_t k = 0; k < order; k++) factors[k] = texture_signed(b, precision);
    }
    if (shift < 0 || !texture_residual(b, samples, n, order)) return 0;
    for (uint32_t i = order; i < n; i++) {
      int64_t sum = 0;
      for (uint32_t k = 0; k < order; k++) sum += factors[k] * samples[i - 1 - k];
      samples[i] += sum >> shift;
      if (samples[i] > texture_most_value || samples[i] < -texture_most_value) return 0;
    }
  } else {
    return 0;
  }
  for (uint32_t i = 0; wasted && i < n; i++) samples[i] *= (int64_t)1 << wasted;
  return !b->is_over;
}

/* Read what comes before the first frame. -> 0 when this is no FLAC of 16 bits. */
static int texture_flac_begins(texture_bits* b, int* n_channels, uint64_t* n_samples) {
  *n_channels = 0;
  if (b->end - b->at < 4 || memcmp(b->at, "fLaC", 4)) return 0;
  b->at += 4;
  for (int is_last = 0; !is_last;) {
    if (b->end - b->at < 4) return 0;
    is_last = b->at[0] >> 7;
    size_t n = (size_t)b->at[1] << 16 | (size_t)b->at[2] << 8 | b->at[3];
    if ((size_t)(b->end - b->at) < n + 4) return 0;
    if ((b->at[0] & 127) == 0) {
      const unsigned char* info = b->at + 4;
      if (n < 18 || ((info[12] & 1) << 4 | info[13] >> 4) != 15) return 0; /* bits, less 1 */
      *n_channels = (info[12] >> 1 & 7) + 1;
      *n_samples = (uint64_t)(info[13] & 15) << 32 | (uint64_t)info[14] << 24 | (uint64_t)info[15] << 16 | (uint64_t)info[16] << 8 | info[17];
    }
    b->at += n + 4;
  }
  return *n_channels > 0;
}

/* Decode a frame into `channels`. -> its length; 0 when it is none. */
static uint32_t texture_flac_frame(texture_bits* b, int n_channels, int64_t** parts, int16_t** channels, uint64_t done, uint64_t n_samples) {
  if (texture_unsigned(b, 14) != 0x3ffe) return 0;
  texture_unsigned(b, 2);
  uint32_t size_code = texture_unsigned(b, 4), rate_code = texture_unsigned(b, 4), assignment = texture_unsigned(b, 4);
  texture_unsigned(b, 4);
  uint32_t first = texture_unsigned(b, 8); /* the frame's number, as UTF-8 */
  for (; (first & 0xc0) == 0xc0; first = first << 1 & 0xff) texture_unsigned(b, 8);
  uint32_t size = size_code == 0   ? 0
                  : size_code == 1 ? 192
                  : size_code < 6  ? 576u << (size_code - 2)
                  : size_code == 6 ? texture_unsigned(b, 8) + 1
                  : size_code == 7 ? texture_unsigned(b, 16) + 1
                                   : 256u << (size_code - 8);
  if (rate_code >= 12) texture_unsigned(b, rate_code == 12 ? 8 : 16);
  texture_unsigned(b, 8);
  int is_pair = assignment >= 8;
  if (assignment > 10 || (is_pair ? 2 : (int)assignment + 1) != n_channels || size > n_samples - done || size > TEXTURE_MOST_FRAME) return 0;
  for (int channel = 0; channel < n_channels; channel++) {
    int is_side = is_pair && channel == (assignment == 9 ? 0 : 1);
    if (!texture_subframe(b, parts[channel], size, 16 + is_side)) return 0;
  }
  for (uint32_t i = 0; i < size; i++) {
    if (is_pair) {
      int64_t one = parts[0][i], other = parts[1][i], sum = 2 * one + (other & 1);
      parts[0][i] = assignment == 8 ? one : assignment == 9 ? one + other : (sum + other) >> 1;
      parts[1][i] = assignment == 8 ? one - other : assignment == 9 ? other : (sum - other) >> 1;
    }
    for (int channel = 0; channel < n_channels; channel++) {
      if (parts[channel][i] < -32768 || parts[channel][i] > 32767) return 0;
      channels[channel][done + i] = (int16_t)parts[channel][i];
    }
  }
  b->n -= b->n % 8;
  texture_unsigned(b, 16);
  return size;
}

/* ---- an instrument of grains: as conditioned_synthesis/synthesisers/grains, line by line ---------- */

enum {
  TEXTURE_TICK = 64, /* samples that are played with the same controls */
  TEXTURE_TAPS = 64, TEXTURE_EDGE = 32, TEXTURE_PHASES = 256, TEXTURE_BANKS = 8, /* of kernels that read between samples */
  TEXTURE_FRAMES_PER_UNIT = 8, TEXTURE_LAWS = 3, TEXTURE_MOST_LAYERS = 16, TEXTURE_MOST_NEAR = 1000, TEXTURE_MOST_RATIO = 48,
  TEXTURE_SPAN = 512, /* no fewer samples than a tick takes at the highest speed, with those around it */
  TEXTURE_ROOM = 32 * TEXTURE_TICK /* samples that are kept at the instrument's rate */
};
enum { TEXTURE_SLOW_DOWN, TEXTURE_MIXING, TEXTURE_GAIN };
enum { TEXTURE_BY_POSITION, TEXTURE_LINEAR, TEXTURE_EXPONENTIAL };
enum { TEXTURE_FOR_NEAR, TEXTURE_FOR_LENGTH, TEXTURE_FOR_LAYER, TEXTURE_FOR_PLACE };

typedef struct { double position, step, gain, weight; int unit; } texture_grain_layer;

typedef struct {
  texture_grain_layer layers[TEXTURE_MOST_LAYERS];
  int n_layers;
  double mixing, off;
  float buffer[TEXTURE_CHANNELS][TEXTURE_TICK];
} texture_slot;

struct texture_grains {
  /* sizes, in samples */
  int hop, unit, fade, search, coarse, no_repeat, neighbours, compared, most_layers;
  double tolerance, ln_ratio, ln_most_layers, still_needed;
  int n_clips, n_channels, n_controls, n_units, n_starts, n_bands, n_frames;
  int64_t n_samples; /* of a clip */
  int16_t* sounds[TEXTURE_CHANNELS];
  const float *places, *spectra;
  double *shapes, *exponents, powers[TEXTURE_LAWS];
  int n_moments; /* layers of a clip; 0: of which recordings they are is not known */
  double *begins, *speeds, *recorded, (*heard)[2];
  float *kernels, *host_kernels;
  double lowest[TEXTURE_LAWS], highest[TEXTURE_LAWS], change[TEXTURE_LAWS], *left, *target;
  int near[TEXTURE_MOST_NEAR], others[TEXTURE_MOST_NEAR];
  double near_key[TEXTURE_MOST_NEAR], *glimpse_of_last, *glimpse;
  int64_t *last_used, clock, due;
  uint32_t seed, number;
  int slot, faded, has_moved, is_new;
  double correlation;
  texture_slot slots[2];
  /* at the rate of the host */
  double ratio, gain;
  int has_gain, n_made;
  uint64_t n_played;
  int64_t first;
  float* made[TEXTURE_CHANNELS];
};

static double texture_bessel(double x) {
  double sum = 1, term = 1;
  for (int k = 1; term > 1e-17 * sum; k++) sum += term *= x / (2 * k) * (x / (2 * k));
  return sum;
}

/* Make kernels, [PHASES + 1, TAPS], that cut off at 1/ratio of the band. */
static void texture_make_kernels(float* kernels, double ratio) {
  double one[TEXTURE_TAPS], whole = texture_bessel(8);
  for (int phase = 0; phase <= TEXTURE_PHASES; phase++) {
    double sum = 0;
    for (int tap = 0; tap < TEXTURE_TAPS; tap++) {
      double distance = tap - (TEXTURE_EDGE - 1) - phase / (double)TEXTURE_PHASES, far = distance / TEXTURE_EDGE;
      double within = 1 - far * far, turn = TEXTURE_PI * distance / ratio;
      sum += one[tap] = (turn != 0 ? sin(turn) / turn : 1) * texture_bessel(8 * sqrt(within > 0 ? within : 0)) / whole;
    }
    for (int tap = 0; tap < TEXTURE_TAPS; tap++) kernels[phase * TEXTURE_TAPS + tap] = (float)(one[tap] / sum);
  }
}

/* Write the kernel for a place between two samples, 0..1. */
static void texture_between(const float* kernels, double place, float* kernel) {
  int phase = (int)(place * TEXTURE_PHASES);
  float share = (float)(place * TEXTURE_PHASES - phase);
  const float *lower = kernels + phase * TEXTURE_TAPS, *upper = lower + TEXTURE_TAPS;
  for (int tap = 0; tap < TEXTURE_TAPS; tap++) kernel[tap] = lower[tap] + share * (upper[tap] - lower[tap]);
}

/* Eight sums side by side, which compilers turn into vectors. */
static float texture_sum_of(const float* sums) {
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

static float texture_weighted(const float* kernel, const float* sound) {
  float sums[8] = {0};
  for (int tap = 0; tap < TEXTURE_TAPS; tap += 8)
    for (int i = 0; i < 8; i++) sums[i] += kernel[tap + i] * sound[tap + i];
  return texture_sum_of(sums);
}

static double texture_within(double value, double low, double high) { return value < low ? low : value > high ? high : value; }

/* In steps of a millionth, so that positions are exact numbers. */
static double texture_speed(double slow_down) { return rint(exp(-slow_down) * 1048576.0) / 1048576.0; }

/* -> how many layers are as dense as `factor` of them. power: of the last one. */
static int texture_last_layer(double factor, double* power) {
  int n_full = (int)floor(factor + 1e-9);
  *power = 1;
  if (factor - n_full < 1e-6) return n_full;
  double under = n_full * n_full - (factor - 1) * n_full * (factor - n_full);
  *power = (n_full - sqrt(under > 0 ? under : 0)) / (factor - 1);
  return n_full + 1;
}

static void texture_set_places(texture_grains* g, const float* given) {
  for (int i = 0; i < g->n_controls; i++) {
    const double* shape = g->shapes + 4 * i;
    double low = shape[1], high = shape[2], offset = shape[3], place = texture_within(given[i], -1e6, 1e6);
    if (shape[0] != TEXTURE_BY_POSITION) {
      place = texture_within(place, 0, 1);
      double value = shape[0] == TEXTURE_LINEAR ? low + (high - low) * place : offset + (low - offset) * pow((high - offset) / (low - offset), place);
      place = log(value / low) / log(high / low);
    }
    if (place != g->target[i]) {
      g->target[i] = place;
      g->has_moved = 1;
    }
  }
}

static void texture_set_limits(texture_grains* g, double least_mixing, double most_mixing) {
  double most_gain = log(pow(10, 12 / 20.0));
  g->lowest[TEXTURE_SLOW_DOWN] = -g->ln_ratio, g->highest[TEXTURE_SLOW_DOWN] = g->ln_ratio;
  g->lowest[TEXTURE_MIXING] = least_mixing, g->highest[TEXTURE_MIXING] = most_mixing;
  g->lowest[TEXTURE_GAIN] = -most_gain, g->highest[TEXTURE_GAIN] = most_gain;
}

/* Find the change within the limits that brings a unit nearest to the target. -> how far it is off. */
static double texture_change_unit(texture_grains* g, int unit) {
  const float* places = g->places + (size_t)unit * (size_t)g->n_controls;
  for (int law = 0; law < TEXTURE_LAWS; law++) g->change[law] = texture_within(0, g->lowest[law], g->highest[law]);
  for (int i = 0; i < g->n_controls; i++) {
    g->left[i] = g->target[i] - places[i];
    for (int law = 0; law < TEXTURE_LAWS; law++) g->left[i] -= g->exponents[TEXTURE_LAWS * i + law] * g->change[law];
  }
  for (int round = 0; round < 3; round++)
    for (int law = 0; law < TEXTURE_LAWS; law++) {
      if (g->powers[law] == 0) continue;
      double along = 0;
      for (int i = 0; i < g->n_controls; i++) along += g->exponents[TEXTURE_LAWS * i + law] * g->left[i];
      double wanted = texture_within(g->change[law] + along / g->powers[law], g->lowest[law], g->highest[law]);
      for (int i = 0; i < g->n_controls; i++) g->left[i] -= g->exponents[TEXTURE_LAWS * i + law] * (wanted - g->change[law]);
      g->change[law] = wanted;
    }
  double total = 0;
  for (int i = 0; i < g->n_controls; i++) total += g->left[i] * g->left[i];
  return sqrt(total);
}

/* Write the units near the target into `near`, nearest first. -> how many */
static int texture_find_near(texture_grains* g) {
  uint32_t drawn = texture_mixed(g->seed + 0x9e3779b9u); /* texture_hash, but for the unit */
  drawn = texture_mixed((drawn ^ g->number) + 0x9e3779b9u);
  drawn = texture_mixed((drawn ^ TEXTURE_FOR_NEAR) + 0x9e3779b9u);
  int n_near = 0;
  texture_set_limits(g, 0, g->ln_most_layers);
  for (int unit = 0; unit < g->n_units; unit++) {
    double key = texture_change_unit(g, unit);
    key += 0.02 * g->change[TEXTURE_MIXING] / log(2);
    if (g->ln_ratio > 0) key += 0.02 * fabs(g->change[TEXTURE_SLOW_DOWN]) / g->ln_ratio;
    key += g->tolerance * (texture_mixed((drawn ^ (uint32_t)unit) + 0x9e3779b9u) / 4294967296.0);
    int64_t since = g->clock - g->last_used[unit];
    if (since < g->no_repeat) key += 10 * (1 - (double)since / g->no_repeat);
    if (n_near == g->neighbours && key >= g->near_key[n_near - 1]) continue;
    int place = n_near < g->neighbours ? n_near : g->neighbours - 1;
    for (; place > 0 && g->near_key[place - 1] > key; place--) {
      g->near[place] = g->near[place - 1];
      g->near_key[place] = g->near_key[place - 1];
    }
    g->near[place] = unit;
    g->near_key[place] = key;
    if (n_near < g->neighbours) n_near++;
  }
  return n_near;
}

static int texture_clip_of(const texture_grains* g, int unit) { return unit / g->n_starts; }
static double texture_start_of(const texture_grains* g, int unit) { return TEXTURE_EDGE + (double)(unit % g->n_starts) * g->hop; }

/* -> how much the spectrum where a unit begins differs from that of what plays, in dB */
static double texture_difference(const texture_grains* g, int playing, double position, int unit) {
  int frame = (int)texture_within((position - TEXTURE_EDGE) / g->hop + 0.5, 0, g->n_frames - 1);
  const float* one = g->spectra + ((size_t)playing * (size_t)g->n_frames + (size_t)frame) * (size_t)g->n_bands;
  const float* other = g->spectra + ((size_t)texture_clip_of(g, unit) * (size_t)g->n_frames + (size_t)(unit % g->n_starts)) * (size_t)g->n_bands;
  double total = 0;
  for (int band = 0; band < g->n_bands; band++) {
    float apart = fabsf(one[band] - other[band]);
    total += apart < 20 ? apart : 20;
  }
  return total / g->n_bands;
}

/* Write sums of `width` samples of all channels, at a speed: whole numbers. */
static void texture_glimpse(const texture_grains* g, double* out, int n, int clip, double position, double step, int width) {
  int is_inside = position >= 0 && position + n * step + width < (double)g->n_samples;
  for (int i = 0; i < n; i++) {
    double total = 0;
    for (int channel = 0; is_inside && channel < g->n_channels; channel++) {
      const int16_t* sound = g->sounds[channel] + clip * g->n_samples + (int64_t)(position + i * step);
      for (int sample = 0; sample < width; sample++) total += sound[sample];
    }
    out[i] = total;
  }
}

static double texture_product(const double* one, const double* other, int n) {
  double sums[4] = {0};
  int i = 0;
  for (; i + 4 <= n; i += 4)
    for (int k = 0; k < 4; k++) sums[k] += one[i + k] * other[i + k];
  for (; i < n; i++) sums[0] += one[i] * other[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]); /* of whole numbers: exact in any order */
}

/* -> the place where other[place..] agrees most with one. highest: their correlation there. */
static int texture_best_place(const double* one, const double* other, int n, int n_places, double* highest) {
  double of_one = texture_product(one, one, n), of_other = texture_product(other, other, n);
  int best = 0;
  *highest = -2;
  for (int place = 0; place < n_places; place++) {
    double power = of_one * of_other;
    double found = power > 0 ? texture_product(one, other + place, n) / sqrt(power) : 0;
    if (found > *highest) *highest = found, best = place;
    of_other += other[place + n] * other[place + n] - other[place] * other[place];
  }
  return best;
}

/* -> where a clip begins so that it agrees most with what plays. highest: their correlation there. */
static double texture_best_offset(texture_grains* g, int playing, double position, double step, int clip, double start, double own_step, double* highest) {
  int coarse = g->coarse, n = g->fade / coarse, n_places = g->search / coarse + 1;
  texture_glimpse(g, g->glimpse_of_last, n, playing, position, coarse * step, coarse);
  texture_glimpse(g, g->glimpse, n + n_places, clip, start, coarse * own_step, coarse);
  int rough = texture_best_place(g->glimpse_of_last, g->glimpse, n, n_places, highest);
  int first = rough > 0 ? (rough - 1) * coarse + 1 : 0, last = (rough + 1) * coarse - 1;
  if (last > g->search) last = g->search;
  texture_glimpse(g, g->glimpse_of_last, g->fade, playing, position, step, 1);
  texture_glimpse(g, g->glimpse, g->fade + last - first + 1, clip, start + first * own_step, own_step, 1);
  int best = texture_best_place(g->glimpse_of_last, g->glimpse, g->fade, last - first + 1, highest);
  return start + (first + best) * own_step;
}

/* -> of the nearest units, the one that fits best to what plays. begins: where; highest: their correlation. */
static int texture_best_join(texture_grains* g, const texture_grain_layer* last, int n_near, double* begins, double* highest) {
  int playing = texture_clip_of(g, last->unit), best = g->near[0];
  double* apart = g->near_key;
  for (int i = 0; i < n_near; i++) apart[i] = texture_difference(g, playing, last->position, g->near[i]);
  *begins = texture_start_of(g, best), *highest = -2;
  for (int round = 0; round < g->compared && round < n_near; round++) {
    int index = 0;
    for (int other = 0; other < n_near; other++)
      if (apart[other] < apart[index]) index = other;
    apart[index] = INFINITY;
    int unit = g->near[index];
    double found;
    texture_change_unit(g, unit);
    double place = texture_best_offset(g, playing, last->position, last->step, texture_clip_of(g, unit), texture_start_of(g, unit),
                                       texture_speed(g->change[TEXTURE_SLOW_DOWN]), &found);
    if (found > *highest) best = unit, *begins = place, *highest = found;
  }
  return best;
}

static int texture_is_heard(const texture_grains* g, int n_heard, double begin, double end) {
  for (int i = 0; i < n_heard; i++)
    if (begin < g->heard[i][1] && g->heard[i][0] < end) return 1;
  return 0;
}

/* Note the units of which half or more is what those of a slot are of: the same moments of a recording. */
static void texture_mark_moments(texture_grains* g, const texture_slot* slot) {
  int n_heard = 0;
  for (int index = 0; index < slot->n_layers; index++) {
    int unit = slot->layers[index].unit, clip = texture_clip_of(g, unit);
    for (int layer = 0; layer < g->n_moments; layer++) {
      double begin = g->begins[(size_t)clip * (size_t)g->n_moments + (size_t)layer];
      if (begin < 0) continue;
      g->heard[n_heard][0] = begin + texture_start_of(g, unit) * g->speeds[clip];
      g->heard[n_heard][1] = g->heard[n_heard][0] + g->unit * g->speeds[clip];
      n_heard++;
    }
  }
  for (int clip = 0; clip < g->n_clips; clip++) {
    const double* begins = g->begins + (size_t)clip * (size_t)g->n_moments;
    double speed = g->speeds[clip], longest = (TEXTURE_EDGE + (double)g->n_starts * g->hop + g->unit) * speed;
    int n_own = 0, n_near = 0;
    for (int layer = 0; layer < g->n_moments; layer++) {
      n_own += begins[layer] >= 0;
      n_near += begins[layer] >= 0 && texture_is_heard(g, n_heard, begins[layer], begins[layer] + longest);
    }
    int least = n_own > n_heard ? n_own : n_heard;
    /* Most clips share nothing, not even as a whole. */
    if (2 * n_own < least || 2 * n_near < least) continue;
    double no_repeat = g->recorded[clip] / 16 < g->no_repeat ? g->recorded[clip] / 16 : g->no_repeat;
    int64_t used = g->clock - g->no_repeat + (int64_t)no_repeat;
    for (int start = 0; start < g->n_starts; start++) {
      int n_shared = 0, unit = clip * g->n_starts + start;
      for (int layer = 0; layer < g->n_moments; layer++) {
        double begin = begins[layer] + (TEXTURE_EDGE + (double)start * g->hop) * speed;
        n_shared += begins[layer] >= 0 && texture_is_heard(g, n_heard, begin, begin + g->unit * speed);
      }
      if (2 * n_shared >= least && g->last_used[unit] < used) g->last_used[unit] = used;
    }
  }
}

/* Note that the units of a slot begin, and with them all that would repeat them. */
static void texture_mark_used(texture_grains* g, const texture_slot* slot) {
  for (int index = 0; index < slot->n_layers; index++) {
    int unit = slot->layers[index].unit, first = texture_clip_of(g, unit) * g->n_starts, end = first + g->n_starts;
    if (first < unit - TEXTURE_FRAMES_PER_UNIT) first = unit - TEXTURE_FRAMES_PER_UNIT;
    if (end > unit + TEXTURE_FRAMES_PER_UNIT + 1) end = unit + TEXTURE_FRAMES_PER_UNIT + 1;
    for (int other = first; other < end; other++) g->last_used[other] = g->clock;
  }
  if (g->n_moments) texture_mark_moments(g, slot);
}

static double texture_uniform(const texture_grains* g, uint32_t purpose, uint32_t item) {
  return texture_hash(g->seed, g->number, purpose, item) / 4294967296.0;
}

/* Put the next grain into the slot that does not play, and begin the crossfade to it. */
static void texture_begin_grain(texture_grains* g) {
  texture_slot *ending = &g->slots[g->slot], *slot = &g->slots[1 - g->slot];
  int n_near = texture_find_near(g), units[TEXTURE_MOST_LAYERS] = {g->near[0]};
  double positions[TEXTURE_MOST_LAYERS] = {texture_start_of(g, g->near[0])}, correlation = 0, power;
  if (g->number > 0) {
    units[0] = texture_best_join(g, &ending->layers[0], n_near, &positions[0], &correlation);
    g->faded = 0;
  }
  g->due = g->clock + (int64_t)(g->unit * (1 + 0.25 * (2 * texture_uniform(g, TEXTURE_FOR_LENGTH, 0) - 1)));
  texture_set_limits(g, 0, g->ln_most_layers);
  texture_change_unit(g, units[0]);
  double mixing = g->change[TEXTURE_MIXING];
  int n_layers = texture_last_layer(exp(mixing), &power), n_others = 0;
  if (exp(mixing) < 1.05 || n_near < n_layers) n_layers = 1, power = 1, mixing = 0;
  if (n_layers > g->most_layers) n_layers = g->most_layers;
  for (int i = 0; i < n_near; i++)
    if (g->near[i] != units[0]) g->others[n_others++] = g->near[i];
  for (int layer = 1; layer < n_layers; layer++) {
    int which = (int)(texture_hash(g->seed, g->number, TEXTURE_FOR_LAYER, (uint32_t)layer) % (uint32_t)n_others);
    units[layer] = g->others[which];
    memmove(g->others + which, g->others + which + 1, (size_t)(--n_others - which) * sizeof *g->others);
    positions[layer] = texture_start_of(g, units[layer]) + floor(g->search * texture_uniform(g, TEXTURE_FOR_PLACE, (uint32_t)layer));
  }
  slot->n_layers = n_layers, slot->mixing = mixing;
  double louder = 1 / sqrt(n_layers - 1 + power); /* as loud as one */
  texture_set_limits(g, mixing, mixing);
  for (int index = n_layers - 1; index >= 0; index--) {
    texture_grain_layer* layer = &slot->layers[index];
    slot->off = texture_change_unit(g, units[index]);
    layer->unit = units[index], layer->position = positions[index];
    layer->step = texture_speed(g->change[TEXTURE_SLOW_DOWN]);
    layer->weight = louder * (index == n_layers - 1 ? sqrt(power) : 1);
    layer->gain = layer->weight * exp(g->change[TEXTURE_GAIN]);
  }
  texture_mark_used(g, slot);
  g->correlation = correlation * slot->layers[0].weight * ending->layers[0].weight;
  g->slot = 1 - g->slot;
  g->number++;
  g->is_new = 1;
}

static int texture_is_due(texture_grains* g) {
  const texture_slot* slot = &g->slots[g->slot];
  if (g->number == 0) return 1;
  if (g->faded < g->fade) return 0;
  if (g->clock >= g->due) return 1;
  for (int layer = 0; layer < slot->n_layers; layer++)
    if (slot->layers[layer].position + g->still_needed >= (double)g->n_samples) return 1;
  if (!g->has_moved) return 0;
  texture_set_limits(g, slot->mixing, slot->mixing);
  return texture_change_unit(g, slot->layers[0].unit) > slot->off + 0.03;
}

/* Add a tick of a layer to a buffer, with a gain that runs in a straight line. */
static void texture_add_resampled(texture_grains* g, float (*buffer)[TEXTURE_TICK], texture_grain_layer* layer, double last_gain) {
  double position = layer->position, step = layer->step, last = position + TEXTURE_TICK * step;
  float gain = (float)(layer->gain / 32768), slope = (float)((last_gain - layer->gain) / 32768 / TEXTURE_TICK);
  layer->position = last;
  if (position < TEXTURE_EDGE || last + TEXTURE_EDGE + 1 >= (double)g->n_samples) return; /* never, of a sound file */
  int64_t base = texture_clip_of(g, layer->unit) * g->n_samples;
  if (step == 1 && position == floor(position)) {
    for (int channel = 0; channel < g->n_channels; channel++) {
      const int16_t* sound = g->sounds[channel] + base + (int64_t)position;
      for (int i = 0; i < TEXTURE_TICK; i++) buffer[channel][i] += (gain + slope * (float)(i + 1)) * (float)sound[i];
    }
    return;
  }
  double part = step > 1 ? ceil(log(step) / g->ln_ratio * TEXTURE_BANKS - 1e-9) : 0;
  int bank = part > TEXTURE_BANKS ? TEXTURE_BANKS : (int)part;
  const float* kernels = g->kernels + (size_t)bank * (TEXTURE_PHASES + 1) * TEXTURE_TAPS;
  float read[TEXTURE_CHANNELS][TEXTURE_SPAN], kernel[TEXTURE_TAPS];
  int64_t first = (int64_t)position - (TEXTURE_EDGE - 1);
  int n = (int)((int64_t)last - first) + TEXTURE_EDGE + 1;
  for (int channel = 0; channel < g->n_channels; channel++)
    for (int i = 0; i < n; i++) read[channel][i] = (float)g->sounds[channel][base + first + i];
  for (int i = 0; i < TEXTURE_TICK; i++) {
    double at = position + i * step;
    int64_t whole = (int64_t)at;
    texture_between(kernels, at - (double)whole, kernel);
    for (int channel = 0; channel < g->n_channels; channel++)
      buffer[channel][i] += (gain + slope * (float)(i + 1)) * texture_weighted(kernel, read[channel] + (whole - (TEXTURE_EDGE - 1) - first));
  }
}

/* Play a tick of a grain into its buffer. */
static void texture_play_slot(texture_grains* g, texture_slot* slot) {
  memset(slot->buffer, 0, sizeof slot->buffer);
  for (int index = 0; index < slot->n_layers; index++) {
    texture_grain_layer* layer = &slot->layers[index];
    double last_gain = layer->gain;
    if (g->has_moved) {
      texture_set_limits(g, slot->mixing, slot->mixing);
      texture_change_unit(g, layer->unit);
      layer->step = texture_speed(g->change[TEXTURE_SLOW_DOWN]);
      last_gain = layer->weight * exp(g->change[TEXTURE_GAIN]);
    }
    texture_add_resampled(g, slot->buffer, layer, last_gain);
    layer->gain = last_gain;
  }
}

/* Write the next TICK samples of each channel, at the instrument's own rate. */
static void texture_tick(texture_grains* g, const float* given, float** out) {
  texture_set_places(g, given);
  if (texture_is_due(g)) texture_begin_grain(g);
  texture_slot *begins = &g->slots[g->slot], *ends = &g->slots[1 - g->slot];
  texture_play_slot(g, begins);
  if (g->faded < g->fade) {
    texture_play_slot(g, ends);
    for (int i = 0; i < TEXTURE_TICK; i++) {
      double turn = sin(0.5 * TEXTURE_PI * (g->faded + i + 0.5) / g->fade), rises = turn * turn, falls = 1 - rises;
      double correlation = g->correlation > -0.5 ? g->correlation : -0.5;
      double louder = 1 / sqrt(falls * falls + rises * rises + 2 * falls * rises * correlation);
      for (int channel = 0; channel < g->n_channels; channel++)
        out[channel][i] = (float)(louder * (falls * ends->buffer[channel][i] + rises * begins->buffer[channel][i]));
    }
    g->faded += TEXTURE_TICK;
  } else {
    for (int channel = 0; channel < g->n_channels; channel++) memcpy(out[channel], begins->buffer[channel], sizeof begins->buffer[channel]);
  }
  g->clock += TEXTURE_TICK;
  g->has_moved = g->is_new = 0;
}

static void texture_grains_restart(texture_grains* g, uint32_t seed) {
  g->seed = seed;
  g->number = 0;
  g->clock = g->due = 0;
  g->slot = g->has_moved = g->is_new = g->has_gain = 0;
  g->faded = g->fade;
  for (int i = 0; i < g->n_controls; i++) g->target[i] = NAN;
  for (int unit = 0; unit < g->n_units; unit++) g->last_used[unit] = -((int64_t)1 << 52);
  memset(g->slots, 0, sizeof g->slots);
  /* What was made and may still be read, from sample number `first` on: silence before 0. */
  for (int channel = 0; channel < g->n_channels; channel++) memset(g->made[channel], 0, TEXTURE_ROOM * sizeof(float));
  g->n_played = 0;
  g->first = -TEXTURE_EDGE;
  g->n_made = TEXTURE_EDGE;
}

/* Make the next tick. begin: what comes before may be forgotten. */
static void texture_make_tick(texture_instrument* t, int64_t begin) {
  texture_grains* g = t->grains;
  if (g->n_made + TEXTURE_TICK > TEXTURE_ROOM) {
    int over = (int)(begin - g->first);
    g->n_made -= over;
    g->first = begin;
    for (int channel = 0; channel < g->n_channels; channel++) memmove(g->made[channel], g->made[channel] + over, (size_t)g->n_made * sizeof(float));
  }
  if (!g->has_gain) memcpy(t->places, t->targets, (size_t)t->n_sliders * sizeof(double));
  if (!g->has_gain) g->gain = texture_give(t);
  g->has_gain = 1;
  texture_glide(t);
  float* out[TEXTURE_CHANNELS] = {g->made[0] + g->n_made, g->n_channels > 1 ? g->made[1] + g->n_made : NULL};
  double gain = texture_give(t);
  texture_tick(g, t->given, out);
  for (int channel = 0; channel < g->n_channels; channel++)
    for (int i = 0; i < TEXTURE_TICK; i++) out[channel][i] *= (float)(g->gain + (gain - g->gain) * i / TEXTURE_TICK);
  g->gain = gain;
  g->n_made += TEXTURE_TICK;
}

static void texture_render_grains(texture_instrument* t, float* left, float* right, size_t n_samples) {
  texture_grains* g = t->grains;
  float *out[TEXTURE_CHANNELS] = {left, right}, kernel[TEXTURE_TAPS];
  for (size_t i = 0; i < n_samples; i++, g->n_played++) {
    double at = (double)g->n_played * g->ratio;
    int64_t whole = (int64_t)at, begin = whole - (TEXTURE_EDGE - 1), end = g->ratio == 1 ? whole + 1 : whole + TEXTURE_EDGE + 1;
    while (g->first + g->n_made < end) texture_make_tick(t, begin);
    if (g->ratio != 1) texture_between(g->host_kernels, at - (double)whole, kernel);
    for (int channel = 0; channel < g->n_channels; channel++)
      out[channel][i] = g->ratio == 1 ? g->made[channel][whole - g->first] : texture_weighted(kernel, g->made[channel] + (begin - g->first));
  }
  if (g->n_channels == 1) memcpy(right, left, n_samples * sizeof(float));
}

/* ---- opening an instrument of grains -------------------------------------------------------------- */

/* Read [number, ...] of so many. -> 0 when it is none. */
static int texture_read_numbers(texture_json* array, int n, double* values) {
  if (!texture_take(array, '[')) return 0;
  for (int i = 0; i < n; i++, values++)
    if ((i && !texture_take(array, ',')) || !texture_read_number(array, values) || fabs(*values) > 1e12) return 0;
  return texture_take(array, ']');
}

static int texture_read_row(texture_json object, const char* key, int n, double* values) {
  texture_json row;
  return texture_find(object, key, &row) && texture_read_numbers(&row, n, values);
}

/* Read [[number, ...], ...] of so many rows and columns. -> 0 when it is none. */
static int texture_read_rows(texture_json object, const char* key, int n_rows, int n_columns, double* values) {
  texture_json rows;
  if (!texture_find(object, key, &rows) || !texture_take(&rows, '[')) return 0;
  for (int row = 0; row < n_rows; row++)
    if ((row && !texture_take(&rows, ',')) || !texture_read_numbers(&rows, n_columns, values + (size_t)row * (size_t)n_columns)) return 0;
  return texture_take(&rows, ']');
}

/* Read the sizes and the laws, and check that they can be played. -> 0 when they cannot. */
static int texture_read_sizes(texture_instrument* t, texture_json header) {
  texture_grains* g = t->grains;
  texture_json sizes, laws;
  if (!texture_find(header, "sizes", &sizes) || !texture_find(header, "laws", &laws)) return 0;
  struct { int* to; const char* key; double low, high; } numbers[] = {
      {&g->hop, "hop", 1, 1e7}, {&g->unit, "unit", 1, 1e8}, {&g->fade, "fade", TEXTURE_TICK, 1e7}, {&g->search, "search", 0, 1e7},
      {&g->coarse, "coarse", 1, 1000}, {&g->no_repeat, "no_repeat", 0, 2e9}, {&g->neighbours, "neighbours", 1, TEXTURE_MOST_NEAR},
      {&g->compared, "compared", 1, TEXTURE_MOST_NEAR}, {&g->most_layers, "most_layers", 1, TEXTURE_MOST_LAYERS}};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    double value;
    if (!texture_number(sizes, numbers[i].key, numbers[i].low, numbers[i].high, &value)) return 0;
    *numbers[i].to = (int)value;
  }
  if (g->fade % TEXTURE_TICK || g->fade < g->coarse) return 0;
  if (!texture_number(sizes, "tolerance", 0, 100, &g->tolerance) || !texture_number(sizes, "ln_ratio", 0, 1.5, &g->ln_ratio)) return 0;
  if (!texture_read_rows(laws, "shapes", g->n_controls, 4, g->shapes)) return 0;
  if (!texture_read_rows(laws, "exponents", g->n_controls, TEXTURE_LAWS, g->exponents)) return 0;
  for (int i = 0; i < g->n_controls; i++) {
    double kind = g->shapes[4 * i], low = g->shapes[4 * i + 1], high = g->shapes[4 * i + 2], offset = g->shapes[4 * i + 3];
    int has_range = low * high > 0 && low != high && (low - offset) * (high - offset) > 0;
    if (kind != TEXTURE_BY_POSITION && !((kind == TEXTURE_LINEAR || kind == TEXTURE_EXPONENTIAL) && has_range)) return 0;
    for (int law = 0; law < TEXTURE_LAWS; law++) {
      if (fabs(g->exponents[TEXTURE_LAWS * i + law]) > 1e6) return 0;
      g->powers[law] += g->exponents[TEXTURE_LAWS * i + law] * g->exponents[TEXTURE_LAWS * i + law];
    }
  }
  return 1;
}

/* Read of which moments of recordings the clips are. -> 0 when it is damaged, or memory is lacking. */
static int texture_read_moments(texture_grains* g, texture_json header) {
  texture_json moments, rows, row, element;
  if (!texture_find(header, "moments", &moments) || !texture_find(moments, "begins", &rows)) return 0;
  if (texture_elements(rows, 0, &row) != g->n_clips) return 0;
  g->n_moments = texture_elements(row, -1, &element);
  if (g->n_moments < 0 || g->n_moments > 1000) return 0;
  if (!g->n_moments) return 1;
  size_t n_clips = (size_t)g->n_clips, n_layers = (size_t)g->n_moments;
  g->begins = (double*)calloc(n_clips * n_layers, sizeof(double));
  g->speeds = (double*)calloc(n_clips, sizeof(double)), g->recorded = (double*)calloc(n_clips, sizeof(double));
  g->heard = (double(*)[2])calloc(TEXTURE_MOST_LAYERS * n_layers, sizeof *g->heard);
  if (!g->begins || !g->speeds || !g->recorded || !g->heard) return 0;
  if (!texture_read_rows(moments, "begins", g->n_clips, g->n_moments, g->begins) || !texture_read_row(moments, "speeds", g->n_clips, g->speeds) ||
      !texture_read_row(moments, "recorded", g->n_clips, g->recorded))
    return 0;
  return 1;
}

static const char* texture_read_grains(texture_instrument* t, texture_json header, double rate) {
  static const char* damaged = "the instrument's file is damaged";
  static const char* memory = "there is not enough memory for the instrument";
  const texture_tensor *flac = texture_tensor_named(t, "sounds"), *places = texture_tensor_named(t, "places"),
                       *spectra = texture_tensor_named(t, "spectra");
  double n_clips;
  texture_grains* g = t->grains = (texture_grains*)calloc(1, sizeof *g);
  if (!g) return memory;
  size_t n = (size_t)(g->n_controls = t->n_sliders) + 1;
  g->shapes = (double*)calloc(4 * n, sizeof(double)), g->exponents = (double*)calloc(TEXTURE_LAWS * n, sizeof(double));
  g->left = (double*)calloc(n, sizeof(double)), g->target = (double*)calloc(n, sizeof(double));
  if (!g->shapes || !g->exponents || !g->left || !g->target) return memory;
  if (!flac || !flac->bytes || !places || !places->values || !spectra || !spectra->values) return damaged;
  if (!texture_read_sizes(t, header) || !texture_number(header, "clips", 1, 1e7, &n_clips)) return damaged;
  g->n_clips = (int)n_clips, g->n_channels = t->n_channels, g->n_units = places->rows, g->n_bands = spectra->columns;
  g->n_starts = places->rows / g->n_clips, g->n_frames = spectra->rows / g->n_clips;
  g->places = places->values, g->spectra = spectra->values;
  if (!texture_read_moments(g, header)) return damaged;
  if (places->columns != g->n_controls || g->n_starts < 1 || g->n_frames < g->n_starts) return damaged;
  if (g->n_starts * n_clips != places->rows || g->n_frames * n_clips != spectra->rows) return damaged;
  for (size_t i = 0; i < places->n; i++)
    if (!(fabsf(places->values[i]) <= 1e6f)) return damaged;

  texture_bits bits = {flac->bytes, flac->bytes + flac->n, 0, 0, 0};
  int n_channels;
  uint64_t n_samples = 0, done = 0;
  if (!texture_flac_begins(&bits, &n_channels, &n_samples) || n_channels != g->n_channels || n_channels > TEXTURE_CHANNELS) return damaged;
  g->n_samples = (int64_t)(n_samples / (uint64_t)g->n_clips);
  /* Each unit has its place in a clip, and no clip has many more samples than units. */
  if ((uint64_t)g->n_samples * (uint64_t)g->n_clips != n_samples || (double)(g->n_starts - 1) * g->hop >= (double)g->n_samples ||
      (double)g->n_samples > (double)(g->n_starts + 1) * g->hop + 1e8 || n_samples > (uint64_t)1 << 30)
    return damaged;
  double fastest = exp(g->ln_ratio);
  g->ln_most_layers = log(g->most_layers);
  g->still_needed = ceil((g->fade + 2 * TEXTURE_TICK) * fastest - 1e-6) + TEXTURE_EDGE + 1;
  g->ratio = t->sample_rate / rate;
  if (g->ratio > TEXTURE_MOST_RATIO) return "the sample rate is too low for this instrument";
  int n_banks = g->ln_ratio > 0 ? TEXTURE_BANKS + 1 : 1;
  size_t n_kernels = (TEXTURE_PHASES + 1) * TEXTURE_TAPS;
  g->kernels = (float*)malloc((size_t)n_banks * n_kernels * sizeof(float));
  g->host_kernels = (float*)malloc(n_kernels * sizeof(float));
  g->glimpse_of_last = (double*)calloc((size_t)g->fade, sizeof(double));
  g->glimpse = (double*)calloc((size_t)(g->fade + g->search + 1), sizeof(double));
  g->last_used = (int64_t*)calloc((size_t)g->n_units, sizeof(int64_t));
  if (!g->kernels || !g->host_kernels || !g->glimpse_of_last || !g->glimpse || !g->last_used) return memory;
  int64_t* parts[TEXTURE_CHANNELS] = {0};
  int is_whole = 1;
  for (int channel = 0; channel < n_channels; channel++) {
    g->sounds[channel] = (int16_t*)malloc((size_t)n_samples * sizeof(int16_t));
    g->made[channel] = (float*)calloc(TEXTURE_ROOM, sizeof(float));
    parts[channel] = (int64_t*)malloc(TEXTURE_MOST_FRAME * sizeof(int64_t));
    if (!g->sounds[channel] || !g->made[channel] || !parts[channel]) is_whole = 0;
  }
  uint32_t n_of_frame = 1;
  while (is_whole && n_of_frame && done < n_samples) done += n_of_frame = texture_flac_frame(&bits, n_channels, parts, g->sounds, done, n_samples);
  free(parts[0]), free(parts[1]);
  if (!is_whole) return memory;
  if (done < n_samples) return damaged;
  for (int bank = 0; bank < n_banks; bank++) texture_make_kernels(g->kernels + (size_t)bank * n_kernels, pow(fastest, bank / (double)TEXTURE_BANKS));
  texture_make_kernels(g->host_kernels, g->ratio > 1 ? g->ratio : 1);
  return NULL;
}

static void texture_close_grains(texture_grains* g) {
  if (!g) return;
  void* own[] = {g->shapes, g->exponents, g->left, g->target, g->kernels, g->host_kernels, g->glimpse_of_last, g->glimpse, g->last_used, g->begins, g->speeds, g->recorded, g->heard,
                 g->sounds[0], g->sounds[1], g->made[0], g->made[1], g};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) free(own[i]);
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

/* Check and read what follows the header's sliders and tensors. */
static const char* texture_read_texenv(texture_instrument* t, texture_json header, double rate, double glide_seconds) {
  static const char* damaged = "the instrument's file is damaged";
  static const char* memory = "there is not enough memory for the instrument";
  texture_json bands, angles, element;
  double n_layers, n_noises, n_bands;
  int n_sliders = t->n_sliders;
  if (!texture_find(header, "bands", &bands) || !texture_number(header, "hop", 1, 1e6, &t->hop) ||
      !texture_number(header, "loop_seconds", 0.01, 60, &t->loop_seconds) || !texture_number(header, "n_layers", 1, 9, &n_layers) ||
      !texture_number(header, "n_noises", 1, 1000, &n_noises) || !texture_number(header, "reach_nepers", 0.1, 100, &t->reach) ||
      !texture_number(bands, "n", 1, 1000, &n_bands) || !texture_number(bands, "first_erb", -10, 100, &t->first_erb) ||
      !texture_number(bands, "step_erb", 1e-3, 100, &t->step_erb))
    return damaged;
  t->n_layers = (int)n_layers, t->n_noises = (int)n_noises, t->n_bands = (int)n_bands;
  if (t->n_channels > 1 && (!texture_find(bands, "angles", &angles) || texture_elements(angles, -1, &element) != t->n_bands)) return damaged;
  t->layers = (texture_layer*)calloc((size_t)t->n_layers, sizeof(texture_layer));
  t->loops = (texture_loop*)calloc((size_t)t->n_bands, sizeof(texture_loop));
  if (!t->layers || !t->loops) return memory;
  const texture_tensor* enter = texture_tensor_named(t, "enter.bias");
  if (!enter) return damaged;
  t->width = enter->rows;
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
  size_t width = (size_t)w, n_of_bands = (size_t)n_envelopes;
  struct { double** to; size_t n; } doubles[] = {{&t->envelopes, n_of_bands}, {&t->last, n_of_bands}};
  for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++)
    if (!(*doubles[i].to = (double*)calloc(doubles[i].n, sizeof(double)))) return memory;
  struct { float** to; size_t n; } floats[] = {
      {&t->noise, (size_t)t->n_noises}, {&t->hidden, width}, {&t->seen, 3 * width}, {&t->looked, width}, {&t->added, width},
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
  return NULL;
}

static const char* texture_read(texture_instrument* t, const unsigned char* bytes, size_t n_bytes, double rate) {
  static const char* damaged = "the instrument's file is damaged";
  static const char* memory = "there is not enough memory for the instrument";
  texture_json header, sliders, tensors, element;
  double n_channels, glide_seconds;
  if (n_bytes < 20 || memcmp(bytes, "texinst\n", 8)) return "this is no portable instrument";
  if (texture_u32(bytes + 8) != 1) return "the instrument's file has another version than this player";
  size_t n_header = texture_u32(bytes + 12);
  if (n_header > n_bytes - 20 || texture_crc(bytes, n_bytes - 4) != texture_u32(bytes + n_bytes - 4)) return damaged;
  header.at = (const char*)bytes + 16, header.end = header.at + n_header;
  const unsigned char* body = bytes + 16 + n_header;
  size_t n_body = n_bytes - 20 - n_header;
  if (!texture_find(header, "sliders", &sliders) || !texture_find(header, "tensors", &tensors) ||
      !texture_number(header, "sample_rate", 1000, 384000, &t->sample_rate) || !texture_number(header, "channels", 1, 2, &n_channels) ||
      !texture_number(header, "glide_seconds", 1e-4, 10, &glide_seconds) || !texture_number(header, "most_gain_db", 0, 100, &t->most_gain_db))
    return damaged;
  t->n_channels = (int)n_channels;
  int n_sliders = texture_elements(sliders, -1, &element), n_tensors = texture_elements(tensors, -1, &element);
  if (n_sliders < 0 || n_sliders > 1000 || n_tensors < 0 || n_tensors > 1000) return damaged;
  size_t n = (size_t)n_sliders + 1;
  t->sliders = (texture_slider*)calloc(n, sizeof(texture_slider));
  t->tensors = (texture_tensor*)calloc((size_t)n_tensors + 1, sizeof(texture_tensor));
  t->targets = (double*)calloc(n, sizeof(double)), t->places = (double*)calloc(n, sizeof(double));
  t->places_before = (double*)calloc(n, sizeof(double)), t->given = (float*)calloc(n, sizeof(float));
  if (!t->sliders || !t->tensors || !t->targets || !t->places || !t->places_before || !t->given) return memory;
  for (t->n_sliders = 0; t->n_sliders < n_sliders;) {
    texture_elements(sliders, t->n_sliders, &element);
    if (!texture_read_slider(element, &t->sliders[t->n_sliders++])) return damaged;
  }
  for (int i = 0; i < n_sliders; i++) t->targets[i] = (t->sliders[i].low + t->sliders[i].high) / 2;
  for (t->n_tensors = 0; t->n_tensors < n_tensors;) {
    texture_elements(tensors, t->n_tensors, &element);
    if (!texture_read_tensor(element, body, n_body, &t->tensors[t->n_tensors++])) return damaged;
  }
  char* type = texture_text(header, "type");
  int is_texenv = type && !strcmp(type, "texenv"), is_grains = type && !strcmp(type, "grains");
  free(type);
  if (!is_texenv && !is_grains) return "this player plays instruments of the types texenv and grains";
  const char* problem = is_grains ? texture_read_grains(t, header, rate) : texture_read_texenv(t, header, rate, glide_seconds);
  if (!problem && is_grains) t->glide = 1 - exp(-1 / (t->sample_rate / TEXTURE_TICK * glide_seconds));
  for (int i = 0; i < t->n_tensors; i++) t->tensors[i].bytes = NULL; /* they end with the file */
  return problem;
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
  texture_close_grains(t->grains);
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
  memcpy(t->places_before, t->places, (size_t)t->n_sliders * sizeof(double));
  t->gain = texture_give(t);
  int w = t->width;
  texture_linear(t->conditions_0, t->conditions_0_bias, w, t->n_sliders, t->given, t->conditions_1);
  texture_silu(t->conditions_1, w);
  texture_linear(t->conditions_2, t->conditions_2_bias, w, w, t->conditions_1, t->conditions);
  texture_silu(t->conditions, w);
  for (int i = 0; i < t->n_layers; i++)
    texture_linear(t->layers[i].film, t->layers[i].film_bias, 2 * w, w, t->conditions, t->layers[i].films);
  texture_linear(t->levels, t->levels_bias, t->n_channels * t->n_bands, w, t->conditions, t->band_levels);
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
  if (t->grains) {
    texture_grains_restart(t->grains, seed);
    return;
  }
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
  texture_glide(t);
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
  if (t->grains) {
    texture_render_grains(t, left, right, n_samples);
    return;
  }
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
