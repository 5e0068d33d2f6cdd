//! Bad days of everything outside: what a storm brings to the bots and to the model. It only makes
//! things go wrong; what must be true all the same is the checker's business.

use simulators::model::{self, ModelSimulator};
use simulators::telegram::{self, TelegramSimulator};

use crate::seed::Seed;

/// Begins a storm that lasts. Most of it comes by numbers; a few calls are rare enough that the worst is
/// planned for them, so that every storm loses an answer.
pub(crate) fn begin(model: &ModelSimulator, bots: [&TelegramSimulator; 2], seed: &mut Seed) {
    model.set_chaos(model::Chaos::storm(seed.below(u64::MAX)));
    for bot in bots {
        bot.set_chaos(telegram::Chaos::storm(seed.below(u64::MAX)));
        let calm = usize::try_from(seed.below(3)).unwrap_or(0);
        bot.fail_next("sendMessage", telegram::Fault::Pass, calm);
        bot.fail_next("sendMessage", lost(seed), 1);
        bot.fail_next("sendMessage", refused(seed), 1);
    }
}

/// Carried out, and nobody hears of it.
fn lost(seed: &mut Seed) -> telegram::Fault {
    match seed.below(2) {
        0 => telegram::Fault::LostAnswer,
        _ => telegram::Fault::HalfAnswer,
    }
}

/// Not carried out, which the bot may or may not know.
fn refused(seed: &mut Seed) -> telegram::Fault {
    match seed.below(3) {
        0 => telegram::Fault::CutBefore,
        1 => telegram::Fault::ServerError,
        _ => telegram::Fault::RateLimited { retry_after: 1 },
    }
}
