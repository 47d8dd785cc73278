//! Messages put into coded pictures by hand, a bit at a time.

/// Bits on their way into bytes.
#[derive(Default)]
pub struct Bits(Vec<bool>);

impl Bits {
    /// The lower bits of a number, the highest of them first.
    pub fn number(mut self, value: u32, bits: u32) -> Self {
        self.0.extend((0..bits).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    /// What was written, with the bit that ends it where a byte is begun.
    pub fn payload(mut self) -> Vec<u8> {
        if !self.0.len().is_multiple_of(8) {
            self.0.push(true);
        }
        self.padded()
    }

    /// The same, with nothing but zeros after it.
    pub fn padded(self) -> Vec<u8> {
        let byte = |bits: &[bool]| (0..8).fold(0, |byte, at| byte << 1 | u8::from(bits.get(at) == Some(&true)));
        self.0.chunks(8).map(byte).collect()
    }
}

/// The units of a raw stream, each without its start code.
pub fn units(stream: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = (0..stream.len() - 3)
        .filter(|at| stream[*at..].starts_with(&[0, 0, 1]))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    let unit = |(start, end): (usize, usize)| {
        let unit = &stream[start + 3..end];
        let zeros = unit.iter().rev().take_while(|byte| **byte == 0).count();
        &unit[..unit.len() - zeros]
    };
    starts.iter().copied().zip(ends).map(unit).collect()
}

/// A message as the body of its unit, no byte of which looks like a start code.
pub fn message(kind: u8, payload: &[u8]) -> Vec<u8> {
    let size = u8::try_from(payload.len()).expect("a short message");
    let mut out: Vec<u8> = Vec::new();
    for byte in [&[kind, size], payload, &[0x80]].concat() {
        if byte <= 3 && out.ends_with(&[0, 0]) {
            out.push(3);
        }
        out.push(byte);
    }
    out
}

/// A raw stream of units.
pub fn stream<'a>(units: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    units
        .into_iter()
        .flat_map(|unit| [&[0, 0, 0, 1], unit].concat())
        .collect()
}
