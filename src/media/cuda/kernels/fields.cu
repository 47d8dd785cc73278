// A picture of two moments made one of one: the lines of one field stay, those of the other are made from their
// neighbours in space and time (the method of Weston, and the weights, of BBC PH-2071; bounded as bwdif bounds it).
#include "kernel.h"

struct FieldsPlane {
    u64 previous, current, next, to;
    u32 previous_pitch_bytes, current_pitch_bytes, next_pitch_bytes, to_pitch_bytes;
    // Samples of a row, of all its components.
    u32 samples, rows;
};

struct FieldsParameters {
    FieldsPlane plane[PLANES];
    u32 wide, shift, most;
    // Lines whose number is odd (1) or even (0) are made.
    u32 made;
    // The field that is made comes before the one that stays; it then lies between previous and current.
    u32 earlier;
    // There are no neighbours in time.
    u32 alone;
};

DEVICE i32 least_of(i32 a, i32 b) {
    return a < b ? a : b;
}
DEVICE i32 most_of(i32 a, i32 b) {
    return a > b ? a : b;
}
DEVICE i32 apart(i32 a, i32 b) {
    return a < b ? b - a : a - b;
}

// Samples of one column.
template <typename Word> struct Column {
    u64 address;
    u32 pitch_bytes, shift;
    DEVICE_MEMBER i32 at(u32 row) const {
        return (i32)(*reinterpret_cast<const Word *>(address + (u64)row * pitch_bytes) >> shift);
    }
};

template <typename Word> DEVICE i32 made(const FieldsPlane &p, u32 shift, i32 most, bool earlier, bool alone, u32 x, u32 y) {
    u64 offset = (u64)x * sizeof(Word);
    Column<Word> current = {p.current + offset, p.current_pitch_bytes, shift};
    u32 rows = p.rows;
    if (rows < 2)
        return current.at(y);
    u32 above = y > 0 ? y - 1 : y + 1;
    u32 below = y + 1 < rows ? y + 1 : y - 1;
    u32 far_above = y > 2 ? y - 3 : below;
    u32 far_below = y + 3 < rows ? y + 3 : above;
    i32 c = current.at(above), e = current.at(below);
    i32 flat = 5077 * (c + e) - 981 * (current.at(far_above) + current.at(far_below));
    if (alone)
        return clamped(flat >> 13, 0, most);
    Column<Word> previous = {p.previous + offset, p.previous_pitch_bytes, shift};
    Column<Word> next = {p.next + offset, p.next_pitch_bytes, shift};
    // The same field just before and just after.
    Column<Word> before = earlier ? previous : current;
    Column<Word> after = earlier ? current : next;
    i32 was = before.at(y), becomes = after.at(y);
    i32 d = (was + becomes) >> 1;
    i32 change = apart(was, becomes);
    i32 change_before = (apart(previous.at(above), c) + apart(previous.at(below), e)) >> 1;
    i32 change_after = (apart(next.at(above), c) + apart(next.at(below), e)) >> 1;
    i32 bound = most_of(most_of(change >> 1, change_before), change_after);
    if (bound == 0)
        return d;
    bool middle = y >= 4 && y + 5 <= rows;
    if (y >= 2 && y + 3 <= rows) {
        i32 two_above = before.at(y - 2) + after.at(y - 2), two_below = before.at(y + 2) + after.at(y + 2);
        i32 b = (two_above >> 1) - c, f = (two_below >> 1) - e;
        i32 dc = d - c, de = d - e;
        i32 up = most_of(most_of(de, dc), least_of(b, f));
        i32 down = least_of(least_of(de, dc), most_of(b, f));
        bound = most_of(most_of(bound, down), -up);
    }
    i32 value;
    if (!middle) {
        value = (c + e) >> 1;
    } else if (apart(c, e) > change) {
        i32 twos = before.at(y - 2) + after.at(y - 2) + before.at(y + 2) + after.at(y + 2);
        i32 fours = before.at(y - 4) + after.at(y - 4) + before.at(y + 4) + after.at(y + 4);
        i32 high = (5570 * (was + becomes) - 3801 * twos + 1016 * fours) >> 2;
        value = (high + 4309 * (c + e) - 213 * (current.at(y - 3) + current.at(y + 3))) >> 13;
    } else {
        value = flat >> 13;
    }
    return clamped(clamped(value, d - bound, d + bound), 0, most);
}

template <typename Word> DEVICE void one(const FieldsPlane &plane, const FieldsParameters &p, u32 x, u32 y) {
    Word *to = reinterpret_cast<Word *>(plane.to + (u64)y * plane.to_pitch_bytes) + x;
    if ((y & 1) != p.made)
        *to = *(reinterpret_cast<const Word *>(plane.current + (u64)y * plane.current_pitch_bytes) + x);
    else
        *to = (Word)((u32)made<Word>(plane, p.shift, (i32)p.most, p.earlier != 0, p.alone != 0, x, y) << p.shift);
}

KERNEL(deinterlace, FieldsParameters) {
    u32 x = blockIdx.x * blockDim.x + threadIdx.x;
    u32 y = blockIdx.y * blockDim.y + threadIdx.y;
    const FieldsPlane &plane = p.plane[blockIdx.z];
    if (x >= plane.samples || y >= plane.rows)
        return;
    if (p.wide)
        one<u16>(plane, p, x, y);
    else
        one<u8>(plane, p, x, y);
}
