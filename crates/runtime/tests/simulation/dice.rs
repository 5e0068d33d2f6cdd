//! Chance that can be had again: one sequence of numbers per seed, and what a seed makes of the world. It must
//! never be asked by two who could overtake each other in real time.

/// `SplitMix64`.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `end`, which is left out.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// From `least` to `most`, both included.
    pub(crate) fn from(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// True this often in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of them.
    pub(crate) fn pick<'t, T>(&mut self, of: &'t [T]) -> Option<&'t T> {
        let at = usize::try_from(self.below(of.len() as u64)).unwrap_or_default();
        of.get(at)
    }
}

/// How often things go wrong, per thousand occasions. A seed leaves many of them out, so that what is left gets
/// further.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rates {
    /// The store refuses before it does anything.
    pub(crate) store_refuses: u64,
    /// The store does it, and the answer gets lost.
    pub(crate) store_loses_answer: u64,
    /// The process is killed before something it does.
    pub(crate) killed_before: u64,
    /// The process is killed after a commit.
    pub(crate) killed_after: u64,
    /// Something takes seconds.
    pub(crate) slow: u64,
    /// A process gets no time for longer than a lease lasts, between what it read and what it writes.
    pub(crate) oversleeps: u64,
    /// News of a commit does not reach a process.
    pub(crate) news_lost: u64,
    /// A model does not answer.
    pub(crate) model: u64,
    /// The vendor does not take a message.
    pub(crate) channel: u64,
    /// A tool fails.
    pub(crate) tool: u64,
}

impl Rates {
    /// Processes sleep past their leases, and nothing else goes wrong by chance.
    pub(crate) fn asleep() -> Self {
        Self {
            oversleeps: 100,
            ..Self::default()
        }
    }

    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let mut rate = |most: u64| {
            if dice.chance(500) {
                dice.from(1, most)
            } else {
                0
            }
        };
        Self {
            store_refuses: rate(30),
            store_loses_answer: rate(20),
            killed_before: rate(6),
            killed_after: rate(12),
            slow: rate(60),
            oversleeps: rate(50),
            news_lost: rate(300),
            model: rate(400),
            channel: rate(400),
            tool: rate(400),
        }
    }
}
