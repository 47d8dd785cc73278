// All kernels as functions of the host, and a table of them. Compiled by tests and by the stand-in driver alone:
//     g++ -std=c++17 -O2 -ffp-contract=off -fPIC -DHOST_TWIN host_twins.cpp
#include "scale.cu"

struct Twin {
    const char *name;
    void (*call)(const void *parameters, const unsigned grid[3], const unsigned block[3]);
    // Bytes of its one parameter.
    unsigned long long parameter_bytes;
};

// Ends with a name that is null.
extern "C" const Twin REELMILL_KERNELS[] = {
    {"scale", scale_host, sizeof(ScaleParameters)},
    {nullptr, nullptr, 0},
};
