//! The probes that are under way, and since when: for a breaker that gives each so much time.
//!
//! The state word counts probes; here each has a place of its own, so that one that hangs is seen
//! among others that come and go. A place says by its period whose it is: one of an earlier period
//! is free. It is given up before the state word counts the probe out, so whoever is counted in
//! finds one.

use std::num::NonZeroU16;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use super::state::{Moment, PERIODS};
use super::sync::AtomicU64;

const FREE: u64 = 0;
const TAKEN: u64 = 1 << 63;
const PERIOD_SHIFT: u32 = 38;
const MOMENT_MASK: u64 = (1 << PERIOD_SHIFT) - 1;

/// Made at the first probe, and never where probes may take as long as they like.
pub(super) struct Places(OnceLock<Box<[AtomicU64]>>);

/// A place that a probe has taken, counted from 1. Every call has room for one, so it is small.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(NonZeroU16);

impl Place {
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

impl Places {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Takes one of `limit` places for a probe of this period, admitted at `now`. None where a
    /// later period has begun, in which nobody asks for this probe any more.
    pub(super) fn take(&self, limit: u32, period: u32, now: Moment) -> Option<Place> {
        let places = self.0.get_or_init(|| (0..limit).map(|_| AtomicU64::new(FREE)).collect());
        let taken = TAKEN | u64::from(period) << PERIOD_SHIFT | now.as_millis();
        loop {
            for (number, place) in (1..).map_while(Place::from_number).zip(places) {
                // Relaxed throughout: a place is all that is asked of it, and the exchange decides
                // whose it is.
                let found = place.load(Ordering::Relaxed);
                if found != FREE && is_later(period_of(found), period) {
                    return None;
                }
                if (found == FREE || period_of(found) != period)
                    && place
                        .compare_exchange(found, taken, Ordering::Relaxed, Ordering::Relaxed)
                        .is_ok()
                {
                    return Some(number);
                }
            }
        }
    }

    /// Gives a place up that a probe of this period has taken, unless a later period has.
    pub(super) fn give_up(&self, place: Place, period: u32) {
        let index = usize::from(place.number() - 1);
        if let Some(place) = self.0.get().and_then(|places| places.get(index)) {
            // Relaxed: nobody else writes to it as long as it is of this period.
            let found = place.load(Ordering::Relaxed);
            if found != FREE && period_of(found) == period {
                // Release: the state word counts the probe out after this.
                let _ = place.compare_exchange(found, FREE, Ordering::Release, Ordering::Relaxed);
            }
        }
    }

    /// When the oldest probe of this period that is under way was admitted.
    pub(super) fn oldest(&self, period: u32) -> Option<Moment> {
        let places = self.0.get()?;
        places
            .iter()
            .map(|place| place.load(Ordering::Relaxed))
            .filter(|found| *found != FREE && period_of(*found) == period)
            .map(|found| Moment::from_millis(found & MOMENT_MASK))
            .min()
    }
}

const fn period_of(place: u64) -> u32 {
    ((place & !TAKEN) >> PERIOD_SHIFT) as u32
}

/// Whether `period` began after `other`, where periods wrap: less than half of all of them lie
/// between.
const fn is_later(period: u32, other: u32) -> bool {
    let between = (period + PERIODS - other) % PERIODS;
    between > 0 && between < PERIODS / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u32 = 2;

    fn at(millis: u64) -> Moment {
        Moment::from_millis(millis)
    }

    #[test]
    fn the_oldest_probe_is_known_among_others_that_come_and_go() {
        let places = Places::new();
        assert_eq!(places.oldest(7), None);
        let oldest = places.take(LIMIT, 7, at(10)).unwrap();
        for millis in 11..20 {
            let other = places.take(LIMIT, 7, at(millis)).unwrap();
            assert_eq!(places.oldest(7), Some(at(10)));
            places.give_up(other, 7);
        }
        places.give_up(oldest, 7);
        assert_eq!(places.oldest(7), None);
    }

    #[test]
    fn a_new_period_takes_the_places_of_the_last_one_and_not_the_other_way_round() {
        let places = Places::new();
        let stale = places.take(LIMIT, PERIODS - 1, at(10)).unwrap();
        for _ in 0..LIMIT {
            places.take(LIMIT, 0, at(20)).unwrap();
        }
        places.give_up(stale, PERIODS - 1);
        assert_eq!(places.oldest(0), Some(at(20)));
        assert!(places.take(LIMIT, PERIODS - 1, at(30)).is_none());
        assert_eq!(places.oldest(PERIODS - 1), None);
    }
}
