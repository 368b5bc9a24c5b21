/* [texture~ water.texinst 1]: a Pure Data object that plays a portable instrument, in stereo.

   The file lies beside the patch; the number is the variation (seed). Messages:

     size 1.2        a slider, by its name, in its unit
     slider 0 0.5    the same by its number, from 0 on, and its position, 0 to 1
     seed 7          another variation, which begins anew
     open other.texinst

   Built with cc -shared -fPIC -O3 -o texture~.pd_linux texture~.c -lm */

#define TEXTURE_IMPLEMENTATION
#include "texture_instrument.h"

#include <m_pd.h>
#include <stdio.h>

static t_class* texture_class;

typedef struct {
  t_object object;
  t_canvas* canvas;
  texture_instrument* instrument; /* NULL before a file was opened */
  t_symbol* file;
  uint32_t seed;
  double rate;
} t_texture;

static void texture_load(t_texture* x) {
  char folder[MAXPDSTRING], *name;
  if (x->instrument) texture_close(x->instrument);
  x->instrument = NULL;
  if (!x->file || !*x->file->s_name) return;
  int descriptor = canvas_open(x->canvas, x->file->s_name, "", folder, &name, MAXPDSTRING, 1);
  if (descriptor < 0) {
    pd_error(x, "texture~: %s: no such file beside the patch or in Pd's path", x->file->s_name);
    return;
  }
  sys_close(descriptor);
  char path[2 * MAXPDSTRING];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE* file = fopen(path, "rb");
  long n_bytes = -1;
  if (file && !fseek(file, 0, SEEK_END)) n_bytes = ftell(file);
  void* bytes = n_bytes > 0 && n_bytes < 1 << 30 ? malloc((size_t)n_bytes) : NULL;
  const char* problem = "cannot be read";
  if (bytes && !fseek(file, 0, SEEK_SET) && fread(bytes, 1, (size_t)n_bytes, file) == (size_t)n_bytes)
    x->instrument = texture_open(bytes, (size_t)n_bytes, x->rate, x->seed, &problem);
  if (!x->instrument) pd_error(x, "texture~: %s: %s", x->file->s_name, problem);
  free(bytes);
  if (file) fclose(file);
}

static void texture_open_file(t_texture* x, t_symbol* file) {
  x->file = file;
  texture_load(x);
}

static void texture_seed(t_texture* x, t_floatarg seed) {
  x->seed = seed > 0 ? (uint32_t)seed : 0;
  if (x->instrument) texture_restart(x->instrument, x->seed);
}

static void texture_slider_moved(t_texture* x, t_floatarg slider, t_floatarg position) {
  if (!x->instrument) return;
  if (slider < 0 || slider >= texture_n_sliders(x->instrument))
    pd_error(x, "texture~: slider %g: there are %d, from 0 on", slider, texture_n_sliders(x->instrument));
  else
    texture_set(x->instrument, (int)slider, position);
}

/* Any other message is the name of a slider, with a value in its unit. */
static void texture_anything(t_texture* x, t_symbol* name, int n, t_atom* values) {
  if (!x->instrument) return;
  for (int slider = 0; slider < texture_n_sliders(x->instrument); slider++)
    if (!strcmp(texture_slider_name(x->instrument, slider), name->s_name)) {
      if (n == 1 && values->a_type == A_FLOAT)
        texture_set(x->instrument, slider, (float)texture_to_position(x->instrument, slider, values->a_w.w_float));
      else
        pd_error(x, "texture~: %s: should have one number, in %s", name->s_name, texture_slider_unit(x->instrument, slider));
      return;
    }
  pd_error(x, "texture~: %s: no slider has this name", name->s_name);
}

static t_int* texture_perform(t_int* words) {
  t_texture* x = (t_texture*)words[1];
  t_sample *left = (t_sample*)words[2], *right = (t_sample*)words[3];
  size_t n = (size_t)words[4];
  if (x->instrument) {
    texture_render(x->instrument, left, right, n);
  } else {
    memset(left, 0, n * sizeof *left);
    memset(right, 0, n * sizeof *right);
  }
  return words + 5;
}

/* Pd calls this when it begins to play, also when its sample rate has changed. */
static void texture_dsp(t_texture* x, t_signal** signals) {
  if (signals[0]->s_sr != x->rate) {
    x->rate = signals[0]->s_sr;
    texture_load(x);
  }
  dsp_add(texture_perform, 4, x, signals[0]->s_vec, signals[1]->s_vec, (t_int)signals[0]->s_n);
}

static void* texture_new(t_symbol* file, t_floatarg seed) {
  t_texture* x = (t_texture*)pd_new(texture_class);
  x->canvas = canvas_getcurrent();
  x->instrument = NULL;
  x->file = file;
  x->seed = seed > 0 ? (uint32_t)seed : 1;
  x->rate = sys_getsr();
  outlet_new(&x->object, &s_signal);
  outlet_new(&x->object, &s_signal);
  texture_load(x);
  return x;
}

static void texture_free(t_texture* x) {
  if (x->instrument) texture_close(x->instrument);
}

void texture_tilde_setup(void) {
  texture_class = class_new(gensym("texture~"), (t_newmethod)texture_new, (t_method)texture_free, sizeof(t_texture), 0, A_DEFSYM, A_DEFFLOAT, 0);
  class_addmethod(texture_class, (t_method)texture_dsp, gensym("dsp"), A_CANT, 0);
  class_addmethod(texture_class, (t_method)texture_open_file, gensym("open"), A_SYMBOL, 0);
  class_addmethod(texture_class, (t_method)texture_seed, gensym("seed"), A_FLOAT, 0);
  class_addmethod(texture_class, (t_method)texture_slider_moved, gensym("slider"), A_FLOAT, A_FLOAT, 0);
  class_addanything(texture_class, texture_anything);
}
