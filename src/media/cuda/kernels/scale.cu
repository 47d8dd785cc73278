// One 4:2:0 picture scaled to several at once.
//
// Every output has its own tables of weights, which say how far it reaches, what is cropped away and, by their order,
// what is mirrored. Columns of up to four samples share their sums across rows.
#include "kernel.h"

#define OUTPUTS 16
#define COLUMN 4

struct ScaleOutput {
    Planes to;
    Axis luma_across, luma_down, chroma_across, chroma_down;
    // Blocks of the launch: the first of this output, how many are luma's, and how many lie side by side.
    u32 first_block, luma_blocks, luma_blocks_across, chroma_blocks_across;
    // To another range: gains in 1/65536, offsets in 1/2^19 of an 8-bit step. Only where `ranged`.
    i32 luma_gain, luma_offset, chroma_gain, chroma_offset;
    // `turned`: columns of the source become rows. `dithered`: fewer bits come out than went in.
    u32 ranged, turned, dithered, reserved;
};

struct ScaleParameters {
    Planes from;
    u32 outputs, reserved;
    ScaleOutput output[OUTPUTS];
};

DEVICE i32 finished(i32 value, const ScaleOutput &o, i32 gain, i32 offset, u32 x, u32 y) {
    if (o.ranged)
        value = (i32)(((i64)value * gain) >> 16) + offset;
    if (o.to.depth == 8) {
        i32 add = o.dithered ? dither_at(x, y) : 64;
        return clamped((value + (add << 12)) >> 19, 0, 255);
    }
    return clamped((value + (1 << 16)) >> 17, 0, 1023);
}

// A column of samples of `COMPONENTS` components (luma alone, or Cb and Cr) beginning at `u` along the source's rows and
// `v` down them.
template <typename Word, u32 COMPONENTS>
DEVICE void column(const Planes &from, const ScaleOutput &o, const Axis &along, const Axis &down, u32 u, u32 v) {
    const i32 *rows = table_of(down);
    const i32 *weights = table_of(along) + along.count + u;
    u32 first = (u32)table_of(along)[u];
    i32 begins[COLUMN];
    i32 sums[COMPONENTS][COLUMN];
    i32 least = 0x7fffffff, most = 0;
    UNROLL
    for (u32 i = 0; i < COLUMN; i++) {
        u32 line = v + i < down.count ? v + i : down.count - 1;
        begins[i] = rows[line];
        least = begins[i] < least ? begins[i] : least;
        most = begins[i] > most ? begins[i] : most;
        UNROLL
        for (u32 plane = 0; plane < COMPONENTS; plane++)
            sums[plane][i] = 0;
    }
    i32 end = most + (i32)down.taps;
    for (i32 row = least; row < end; row++) {
        i32 sample[COMPONENTS];
        UNROLL
        for (u32 plane = 0; plane < COMPONENTS; plane++) {
            const Samples &component = COMPONENTS == 1 ? from.y : plane == 0 ? from.cb : from.cr;
            const Word *begin = row_of<Word>(component, (u32)row) + (u64)first * component.step;
            sample[plane] = across(begin, component.step, from.shift, from.depth, weights, along.count, along.taps);
        }
        UNROLL
        for (u32 i = 0; i < COLUMN; i++) {
            u32 tap = (u32)(row - begins[i]);
            u32 line = v + i < down.count ? v + i : down.count - 1;
            if (tap < down.taps) {
                i32 weight = rows[(tap + 1) * down.count + line];
                UNROLL
                for (u32 plane = 0; plane < COMPONENTS; plane++)
                    sums[plane][i] += sample[plane] * weight;
            }
        }
    }
    UNROLL
    for (u32 i = 0; i < COLUMN; i++) {
        if (v + i >= down.count)
            break;
        u32 x = o.turned ? v + i : u;
        u32 y = o.turned ? u : v + i;
        if (COMPONENTS == 1) {
            put(o.to, o.to.y, x, y, finished(sums[0][i], o, o.luma_gain, o.luma_offset, x, y));
        } else {
            put(o.to, o.to.cb, x, y, finished(sums[0][i], o, o.chroma_gain, o.chroma_offset, x, y));
            put(o.to, o.to.cr, x, y, finished(sums[COMPONENTS - 1][i], o, o.chroma_gain, o.chroma_offset, x, y));
        }
    }
}

KERNEL(scale, ScaleParameters) {
    u32 number = 0;
    for (u32 i = 1; i < p.outputs; i++)
        if (blockIdx.x >= p.output[i].first_block)
            number = i;
    const ScaleOutput &o = p.output[number];
    u32 block = blockIdx.x - o.first_block;
    // Nothing here may choose between two fields of the parameter: the compiler would copy all of it for each thread.
    if (block < o.luma_blocks) {
        u32 u = block % o.luma_blocks_across * blockDim.x + threadIdx.x;
        u32 v = (block / o.luma_blocks_across * blockDim.y + threadIdx.y) * COLUMN;
        if (u >= o.luma_across.count || v >= o.luma_down.count)
            return;
        if (p.from.wide)
            column<u16, 1>(p.from, o, o.luma_across, o.luma_down, u, v);
        else
            column<u8, 1>(p.from, o, o.luma_across, o.luma_down, u, v);
    } else {
        block -= o.luma_blocks;
        u32 u = block % o.chroma_blocks_across * blockDim.x + threadIdx.x;
        u32 v = (block / o.chroma_blocks_across * blockDim.y + threadIdx.y) * COLUMN;
        if (u >= o.chroma_across.count || v >= o.chroma_down.count)
            return;
        if (p.from.wide)
            column<u16, 2>(p.from, o, o.chroma_across, o.chroma_down, u, v);
        else
            column<u8, 2>(p.from, o, o.chroma_across, o.chroma_down, u, v);
    }
}
