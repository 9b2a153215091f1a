//! A service goes through an outage, with policies and without them.
//!
//! It stores handwritten digits while the server limits the rate of writes, and classifies others
//! by their nearest neighbours while the server is slow, then down, then back. The same work is
//! done three times side by side, each on a server of its own: without faults, plain, and with
//! `#[resilient]` on the two functions in `calls.rs`.
//!
//! ```text
//! cargo run --example outage
//! ```
//!
//! With `-- --svg <path>` it also draws the run into that file, and into one beside it, with the
//! extension `uri`, as a `data:` URI for rustdoc.
//!
//! With `QDRANT_URL` (and `QDRANT_API_KEY`) it works on that server, without faults, and leaves no
//! collection behind.

mod calls;
mod digits;
mod display;
mod picture;
mod service;

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;

use crate::digits::Digits;
use crate::display::Display;
use crate::service::{Manner, Report, Service};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Result<()> {
    let picture = picture_path()?;
    let digits = digits::load()?;
    println!("{}", opening(&digits));
    let display = Display::start()?;
    // All of them to their end, so that each cleans up after itself.
    let (control, plain, resilient) = tokio::join!(
        run("no faults", Manner::Plain, false, &digits, &display),
        run("plain", Manner::Plain, true, &digits, &display),
        run("resilient", Manner::Resilient, true, &digits, &display),
    );
    let ((control, _), (plain, plain_service), (resilient, resilient_service)) =
        (control?, plain?, resilient?);
    println!("\n{}", table(&control, &plain, &resilient, display.retries()));
    check(&control, &resilient)?;
    println!("{LEGEND}");
    if let Some(path) = picture {
        let (plain, resilient) = (plain_service.timeline(), resilient_service.timeline());
        let svg = picture::draw(plain, resilient, &display.changes());
        fs::write(path.with_extension("uri"), picture::as_uri(&svg))?;
        fs::write(path, svg)?;
    }
    Ok(())
}

/// Where to draw the run, if the command line says so.
fn picture_path() -> Result<Option<PathBuf>> {
    match env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => Ok(None),
        [flag, path] if flag == "--svg" && service::is_embedded() => Ok(Some(path.into())),
        [flag, _] if flag == "--svg" => {
            Err("`--svg` draws an outage, and the server of QDRANT_URL has none".into())
        }
        _ => Err("usage: outage [--svg <path>]".into()),
    }
}

fn opening(digits: &Digits) -> String {
    let (known, held_back) = (digits.known.len(), digits.held_back.len());
    let faults = if service::is_embedded() {
        "The server limits the rate of writes; later it is slow for a second, then down for 1.5 s."
    } else {
        "The server is that of QDRANT_URL: nothing is made to fail."
    };
    format!(
        "Three services store {known} handwritten digits and classify {held_back} others, each by \
         its nearest neighbour.\n{faults}\n"
    )
}

const LEGEND: &str = "\
calls        what the service asked for: a digit that it could not classify is asked for again
failed fast  rejected by the open breaker at once: nothing was sent
failed       ended by an error: each has cost a connection that was refused, or a wait
retries      what `#[resilient]` did by itself, the writes that the rate limit had refused among it";

/// The whole work of one service.
async fn run(
    name: &'static str,
    manner: Manner,
    faults: bool,
    digits: &Digits,
    display: &Display,
) -> Result<(Report, Service)> {
    let service = Service::start(name, manner, faults).await?;
    let (known, held_back) = (&digits.known, &digits.held_back);

    let bar = display.bar(format!("{name}: store"), known.len());
    service.store(known, &bar).await;
    bar.finish();

    let bar = display.bar(format!("{name}: classify"), held_back.len());
    let say = |what: &str| display.line(&format!("{}: {what}", service.name));
    service.classify(held_back, &bar, say).await;
    bar.finish();

    let report = service.report(known.len(), held_back.len()).await;
    service.clean_up().await?;
    Ok((report?, service))
}

fn table(control: &Report, plain: &Report, resilient: &Report, retries: u64) -> Table {
    let reports = [control, plain, resilient];
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["", "no faults", "plain", "#[resilient]"]);
    let mut row = |name: &str, value: &dyn Fn(&Report) -> String| {
        table.add_row([name.to_owned()].into_iter().chain(reports.iter().map(|it| value(it))));
    };
    row("calls", &|it| it.calls.to_string());
    row("answered", &|it| it.answered.to_string());
    row("failed fast", &|it| it.failed_fast.to_string());
    row("failed", &|it| it.failed.to_string());
    row("requests that reached the server", &|it| {
        it.requests.map_or_else(|| "unknown".to_owned(), |requests| requests.to_string())
    });
    row("points stored of points sent", &|it| format!("{} of {}", it.stored, it.sent));
    row("accuracy", &|it| format!("{} of {}", it.correct, it.asked));
    table.add_row(["retries", "0", "0", &retries.to_string()]);
    table
}

/// Nothing may be lost.
fn check(control: &Report, resilient: &Report) -> Result<()> {
    if resilient.stored != resilient.sent {
        return Err(format!("{} points were lost", resilient.sent - resilient.stored).into());
    }
    if resilient.correct != control.correct {
        return Err("the outage has cost accuracy".into());
    }
    Ok(())
}
