// All kernels as functions of the host, and a table of them. Compiled by tests and by the stand-in driver alone:
//     g++ -std=c++17 -O2 -ffp-contract=off -fPIC -DHOST_TWIN host_twins.cpp
#include "blend.cu"
#include "fields.cu"
#include "rgb.cu"
#include "scale.cu"
#include "tone.cu"

struct Twin {
    const char *name;
    void (*call)(const void *parameters, const unsigned grid[3], const unsigned block[3]);
    // Bytes of its one parameter.
    unsigned long long parameter_bytes;
};

// Ends with a name that is null.
extern "C" const Twin REELMILL_KERNELS[] = {
    {"blend", blend_host, sizeof(BlendParameters)},
    {"deinterlace", deinterlace_host, sizeof(FieldsParameters)},
    {"pixelate", pixelate_host, sizeof(PixelateParameters)},
    {"scale", scale_host, sizeof(ScaleParameters)},
    {"smooth", smooth_host, sizeof(SmoothParameters)},
    {"to_rgb", to_rgb_host, sizeof(RgbParameters)},
    {"tone", tone_host, sizeof(ToneParameters)},
    {nullptr, nullptr, 0},
};
