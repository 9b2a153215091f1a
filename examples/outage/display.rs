//! What is seen while the work goes on: a bar, and a line for each change of a breaker's state.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Progress bars, lines above them, and how often the library has said that it retries.
#[derive(Clone)]
pub struct Display {
    bars: MultiProgress,
    retries: Arc<AtomicU64>,
    changes: Arc<Mutex<Vec<(Instant, String)>>>,
    start: Instant,
}

impl Display {
    /// Listens to the library's events from now on.
    pub fn start() -> Result<Self, tracing::subscriber::SetGlobalDefaultError> {
        let display = Self {
            bars: MultiProgress::new(),
            retries: Arc::default(),
            changes: Arc::default(),
            start: Instant::now(),
        };
        let listener = tracing_subscriber::registry().with(Listener(display.clone()));
        tracing::subscriber::set_global_default(listener)?;
        Ok(display)
    }

    /// A bar of this length.
    pub fn bar(&self, work: String, length: usize) -> ProgressBar {
        let style = ProgressStyle::with_template("{msg:28} {wide_bar} {pos:>4}/{len}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(length as u64).with_style(style).with_message(work);
        self.bars.add(bar)
    }

    /// A line that stays, also where there is no terminal to draw bars on.
    pub fn line(&self, text: &str) {
        let seconds = self.start.elapsed().as_secs_f32();
        self.bars.suspend(|| println!("{seconds:6.2} s  {text}"));
    }

    /// How many retries there were.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Each state that the breaker has entered so far, and when.
    pub fn changes(&self) -> Vec<(Instant, String)> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Hears the library's events.
struct Listener(Display);

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != "resilient" {
            return;
        }
        let mut heard = Heard::default();
        event.record(&mut heard);
        if heard.message == "retrying" {
            self.0.retries.fetch_add(1, Ordering::Relaxed);
        } else if !heard.to.is_empty() {
            let Heard { breaker, from, to, .. } = heard;
            self.0.line(&format!("breaker `{breaker}`: {from} -> {to}"));
            let mut changes = self.0.changes.lock().unwrap_or_else(PoisonError::into_inner);
            changes.push((Instant::now(), to));
        }
    }
}

/// The fields of an event that are shown.
#[derive(Default)]
struct Heard {
    message: String,
    breaker: String,
    from: String,
    to: String,
}

impl Visit for Heard {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "breaker" => value.clone_into(&mut self.breaker),
            "from" => value.clone_into(&mut self.from),
            "to" => value.clone_into(&mut self.to),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}
