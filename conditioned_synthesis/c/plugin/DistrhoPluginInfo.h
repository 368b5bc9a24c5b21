/* What DPF wants to know. plugin_names.h is written for each instrument. */

#include "plugin_names.h"

#define DISTRHO_PLUGIN_BRAND "texture-toolkit"
#define DISTRHO_PLUGIN_HAS_UI 0
#define DISTRHO_PLUGIN_IS_RT_SAFE 1
#define DISTRHO_PLUGIN_NUM_INPUTS 0
#define DISTRHO_PLUGIN_NUM_OUTPUTS 2
#define DISTRHO_PLUGIN_WANT_STATE 1
#define DISTRHO_PLUGIN_WANT_MIDI_INPUT 0 /* with it, a VST3 would have 2,080 parameters for MIDI's controllers */
#define DISTRHO_PLUGIN_LV2_CATEGORY "lv2:GeneratorPlugin"
#define DISTRHO_PLUGIN_VST3_CATEGORIES "Instrument|Generator|Stereo"
#define DISTRHO_PLUGIN_CLAP_FEATURES "instrument", "synthesizer", "stereo"
