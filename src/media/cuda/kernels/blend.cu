// Marks laid onto a 4:2:0 picture, and boxes that hide what is beneath them, in place.
//
// The numbers are those of `media::overlay`, bit by bit: a rendition looks the same whoever draws on it.
#include "kernel.h"

// A mark's values and covers (65536 covers all), `width` by `height`, and the upper left sample that it covers.
struct BlendLayer {
    Samples to;
    u64 values, covers;
    u32 width, height;
};

struct BlendParameters {
    BlendLayer layer[PLANES];
    u32 wide, shift;
};

template <typename Word> DEVICE void blended(const BlendLayer &layer, u32 shift, u32 x, u32 y) {
    u64 at = (u64)y * layer.width + x;
    u32 cover = reinterpret_cast<const u32 *>(layer.covers)[at];
    if (cover == 0)
        return;
    u32 mark = reinterpret_cast<const u16 *>(layer.values)[at];
    Word *to = reinterpret_cast<Word *>(layer.to.address + (u64)y * layer.to.pitch_bytes) + (u64)x * layer.to.step;
    u32 before = (u32)*to >> shift;
    *to = (Word)(((before * (65536u - cover) + mark * cover + 32768u) >> 16) << shift);
}

KERNEL(blend, BlendParameters) {
    u32 x = blockIdx.x * blockDim.x + threadIdx.x;
    u32 y = blockIdx.y * blockDim.y + threadIdx.y;
    const BlendLayer &layer = p.layer[blockIdx.z];
    if (x >= layer.width || y >= layer.height)
        return;
    if (p.wide)
        blended<u16>(layer, p.shift, x, y);
    else
        blended<u8>(layer, p.shift, x, y);
}

// A box of a plane in squares (or what of them lies in the box) of one colour each. One thread a square.
struct PixelatePlane {
    Samples at;
    u32 width, height, square_width, square_height;
};

struct PixelateParameters {
    PixelatePlane plane[PLANES];
    u32 wide, shift;
};

template <typename Word> DEVICE void squared(const PixelatePlane &plane, u32 shift, u32 left, u32 top) {
    u32 right = left + plane.square_width < plane.width ? left + plane.square_width : plane.width;
    u32 bottom = top + plane.square_height < plane.height ? top + plane.square_height : plane.height;
    u64 sum = 0;
    for (u32 y = top; y < bottom; y++) {
        const Word *row = row_of<Word>(plane.at, y);
        for (u32 x = left; x < right; x++)
            sum += (u32)row[(u64)x * plane.at.step] >> shift;
    }
    u64 count = (u64)(right - left) * (bottom - top);
    Word mean = (Word)(((sum + count / 2) / count) << shift);
    for (u32 y = top; y < bottom; y++) {
        Word *row = const_cast<Word *>(row_of<Word>(plane.at, y));
        for (u32 x = left; x < right; x++)
            row[(u64)x * plane.at.step] = mean;
    }
}

KERNEL(pixelate, PixelateParameters) {
    const PixelatePlane &plane = p.plane[blockIdx.z];
    u32 left = (blockIdx.x * blockDim.x + threadIdx.x) * plane.square_width;
    u32 top = (blockIdx.y * blockDim.y + threadIdx.y) * plane.square_height;
    if (left >= plane.width || top >= plane.height)
        return;
    if (p.wide)
        squared<u16>(plane, p.shift, left, top);
    else
        squared<u8>(plane, p.shift, left, top);
}

// Lines of samples, each replaced by the mean of itself and its neighbours up to `reach` away in its line. One thread a
// line; from one place to another, because a mean needs what was there before.
struct SmoothPlane {
    u64 from, to;
    // Bytes from a sample to the next of its line, and from a line to the next.
    u32 from_along, from_between, to_along, to_between;
    u32 length, lines, reach, reserved;
};

struct SmoothParameters {
    SmoothPlane plane[PLANES];
    u32 wide, shift;
};

template <typename Word> DEVICE void smoothed(const SmoothPlane &plane, u32 shift, u32 line) {
    u64 from = plane.from + (u64)line * plane.from_between;
    u64 to = plane.to + (u64)line * plane.to_between;
    u32 length = plane.length, reach = plane.reach;
    u32 sum = 0;
    for (u32 at = 0; at < reach && at < length; at++)
        sum += (u32)*reinterpret_cast<const Word *>(from + (u64)at * plane.from_along) >> shift;
    for (u32 at = 0; at < length; at++) {
        if (at + reach < length)
            sum += (u32)*reinterpret_cast<const Word *>(from + (u64)(at + reach) * plane.from_along) >> shift;
        if (at > reach)
            sum -= (u32)*reinterpret_cast<const Word *>(from + (u64)(at - reach - 1) * plane.from_along) >> shift;
        u32 first = at > reach ? at - reach : 0;
        u32 last = at + reach < length - 1 ? at + reach : length - 1;
        u32 count = last - first + 1;
        *reinterpret_cast<Word *>(to + (u64)at * plane.to_along) = (Word)(((sum + count / 2) / count) << shift);
    }
}

KERNEL(smooth, SmoothParameters) {
    const SmoothPlane &plane = p.plane[blockIdx.z];
    u32 line = blockIdx.x * blockDim.x + threadIdx.x;
    if (line >= plane.lines)
        return;
    if (p.wide)
        smoothed<u16>(plane, p.shift, line);
    else
        smoothed<u8>(plane, p.shift, line);
}
