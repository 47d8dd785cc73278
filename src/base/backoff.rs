//! Exponential back-off: how long to wait before try number n.
//!
//! Guarantees: pure, monotone up to its ceiling. Deliberately absent: counting and giving up, which belong to who retries.

/// Milliseconds to wait before the next try, after `tries` failed ones (1 or more): `first_ms` doubled each time, at most `ceiling_ms`.
pub fn delay_ms(tries: u32, first_ms: i64, ceiling_ms: i64) -> i64 {
    let doublings = tries.saturating_sub(1).min(40);
    first_ms.saturating_mul(1_i64 << doublings).min(ceiling_ms)
}

#[cfg(test)]
mod tests {
    use super::delay_ms;

    #[test]
    fn doubles_up_to_the_ceiling() {
        assert_eq!(
            [1, 2, 3, 11, 400].map(|tries| delay_ms(tries, 1_000, 900_000)),
            [1_000, 2_000, 4_000, 900_000, 900_000]
        );
    }
}
