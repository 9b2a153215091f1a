//! The probes in flight, and when each one began.
//!
//! A breaker has as many slots as it may have probes in flight at once. A probe holds its slot
//! until it ends, even if the breaker has opened again by then: a service that hangs does not get
//! further probes in each new period. With a probe timeout, a probe that has hung for longer no
//! longer counts, and its slot can be taken over.
//!
//! A slot carries the period of its probe. A probe of an earlier period does not release a slot
//! that another one has taken over.

use std::iter;
use std::num::NonZeroU16;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::config::BreakerConfig;
use super::state::Moment;
use super::sync::AtomicU64;

const FREE: u64 = 0;
const TAKEN: u64 = 1 << 63;
const PERIOD_SHIFT: u32 = 38;
const MOMENT_MASK: u64 = (1 << PERIOD_SHIFT) - 1;

/// The slots, allocated at the first probe: most breakers never have one.
pub(super) struct ProbeSlots(OnceLock<Box<Slots>>);

/// Slots that were allocated together. Settings can allow more probes: those have slots of their
/// own, so that the probes in flight keep theirs.
struct Slots {
    first: Box<[AtomicU64]>,
    more: OnceLock<Box<Slots>>,
}

/// A slot that a probe has taken, counted from 1. Every call has room for one, so it is small.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProbeSlot(NonZeroU16);

/// The probe that has taken a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Occupant {
    period: u32,
    since: Moment,
}

impl ProbeSlot {
    pub(super) const fn from_number(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    pub(super) const fn number(self) -> u16 {
        self.0.get()
    }
}

impl Occupant {
    const fn from_word(word: u64) -> Option<Self> {
        if word == FREE {
            return None;
        }
        let period = ((word & !TAKEN) >> PERIOD_SHIFT) as u32;
        Some(Self { period, since: Moment::from_millis(word & MOMENT_MASK) })
    }

    const fn word(self) -> u64 {
        TAKEN | (self.period as u64) << PERIOD_SHIFT | self.since.as_millis()
    }

    /// When the probe times out.
    fn expiry(self, timeout: Duration) -> Moment {
        self.since.plus(timeout)
    }
}

impl Slots {
    fn new(number: usize) -> Self {
        let first = (0..number).map(|_| AtomicU64::new(FREE)).collect();
        Self { first, more: OnceLock::new() }
    }
}

impl ProbeSlots {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Takes a slot for a probe of `period`, admitted at `now`. `None` if all are taken.
    pub(super) fn take(
        &self,
        config: &BreakerConfig,
        period: u32,
        now: Moment,
    ) -> Option<ProbeSlot> {
        let taken = Occupant { period, since: now }.word();
        (1..=u16::MAX).zip(self.made(config)).find_map(|(number, slot)| {
            let found = slot.load(Ordering::Relaxed);
            // Acquire: the caller then reads the state word again, and must see what the probe that
            // released the slot has made of it.
            let exchange =
                || slot.compare_exchange(found, taken, Ordering::Acquire, Ordering::Relaxed);
            let took = is_free(found, config, period, now) && exchange().is_ok();
            if took { ProbeSlot::from_number(number) } else { None }
        })
    }

    /// Whether [`take`](Self::take) would find a slot.
    pub(super) fn has_free(&self, config: &BreakerConfig, period: u32, now: Moment) -> bool {
        self.made(config).any(|slot| is_free(slot.load(Ordering::Relaxed), config, period, now))
    }

    /// Releases a slot that a probe of this period has taken, unless it has been taken over.
    pub(super) fn release(&self, slot: ProbeSlot, period: u32) {
        let Some(slot) = self.all().nth(usize::from(slot.number() - 1)) else { return };
        let found = slot.load(Ordering::Relaxed);
        if Occupant::from_word(found).is_some_and(|occupant| occupant.period == period) {
            // Release: see `take`. If it fails, the slot has been taken over.
            let _ = slot.compare_exchange(found, FREE, Ordering::Release, Ordering::Relaxed);
        }
    }

    /// Releases all slots.
    pub(super) fn clear(&self) {
        for slot in self.all() {
            let found = slot.load(Ordering::Relaxed);
            // If it fails, the probe has ended, or was admitted by an earlier state and will
            // release its slot itself.
            let _ = slot.compare_exchange(found, FREE, Ordering::Release, Ordering::Relaxed);
        }
    }

    /// When the first probe of this period times out.
    pub(super) fn first_expiry_in(&self, period: u32, timeout: Duration) -> Option<Moment> {
        let probes = self.occupants().filter(|occupant| occupant.period == period);
        probes.map(|occupant| occupant.expiry(timeout)).min()
    }

    /// When the first probe of any period times out.
    pub(super) fn first_expiry(&self, timeout: Duration) -> Option<Moment> {
        self.occupants().map(|occupant| occupant.expiry(timeout)).min()
    }

    /// How many slots are taken.
    #[cfg(test)]
    pub(super) fn out(&self) -> usize {
        self.occupants().count()
    }

    fn occupants(&self) -> impl Iterator<Item = Occupant> {
        self.all().filter_map(|slot| Occupant::from_word(slot.load(Ordering::Relaxed)))
    }

    fn all(&self) -> impl Iterator<Item = &AtomicU64> {
        let slots = iter::successors(self.0.get(), |slots| slots.more.get());
        slots.flat_map(|slots| &slots.first)
    }

    /// Returns the slots that this configuration allows.
    fn made(&self, config: &BreakerConfig) -> impl Iterator<Item = &AtomicU64> {
        let allowed = usize::try_from(config.half_open_max_calls()).unwrap_or(usize::MAX);
        let (mut made, mut next) = (0, &self.0);
        while made < allowed {
            let slots = next.get_or_init(|| Box::new(Slots::new(allowed - made)));
            made += slots.first.len();
            next = &slots.more;
        }
        self.all().take(allowed)
    }
}

/// Whether a probe of `period` may take a slot that holds this word.
fn is_free(word: u64, config: &BreakerConfig, period: u32, now: Moment) -> bool {
    Occupant::from_word(word).is_none_or(|occupant| {
        // In its own period, a probe that times out opens the breaker instead.
        occupant.period != period
            && config.probe_timeout().is_some_and(|timeout| now >= occupant.expiry(timeout))
    })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::state::PERIODS;
    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(100);

    fn two_slots() -> BreakerConfig {
        BreakerConfig::builder().half_open_max_calls(2).build().unwrap()
    }

    fn at(millis: u64) -> Moment {
        Moment::from_millis(millis)
    }

    #[test]
    fn the_oldest_probe_is_known_among_others_that_come_and_go() {
        let (slots, config) = (ProbeSlots::new(), two_slots());
        assert_eq!(slots.first_expiry_in(7, TIMEOUT), None);
        let oldest = slots.take(&config, 7, at(10)).unwrap();
        for millis in 11..20 {
            let other = slots.take(&config, 7, at(millis)).unwrap();
            assert_eq!(slots.first_expiry_in(7, TIMEOUT), Some(at(110)));
            assert!(!slots.has_free(&config, 7, at(millis)));
            slots.release(other, 7);
        }
        slots.release(oldest, 7);
        assert_eq!(slots.out(), 0);
    }

    #[test]
    fn a_probe_holds_its_slot_in_later_periods_until_it_ends() {
        let (slots, config) = (ProbeSlots::new(), two_slots());
        let hanging = slots.take(&config, PERIODS - 1, at(10)).unwrap();
        let probe = slots.take(&config, 0, at(1_000)).unwrap();
        assert!(slots.take(&config, 0, at(1_000)).is_none());
        assert_eq!(slots.first_expiry_in(0, TIMEOUT), Some(at(1_100)), "it is of another period");
        slots.release(hanging, PERIODS - 1);
        assert!(slots.take(&config, 0, at(1_000)).is_some());
        slots.release(probe, 0);
    }

    #[test]
    fn a_probe_that_has_hung_for_too_long_loses_its_slot_to_one_of_a_later_period() {
        let config = BreakerConfig::builder().half_open_max_calls(1).probe_timeout(TIMEOUT);
        let (slots, config) = (ProbeSlots::new(), config.build().unwrap());
        let hanging = slots.take(&config, 1, at(10)).unwrap();
        assert!(slots.take(&config, 3, at(109)).is_none());
        assert!(slots.take(&config, 1, at(110)).is_none(), "its own period ends by it");
        assert!(slots.take(&config, 3, at(110)).is_some());
        slots.release(hanging, 1);
        assert_eq!(slots.first_expiry_in(3, TIMEOUT), Some(at(210)), "it is no longer its own");
    }

    #[test]
    fn cleared_slots_are_not_released_by_the_probes_that_had_them() {
        let (slots, config) = (ProbeSlots::new(), two_slots());
        let before = slots.take(&config, 1, at(10)).unwrap();
        slots.clear();
        assert!((0..2).all(|_| slots.take(&config, 4, at(20)).is_some()));
        slots.release(before, 1);
        assert!(!slots.has_free(&config, 4, at(20)));
    }

    #[test]
    fn probes_keep_their_slots_when_more_or_fewer_are_allowed() {
        let allowing = |calls| BreakerConfig::builder().half_open_max_calls(calls).build().unwrap();
        let (slots, two, five) = (ProbeSlots::new(), two_slots(), allowing(5));
        let take = |config| slots.take(config, 1, at(0));
        let first = take(&two).unwrap();
        assert!(take(&two).is_some() && take(&two).is_none());
        let more: Vec<_> = iter::from_fn(|| take(&five)).collect();
        assert_eq!((more.len(), slots.out()), (3, 5));
        assert!(!slots.has_free(&two, 1, at(0)), "fewer are allowed again");
        for slot in more {
            slots.release(slot, 1);
        }
        assert!(!slots.has_free(&two, 1, at(0)), "its own two are taken");
        slots.release(first, 1);
        assert!(take(&two).is_some());
    }
}
