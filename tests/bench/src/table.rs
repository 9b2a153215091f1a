//! Tables in Markdown, for the documentation to quote.

/// Prints a table: its title, its columns, and a row for each of `rows`.
pub fn print<const COLUMNS: usize>(
    title: &str,
    columns: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) {
    println!("\n### {title}\n");
    println!("| {} |", columns.join(" | "));
    println!("|---|{}", "---:|".repeat(COLUMNS - 1));
    for row in rows {
        println!("| {} |", row.join(" | "));
    }
}
