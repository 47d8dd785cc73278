//! What goes over a relay's socket: requests of fixed form one way, headed answers the other.
//!
//! Guarantees: a text of the wrong form is told from every right one, and no length in it exceeds its bound; numbers
//! are little-endian, since both ends are the same binary on the same host. Deliberately absent: sockets.

use crate::base::fault::Fault;

/// Most bytes of one request.
pub const MAX_RANGE_BYTES: u32 = 4 << 20;
/// Most bytes of one piece of an answer.
pub const MAX_PIECE_BYTES: usize = 256 << 10;
/// Most bytes of a fault.
const MAX_FAULT_BYTES: u32 = 64 << 10;

const READ: u32 = 1;
const CHECK: u32 = 2;
const PIECE: u32 = 1;
const DONE: u32 = 2;
const FAULT: u32 = 3;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Bytes of a member, all of them or a fault.
    Read {
        /// Which file.
        member: u32,
        /// From where.
        offset: u64,
        /// How many, at most [`MAX_RANGE_BYTES`].
        length: u32,
    },
    /// Whether every member is still what it was.
    Check,
}

/// One request of the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Number of the request, chosen by the worker; the answers carry it.
    pub id: u32,
    /// What is asked.
    pub wish: Wish,
}

impl Request {
    /// Bytes of a request.
    pub const BYTES: usize = 24;

    /// As it is sent.
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let (kind, member, offset, length) = match self.wish {
            Wish::Read { member, offset, length } => (READ, member, offset, length),
            Wish::Check => (CHECK, 0, 0, 0),
        };
        let mut bytes = [0; Self::BYTES];
        bytes[0..4].copy_from_slice(&kind.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.id.to_le_bytes());
        bytes[8..12].copy_from_slice(&member.to_le_bytes());
        bytes[12..16].copy_from_slice(&length.to_le_bytes());
        bytes[16..24].copy_from_slice(&offset.to_le_bytes());
        bytes
    }

    /// As it was sent; none: it is no request.
    pub fn decode(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (id, member, length) = (word(4), word(8), word(12));
        let offset = u64::from(word(16)) | (u64::from(word(20)) << 32);
        let wish = match word(0) {
            READ if (1..=MAX_RANGE_BYTES).contains(&length) => Wish::Read { member, offset, length },
            CHECK => Wish::Check,
            _ => return None,
        };
        Some(Request { id, wish })
    }
}

/// What an answer begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// So many bytes of the range follow; they come in order.
    Piece(u32),
    /// The request is fulfilled.
    Done,
    /// It cannot be; a [`Fault`] of so many bytes follows.
    Fault(u32),
}

/// The head of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The request it belongs to.
    pub id: u32,
    /// What it is.
    pub answer: Answer,
}

impl Head {
    /// Bytes of a head.
    pub const BYTES: usize = 12;

    /// As it is sent.
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let (kind, length) = match self.answer {
            Answer::Piece(length) => (PIECE, length),
            Answer::Done => (DONE, 0),
            Answer::Fault(length) => (FAULT, length),
        };
        let mut bytes = [0; Self::BYTES];
        bytes[0..4].copy_from_slice(&kind.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.id.to_le_bytes());
        bytes[8..12].copy_from_slice(&length.to_le_bytes());
        bytes
    }

    /// As it was sent; none: it is no head.
    pub fn decode(bytes: &[u8; Self::BYTES]) -> Option<Self> {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let length = word(8);
        let answer = match word(0) {
            PIECE if (1..=MAX_PIECE_BYTES as u32).contains(&length) => Answer::Piece(length),
            DONE if length == 0 => Answer::Done,
            FAULT if (1..=MAX_FAULT_BYTES).contains(&length) => Answer::Fault(length),
            _ => return None,
        };
        Some(Head { id: word(4), answer })
    }
}

/// A fault with its head.
pub fn encode_fault(id: u32, fault: &Fault) -> Vec<u8> {
    let mut fault = fault.clone();
    // Words of a server may be long; a fault of theirs must fit.
    for text in [&mut fault.subject, &mut fault.cause, &mut fault.remedy] {
        if let Some((end, _)) = text.char_indices().nth(2_000) {
            text.truncate(end);
        }
    }
    let text = serde_json::to_vec(&fault).expect("a fault is plain text and flags");
    let length = u32::try_from(text.len()).expect("three texts of 2,000 characters are short");
    let head = Head {
        id,
        answer: Answer::Fault(length),
    };
    [head.encode().as_slice(), &text].concat()
}

#[cfg(test)]
mod tests {
    use super::Answer;
    use super::Head;
    use super::MAX_RANGE_BYTES;
    use super::Request;
    use super::Wish;
    use super::encode_fault;
    use crate::base::fault::Blame;
    use crate::base::fault::Fault;

    #[test]
    fn requests_and_heads_come_back_as_they_were() {
        let read = Wish::Read {
            member: 7,
            offset: u64::MAX - 3,
            length: MAX_RANGE_BYTES,
        };
        for request in [
            Request {
                id: u32::MAX,
                wish: read,
            },
            Request {
                id: 0,
                wish: Wish::Check,
            },
        ] {
            assert_eq!(Request::decode(&request.encode()), Some(request));
        }
        for answer in [Answer::Piece(1), Answer::Done, Answer::Fault(9)] {
            let head = Head { id: 5, answer };
            assert_eq!(Head::decode(&head.encode()), Some(head));
        }
    }

    #[test]
    fn what_is_out_of_bounds_is_no_message() {
        for length in [0, MAX_RANGE_BYTES + 1] {
            let wish = Wish::Read {
                member: 0,
                offset: 0,
                length,
            };
            assert_eq!(Request::decode(&Request { id: 1, wish }.encode()), None);
        }
        assert_eq!(Request::decode(&[9; Request::BYTES]), None);
        for answer in [Answer::Piece(0), Answer::Piece(u32::MAX), Answer::Fault(u32::MAX)] {
            assert_eq!(Head::decode(&Head { id: 1, answer }.encode()), None);
        }
    }

    #[test]
    fn a_talkative_fault_still_fits() {
        let fault = Fault::new(
            "X",
            Blame::Host,
            "read",
            "a",
            "\u{1}\u{10FFFF}".repeat(500_000),
            "Wait.",
        );
        let bytes = encode_fault(3, &fault);
        let head = Head::decode(bytes[..Head::BYTES].try_into().expect("twelve bytes")).expect("a head");
        assert_eq!(head.answer, Answer::Fault((bytes.len() - Head::BYTES) as u32));
        let read: Fault = serde_json::from_slice(&bytes[Head::BYTES..]).expect("a fault");
        assert_eq!((read.code, read.retryable), ("X".to_owned(), true));
    }
}
