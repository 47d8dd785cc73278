// An HDR picture of BT.2020 made an SDR one of BT.709, in the same size.
//
// Curves come as tables in device memory, read between their points, because transcendental functions differ from
// device to host. Chroma lies left of every second pixel and between two rows.
#include "kernel.h"

// Intervals of every table.
#define STEPS 4096

struct ToneParameters {
    Planes from, to;
    // Two tables of STEPS + 1 floats: 4/5 of the signal to light, and half the square root of light to the signal of SDR.
    u64 tables;
    u32 width, height;
    u32 dithered;
    // Of the source: signal of a luma step and of black; colour difference of a chroma step; the middle of chroma.
    f32 luma_step, black, chroma_step, middle;
    f32 cr_to_r, cb_to_g, cr_to_g, cb_to_b;
    // BT.2020 to BT.709, row by row.
    f32 gamut[9];
    // What the brightest content's light is divided by to be white.
    f32 white;
    // Of the result: luma of red, green and blue; a step of chroma by blue and by red less luma; in 1/128 of 8 bits.
    f32 luma[3];
    f32 cb_gain, cr_gain, luma_gain, luma_offset, chroma_offset;
};

struct Light {
    f32 r, g, b;
};

DEVICE f32 within(f32 value, f32 least, f32 most) {
    return value < least ? least : value > most ? most : value;
}

// What a table says of a place from 0 to 1.
DEVICE f32 looked_up(u64 table, f32 place) {
    const f32 *points = reinterpret_cast<const f32 *>(table);
    f32 at = within(place, 0.0f, 1.0f) * (f32)STEPS;
    i32 step = (i32)at;
    step = step > STEPS - 1 ? STEPS - 1 : step;
    f32 begin = points[step];
    return begin + (points[step + 1] - begin) * (at - (f32)step);
}

// The signal of light: colours outside of BT.709 have light below 0, and signals to match.
DEVICE f32 shown(u64 table, f32 light) {
    f32 signal = looked_up(table, __builtin_sqrtf(light < 0.0f ? -light : light) * 0.5f);
    return light < 0.0f ? -signal : signal;
}

// Hable's curve.
DEVICE f32 filmic(f32 x) {
    return (x * (x * 0.15f + 0.05f) + 0.004f) / (x * (x * 0.15f + 0.5f) + 0.06f) - 0.066666670f;
}

DEVICE f32 sample(const Planes &from, const Samples &component, u32 x, u32 y) {
    u64 row = component.address + (u64)y * component.pitch_bytes;
    u64 at = (u64)x * component.step;
    u32 word = from.wide ? reinterpret_cast<const u16 *>(row)[at] : reinterpret_cast<const u8 *>(row)[at];
    return (f32)(word >> from.shift);
}

// Chroma at a pixel: of the nearest columns and rows.
DEVICE f32 chroma_at(const ToneParameters &p, const Samples &component, u32 x, u32 y) {
    u32 columns = (p.width + 1) / 2, rows = (p.height + 1) / 2;
    u32 left = x / 2, right = left + (x & 1);
    right = right < columns ? right : columns - 1;
    u32 near = y / 2;
    u32 far = y & 1 ? (near + 1 < rows ? near + 1 : near) : (near > 0 ? near - 1 : 0);
    f32 here = sample(p.from, component, left, near) + sample(p.from, component, right, near);
    f32 there = sample(p.from, component, left, far) + sample(p.from, component, right, far);
    return (here * 0.375f + there * 0.125f - p.middle) * p.chroma_step;
}

// The SDR signal of a pixel.
DEVICE Light mapped(const ToneParameters &p, u32 x, u32 y) {
    f32 luma = (sample(p.from, p.from.y, x, y) - p.black) * p.luma_step;
    f32 cb = chroma_at(p, p.from.cb, x, y), cr = chroma_at(p, p.from.cr, x, y);
    f32 r = looked_up(p.tables, (luma + cr * p.cr_to_r) * 0.8f);
    f32 g = looked_up(p.tables, (luma + cb * p.cb_to_g + cr * p.cr_to_g) * 0.8f);
    f32 b = looked_up(p.tables, (luma + cb * p.cb_to_b) * 0.8f);
    Light sdr = {p.gamut[0] * r + p.gamut[1] * g + p.gamut[2] * b, p.gamut[3] * r + p.gamut[4] * g + p.gamut[5] * b,
                 p.gamut[6] * r + p.gamut[7] * g + p.gamut[8] * b};
    f32 brightest = sdr.r > sdr.g ? sdr.r : sdr.g;
    brightest = brightest > sdr.b ? brightest : sdr.b;
    brightest = brightest > 1e-6f ? brightest : 1e-6f;
    f32 factor = filmic(brightest) / p.white / brightest;
    u64 table = p.tables + (STEPS + 1) * sizeof(f32);
    sdr.r = shown(table, sdr.r * factor);
    sdr.g = shown(table, sdr.g * factor);
    sdr.b = shown(table, sdr.b * factor);
    return sdr;
}

DEVICE f32 luma_of(const ToneParameters &p, const Light &c) {
    return c.r * p.luma[0] + c.g * p.luma[1] + c.b * p.luma[2];
}

DEVICE void store(const ToneParameters &p, const Samples &component, u32 x, u32 y, f32 value) {
    i32 fixed = (i32)(value + 0.5f);
    if (p.to.depth == 8)
        put(p.to, component, x, y, clamped((fixed + (p.dithered ? dither_at(x, y) : 64)) >> 7, 0, 255));
    else
        put(p.to, component, x, y, clamped((fixed + 16) >> 5, 0, 1023));
}

// A sample of chroma and the four of luma around it. Chroma of the result lies left, too: it is made of three columns.
KERNEL(tone, ToneParameters) {
    u32 column = blockIdx.x * blockDim.x + threadIdx.x;
    u32 row = blockIdx.y * blockDim.y + threadIdx.y;
    if (column >= (p.width + 1) / 2 || row >= (p.height + 1) / 2)
        return;
    u32 left = column * 2, right = left + 1 < p.width ? left + 1 : left, beside = left > 0 ? left - 1 : 0;
    f32 cb = 0.0f, cr = 0.0f;
    for (u32 line = 0; line < 2; line++) {
        u32 y = row * 2 + line;
        bool inside = y < p.height;
        y = inside ? y : y - 1;
        Light edge = mapped(p, beside, y), here = mapped(p, left, y), next = mapped(p, right, y);
        f32 luma = luma_of(p, here);
        Light all = {edge.r * 0.25f + here.r * 0.5f + next.r * 0.25f, edge.g * 0.25f + here.g * 0.5f + next.g * 0.25f,
                     edge.b * 0.25f + here.b * 0.5f + next.b * 0.25f};
        f32 mean = luma_of(p, all);
        cb += (all.b - mean) * 0.5f;
        cr += (all.r - mean) * 0.5f;
        if (!inside)
            continue;
        store(p, p.to.y, left, y, luma * p.luma_gain + p.luma_offset);
        if (left + 1 < p.width)
            store(p, p.to.y, left + 1, y, luma_of(p, next) * p.luma_gain + p.luma_offset);
    }
    store(p, p.to.cb, column, row, cb * p.cb_gain + p.chroma_offset);
    store(p, p.to.cr, column, row, cr * p.cr_gain + p.chroma_offset);
}
