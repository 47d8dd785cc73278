// A 4:2:0 picture made into red, green and blue at a place of a sheet, in another size and upright. What of the place
// the picture leaves open is filled with a colour.
#include "kernel.h"

struct RgbParameters {
    Planes from;
    // Chroma is scaled to the size of the luma at once.
    Axis luma_across, luma_down, chroma_across, chroma_down;
    // Upper left corner of the place, 3 bytes a pixel.
    u64 to;
    u32 to_pitch_bytes, width, height;
    // Where in the place the picture lies, and how large it is there; it may reach beyond.
    i32 left, top;
    u32 inner_width, inner_height, turned;
    // Luma of black in 1/128 of an 8-bit step; factors in 1/8192.
    i32 black, luma_gain, cr_to_r, cb_to_g, cr_to_g, cb_to_b;
    u32 fill_r, fill_g, fill_b, reserved;
};

// One sample of a component, 15 bits.
template <typename Word>
DEVICE i32 sampled(const Samples &component, u32 shift, u32 depth, const Axis &along, const Axis &down, u32 u, u32 v) {
    const i32 *rows = table_of(down);
    const i32 *weights = table_of(along) + along.count + u;
    u64 first = (u64)(u32)table_of(along)[u] * component.step;
    u32 begin = (u32)rows[v];
    i32 sum = 0;
    for (u32 tap = 0; tap < down.taps; tap++) {
        const Word *row = row_of<Word>(component, begin + tap) + first;
        sum += across(row, component.step, shift, depth, weights, along.count, along.taps) *
               rows[(tap + 1) * down.count + v];
    }
    return (sum + (1 << 11)) >> 12;
}

DEVICE u8 channel(i32 sum) {
    return (u8)clamped((sum + (1 << 19)) >> 20, 0, 255);
}

template <typename Word> DEVICE void painted(const RgbParameters &p, u8 *to, u32 u, u32 v) {
    u32 shift = p.from.shift, depth = p.from.depth;
    i32 y = sampled<Word>(p.from.y, shift, depth, p.luma_across, p.luma_down, u, v);
    i32 cb = sampled<Word>(p.from.cb, shift, depth, p.chroma_across, p.chroma_down, u, v) - (128 << 7);
    i32 cr = sampled<Word>(p.from.cr, shift, depth, p.chroma_across, p.chroma_down, u, v) - (128 << 7);
    i32 light = (y - p.black) * p.luma_gain;
    to[0] = channel(light + cr * p.cr_to_r);
    to[1] = channel(light + cb * p.cb_to_g + cr * p.cr_to_g);
    to[2] = channel(light + cb * p.cb_to_b);
}

KERNEL(to_rgb, RgbParameters) {
    u32 x = blockIdx.x * blockDim.x + threadIdx.x;
    u32 y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= p.width || y >= p.height)
        return;
    u8 *to = reinterpret_cast<u8 *>(p.to + (u64)y * p.to_pitch_bytes + (u64)x * 3);
    u32 inner_x = x - (u32)p.left, inner_y = y - (u32)p.top;
    if (inner_x >= p.inner_width || inner_y >= p.inner_height) {
        to[0] = (u8)p.fill_r;
        to[1] = (u8)p.fill_g;
        to[2] = (u8)p.fill_b;
        return;
    }
    u32 u = p.turned ? inner_y : inner_x;
    u32 v = p.turned ? inner_x : inner_y;
    if (p.from.wide)
        painted<u16>(p, to, u, v);
    else
        painted<u8>(p, to, u, v);
}
