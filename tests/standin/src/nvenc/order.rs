//! In which order pictures are coded, and when: the picture type decision of an encoder that is asked to take it.
//!
//! Guarantees: pictures go in as they are shown and come out as they are coded, in groups of one P and the B before it;
//! no group reaches over an IDR picture; as many pictures as the lookahead is deep stay behind until the end. Deliberately
//! absent: pictures; what waits is the caller's.

use std::collections::VecDeque;

/// What a picture is coded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Idr,
    P,
    B,
}

struct Waiting<T> {
    item: T,
    is_idr: bool,
    since_idr: u32,
}

/// The pictures that wait to be coded.
pub struct Order<T> {
    interval: usize,
    period: u32,
    lookahead: usize,
    is_packed: bool,
    next_since_idr: Option<u32>,
    queue: VecDeque<Waiting<T>>,
}

/// A picture whose turn it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Turn<T> {
    pub item: T,
    pub kind: Kind,
    /// Pictures shown between the last IDR and this one, itself counted; 0 for an IDR.
    pub since_idr: u32,
}

impl<T> Order<T> {
    /// `interval`: from a P to the next, 0 for IDR pictures alone; `period`: from an IDR to the next, `u32::MAX` for never.
    pub fn new(interval: u32, period: u32, lookahead: u32) -> Self {
        Order {
            interval: interval as usize,
            period,
            lookahead: lookahead as usize,
            is_packed: false,
            next_since_idr: None,
            queue: VecDeque::new(),
        }
    }

    /// Groups come out as they are shown: of AV1 the P travels unseen with the first of its B, and is shown by a unit of
    /// its own behind them.
    pub fn packed(self) -> Self {
        Order {
            is_packed: true,
            ..self
        }
    }

    /// Takes the next picture as it is shown.
    pub fn push(&mut self, item: T, forced: bool) {
        let due = match self.next_since_idr {
            None => true,
            Some(since) => forced || self.interval == 0 || since >= self.period,
        };
        let since_idr = if due { 0 } else { self.next_since_idr.unwrap_or(0) };
        self.next_since_idr = Some(since_idr.saturating_add(1));
        self.queue.push_back(Waiting {
            item,
            is_idr: due,
            since_idr,
        });
    }

    /// The pictures that can be coded now, in their order; with `to_the_end` all of them.
    pub fn ready(&mut self, to_the_end: bool) -> Vec<Turn<T>> {
        let mut turns = Vec::new();
        loop {
            let behind = if to_the_end { 0 } else { self.lookahead };
            let available = self.queue.len().saturating_sub(behind);
            if available == 0 {
                return turns;
            }
            if self.queue[0].is_idr {
                turns.extend(self.take(0, Kind::Idr));
                continue;
            }
            let to_idr = self.queue.iter().position(|waiting| waiting.is_idr);
            let mut group = self.interval.max(1).min(to_idr.unwrap_or(usize::MAX));
            if to_the_end {
                group = group.min(available);
            }
            if group > available {
                return turns;
            }
            let last = self.take(group - 1, Kind::P);
            let before: Vec<_> = (1..group).filter_map(|_| self.take(0, Kind::B)).collect();
            if self.is_packed {
                turns.extend(before);
                turns.extend(last);
            } else {
                turns.extend(last);
                turns.extend(before);
            }
        }
    }

    fn take(&mut self, index: usize, kind: Kind) -> Option<Turn<T>> {
        self.queue.remove(index).map(|waiting| Turn {
            item: waiting.item,
            kind,
            since_idr: waiting.since_idr,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;
    use super::Order;

    fn coded(order: &mut Order<u32>, to_the_end: bool) -> String {
        let letters = order.ready(to_the_end).into_iter().map(|turn| match turn.kind {
            Kind::Idr => format!("I{}", turn.item),
            Kind::P => format!("P{}", turn.item),
            Kind::B => format!("B{}", turn.item),
        });
        letters.collect::<Vec<_>>().join(" ")
    }

    fn pushed(order: &mut Order<u32>, number: u32, forced: bool) -> String {
        order.push(number, forced);
        coded(order, false)
    }

    #[test]
    fn a_group_is_coded_when_its_p_is_there() {
        let mut order = Order::new(3, u32::MAX, 0);
        assert_eq!(pushed(&mut order, 0, false), "I0");
        assert_eq!(pushed(&mut order, 1, false), "");
        assert_eq!(pushed(&mut order, 2, false), "");
        assert_eq!(pushed(&mut order, 3, false), "P3 B1 B2");
        assert_eq!(pushed(&mut order, 4, false), "");
        assert_eq!(pushed(&mut order, 5, true), "P4 I5");
        assert_eq!(pushed(&mut order, 6, false), "");
        assert_eq!(pushed(&mut order, 7, false), "");
        assert_eq!(coded(&mut order, true), "P7 B6");
    }

    #[test]
    fn packed_groups_come_as_they_are_shown() {
        let mut order = Order::new(3, u32::MAX, 0).packed();
        let each: Vec<_> = (0..4).map(|number| pushed(&mut order, number, false)).collect();
        assert_eq!(each, ["I0", "", "", "B1 B2 P3"]);
    }

    #[test]
    fn lookahead_keeps_pictures_behind() {
        let mut order = Order::new(1, 4, 2);
        let each: Vec<_> = (0..6).map(|number| pushed(&mut order, number, false)).collect();
        assert_eq!(each, ["", "", "I0", "P1", "P2", "P3"]);
        assert_eq!(coded(&mut order, true), "I4 P5");
    }
}
