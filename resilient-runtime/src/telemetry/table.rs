//! Everything at once, as text.

use std::fmt::Write;

use super::breaker_snapshot::BreakerSnapshot;
use super::snapshot::{BudgetSnapshot, FunctionSnapshot, snapshot};
use super::wall_clock::now_in_millis;
use crate::CallOutcome;

/// Returns the state of every breaker, budget and function as text, for a log, a terminal or a signal
/// handler. It has a table for each, one line a row, and no color. It is what
/// [`snapshot`](fn@crate::snapshot) says, for humans: the columns may change.
///
/// ```standalone_crate
/// # use resilient_runtime::{Classify, ErrorKind, Rejection, resilient};
/// # #[derive(Debug)] struct SearchError;
/// # impl Classify for SearchError { fn kind(&self) -> ErrorKind { ErrorKind::Unknown } }
/// # impl From<Rejection> for SearchError { fn from(_: Rejection) -> Self { Self } }
/// #[resilient(retry = "auto", breaker = "search")]
/// async fn search() -> Result<u32, SearchError> {
///     Ok(7)
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// search().await?;
/// # Ok::<(), SearchError>(()) }).unwrap();
/// let table = resilient_runtime::telemetry::table();
/// assert!(table.contains("circuit breaker  status  success  failure  ignored  rejected  last change"));
/// assert!(table.contains("search           closed        1        0        0         0  -"));
/// ```
///
/// On Unix, `kill -USR1` prints it:
///
/// ```no_run
/// # #[cfg(unix)] async fn start() -> std::io::Result<()> {
/// use tokio::signal::unix::{SignalKind, signal};
///
/// let mut asked = signal(SignalKind::user_defined1())?;
/// tokio::spawn(async move {
///     while asked.recv().await.is_some() {
///         eprintln!("{}", resilient_runtime::telemetry::table());
///     }
/// });
/// # Ok(()) }
/// ```
#[must_use]
pub fn table() -> String {
    let snapshot = snapshot();
    let tables = [
        breakers(snapshot.breakers(), now_in_millis()),
        budgets(snapshot.budgets()),
        functions(snapshot.functions()),
    ];
    let tables: Vec<_> = tables.iter().filter(|table| table.len() > 1).map(aligned).collect();
    tables.join("\n")
}

/// Rows of cells. The first names the columns.
type Rows = Vec<Vec<String>>;

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).into()
}

fn breakers(breakers: &[BreakerSnapshot], now: u64) -> Rows {
    let head =
        ["circuit breaker", "status", "success", "failure", "ignored", "rejected", "last change"];
    let rows = breakers.iter().map(|breaker| {
        let totals = breaker.totals;
        let changed = breaker.last_change.as_ref().map_or_else(
            || "-".to_owned(),
            |change| {
                let seconds = now.saturating_sub(change.at_millis) / 1_000;
                format!("{}s ago: {} -> {}: {}", seconds, change.from, change.to, change.cause)
            },
        );
        vec![
            breaker.name.clone(),
            breaker.to_string(),
            totals.successes.to_string(),
            totals.failures.to_string(),
            totals.ignored.to_string(),
            totals.rejected.to_string(),
            changed,
        ]
    });
    [row(head)].into_iter().chain(rows).collect()
}

fn budgets(budgets: &[BudgetSnapshot]) -> Rows {
    let rows = budgets.iter().map(|budget| {
        vec![budget.name.clone(), budget.available.to_string(), budget.capacity.to_string()]
    });
    [row(["retry budget", "tokens", "of"])].into_iter().chain(rows).collect()
}

fn functions(functions: &[FunctionSnapshot]) -> Rows {
    let outcomes = || CallOutcome::ALL.iter();
    let mut head = row(["function"]);
    head.extend(outcomes().map(|outcome| outcome.as_str().to_owned()));
    head.extend(row(["attempts", "p50", "p99"]));
    let rows = functions.iter().map(|function| {
        let mut cells = vec![function.name.clone()];
        cells.extend(outcomes().map(|outcome| function.counts.calls(*outcome).to_string()));
        cells.push(function.counts.attempts().to_string());
        let success = function.durations.iter().find(|it| it.outcome == CallOutcome::Success);
        for duration in [success.map(|it| it.p50), success.map(|it| it.p99)] {
            cells.push(duration.map_or_else(|| "-".to_owned(), |it| format!("{it:?}")));
        }
        cells
    });
    [head].into_iter().chain(rows).collect()
}

/// Pads the cells, so that columns stand under their heads: numbers to the right, all else to the
/// left.
fn aligned(rows: &Rows) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let is_number = |column: usize| {
        rows.iter().skip(1).all(|row| row[column].starts_with(|it: char| it.is_ascii_digit()))
            && !rows[0][column].contains(' ')
    };
    let to_right: Vec<_> = (0..columns).map(is_number).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let (width, gap) = (widths[column], if column == 0 { "" } else { "  " });
            // Writing to a `String` never fails.
            let _ = if to_right[column] {
                write!(line, "{gap}{cell:>width$}")
            } else {
                write!(line, "{gap}{cell:width$}")
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CallCounts, CircuitBreaker, Durations};

    #[test]
    fn columns_stand_under_their_heads() {
        let rows = vec![row(["name", "count"]), row(["a", "1"]), row(["längst", "10000000"])];
        assert_eq!(aligned(&rows), "name       count\na              1\nlängst  10000000\n");
    }

    #[test]
    fn a_breaker_says_what_changed_it_and_how_long_ago() {
        let breaker = CircuitBreaker::default();
        breaker.force_open();
        let snapshot = BreakerSnapshot::of(&breaker);
        let at = snapshot.last_change.as_ref().unwrap().at_millis;
        let rows = breakers(&[snapshot], at + 61_000);
        assert_eq!(rows[1][1], "forced_open");
        assert_eq!(rows[1][6], "61s ago: closed -> forced_open: by hand");
    }

    #[test]
    fn a_function_without_durations_has_none() {
        let function = FunctionSnapshot {
            name: "app::search".to_owned(),
            counts: CallCounts::ZERO,
            durations: super::super::DurationSnapshot::all(&Durations::NONE),
            unknown_errors: 0,
        };
        let text = aligned(&functions(&[function]));
        let expected = "function     success  error  rejected  timeout  cancelled  attempts  p50  p99\n\
                        app::search        0      0         0        0          0         0  -    -\n";
        assert_eq!(text, expected);
    }
}
