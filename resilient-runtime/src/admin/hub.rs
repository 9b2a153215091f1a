//! What all requests to one page share.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, watch};

use super::config::AdminConfig;
use super::event_log::EventLog;
use super::frame::{Facts, Frame};
use super::slots::Slots;
use super::wake::Wake;
use crate::event::{Event, Observation, Observer, observe};

/// The state of one router. It observes the program's events for as long as the router lives.
#[derive(Debug)]
pub(super) struct Hub {
    config: AdminConfig,
    events: Arc<EventLog>,
    frames: watch::Sender<Frame>,
    wake: Arc<Wake>,
    slots: Arc<Slots>,
    /// How many wrong tokens may be waiting for their answer.
    guesses: Semaphore,
    /// Whether the thread that samples has started.
    is_sampled: Mutex<bool>,
    _observation: Observation,
}

impl Hub {
    const MOST_GUESSES: usize = 32;

    pub(super) fn new(config: AdminConfig) -> Arc<Self> {
        let events = Arc::new(EventLog::default());
        let observer = Arc::clone(&events);
        let facts = Facts { can_act: config.token.is_some(), epoch: rand::random() };
        Arc::new(Self {
            config,
            frames: watch::Sender::new(Frame::first(facts, Arc::clone(&events))),
            events,
            wake: Arc::default(),
            slots: Arc::default(),
            guesses: Semaphore::new(Self::MOST_GUESSES),
            is_sampled: Mutex::new(false),
            _observation: observe(move |event: &Event<'_>| observer.on_event(event)),
        })
    }

    pub(super) fn config(&self) -> &AdminConfig {
        &self.config
    }

    pub(super) fn events(&self) -> &EventLog {
        &self.events
    }

    pub(super) fn wake(&self) -> &Arc<Wake> {
        &self.wake
    }

    pub(super) fn slots(&self) -> &Arc<Slots> {
        &self.slots
    }

    pub(super) fn guesses(&self) -> &Semaphore {
        &self.guesses
    }

    pub(super) fn frame(&self) -> Frame {
        self.frames.borrow().clone()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Frame> {
        self.frames.subscribe()
    }

    /// Publishes a frame. Returns whether a page is open.
    pub(super) fn publish(&self, frame: Frame) -> bool {
        self.frames.send_replace(frame);
        self.frames.receiver_count() > 0
    }

    /// Starts the thread that samples by `start`, unless it has started. Returns whether there is one.
    pub(super) fn ensure_sampled(&self, start: impl FnOnce() -> std::io::Result<()>) -> bool {
        let mut is_sampled = self.is_sampled.lock().unwrap_or_else(PoisonError::into_inner);
        *is_sampled = *is_sampled || start().is_ok();
        *is_sampled
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.wake.end();
    }
}
