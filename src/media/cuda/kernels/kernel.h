// What every kernel file begins with: the words of CUDA for the device, their stand-ins for the host, and the pictures
// that kernels read and write.
//
// Guarantees: a kernel takes exactly one parameter, a struct by value, and has no barrier, so that one thread at a time
// does the same as all of them at once; arithmetic is of integers, or of IEEE floats without contraction and without
// transcendental functions, so that device and host agree bit by bit. Deliberately absent: headers of the CUDA toolkit.
//
// With HOST_TWIN the same file is ordinary C++: for each kernel NAME there is
//     extern "C" void NAME_host(const void *parameters, const unsigned grid[3], const unsigned block[3]);
#ifndef REELMILL_KERNEL_H
#define REELMILL_KERNEL_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
typedef long long i64;
typedef float f32;

// Planes of a picture at most.
#define PLANES 3

#ifdef HOST_TWIN

struct Place {
    u32 x, y, z;
};
static thread_local Place threadIdx, blockIdx, blockDim, gridDim;
#define DEVICE static inline
#define DEVICE_MEMBER inline
#define KERNEL(NAME, PARAMETERS)                                                                                       \
    static void NAME##_thread(const PARAMETERS &p);                                                                    \
    extern "C" void NAME##_host(const void *parameters, const unsigned grid[3], const unsigned block[3]) {             \
        gridDim = {grid[0], grid[1], grid[2]};                                                                         \
        blockDim = {block[0], block[1], block[2]};                                                                     \
        for (blockIdx.z = 0; blockIdx.z < grid[2]; blockIdx.z++)                                                       \
            for (blockIdx.y = 0; blockIdx.y < grid[1]; blockIdx.y++)                                                   \
                for (blockIdx.x = 0; blockIdx.x < grid[0]; blockIdx.x++)                                               \
                    for (threadIdx.z = 0; threadIdx.z < block[2]; threadIdx.z++)                                       \
                        for (threadIdx.y = 0; threadIdx.y < block[1]; threadIdx.y++)                                   \
                            for (threadIdx.x = 0; threadIdx.x < block[0]; threadIdx.x++)                               \
                                NAME##_thread(*static_cast<const PARAMETERS *>(parameters));                           \
    }                                                                                                                  \
    static void NAME##_thread(const PARAMETERS &p)
#define UNROLL

#else

#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __host__ __attribute__((host))
#include <__clang_cuda_builtin_vars.h>
#define DEVICE static __device__ __attribute__((always_inline)) inline
#define DEVICE_MEMBER __device__ __attribute__((always_inline)) inline
#define KERNEL(NAME, PARAMETERS) extern "C" __global__ void NAME(const PARAMETERS p)
#define UNROLL _Pragma("unroll")

#endif

// Samples of one component. `step`: from a sample of it to the next, in samples: 2 where Cb and Cr are interleaved.
struct Samples {
    u64 address;
    u32 pitch_bytes;
    u32 step;
};

// A 4:2:0 picture. `wide`: 16-bit words instead of bytes; `shift`: bits of a word below the value; `depth`: 8 or 10.
struct Planes {
    Samples y, cb, cr;
    u32 wide, shift, depth, reserved;
};

// How one axis of a picture is made of one of the source. In device memory: `count` first samples, then `count` weights
// of the first tap, `count` of the second ..., all 32-bit integers. What lies outside the source is never among them.
struct Axis {
    u64 table;
    u32 count, taps;
};

DEVICE const i32 *table_of(const Axis &axis) {
    return reinterpret_cast<const i32 *>(axis.table);
}

DEVICE i32 clamped(i32 value, i32 least, i32 most) {
    return value < least ? least : value > most ? most : value;
}

template <typename Word> DEVICE const Word *row_of(const Samples &from, u32 row) {
    return reinterpret_cast<const Word *>(from.address + (u64)row * from.pitch_bytes);
}

DEVICE void put(const Planes &to, const Samples &component, u32 x, u32 y, i32 value) {
    u64 row = component.address + (u64)y * component.pitch_bytes;
    u64 at = (u64)x * component.step;
    if (to.wide)
        reinterpret_cast<u16 *>(row)[at] = (u16)((u32)value << to.shift);
    else
        reinterpret_cast<u8 *>(row)[at] = (u8)value;
}

// The weighed sum of a row, 15 bits whatever the depth; at most 32767, as libswscale has it.
template <typename Word>
DEVICE i32 across(const Word *row, u32 step, u32 shift, u32 depth, const i32 *weights, u32 count, u32 taps) {
    i32 sum = 0;
    u32 at = 0;
    for (u32 tap = 0; tap < taps; tap++) {
        sum += weights[tap * count] * (i32)(row[at] >> shift);
        at += step;
    }
    sum >>= depth - 1;
    return sum > 32767 ? 32767 : sum;
}

// Ordered dither, 1 to 127 with a mean of 64: the bit-reversed interleaving of x ^ y and y (Bayer, 8 by 8).
DEVICE i32 dither_at(u32 x, u32 y) {
    u32 e = x ^ y;
    u32 order = (e & 1) << 5 | (y & 1) << 4 | (e & 2) << 2 | (y & 2) << 1 | (e & 4) >> 1 | (y & 4) >> 2;
    return (i32)(2 * order + 1);
}

#endif
