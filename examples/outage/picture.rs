//! The picture of an outage, as an SVG: how the calls of two services ended, over time.

use std::fmt::{Arguments, Write};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::service::{DOWN, SLOW};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Answered,
    Failed,
    FailedFast,
}

/// The calls of one service since the first digit came in.
#[derive(Default)]
pub struct Timeline {
    start: OnceLock<Instant>,
    calls: Mutex<Vec<(Duration, Outcome)>>,
}

impl Timeline {
    /// Starts the clock. Calls that ended before are not recorded.
    pub fn start(&self) {
        self.start.get_or_init(Instant::now);
    }

    pub fn record(&self, outcome: Outcome) {
        if let Some(start) = self.start.get() {
            self.calls().push((start.elapsed(), outcome));
        }
    }

    fn calls(&self) -> MutexGuard<'_, Vec<(Duration, Outcome)>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.calls().iter().filter(|(_, found)| *found == outcome).count()
    }

    /// The calls of each bucket, in the order of [`SERIES`].
    fn buckets(&self) -> Vec<[usize; 3]> {
        let mut buckets = Vec::new();
        for (time, outcome) in &*self.calls() {
            let index = (time.as_millis() / BUCKET.as_millis()) as usize;
            if buckets.len() <= index {
                buckets.resize(index + 1, [0; 3]);
            }
            let series = SERIES.iter().position(|(found, _)| found == outcome);
            buckets[index][series.unwrap_or_default()] += 1;
        }
        buckets
    }
}

/// What a bar stands for.
const BUCKET: Duration = Duration::from_millis(50);

/// From the axis upward, each with its class.
const SERIES: [(Outcome, &str); 3] = [
    (Outcome::Answered, "answered"),
    (Outcome::Failed, "failed"),
    (Outcome::FailedFast, "rejected"),
];

// In pixels.
const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 784.0;
const PANEL: f64 = 110.0;
/// The axes of the two panels.
const PLAIN: f64 = 190.0;
const RESILIENT: f64 = 345.0;
const STRIP: f64 = 10.0;

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1f2328}\
.small{font-size:11px}\
.ground{fill:#ffffff;stroke:#d1d9e0}\
.slow{fill:#d4a72c;opacity:.14}\
.down{fill:#cf222e;opacity:.10}\
.axis{stroke:#818b98}\
.answered{fill:#0969da}\
.failed{fill:#cf222e}\
.rejected{fill:#afb8c1}\
.closed{fill:#0969da}\
.open{fill:#59636e}\
.half_open{fill:#d4a72c}\
@media(prefers-color-scheme:dark){\
text{fill:#f0f6fc}\
.ground{fill:#0d1117;stroke:#3d444d}\
.answered,.closed{fill:#4493f8}\
.failed{fill:#f85149}\
.rejected{fill:#656c76}\
.open{fill:#9198a1}\
}";

/// Draws both services. `changes` are the times at which the breaker entered a state.
pub fn draw(plain: &Timeline, resilient: &Timeline, changes: &[(Instant, String)]) -> String {
    let (plain_bars, resilient_bars) = (plain.buckets(), resilient.buckets());
    let buckets = plain_bars.len().max(resilient_bars.len());
    let highest = plain_bars.iter().chain(&resilient_bars).map(|bar| bar.iter().sum()).max();
    let scale = Scale {
        pixels_a_second: (RIGHT - LEFT) / (as_pixels(buckets) * BUCKET.as_secs_f64()),
        pixels_a_call: PANEL / as_pixels(highest.unwrap_or(1)),
    };

    let mut svg = String::new();
    let title = "The calls of a service through an outage of its server, without and with \
                 #[resilient]";
    // Writing to a string never fails.
    let mut line = |text: Arguments<'_>| {
        let _ = writeln!(svg, "{text}");
    };
    line(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">"
    ));
    line(format_args!("<title>{title}</title>"));
    line(format_args!("<style>{STYLE}</style>"));
    line(format_args!(
        "<rect class=\"ground\" x=\".5\" y=\".5\" width=\"799\" height=\"419\" rx=\"6\"/>"
    ));
    legend(&mut line);

    let top = PLAIN - PANEL - 14.0;
    for (name, from, length) in [("slow", Duration::ZERO, SLOW), ("down", SLOW, DOWN)] {
        let x = scale.x(from);
        line(format_args!(
            "<rect class=\"{name}\" x=\"{x:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{:.1}\"/>\n\
             <text class=\"small\" x=\"{:.1}\" y=\"{}\">the server is {name}</text>",
            scale.x(length) - LEFT,
            RESILIENT + 4.0 + STRIP - top,
            x + 6.0,
            top - 6.0,
        ));
    }
    scale.panel(PLAIN, &plain_bars, &mut line);
    scale.panel(RESILIENT, &resilient_bars, &mut line);
    line(format_args!(
        "<text x=\"{}\" y=\"{}\">without: {} calls failed</text>",
        LEFT + 6.0,
        top + 18.0,
        plain.count(Outcome::Failed)
    ));
    line(format_args!(
        "<text x=\"{}\" y=\"{}\">with #[resilient]: {} calls failed, and {} were rejected by \
         the open breaker</text>",
        LEFT + 6.0,
        RESILIENT - PANEL - 6.0,
        resilient.count(Outcome::Failed),
        resilient.count(Outcome::FailedFast)
    ));
    if let Some(start) = resilient.start.get() {
        scale.strip(*start, changes, &mut line);
    }
    scale.seconds(&mut line);
    line(format_args!("</svg>"));
    svg
}

/// What a reference definition of Markdown can hold: rustdoc has no place for files.
pub fn as_uri(svg: &str) -> String {
    let mut uri = String::from("data:image/svg+xml,");
    for character in svg.chars() {
        match character {
            '%' | '#' | '<' | '>' | '"' | ' ' | '\n' => {
                let _ = write!(uri, "%{:02X}", u32::from(character));
            }
            _ => uri.push(character),
        }
    }
    uri
}

fn legend(line: &mut impl FnMut(Arguments<'_>)) {
    let entries =
        [("answered", "answered"), ("failed", "failed"), ("rejected", "rejected at once")];
    for ((class, text), x) in entries.into_iter().zip([LEFT, 138.0, 208.0]) {
        line(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"20\" width=\"11\" height=\"11\"/>\n\
             <text x=\"{}\" y=\"30\">{text}</text>",
            x + 17.0
        ));
    }
    line(format_args!(
        "<text class=\"small\" x=\"{RIGHT}\" y=\"30\" text-anchor=\"end\">calls in each {} ms</text>",
        BUCKET.as_millis()
    ));
}

struct Scale {
    pixels_a_second: f64,
    pixels_a_call: f64,
}

impl Scale {
    fn x(&self, time: Duration) -> f64 {
        LEFT + time.as_secs_f64() * self.pixels_a_second
    }

    /// The bars of one service above their axis.
    fn panel(&self, axis: f64, bars: &[[usize; 3]], line: &mut impl FnMut(Arguments<'_>)) {
        let width = BUCKET.as_secs_f64() * self.pixels_a_second - 1.0;
        for (series, (_, class)) in SERIES.iter().enumerate() {
            let mut path = String::new();
            for (bar, index) in bars.iter().zip(0..).filter(|(bar, _)| bar[series] > 0) {
                let below: usize = bar[..series].iter().sum();
                let x = self.x(BUCKET * index);
                let y = axis - as_pixels(below) * self.pixels_a_call;
                let height = as_pixels(bar[series]) * self.pixels_a_call;
                let _ = write!(path, "M{x:.1} {y:.1}h{width:.1}v-{height:.1}h-{width:.1}z");
            }
            line(format_args!("<path class=\"{class}\" d=\"{path}\"/>"));
        }
        line(format_args!("<path class=\"axis\" d=\"M{LEFT} {axis}H{RIGHT}\"/>"));
    }

    /// The states of the breaker, below the axis.
    fn strip(
        &self,
        start: Instant,
        changes: &[(Instant, String)],
        line: &mut impl FnMut(Arguments<'_>),
    ) {
        let y = RESILIENT + 4.0;
        let closed = [(LEFT, "closed")];
        let changes = changes
            .iter()
            .map(|(time, state)| (self.x(time.saturating_duration_since(start)), state.as_str()));
        let states: Vec<_> = closed.into_iter().chain(changes).collect();
        let ends = states.iter().skip(1).map(|(x, _)| *x).chain([RIGHT]);
        let mut spans: Vec<_> = states.iter().zip(ends).collect();
        // The probes last, and wide enough to be seen: one may take less than a pixel.
        spans.sort_by_key(|((_, state), _)| *state == "half_open");
        for ((x, state), end) in spans {
            let width = (end - x).max(3.0);
            line(format_args!(
                "<rect class=\"{state}\" x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" \
                 height=\"{STRIP}\"/>"
            ));
        }
        let mut x = LEFT;
        for (class, text) in
            [("closed", "closed"), ("open", "open"), ("half_open", "half-open: probes")]
        {
            line(format_args!(
                "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"11\" height=\"11\"/>\n\
                 <text class=\"small\" x=\"{}\" y=\"{}\">breaker {text}</text>",
                x,
                HEIGHT - 24.0,
                x + 17.0,
                HEIGHT - 14.0
            ));
            x += 125.0;
        }
    }

    fn seconds(&self, line: &mut impl FnMut(Arguments<'_>)) {
        for (second, label) in (0..).map(|second| (Duration::from_secs(second), second)) {
            let x = self.x(second);
            if x > RIGHT {
                break;
            }
            line(format_args!(
                "<text class=\"small\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label} s</text>",
                RESILIENT + 4.0 + STRIP + 15.0
            ));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand calls at most")]
fn as_pixels(count: usize) -> f64 {
    count as f64
}
