//! An admitted call.

use super::probe_slots::ProbeSlot;
use super::state::Ticket;

/// A call that the breaker has admitted.
///
/// It is two words, because every call carries it, and it is written and read within a few
/// nanoseconds: a processor stalls when it reads a word that was written in parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admitted {
    /// The ticket, and above it the number of the probe's slot.
    ticket_and_slot: u64,
    /// When it began, in nanoseconds since the clock was first read; 0 if calls are not timed.
    began: u64,
}

impl Admitted {
    #[inline]
    pub(super) fn new(ticket: Ticket, slot: Option<ProbeSlot>, began: u64) -> Self {
        let slot = slot.map_or(0, ProbeSlot::number);
        Self { ticket_and_slot: u64::from(slot) << u32::BITS | u64::from(ticket.bits()), began }
    }

    #[inline]
    pub(super) const fn ticket(self) -> Ticket {
        #[expect(clippy::cast_possible_truncation, reason = "the slot is above it")]
        Ticket::from_bits(self.ticket_and_slot as u32)
    }

    #[inline]
    pub(super) const fn has_slot(self) -> bool {
        self.ticket_and_slot >> u32::BITS != 0
    }

    pub(super) fn slot(self) -> Option<ProbeSlot> {
        #[expect(clippy::cast_possible_truncation, reason = "nothing is above it")]
        ProbeSlot::from_number((self.ticket_and_slot >> u32::BITS) as u16)
    }

    /// When it began, in nanoseconds since the clock was first read; 0 if calls are not timed.
    pub(super) const fn began(self) -> u64 {
        self.began
    }

    /// The same call, as if it had begun at this time.
    pub(super) const fn begun_at(self, began: u64) -> Self {
        Self { began, ..self }
    }
}
