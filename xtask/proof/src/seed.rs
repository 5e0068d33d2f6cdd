//! Numbers that look random and are the same for the same seed, so that a failing case replays.

/// A stream of numbers (splitmix64).
#[derive(Clone)]
pub(crate) struct Seed(u64);

impl Seed {
    /// A stream of its own for a case: the number, told apart by a name.
    pub(crate) fn new(number: u64, name: &str) -> Self {
        let mixed = name
            .bytes()
            .fold(number ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        Self(mixed)
    }

    /// The next number below `limit`; 0 for a limit of 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(limit).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_name_gives_others() {
        let draw = |mut seed: Seed| (0..8).map(|_| seed.below(1_000)).collect::<Vec<_>>();
        assert_eq!(draw(Seed::new(7, "a")), draw(Seed::new(7, "a")));
        assert_ne!(draw(Seed::new(7, "a")), draw(Seed::new(7, "b")));
    }
}
