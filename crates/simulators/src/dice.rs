//! Decisions that look random and are not: each depends on nothing but a seed and what it is about,
//! so that the order in which things happen to be asked does not change them.

/// Below a thousand. `key` says what the decision is about, `nth` how often that came up before.
pub(crate) fn roll(seed: u64, key: &str, nth: u64) -> u16 {
    // FNV-1a, then the finalizer of SplitMix64; std's hashers may change with the toolchain.
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut mixed = hash
        .wrapping_add(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_add(nth.wrapping_mul(0xd1b5_4a32_d192_ed03));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u16::try_from((mixed ^ (mixed >> 31)) % 1_000).unwrap_or_default()
}

/// The choice a roll falls on, each as wide as its rate per thousand.
pub(crate) fn pick<T>(roll: u16, choices: impl IntoIterator<Item = (u16, T)>) -> Option<T> {
    let mut end = 0_u16;
    choices.into_iter().find_map(|(rate, choice)| {
        end = end.saturating_add(rate);
        (roll < end).then_some(choice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_met_and_seeds_differ() {
        let hits = |seed| {
            let rolls = (0..10_000).map(|nth| roll(seed, "sendMessage/7", nth));
            rolls.filter(|roll| *roll < 250).count()
        };
        assert!((2_300..2_700).contains(&hits(1)), "{}", hits(1));
        assert_eq!(hits(1), hits(1));
        assert_ne!(roll(1, "a", 0), roll(2, "a", 0));
        assert_ne!(roll(1, "a", 0), roll(1, "a", 1));
        assert_ne!(roll(1, "a", 0), roll(1, "b", 0));
    }

    #[test]
    fn choices_lie_side_by_side() {
        let choices = [(10, 'a'), (0, 'b'), (990, 'c')];
        let picked = |roll| pick(roll, choices);
        assert_eq!((picked(9), picked(10)), (Some('a'), Some('c')));
        assert_eq!(pick(500, [(500, 'a')]), None);
    }
}
